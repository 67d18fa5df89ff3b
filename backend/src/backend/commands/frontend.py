"""The front end as a process beside the API, for `tasks dev`: Next.js, with Better Auth on the same database."""

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Thread
from typing import IO, NamedTuple

from backend.commands import signals
from backend.commands.frontend_log import FrontEndLog
from backend.config import AuthSource, Settings
from backend.errors import Refusal
from backend.http.server import listen

OLDEST_NODE = (20, 19)  # enough for Next.js would be 20.9, but not for what Better Auth depends on
HOST = "localhost"
START_SECONDS = 60  # with --watch it compiles first
STOP_SECONDS = 1  # it keeps everything in the database, and an idle connection of a browser would delay it
LEFTOVER_SECONDS = 5

# Node runs this first. Standard input is a pipe that nobody writes to. Its other end is closed when this process
# ends, however it ends, so the front end ends too, even after kill -9. Next.js passes the script on to its own
# processes, which have no such pipe.
END_WITH_THE_PIPE = (
    "data:text/javascript,"
    "import{fstatSync}from'node:fs';"
    "const end=()=>{process.kill(process.pid,'SIGTERM');setTimeout(()=>process.exit(),1000).unref()};"
    "if(fstatSync(0).isFIFO())process.stdin.on('end',end).resume().unref()"
).replace(" ", "%20")

# Variables that the shell may set for other programs: the driver reads PG..., Better Auth and Next.js the others.
_NOT_INHERITED = ("PG", "BETTER_AUTH_", "NEXT_", "NODE_ENV")


class Absent(Exception):
    """There is no front end to start. The message says why, in one sentence."""


class FrontEnd(NamedTuple):
    node: str
    folder: Path
    port: int
    watch: bool

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def command(self) -> list[str]:
        # Not through npm, which would be one more process and does not pass on every signal.
        options = [self.node, "--import", END_WITH_THE_PIPE, "node_modules/next/dist/bin/next"]
        return [*options, "dev" if self.watch else "start", "-H", HOST, "-p", str(self.port)]


def find(folder: Path, settings: Settings, *, port: int, watch: bool) -> FrontEnd:
    """Raises Absent, and Refusal if the API would not accept its tokens."""
    elsewhere = sorted({"better_auth_url", "jwks_url", "jwt_issuer", "jwt_audience"} & settings.model_fields_set)
    if elsewhere:
        raise Absent(f"{elsewhere[0].upper()} is set, so users sign in to the app that it names.")
    node = _node()
    algorithm(settings.sources)
    needed = folder / ("node_modules/next" if watch else ".next/BUILD_ID")
    if not needed.exists():
        raise Absent(f"The front end is not {'installed' if watch else 'built'}, which make does with npm.")
    return FrontEnd(node, folder, port, watch)


def _node() -> str:
    oldest = ".".join(map(str, OLDEST_NODE))
    program = shutil.which("node")
    if program is None:
        raise Absent(f"The front end needs Node {oldest} or newer, and there is no Node here.")
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Absent(f"The front end needs Node {oldest} or newer, and {program} does not start.") from error
    version = output.strip().removeprefix("v")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_NODE:
        raise Absent(f"The front end needs Node {oldest} or newer, and this is {version}.")
    return program


def algorithm(sources: Collection[AuthSource]) -> str:
    """How the front end has to sign tokens for the API to accept them. Raises Refusal."""
    if AuthSource.SECRET in sources:
        return "HS256"
    if {AuthSource.JWKS, AuthSource.JWKS_DATABASE} & set(sources):
        return "EdDSA"
    raise Refusal("AUTH_SOURCES must name secret, jwks or jwks-database, because the front end sends JWTs.")


def environment(front_end: FrontEnd, settings: Settings, *, database_url: str, api_url: str) -> dict[str, str]:
    assert settings.better_auth_secret is not None  # development has one
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)} | {
        "DATABASE_URL": database_url,
        "BETTER_AUTH_SECRET": settings.better_auth_secret.get_secret_value(),
        "BETTER_AUTH_URL": front_end.url,
        "BETTER_AUTH_TRUSTED_ORIGINS": f"http://127.0.0.1:{front_end.port}",
        "NEXT_PUBLIC_BACKEND_URL": api_url,
        "JWT_ALGORITHM": algorithm(settings.sources),
        "NEXT_TELEMETRY_DISABLED": "1",
    }


def require_free_port(front_end: FrontEnd, data: Path) -> None:
    """Raises Refusal unless the port is free. The front end of a run that was killed gets a moment to end."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    with _lock_file(data) as lock:
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise Refusal(
                    f"The front end of an earlier run is still running; stop the process that uses {lock.name}."
                )
            time.sleep(0.02)
    listen(HOST, front_end.port, otherwise="set FRONTEND_PORT to another one").close()


def _lock_file(data: Path) -> IO[str]:
    return (data / "frontend.lock").open("w")


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def running(
    front_end: FrontEnd, settings: Settings, data: Path, *, database_url: str, api_url: str
) -> Iterator[None]:
    """Run the front end during the block. When the block begins, it answers and has created Better Auth's tables.

    If it ends early, this process gets a SIGTERM and the block ends with Refusal. Raises Refusal if it does not
    answer.
    """
    variables = environment(front_end, settings, database_url=database_url, api_url=api_url)
    with _lock_file(data) as lock:
        process = None
        try:
            _locked(lock)
            with signals.held():
                process = _Process(front_end, settings, variables, lock)
            _wait_until_ready(front_end)
            yield
        finally:
            if process is not None:
                process.stop()
                if process.lost:
                    raise Refusal(f"The front end ended unexpectedly ({process.fate}); see its output above.")


class _Process:
    """In a session of its own, so that the terminal's Ctrl-C does not reach it, with its lines in our log.

    Create it while signals are held, so that none of them is delivered to a thread that reads the lines.
    """

    def __init__(
        self, front_end: FrontEnd, settings: Settings, environment: Mapping[str, str], lock: IO[str]
    ) -> None:
        self.lost = False
        self._stopping = False
        self._process = subprocess.Popen(
            front_end.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            cwd=front_end.folder,
            env=environment,
        )
        self._readers = [
            Thread(
                target=FrontEndLog(level=settings.log_level, as_json=settings.logs_json, unmarked=unmarked).follow,
                args=(stream,),
                daemon=True,
            )
            for stream, unmarked in ((self._process.stdout, "info"), (self._process.stderr, "error"))
        ]
        self._waiter = Thread(target=self._wait, daemon=True)
        for thread in (*self._readers, self._waiter):
            thread.start()

    def _wait(self) -> None:
        for reader in self._readers:
            reader.join()
        self._process.wait()
        if not self._stopping:
            self.lost = True
            os.kill(os.getpid(), SIGTERM)

    @property
    def fate(self) -> str:
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else f"exit status {code}"

    def stop(self) -> None:
        self._stopping = True
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError, PermissionError):  # the whole group, since --watch has a second process
            os.killpg(self._process.pid, SIGKILL)
        self._process.wait()
        self._waiter.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _wait_until_ready(front_end: FrontEnd) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException):
            status = _status(front_end.port, timeout=deadline - time.monotonic())
            if status != 200:
                raise Refusal(f"The front end answered with status {status}; see its output above.")
            return
        time.sleep(0.02)
    raise Refusal(f"The front end did not answer within {START_SECONDS} seconds; see its output above.")


def _status(port: int, timeout: float) -> int:
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", "/api/auth/ok")
        return connection.getresponse().status
    finally:
        connection.close()
