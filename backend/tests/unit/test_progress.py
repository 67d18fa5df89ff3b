"""`scripts/with-progress`, which make runs what takes long with."""

import os
import pty
import subprocess
from pathlib import Path
from signal import SIGINT

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "with-progress"


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


def test_on_a_terminal_it_counts_the_seconds_in_one_line(terminal: "tuple[int, int]") -> None:
    ours, theirs = terminal
    waiting = subprocess.Popen([SCRIPT, "Trying", "cat"], stdin=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b" 1 s" not in shown:
        shown += os.read(ours, 1000)

    waiting.communicate()

    shown += os.read(ours, 1000)
    assert waiting.returncode == 0
    assert shown.startswith(b"Trying ...\rTrying ... 1 s")
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
