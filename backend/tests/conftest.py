"""One PostgreSQL for the run, one database for each worker, one fresh user for each test."""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx2
import pytest
from pydantic import SecretStr

import issuer
import support
from backend.commands import development, embedded
from backend.config import MigrationSettings, Settings
from backend.main import create_app
from backend.postgres.migrate import SERVICE_ROLE
from support import ISSUER, ORIGIN, SECRET, Connection, User

SERVER = "TASKS_TEST_SERVER"  # where the workers find the directory of the server's socket


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, in the process that starts the workers, with the database theirs are copied from."""
    if hasattr(config, "workerinput"):
        return
    for kind in (Settings, MigrationSettings, development.FrontEndSettings):
        for name in kind.model_fields:
            os.environ.pop(name.upper(), None)
    stack = ExitStack()
    config.add_cleanup(stack.close)
    data = Path(tempfile.mkdtemp(prefix="tasks-test-"))
    stack.callback(shutil.rmtree, data)
    socket_directory = stack.enter_context(embedded.postgres(data))
    asyncio.run(development.prepare(socket_directory, "developer"))
    asyncio.run(_spare_the_disk(socket_directory))
    os.environ[SERVER] = str(socket_directory)


async def _spare_the_disk(socket_directory: Path) -> None:
    """Nothing of these databases is to survive a power cut. The tests of crashes have servers of their own."""
    server = await asyncpg.connect(development.database_url("postgres", socket_directory, "postgres"))
    await server.execute("ALTER SYSTEM SET fsync = off")
    await server.execute("SELECT pg_reload_conf()")
    await server.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Whatever was not run is said last, where nobody overlooks it."""
    yield
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, number in reasons.items():
        terminalreporter.write_line(f"NOT RUN: {number} tests. {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture(scope="session")
def socket_directory() -> Path:
    return Path(os.environ[SERVER])


@pytest.fixture(scope="session")
def issuers() -> Iterator[issuer.Issuers]:
    with issuer.issuers() as issuers:
        yield issuers


@pytest.fixture(scope="session")
async def server(socket_directory: Path) -> AsyncIterator[Connection]:
    """A superuser's connection to the server, beside the databases of the tests."""
    connection = await asyncpg.connect(development.database_url("postgres", socket_directory, "postgres"))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def database(server: Connection, worker_id: str) -> AsyncIterator[str]:
    """The name of this worker's own copy of the migrated database."""
    name = f"tasks_{worker_id}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {development.DATABASE}")
    yield name
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def owner_url(socket_directory: Path, database: str) -> str:
    return development.database_url("postgres", socket_directory, database)


@pytest.fixture(scope="session")
def service_url(socket_directory: Path, database: str) -> str:
    return development.database_url(SERVICE_ROLE, socket_directory, database)


@pytest.fixture(scope="session")
async def owner(owner_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def settings(service_url: str) -> Settings:
    return Settings(
        database_url=SecretStr(service_url),
        better_auth_secret=SecretStr(SECRET),
        better_auth_url=ISSUER,
        cors_origins=(ORIGIN,),
        log_level="warning",
        _env_file=None,
    )


@pytest.fixture(scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The whole application in this process, as nobody in particular."""
    async with support.running(create_app(settings)) as client:
        yield client


@pytest.fixture
def new_user(client: httpx2.AsyncClient, owner: Connection) -> Callable[[], Awaitable[User]]:
    return lambda: support.new_user(client, owner)


@pytest.fixture
async def user(new_user: Callable[[], Awaitable[User]]) -> User:
    return await new_user()


@pytest.fixture
async def other(new_user: Callable[[], Awaitable[User]]) -> User:
    """Somebody else."""
    return await new_user()
