"""Ours and its peers, each in its own process on the first processor. Everything else runs on the others."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, NamedTuple

import psutil

from backend.auth.authenticator import REMEMBERED_FOR, REMEMBERED_TOKENS
from backend.errors import Refusal
from benchmarks import data

HERE = Path(__file__).parent
SERVER_CPU = 0
START_SECONDS = 20

OURS, TEXTBOOK, FASTIFY = "ours", "textbook", "fastify"
PEERS = (TEXTBOOK, FASTIFY)
WITH_OUR_SQL = {TEXTBOOK: "textbook-sql", FASTIFY: "fastify-sql"}
"""The peers again, with our SQL where it differs most: what then remains of a ratio is the service's."""
BEFORE = "before"
"""Ours again, from another checkout."""


class Usage(NamedTuple):
    """Processor time that a server and PostgreSQL have used so far."""

    server_seconds: float
    database_seconds: float


class Running(NamedTuple):
    name: str
    url: str
    process: psutil.Process
    database: psutil.Process

    def usage(self) -> Usage:
        backends = self.database.children(recursive=True)
        times = self.database.cpu_times()
        ended = times.children_user + times.children_system
        return Usage(_seconds(self.process), sum(map(_seconds, backends), ended))

    def resident_mb(self) -> float:
        return float(self.process.memory_info().rss) / 1e6


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def require_tools() -> None:
    """Raises Refusal, which says what to install."""
    if not shutil.which("wrk"):
        raise Refusal("The load generator wrk is missing; on Debian and Ubuntu, run `apt-get install wrk`.")
    if not shutil.which("node") or not (HERE / "fastify/node_modules").is_dir():
        raise Refusal("Node 20 or newer with npm is missing, or `npm ci` was not run in benchmarks/fastify.")
    if len(os.sched_getaffinity(0)) < 2:
        raise Refusal("The benchmark needs two processors: one for the server, one for the load and PostgreSQL.")


def leave_the_servers_cpu() -> None:
    """Applies to this process and to all that it starts from now on, including PostgreSQL."""
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {SERVER_CPU})


@contextmanager
def running(
    name: str,
    loaded: data.Loaded,
    *,
    environment: dict[str, str] | None = None,
    checkout: Path = HERE.parents[1],
) -> Iterator[Running]:
    """Start a server, and wait until it answers. Raises Refusal if it does not start.

    `checkout` is where BEFORE is installed.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = data.settings(loaded)
    assert settings.better_auth_secret is not None
    variables = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": loaded.service_url if name in {OURS, BEFORE} else loaded.peer_url,
        "BETTER_AUTH_SECRET": settings.better_auth_secret.get_secret_value(),
        "BETTER_AUTH_URL": settings.better_auth_url,
        "MAX_TASKS_PER_USER": str(settings.max_tasks_per_user),
        # The peers remember as many verified tokens as ours, for as long.
        "REMEMBERED_TOKENS": str(REMEMBERED_TOKENS),
        "REMEMBERED_FOR": str(REMEMBERED_FOR),
        "API_PORT": str(port),
        "LOG_FORMAT": "json",  # as in production; the peers write no log at all
        "NODE_ENV": "production",
        "PYTHONPATH": str(HERE.parent),
        **({"OUR_SQL": "1"} if name in WITH_OUR_SQL.values() else {}),
        **(environment or {}),
    }
    with ExitStack() as stack:
        log = stack.enter_context((data_folder(loaded) / f"{name}.log").open("w"))
        process = stack.enter_context(_process(_command(name, port, checkout), variables, log))
        _wait_until_ready(process, port, log.name)
        yield Running(name, f"http://127.0.0.1:{port}", psutil.Process(process.pid), _postmaster(loaded))


def data_folder(loaded: data.Loaded) -> Path:
    return Path(psutil.Process(_postmaster_id(loaded)).cmdline()[2]).parent


def _postmaster(loaded: data.Loaded) -> psutil.Process:
    return psutil.Process(_postmaster_id(loaded))


def _postmaster_id(loaded: data.Loaded) -> int:
    lock = loaded.server.socket_directory / ".s.PGSQL.5432.lock"
    return int(lock.read_text().partition("\n")[0])


def _command(name: str, port: int, checkout: Path) -> list[str]:
    programs = Path(sys.executable).parent
    match name:
        case "textbook" | "textbook-sql":
            options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--port", str(port)]
            return [f"{programs}/uvicorn", "benchmarks.textbook.app:app", *options]
        case "fastify" | "fastify-sql":
            return ["node", str(HERE / "fastify/server.js")]
        case "before":
            program = checkout / "backend/.venv/bin/tasks"
            if not program.exists():
                raise Refusal(f"{program} does not exist; run `make check` in that checkout, which installs it.")
            return [str(program), "serve"]
        case _:
            return [f"{programs}/tasks", "serve"]


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: IO[str]) -> Iterator["subprocess.Popen[bytes]"]:
    affinity = ["taskset", "--cpu-list", str(SERVER_CPU)]
    process = subprocess.Popen([*affinity, *command], env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/")  # any response will do
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise Refusal(f"A server did not start; its output is in {log}.")
