"""When lines of log are written, and what happens if they cannot be."""

import asyncio
import errno
import io
import json
from collections.abc import Iterator

import pytest

from backend import logs
from backend.logs import log


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logs.configure(level="warning", as_json=False)


def written(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]


async def test_lines_of_one_turn_of_the_loop_are_written_together(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)

    log.info("one")
    log.info("two")
    before = written(capsys)
    await asyncio.sleep(0)

    assert before == []
    assert written(capsys) == ["one", "two"]


async def test_a_warning_is_written_at_once_and_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)

    log.info("one")
    log.warning("two")

    assert written(capsys) == ["one", "two"]


def test_without_a_loop_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)

    log.info("one")

    assert written(capsys) == ["one"]


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", text)


def test_a_log_that_cannot_be_written_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", FullDisk())
    logs.configure(level="info", as_json=True)

    log.warning("one")
