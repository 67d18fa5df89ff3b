"""Connection strings as hosters print them: TLS, and poolers between the service and PostgreSQL."""

import asyncio
import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import support
from backend.commands import development
from backend.config import Settings
from backend.database import Database
from backend.errors import DatabaseUnavailable
from backend.main import create_app
from backend.migrations import SCHEMA_VERSION
from backend.postgres.migrate import SERVICE_ROLE, Outcome, migrate
from backend.postgres.urls import connect_arguments
from databases import connected, opened, scratch, settings_for
from support import Connection, User

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"  # the first message of a client that wants TLS
NEON = "sslmode=require&channel_binding=require"


class Certificate(NamedTuple):
    path: Path
    key: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate for `localhost`, and so its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory = tmp_path_factory.mktemp("tls")
    files = Certificate(directory / "certificate.pem", directory / "key.pem")
    files.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system knows the certificate's authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))


class Door:
    """Takes TLS connections on `localhost` and passes what they say on to PostgreSQL, as Neon's proxy does."""

    def __init__(self, certificate: Certificate, server: Path) -> None:
        self._server = server
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.path, certificate.key)
        self.port = 0
        self.ciphers: list[str] = []
        """Of each connection that has been let in."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        listener = await asyncio.start_server(self._admit, "localhost", 0, family=socket.AF_INET)
        self.port = listener.sockets[0].getsockname()[1]
        async with listener:
            yield self

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self._context)
                self.ciphers.append(writer.get_extra_info("cipher")[0])
                to_server = await asyncio.open_unix_connection(str(self._server / ".s.PGSQL.5432"))
                await asyncio.gather(_copy(reader, to_server[1]), _copy(to_server[0], writer))
        writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
    target.close()


@pytest.fixture
async def door(certificate: Certificate, socket_directory: Path) -> AsyncIterator[Door]:
    async with Door(certificate, socket_directory).open() as door:
        yield door


def served(url: str) -> AbstractAsyncContextManager[Database]:
    return opened(Database(url, pool_size=2, production=False))


@pytest.mark.usefixtures("trusted")
async def test_neons_url_is_served_over_tls(
    door: Door, database: str, settings: Settings, owner: Connection
) -> None:
    url = f"postgresql://{SERVICE_ROLE}:secret@localhost:{door.port}/{database}?{NEON}"

    async with support.running(create_app(settings_for(settings, url))) as client:
        user = await support.new_user(client, owner)
        task = await user.add_task()
        found = await user.get("tasks")

    assert found.json() == [task]
    assert door.ciphers


async def test_neons_url_is_refused_by_a_server_of_an_unknown_authority(door: Door, database: str) -> None:
    """A server in the middle would have to show a certificate as well."""
    async with served(f"postgresql://{SERVICE_ROLE}@localhost:{door.port}/{database}?{NEON}") as service:
        with pytest.raises(DatabaseUnavailable):
            await service.check()

    assert door.ciphers == []


@pytest.mark.usefixtures("trusted")
async def test_neons_url_is_refused_by_a_server_of_another_name(door: Door, database: str) -> None:
    async with served(f"postgresql://{SERVICE_ROLE}@127.0.0.1:{door.port}/{database}?{NEON}") as service:
        with pytest.raises(DatabaseUnavailable):
            await service.check()


async def test_sslmode_require_alone_encrypts(door: Door, database: str) -> None:
    """As libpq has it: nobody listens in, but nothing tells who the server is."""
    async with served(f"postgresql://{SERVICE_ROLE}@localhost:{door.port}/{database}?sslmode=require") as service:
        await service.check()

    assert door.ciphers


async def test_sslmode_require_does_not_fall_back_to_plain_text(socket_directory: Path, database: str) -> None:
    async with _plain_text(socket_directory) as port:
        for options in ("sslmode=require", NEON):
            async with served(f"postgresql://{SERVICE_ROLE}@127.0.0.1:{port}/{database}?{options}") as service:
                with pytest.raises(DatabaseUnavailable):
                    await service.check()


@asynccontextmanager
async def _plain_text(server: Path) -> AsyncIterator[int]:
    """The port of a server that has no TLS, and is otherwise willing."""

    async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(len(SSL_REQUEST))
            writer.write(b"N")
            to_server = await asyncio.open_unix_connection(str(server / ".s.PGSQL.5432"))
            await asyncio.gather(_copy(reader, to_server[1]), _copy(to_server[0], writer))
        writer.close()

    async with await asyncio.start_server(admit, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1]


@pytest.mark.usefixtures("trusted")
async def test_migrations_take_neons_url_too(door: Door, server: Connection) -> None:
    async with scratch(server) as name:
        outcome = await migrate(
            owner_url=f"postgresql://postgres@localhost:{door.port}/{name}?{NEON}", service_url=None
        )

    assert outcome.role == SERVICE_ROLE
    assert door.ciphers


@pytest.mark.parametrize(
    ("url", "cached"),
    [
        ("postgresql://u:p@ep-cool-name-123-pooler.c-2.eu-central-1.aws.neon.tech/db", False),
        ("postgresql://u:p@pooler.example/db?pgbouncer=true", False),
        ("postgresql://u:p@ep-cool-name-123.c-2.eu-central-1.aws.neon.tech/db", True),
        ("postgresql://u:p@my-pooler/db?pgbouncer=false", True),
    ],
)
def test_statements_are_kept_where_no_pooler_is_in_between(url: str, cached: bool) -> None:
    assert connect_arguments(url).get("statement_cache_size", 100) == (100 if cached else 0)


@pytest.mark.parametrize(
    "option",
    [
        "application_name=tasks",
        "channel_binding=disable",
        "channel_binding=prefer",
        "connect_timeout=10",
        "gssencmode=disable",
        "keepalives=1&keepalives_idle=30",
        "load_balance_hosts=random",
        "pgbouncer=true",
        "sslmode=prefer",
        "tcp_user_timeout=1000",
    ],
)
async def test_what_libpq_understands_is_no_obstacle(service_url: str, option: str) -> None:
    async with served(f"{service_url}{'&' if '?' in service_url else '?'}{option}") as service:
        await service.check()


async def test_a_url_may_start_with_postgres(service_url: str) -> None:
    for scheme in ("postgres", "postgresql+asyncpg"):
        async with served(service_url.replace("postgresql", scheme)) as service:
            await service.check()


@pytest.fixture(scope="module")
async def pooler(socket_directory: Path, server: Connection) -> AsyncIterator[int]:
    """The port of PgBouncer in transaction mode, on two server connections."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (`apt-get install pgbouncer`).")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tasks-pooler-") as directory:
        # It will not run as root, and has to be let in by PostgreSQL's socket.
        account = psutil.Process(await server.fetchval("SELECT pg_backend_pid()")).uids().effective
        os.chown(directory, account, -1)
        users = Path(directory) / "users.txt"
        users.write_text(f'"{SERVICE_ROLE}" ""\n"postgres" ""\n')
        configuration = Path(directory) / "pgbouncer.ini"
        configuration.write_text(
            f"""
            [databases]
            * = host={socket_directory}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = 2
            """.replace("    ", "")
        )
        process = await asyncio.create_subprocess_exec(
            program, configuration, user=account, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await _until_listening(port)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def test_behind_a_pooler_nobody_meets_anybody_elses_tasks(
    pooler: int, server: Connection, settings: Settings, socket_directory: Path
) -> None:
    async with scratch(server) as name:
        url = f"postgresql://{SERVICE_ROLE}@127.0.0.1:{pooler}/{name}?pgbouncer=true"
        owner_url = development.database_url("postgres", socket_directory, name)
        async with (
            connected(owner_url) as owner,
            support.running(create_app(settings_for(settings, url, pool_size=10))) as client,
        ):
            users = [await support.new_user(client, owner) for _ in range(4)]

            async with asyncio.TaskGroup() as group:
                uses = [group.create_task(_use(user, rounds=12)) for user in users for _ in range(2)]
                left_behind = group.create_task(_tenants_left_behind(url, uses))

    for use in uses:
        own, titles = use.result()
        assert titles == {own}
    assert left_behind.result() <= {None, ""}


async def _tenants_left_behind(url: str, uses: Sequence[asyncio.Task[Any]]) -> set[str | None]:
    """What somebody finds who shares the pooler's connections and sets no tenant."""
    left = set()
    async with connected(url) as service:
        while not all(use.done() for use in uses):
            left.add(await service.fetchval("SELECT current_setting('app.user_id', true)"))
    return left


async def _use(user: User, *, rounds: int) -> tuple[str, set[str]]:
    """The only title that the user has written, and all that they have read."""
    seen = set()
    for _ in range(rounds):
        task = await user.add_task(title=user.id)
        changed = await user.patch(f"tasks/{task['id']}/complete")
        found = await user.get("tasks")
        assert (changed.status_code, found.status_code) == (200, 200), (changed.text, found.text)
        seen |= {task["title"] for task in found.json()}
    return user.id, seen


async def test_migrations_pass_through_a_pooler(pooler: int, server: Connection, socket_directory: Path) -> None:
    """Neon shows the pooled connection string first."""
    async with scratch(server, "TEMPLATE template0") as name:
        async with connected(development.database_url("postgres", socket_directory, name)) as owner:
            await owner.execute(files("backend.commands").joinpath("better_auth.sql").read_text())
        url = f"postgresql://postgres@127.0.0.1:{pooler}/{name}"

        outcomes = [await migrate(owner_url=url, service_url=None) for _ in range(2)]

    assert outcomes == [Outcome(SCHEMA_VERSION, SERVICE_ROLE, None)] * 2
