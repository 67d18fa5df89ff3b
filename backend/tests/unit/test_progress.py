"""`scripts/with-progress`, which make runs what takes long with."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path
from signal import SIGINT

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "with-progress"
PATIENCE = 60  # seconds


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, "Trying", *command], capture_output=True, text=True, check=False)


def test_a_command_that_succeeds_is_silent() -> None:
    done = run("sh", "-c", "echo output; echo error >&2")

    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "Trying ..."
    assert done.stderr.splitlines()[1].startswith("Trying ... done in ")
    assert len(done.stderr.splitlines()) == 2


def test_a_command_that_fails_is_heard() -> None:
    done = run("sh", "-c", "echo output; echo error >&2; exit 3")

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines()[1].startswith("Trying ... failed after ")
    assert done.stderr.splitlines()[2:] == ["output", "error"]


@pytest.fixture
def terminal() -> "tuple[int, int]":
    return pty.openpty()


def read_until(pattern: bytes, terminal: int) -> bytes:
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while not re.search(pattern, shown):
        readable, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert readable, shown
        shown += os.read(terminal, 1000)
    return shown


def test_on_a_terminal_it_counts_the_seconds_in_one_line(terminal: "tuple[int, int]") -> None:
    """They are the clock's whole seconds, so the first count may be 2."""
    ours, theirs = terminal
    with subprocess.Popen([SCRIPT, "Trying", "cat"], stdin=subprocess.PIPE, stderr=theirs) as waiting:
        os.close(theirs)
        shown = read_until(rb"[1-9][0-9]* s", ours)

        waiting.communicate()

        shown += read_until(rb"\n", ours)
    assert waiting.returncode == 0
    assert re.match(rb"Trying \.\.\.\rTrying \.\.\. [1-9][0-9]* s", shown)
    assert b"\rTrying ... done in " in shown
    assert shown.count(b"\n") == 1
    os.close(ours)


def test_ctrl_c_ends_the_command_and_the_counting(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    program = f"echo > '{begun}'; exec sleep 60"
    with subprocess.Popen(
        [SCRIPT, "Trying", "sh", "-c", program], stderr=subprocess.PIPE, start_new_session=True
    ) as waiting:
        begun.read_text()

        os.killpg(waiting.pid, SIGINT)

        _, shown = waiting.communicate(timeout=30)  # which ends when nobody has the pipe any more
    assert waiting.returncode == 130
    assert b"done" not in shown
