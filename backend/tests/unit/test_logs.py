"""When log lines are written, and what happens if they cannot be."""

import asyncio
import errno
import io
import json
import logging
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


async def test_lines_are_written_in_batches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "WAIT_SECONDS", 0.001)
    logs.configure(level="info", as_json=True)

    log.info("one")
    log.info("two")
    before = written(capsys)
    await asyncio.sleep(0.01)

    assert before == []
    assert written(capsys) == ["one", "two"]


async def test_a_warning_is_written_at_once_and_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)

    log.info("one")
    log.warning("two")

    assert written(capsys) == ["one", "two"]


def test_nothing_is_written_when_nothing_waits_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    """As when the time is up of a line that a warning has taken along."""
    logs.configure(level="info", as_json=True)
    log.label("api")
    log.warning("one")
    capsys.readouterr()

    log.flush()

    assert capsys.readouterr().out == ""


def test_without_a_loop_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)

    log.info("one")

    assert written(capsys) == ["one"]


def test_messages_of_libraries_have_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", as_json=True)
    library = logging.getLogger("some.library")

    library.info("of no interest")
    library.warning("%s things", 2, exc_info=ValueError("trouble"))

    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert (event["level"], event["event"]) == ("warning", "2 things")
    assert event["exception"][0]["exc_value"] == "trouble"


def test_times_have_microseconds_and_are_in_utc(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "time", lambda: 1.0)
    logs.configure(level="info", as_json=True)

    log.warning("one")

    assert json.loads(capsys.readouterr().out)["timestamp"] == "1970-01-01T00:00:01.000000Z"


def test_a_character_that_the_terminal_lacks_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    logs.configure(level="info", as_json=False)

    log.warning("Verbindung für alle beendet")

    assert b"Verbindung f?r alle beendet" in written.getvalue()


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", text)


def test_a_log_that_cannot_be_written_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", FullDisk())
    logs.configure(level="info", as_json=True)

    log.warning("one")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("C1 \x9b2J, é, \u2028 and \n", '"C1 \\u009b2J, \\u00e9, \\u2028 and \\n"'),
        ("half a pair: \ud800", '"half a pair: \\ud800"'),
        (b"\xff", "\"b'\\\\xff'\""),
        (OSError("no"), "\"OSError('no')\""),
    ],
)
def test_a_line_of_json_is_one_line_of_ascii_whatever_it_says(
    capsys: pytest.CaptureFixture[str], value: object, shown: str
) -> None:
    logs.configure(level="info", as_json=True)

    log.warning("odd", value=value)

    line = capsys.readouterr().out
    assert json.loads(line)["event"] == "odd"
    assert shown in line
    assert line.isascii()
    assert line.count("\n") == 1
