"""The `tasks` command as a process, as a terminal or a supervisor starts it."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from signal import Signals
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, NamedTuple

import psutil
import pytest

TASKS = Path(sys.executable).with_name("tasks")
# Starts a command without measuring its coverage, in half the time. Other tests measure the same code.
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
PATIENCE = 120  # seconds; only what hangs takes that long


class Command:
    """A command in a process group of its own, with its output in files."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.temporary = Path(environment["TMPDIR"])
        self.started = time.monotonic()
        self._stdout, self._stderr = (TemporaryFile() for _ in range(2))  # noqa: SIM115 - closed by close()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            start_new_session=True,
        )

    @property
    def stdout(self) -> str:
        return _text(self._stdout)

    @property
    def stderr(self) -> str:
        return _text(self._stderr)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that should happen while the command runs."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"The command has ended:\n{self.stdout}\n{self.stderr}"
            assert time.monotonic() < deadline, f"It did not happen:\n{self.stdout}\n{self.stderr}"
            time.sleep(0.005)

    def signal(self, number: Signals) -> None:
        """Send a signal to the whole process group, as a terminal does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def status(self) -> int:
        """Wait until the command ends; gives its exit status."""
        return self.process.wait(PATIENCE)

    def complaint(self) -> str:
        """The one line that a command prints when it refuses."""
        return only_complaint(self.status(), self.stdout, self.stderr)

    def family(self) -> list[psutil.Process]:
        """The process and all its descendants."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def close(self) -> None:
        if self.process.poll() is None:
            for process in self.family():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait()
        self._stdout.close()
        self._stderr.close()


def only_complaint(status: int, stdout: str, stderr: str) -> str:
    assert status == 1, stdout
    assert stdout == ""
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("tasks: ")
    return lines[0].removeprefix("tasks: ")


type Start = Callable[..., Command]


class Workplace(NamedTuple):
    """An empty folder, and a function that starts `tasks` there with arguments and environment variables."""

    folder: Path
    start: Start
    variables: dict[str, str]


@contextmanager
def workplace(**variables: str) -> Iterator[Workplace]:
    """Everything that was started there is killed at its end."""
    # Not in pytest's own folders: each run closes them to other users, and PostgreSQL runs as another user when
    # root runs the tests.
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tests-")))
        temporary = Path(stack.enter_context(TemporaryDirectory(prefix="tests-")))

        def start(*arguments: str | Path, by: tuple[str, ...] = (str(TASKS),), **more: str) -> Command:
            environment = {"TMPDIR": str(temporary), **variables, **more}
            command = Command([*by, *map(str, arguments)], folder, environment)
            stack.callback(command.close)
            return command

        stack.callback(_kill, folder)
        yield Workplace(folder, start, variables)


def _kill(folder: Path) -> None:
    for process in processes_naming(folder):
        process.kill()


def processes_naming(folder: Path) -> list[psutil.Process]:
    """Processes whose command line names the folder, or something in it."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in argument for argument in process.info["cmdline"] or [])
    ]


def as_ordinary_user() -> tuple[str, ...]:
    """The command that runs `tasks` as an ordinary user; skips the test where root cannot become one."""
    if os.geteuid() != 0:
        return (str(TASKS),)
    become = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
    if (
        not shutil.which("unshare")
        or subprocess.run([*become, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("Root cannot become an ordinary user where user namespaces are not permitted.")
    return (*become, str(TASKS))


def has_ended(process: psutil.Process) -> bool:
    """A zombie counts as ended: an orphan stays one until the system's first process reaps it."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def free_port() -> int:
    """A port that no outgoing connection will take: the system picks those from 32768 upwards."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _text(file: IO[bytes]) -> str:
    # Without seeking: the command shares the file's position.
    return os.pread(file.fileno(), 10_000_000, 0).decode()
