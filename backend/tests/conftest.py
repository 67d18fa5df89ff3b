"""One PostgreSQL for the run, one database for each worker, one fresh user for each test."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, default_int_handler, getsignal, signal
from typing import NamedTuple

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
from cluster import COORDINATOR, Cluster, cluster
from support import ISSUER, ORIGIN, SECRET, Connection, User

# Where the workers find a folder with the data of the server that they share, and of an installation to copy.
SHARED, SERVER, INSTALLATION = "TASKS_TEST_FOLDER", "server", "installation"

# The slowest files run first, so that no worker starts one when the others have finished. Those that mostly wait
# (jwks, faults, sessions) run beside those that mostly compute.
SLOWEST = [
    f"integration/test_{name}.py"
    for name in ("jwks", "development", "plans", "frontend", "commands", "faults", "migrations", "sessions")
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-citus", action="store_true", help="run what can be run on the cluster of CITUS_URL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("on_citus"):
        # Those that need the shared database, and no server that they can do with what they like.
        items[:] = [item for item in items if _fixtures(item) & {"owner_url", "service_url"}]
        items[:] = [item for item in items if not _fixtures(item) & {"server", "socket_directory", "installation"}]
    else:
        items[:] = [item for item in items if "citus" not in _fixtures(item)]

    def rank(item: pytest.Item) -> int:
        name = f"{item.path.parent.name}/{item.path.name}"
        return SLOWEST.index(name) if name in SLOWEST else len(SLOWEST)

    items.sort(key=rank)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the environment of the workers, in the process that starts them."""
    if hasattr(config, "workerinput"):
        return
    if config.getoption("on_citus") and not COORDINATOR:
        raise pytest.UsageError("--on-citus needs CITUS_URL, the URL of a coordinator's database.")
    for kind in (Settings, MigrationSettings, development.FrontEndSettings):
        for name in kind.model_fields:
            os.environ.pop(name.upper(), None)
    _heed_signals()
    _prefer_memory()
    folder = Path(tempfile.mkdtemp(prefix="tasks-test-"))
    config.add_cleanup(lambda: shutil.rmtree(folder))
    os.environ[SHARED] = str(folder)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Start PostgreSQL once for all workers. Before this, none of them is given a test."""
    if hasattr(session.config, "workerinput") or session.config.getoption("on_citus"):
        return (yield)
    folder = Path(os.environ[SHARED])
    (folder / INSTALLATION).mkdir()
    with embedded.postgres(folder / INSTALLATION) as socket_directory:
        asyncio.run(development.prepare(socket_directory, "developer"))
    subprocess.run(["cp", "-a", folder / INSTALLATION, folder / SERVER], check=True)
    with embedded.postgres(folder / SERVER) as socket_directory:
        asyncio.run(_spare_the_disk(socket_directory))
        return (yield)


def _heed_signals() -> None:
    """A shell ignores Ctrl-C in the background, and nohup SIGHUP; every command of the tests would inherit it."""
    for number, handler in ((SIGINT, default_int_handler), (SIGHUP, SIG_DFL)):
        if getsignal(number) == SIG_IGN:
            signal(number, handler)


def _prefer_memory() -> None:
    """Use memory for temporary folders where there is plenty: databases mostly wait for the disk."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and memory.is_dir() and shutil.disk_usage(memory).free > 4 * 1024**3:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None  # or the folder chosen earlier stays


async def _spare_the_disk(socket_directory: Path) -> None:
    """These databases need not survive a power cut. Tests of crashes start their own servers."""
    server = await asyncpg.connect(development.database_url("postgres", socket_directory, "postgres"))
    await server.execute("ALTER SYSTEM SET fsync = off")
    await server.execute("SELECT pg_reload_conf()")
    await server.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """List tests that were not run at the very end, where nobody overlooks them."""
    yield
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, number in reasons.items():
        terminalreporter.write_line(f"NOT RUN: {number} tests. {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture(scope="session")
def socket_directory() -> Path:
    return (Path(os.environ[SHARED]) / SERVER / "socket").readlink()


@pytest.fixture(scope="session")
def installation() -> Path:
    """The data that a first `tasks dev` creates. Copy it; other tests use it too."""
    return Path(os.environ[SHARED]) / INSTALLATION


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the front end."""
    return issuer.find_front_end()


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


class Urls(NamedTuple):
    """Of the database that the tests share: as its owner, and as the service."""

    owner: str
    service: str


if "--on-citus" in sys.argv:

    @pytest.fixture(scope="session")
    async def citus() -> AsyncIterator[Cluster]:
        async with cluster() as here:
            yield here

    @pytest.fixture(scope="session")
    def urls(citus: Cluster) -> Urls:
        return Urls(citus.owner_url, citus.service_url)

else:

    @pytest.fixture(scope="session")
    def urls(socket_directory: Path, database: str) -> Urls:
        owner, service = (
            development.database_url(role, socket_directory, database) for role in ("postgres", SERVICE_ROLE)
        )
        return Urls(owner, service)


@pytest.fixture(scope="session")
def owner_url(urls: Urls) -> str:
    return urls.owner


@pytest.fixture(scope="session")
def service_url(urls: Urls) -> str:
    return urls.service


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
