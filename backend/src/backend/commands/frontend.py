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
from backend.config import AuthSource, Settings
from backend.errors import Refusal
from backend.http.server import listen
from backend.logs import Labelled

OLDEST_NODE = (20, 19)  # Next.js is content with 20.9, what Better Auth depends on is not
HOST = "localhost"
START_SECONDS = 60  # with --watch it has to compile first
STOP_SECONDS = 1  # all that it keeps is in the database; a browser's spare connection would hold it up
LEFTOVER_SECONDS = 5

# Run by Node before anything else. Standard input is a pipe that nobody writes to, and whose other end is closed
# when this process ends, however it does. So the front end ends too, even after kill -9. Next.js hands the script
# on to processes of its own, which have no such pipe.
END_WITH_THE_PIPE = (
    "data:text/javascript,"
    "import{fstatSync}from'node:fs';"
    "const end=()=>{process.kill(process.pid,'SIGTERM');setTimeout(()=>process.exit(),1000).unref()};"
    "if(fstatSync(0).isFIFO())process.stdin.on('end',end).resume().unref()"
).replace(" ", "%20")

# What the shell has in mind for other programs: the driver reads PG..., Better Auth and Next.js read the others.
_NOT_INHERITED = ("PG", "BETTER_AUTH_", "NEXT_", "NODE_ENV")


class Absent(Exception):
    """The API has to do without a front end. The message says why, in one sentence."""


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
        # Not by npm, which would be one more process, and one that does not pass on each signal.
        options = [self.node, "--import", END_WITH_THE_PIPE, "node_modules/next/dist/bin/next"]
        return [*options, "dev" if self.watch else "start", "-H", HOST, "-p", str(self.port)]


def find(folder: Path, settings: Settings, *, port: int, watch: bool) -> FrontEnd:
    """Raises Absent, and Refusal where the API would not take its tokens."""
    elsewhere = sorted({"better_auth_url", "jwks_url", "jwt_issuer", "jwt_audience"} & settings.model_fields_set)
    if elsewhere:
        raise Absent(f"{elsewhere[0].upper()} is set, so sign-in is left to the app that it names.")
    node = _node()
    algorithm(settings.sources)
    needed = folder / ("node_modules/next" if watch else ".next/BUILD_ID")
    if not needed.exists():
        raise Absent(f"The front end is not {'installed' if watch else 'built'}, for which make needs npm.")
    return FrontEnd(node, folder, port, watch)


def _node() -> str:
    oldest = ".".join(map(str, OLDEST_NODE))
    program = shutil.which("node")
    if program is None:
        raise Absent(f"There is no Node here, and the front end needs {oldest} or newer.")
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Absent(f"The front end needs Node {oldest} or newer, and {program} does not start.") from error
    version = output.strip().removeprefix("v")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_NODE:
        raise Absent(f"Node is version {version} here, and the front end needs {oldest} or newer.")
    return program


def algorithm(sources: Collection[AuthSource]) -> str:
    """How the front end is to sign its tokens, so that the API takes them. Raises Refusal."""
    if AuthSource.SECRET in sources:
        return "HS256"
    if {AuthSource.JWKS, AuthSource.JWKS_DATABASE} & set(sources):
        return "EdDSA"
    raise Refusal("AUTH_SOURCES has to name secret, jwks or jwks-database: the front end sends JWTs.")


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


def make_way(front_end: FrontEnd, data: Path) -> None:
    """See that its port is free, for which that of a run that was killed may need a moment. Raises Refusal."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    with _lock_file(data) as lock:
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise Refusal(f"The front end of an earlier run does not end; end what holds {lock.name}.")
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
    """When the block begins it answers, and has made Better Auth's tables; and it ends with the block.

    Should it end sooner, this process gets a SIGTERM and the block is left with Refusal, which is raised as well
    if it does not answer.
    """
    variables = environment(front_end, settings, database_url=database_url, api_url=api_url)
    with _lock_file(data) as lock:
        process = None
        try:
            _locked(lock)
            with signals.held():
                process = _Process(front_end, variables, lock)
            _wait_until_ready(front_end)
            yield
        finally:
            if process is not None:
                process.stop()
                if process.lost:
                    raise Refusal(f"The front end has ended by itself ({process.fate}); its last words are above.")


class _Process:
    """A session of its own, so that the terminal's Ctrl-C does not reach it, and its lines in our log.

    To be made while signals are held: the thread that reads the lines is not to be where they are delivered.
    """

    def __init__(self, front_end: FrontEnd, environment: Mapping[str, str], lock: IO[str]) -> None:
        self.lost = False
        self._stopping = False
        self._process = subprocess.Popen(
            front_end.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            cwd=front_end.folder,
            env=environment,
        )
        self._reader = Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self) -> None:
        assert self._process.stdout is not None
        log = Labelled("web")
        for line in self._process.stdout:
            with suppress(OSError, ValueError):  # nobody may read our output any more; it must be able to go on
                log.write(line.decode(errors="replace"))
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
        with suppress(
            ProcessLookupError, PermissionError
        ):  # the whole group: with --watch there is a second process
            os.killpg(self._process.pid, SIGKILL)
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _wait_until_ready(front_end: FrontEnd) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException):
            status = _status(front_end.port, timeout=deadline - time.monotonic())
            if status != 200:
                raise Refusal(f"The front end answers with status {status}; what is wrong is above.")
            return
        time.sleep(0.02)
    raise Refusal(f"The front end has not answered for {START_SECONDS} seconds; its last words are above.")


def _status(port: int, timeout: float) -> int:
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", "/api/auth/ok")
        return connection.getresponse().status
    finally:
        connection.close()
