"""PostgreSQL and two processes of the service, one of them behind PgBouncer where that is installed."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx2
import psutil
from pydantic import SecretStr

from backend.commands import development, embedded
from backend.config import Settings
from backend.errors import Refusal
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.urls import connect_arguments

ISSUER = "http://localhost:3000"
START_SECONDS = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A program that can be killed and started again."""

    def __init__(self, command: list[str], log: Path, *, user: int | None = None, **environment: str) -> None:
        self._command = command
        self._environment = {"PATH": os.environ["PATH"], **environment}
        self._user = user
        self.log = log
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, user=self._user
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Raises TimeoutExpired."""
        self.process.terminate()
        self.process.wait(START_SECONDS)


class Service(Process):
    def __init__(self, name: str, program: Path, folder: Path, database_url: str, secret: str) -> None:
        self.name = name
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            [str(program), "serve"],
            folder / f"{name}.log",
            DATABASE_URL=f"{database_url}&application_name={name}",
            BETTER_AUTH_SECRET=secret,
            BETTER_AUTH_URL=ISSUER,
            API_PORT=str(port),
            LOG_FORMAT="json",
        )

    async def until_ready(self) -> None:
        """Raises Refusal if it does not get there."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx2.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                with suppress(httpx2.TransportError):
                    if (await client.get(f"{self.url}/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise Refusal(f"The service is not ready:\n{self.log.read_text()[-2000:]}")


class World:
    def __init__(self, folder: Path, program: Path, stack: ExitStack) -> None:
        self._program = program
        self._folder = folder
        self._stack = stack
        self._postgres = stack.enter_context(ExitStack())
        self.secret = secrets.token_urlsafe(32)
        self.services: list[Service] = []
        self.pooler: Process | None = None
        self.start_postgres()

    def start_postgres(self) -> None:
        self._postgres.enter_context(embedded.postgres(self._folder))

    def stop_postgres(self) -> None:
        self._postgres.close()

    @property
    def _sockets(self) -> Path:
        return self._folder / "socket"  # leads to the server's, wherever that is after a restart

    @asynccontextmanager
    async def owner(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Connected to another database than the tasks', so that faults there do not concern it."""
        async with self._connected("postgres") as connection:
            yield connection

    @asynccontextmanager
    async def tasks(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        async with self._connected(development.DATABASE) as connection:
            yield connection

    @asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        url = development.database_url(embedded.SUPERUSER, self._sockets, database)
        connection = await asyncpg.connect(**connect_arguments(url))
        try:
            yield connection
        finally:
            await connection.close()

    def postmaster(self) -> psutil.Process:
        lock = self._sockets / f"{embedded.SOCKET}.lock"
        return psutil.Process(int(lock.read_text().partition("\n")[0]))

    async def connections_of(self, service: Service) -> list[psutil.Process]:
        """The processes of PostgreSQL that serve it. Empty behind a pooler."""
        async with self.owner() as owner:
            rows = await owner.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = $1", service.name)
        return [psutil.Process(row["pid"]) for row in rows]

    async def settle(self) -> None:
        """Set up the database, and start the rest."""
        await development.prepare(self._sockets.resolve(), "nobody")
        direct = development.database_url(SERVICE_ROLE, self._sockets)
        pooled = self._start_pooler()
        for name, url in (("first", direct), ("second", pooled or direct)):
            service = Service(name, self._program, self._folder, url, self.secret)
            self._stack.callback(service.kill)
            self.services.append(service)
        for service in self.services:
            await service.until_ready()

    async def sign_up(self, user: str) -> str:
        """The token of a new user."""
        async with self.tasks() as owner:
            await owner.execute(
                """INSERT INTO "user" (id, name, email, "emailVerified") VALUES ($1, $1, $1, true)""", user
            )
        settings = Settings(
            database_url=SecretStr("postgresql://nowhere"),
            better_auth_secret=SecretStr(self.secret),
            better_auth_url=ISSUER,
        )
        return development.token(settings, user)

    def _start_pooler(self) -> str | None:
        """The URL through it, or None."""
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            return None
        port = free_port()
        # It does not run as root, and PostgreSQL lets in the account that it runs as itself.
        account = self.postmaster().uids().effective
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="tasks-pooler-")))
        os.chown(folder, account, -1)
        (folder / "users.txt").write_text(f'"{SERVICE_ROLE}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"""
[databases]
* = host={self._sockets}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
ignore_startup_parameters = application_name
"""
        )
        self.pooler = Process(
            [program, str(folder / "pgbouncer.ini")], self._folder / "pgbouncer.log", user=account
        )
        self._stack.callback(self.pooler.kill)
        return (
            f"postgresql://{SERVICE_ROLE}@127.0.0.1:{port}/{development.DATABASE}?pgbouncer=true&sslmode=disable"
        )


@contextmanager
def world(program: Path) -> Iterator[World]:
    """Everything in it is ended with the block. `program` is the command `tasks` of the service that is tried."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tasks-chaos-")))
        folder.chmod(0o711)  # PgBouncer runs as another user if root runs this, and looks for the socket here
        yield World(folder, program, stack)
