"""What sees the rows of every user: a role of its own, which nothing that serves requests can get hold of."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from sqlalchemy import Table, delete, select

from backend.auth import Principal
from backend.commands import development
from backend.commands.development import WORKER_ROLE
from backend.config import Environment, Settings, WorkerSettings
from backend.database import Database
from backend.errors import DatabaseUnavailable, NotReady
from backend.migrations import VERSION_TABLE, MigrationError
from backend.postgres.connections import Connections
from backend.postgres.migrate import SERVICE_ROLE, Outcome, migrate
from backend.postgres.rights import SERVICE_RIGHTS, WORKER_GROUP, of_worker, our_tables
from backend.postgres.statements import Statement
from backend.services import stats, tasks_sql
from backend.worker import Worker, open_worker
from databases import RolePlace, connected, opened, role_place, scratch, scratch_role
from processes import UNMEASURED
from rows import add_row, insert, new_values
from support import Connection, User, captured_logs

BETTER_AUTH = files("backend.commands").joinpath("better_auth.sql").read_text()

every_table = pytest.mark.parametrize("table", our_tables(), ids=lambda table: table.name)
READABLE = next(table for table in our_tables() if "SELECT" in of_worker()[table.name])


def worker_settings(url: str, environment: Environment = Environment.DEVELOPMENT) -> WorkerSettings:
    return WorkerSettings(worker_database_url=SecretStr(url), environment=environment, _env_file=None)


@pytest.fixture
def worker_url(socket_directory: Path, database: str) -> str:
    return development.database_url(WORKER_ROLE, socket_directory, database)


@pytest.fixture
async def worker(worker_url: str) -> AsyncIterator[Worker]:
    async with open_worker(worker_settings(worker_url)) as worker:
        yield worker


@pytest.fixture
async def bare(worker_url: str) -> AsyncIterator[Connection]:
    """A connection of the worker's role, without any of our code."""
    async with connected(worker_url) as connection:
        yield connection


def users_in(table: Table) -> Statement:
    return Statement.across(select(table.c.user_id))


async def test_a_worker_reads_the_tasks_of_every_user(
    worker: Worker, owner: Connection, user: User, other: User
) -> None:
    tasks_table = next(table for table in our_tables() if table.name == "tasks")
    for somebody in (user, other):
        await add_row(owner, tasks_table, somebody.id)

    found = await worker.read(users_in(tasks_table))

    assert {user.id, other.id} <= {row["userId"] for row in found}


@every_table
@pytest.mark.parametrize("tenant", [False, True], ids=["as itself", "as if for a user"])
async def test_its_role_may_do_what_the_model_declares_and_nothing_else(
    bare: Connection, owner: Connection, user: User, table: Table, tenant: bool
) -> None:
    """Also where it sets a tenant: the policy for tenants holds for everybody, but gives no rights."""
    await add_row(owner, table, user.id)
    another = await new_values(owner, table, user.id)
    attempts = {
        "SELECT": lambda: bare.execute(f'SELECT FROM "{table.name}"'),
        "INSERT": lambda: insert(bare, table, another),
        "UPDATE": lambda: bare.execute(f'UPDATE "{table.name}" SET "userId" = "userId"'),
        "DELETE": lambda: bare.execute(f'DELETE FROM "{table.name}"'),
        "TRUNCATE": lambda: bare.execute(f'TRUNCATE "{table.name}"'),
    }

    allowed = [right for right, attempt in attempts.items() if await _is_allowed(bare, attempt, user, tenant)]

    assert allowed == list(of_worker()[table.name])


async def _is_allowed(
    bare: Connection, attempt: Callable[[], Awaitable[object]], user: User, tenant: bool
) -> bool:
    transaction = bare.transaction()
    await transaction.start()
    try:
        if tenant:
            await bare.execute("SELECT set_config('app.user_id', $1, true)", user.id)
        await attempt()
    except asyncpg.InsufficientPrivilegeError:
        return False
    else:
        return True
    finally:
        await transaction.rollback()


async def test_a_write_by_a_worker_that_may_only_read_is_refused(worker: Worker) -> None:
    table = next(table for table in our_tables() if of_worker()[table.name] == ("SELECT",))
    writes = delete(table).returning(table.c.user_id).cte()

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"permission denied for table {table.name}"):
        await worker.read(Statement.across(select(writes)))


@pytest.mark.parametrize(
    "statement",
    [
        f"SET ROLE {SERVICE_ROLE}",
        f"SET ROLE {WORKER_GROUP}",  # it has the group's policies already, and would leave its own limits behind
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        'SELECT FROM "user"',
        "SELECT FROM session",
        "SELECT FROM account",
        "SELECT FROM jwks",
        "CREATE TABLE copied (id text)",
        "CREATE POLICY open ON tasks USING (true)",
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_its_role_cannot_become_more_than_it_is(bare: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bare.execute(statement)


async def test_a_workers_statement_shows_a_tenant_nothing(service_url: str, owner: Connection, user: User) -> None:
    await add_row(owner, READABLE, user.id)

    async with opened(Database(service_url, pool_size=1, production=False)) as database:
        found = await database.tenant(Principal(user.id)).read(users_in(READABLE))

    assert found == []


async def test_a_tenants_statement_is_none_of_a_workers(worker: Worker) -> None:
    with pytest.raises(KeyError, match="tenant"):
        await worker.read(tasks_sql.GET, id=None)


def test_nothing_that_serves_requests_imports_it() -> None:
    """Nor does any route, service or middleware: all of them are loaded with the application."""
    command = "import sys, backend.main; print('backend.worker' in sys.modules, len(sys.modules) > 100)"

    output = subprocess.run(
        [sys.executable, "-c", command], env={**os.environ, **UNMEASURED}, capture_output=True, check=True
    ).stdout

    assert output.split() == [b"False", b"True"]


def test_the_settings_of_the_service_do_not_hold_its_url(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://worker@localhost/tasks"
    monkeypatch.setenv("WORKER_DATABASE_URL", url)

    served = Settings(**settings.model_dump(exclude_unset=True), _env_file=None)

    assert url not in _values(served)
    assert url in _values(WorkerSettings(_env_file=None))


def _values(settings: BaseSettings) -> list[object]:
    """Those that are secret too."""
    values = settings.model_dump().values()
    return [value.get_secret_value() if isinstance(value, SecretStr) else value for value in values]


async def test_no_request_can_make_one(
    service_url: str, settings: Settings, owner: Connection, user: User
) -> None:
    """Neither from what it has at hand nor, if it reached for private names, from the service's connections."""
    await add_row(owner, READABLE, user.id)
    async with opened(Database(service_url, pool_size=1, production=False)) as database:
        principal = Principal(user.id)
        tenant = database.tenant(principal)
        for thing in (principal, settings, database, database.better_auth, tenant):
            with pytest.raises((AttributeError, TypeError, ValueError)):
                await Worker(thing).read(users_in(READABLE))  # type: ignore[arg-type] # which is the point

        connections = _within(database)
        found = await Worker(connections).read(users_in(READABLE))

    assert found == []


def _within(database: Database) -> Connections:
    return next(value for value in vars(database).values() if isinstance(value, Connections))


async def test_the_service_can_be_opened_as_a_worker_by_nobody(service_url: str) -> None:
    with captured_logs() as logs, pytest.raises(DatabaseUnavailable):
        async with open_worker(worker_settings(service_url)):
            pass

    assert "must inherit from tasks_workers" in str(logs)


async def test_a_worker_cannot_be_opened_as_the_service(worker_url: str, user: User) -> None:
    with captured_logs() as logs:
        async with opened(Database(worker_url, pool_size=1, production=False)) as database:
            with pytest.raises(DatabaseUnavailable):
                await stats.count(database.tenant(Principal(user.id)))

    assert "which sees the rows of every user" in str(logs)


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[RolePlace]:
    """The role is all that a worker's has to be."""
    async with role_place(server, socket_directory, group=WORKER_GROUP) as place:
        await place.execute(f"GRANT SELECT ON {VERSION_TABLE} TO {{role}}")
        for table, rights in of_worker().items():
            if rights:
                await place.execute(f'GRANT {", ".join(rights)} ON "{table}" TO {{role}}')
        yield place


NOT_A_WORKER = [
    pytest.param("ALTER ROLE {role} SUPERUSER", "is, or can become, a superuser", id="superuser"),
    pytest.param("ALTER ROLE {role} BYPASSRLS", "or a role with BYPASSRLS", id="BYPASSRLS"),
    pytest.param("ALTER TABLE tasks OWNER TO {role}", "owns the table tasks", id="owner"),
    pytest.param("GRANT TRUNCATE ON tasks TO {role}", "or may truncate it", id="TRUNCATE"),
    pytest.param("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY", "is not forced on tasks", id="not forced"),
    pytest.param("REVOKE {group} FROM {role}", "it is a member of nothing", id="no worker"),
    pytest.param(
        "GRANT {group} TO {role} WITH INHERIT FALSE", "must inherit from", id="no worker until it says so"
    ),
    pytest.param("GRANT {above} TO {role} WITH INHERIT FALSE", "of nothing else", id="member of another role"),
    pytest.param("GRANT {service} TO {role}", "of nothing else", id="the service too"),
    *(
        pytest.param(f"GRANT {right} ON tasks TO {{role}}", "may do more with the table tasks", id=right)
        for right in SERVICE_RIGHTS
        if right not in of_worker()["tasks"]
    ),
    pytest.param('GRANT UPDATE ("title") ON tasks TO {role}', "may do more with the table tasks", id="one column"),
    pytest.param("GRANT DELETE ON tasks TO PUBLIC", "may do more with the table tasks", id="by everybody"),
]


async def test_a_role_that_is_exactly_a_workers_is_admitted(place: RolePlace) -> None:
    async with open_worker(worker_settings(place.url)) as worker:
        assert await worker.read(users_in(READABLE)) == []


@pytest.mark.parametrize(("change", "reason"), NOT_A_WORKER)
async def test_a_role_that_is_not_exactly_a_workers_is_refused(place: RolePlace, change: str, reason: str) -> None:
    await place.execute(change.replace("{group}", WORKER_GROUP).replace("{service}", SERVICE_ROLE))

    with captured_logs() as logs, pytest.raises(DatabaseUnavailable):
        async with open_worker(worker_settings(place.url)):
            pass

    assert [event["level"] for event in logs] == ["critical"]
    assert re.search(f"^Refusing to work: .*{reason}.*\\.$", logs[0]["event"])


async def test_the_embedded_database_is_refused_in_production(place: RolePlace) -> None:
    await place.execute("ALTER DATABASE {database} SET app.embedded = 'true'")

    with captured_logs() as logs, pytest.raises(DatabaseUnavailable):
        async with open_worker(worker_settings(place.url, Environment.PRODUCTION)):
            pass

    assert "embedded development database" in str(logs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("REVOKE SELECT ON tasks FROM {role}", "lacks its rights on the table tasks"),
        (f"UPDATE {VERSION_TABLE} SET version_num = '0000'", "The schema is at 0000"),
    ],
)
async def test_a_worker_waits_for_its_schema(place: RolePlace, change: str, reason: str) -> None:
    await place.execute(change)

    with pytest.raises(NotReady, match=f"{reason}.*; run `tasks migrate`"):
        async with open_worker(worker_settings(place.url)):
            pass


@asynccontextmanager
async def new_roles(server: Connection) -> AsyncIterator[tuple[str, str]]:
    async with scratch_role(server) as service, scratch_role(server) as worker:
        yield service, worker


async def test_migrating_makes_a_role_that_is_admitted(
    server: Connection, socket_directory: Path, place: RolePlace
) -> None:
    """Also where it had more rights before, as the role of the service for instance."""
    owner_url = development.database_url("postgres", socket_directory, place.database)
    async with new_roles(server) as (service, worker):
        service_url, worker_url = (
            development.database_url(role, socket_directory, place.database) for role in (service, worker)
        )
        await place.execute(f'GRANT ALL ON tasks TO {worker}; GRANT SELECT (id) ON "user" TO {worker}')

        outcomes = [
            await migrate(owner_url=owner_url, service_url=service_url, worker_url=worker_url) for _ in range(2)
        ]
        async with (
            open_worker(worker_settings(worker_url)) as opened_worker,
            opened(Database(service_url, pool_size=1, production=False)) as database,
        ):
            await opened_worker.read(users_in(READABLE))
            await database.check()
        reads = await place.owner.fetchval("SELECT has_column_privilege($1, 'user', 'id', 'SELECT')", worker)
        await place.execute(f"DROP OWNED BY {worker}, {service}")

    assert [(outcome.role, outcome.worker_role) for outcome in outcomes] == [(service, worker)] * 2
    assert reads is False


REFUSED_URLS = [
    pytest.param("{service}", "names the service's role", id="the service's"),
    pytest.param(
        "postgres", "WORKER_DATABASE_URL names the role postgres, which is the owner's", id="the owner's"
    ),
    pytest.param("", "WORKER_DATABASE_URL names no role", id="nobody's"),
]


@pytest.mark.parametrize(("name", "reason"), REFUSED_URLS)
async def test_a_url_that_names_another_role_is_refused(
    server: Connection, socket_directory: Path, place: RolePlace, name: str, reason: str
) -> None:
    async with new_roles(server) as (service, _):
        owner_url, service_url, worker_url = (
            development.database_url(role, socket_directory, place.database)
            for role in ("postgres", service, name.replace("{service}", service))
        )

        with pytest.raises(MigrationError, match=reason):
            await migrate(owner_url=owner_url, service_url=service_url, worker_url=worker_url)

        assert await place.owner.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", service, WORKER_GROUP) is False


@asynccontextmanager
async def owned_database(server: Connection, socket_directory: Path) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """An owner that is no superuser, as on Neon, and the connection strings of it and two roles to be made."""
    async with scratch_role(server, "CREATEROLE") as owner:
        roles = {"owner_url": owner, "service_url": f"service_of_{owner}", "worker_url": f"worker_of_{owner}"}
        try:
            async with scratch(server, f"OWNER {owner} TEMPLATE template0") as name:
                urls = {
                    kind: development.database_url(role, socket_directory, name) for kind, role in roles.items()
                }
                async with connected(urls["owner_url"]) as connection:
                    await connection.execute(BETTER_AUTH)
                yield owner, urls
        finally:
            await server.execute(f"DROP ROLE IF EXISTS {roles['service_url']}, {roles['worker_url']}")


async def test_an_owner_that_is_no_superuser_can_make_a_worker(server: Connection, socket_directory: Path) -> None:
    """If the owner made the group, as the first migration of a server does; then it may grant it."""
    async with owned_database(server, socket_directory) as (owner, urls):
        await server.execute(f"GRANT {WORKER_GROUP} TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")

        outcomes = [await _migrate(urls) for _ in range(2)]
        async with open_worker(worker_settings(urls["worker_url"])) as worker:
            found = await worker.read(users_in(READABLE))

    assert {outcome.worker_role for outcome in outcomes} == {f"worker_of_{owner}"}
    assert found == []


async def test_the_command_makes_the_role_that_its_setting_names(
    server: Connection, socket_directory: Path, place: RolePlace
) -> None:
    async with new_roles(server) as (service, worker):
        urls = {
            name: development.database_url(role, socket_directory, place.database)
            for name, role in (
                ("MIGRATION_DATABASE_URL", "postgres"),
                ("DATABASE_URL", service),
                ("WORKER_DATABASE_URL", worker),
            )
        }
        command = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("tasks"), "migrate", env=urls, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await command.communicate()
        await place.execute(f"DROP OWNED BY {worker}, {service}")

    assert command.returncode == 0
    assert f"The role of workers is {worker}.\n" in output.decode()


async def test_an_owner_that_may_not_grant_the_group_is_told_so(
    server: Connection, socket_directory: Path
) -> None:
    async with owned_database(server, socket_directory) as (_, urls):
        with pytest.raises(MigrationError, match=f'permission denied to grant role "{WORKER_GROUP}"'):
            await _migrate(urls)


async def _migrate(urls: dict[str, str]) -> Outcome:
    return await migrate(
        owner_url=urls["owner_url"], service_url=urls["service_url"], worker_url=urls["worker_url"]
    )


async def test_the_service_is_not_given_the_role_of_a_worker(place: RolePlace, socket_directory: Path) -> None:
    owner_url = development.database_url("postgres", socket_directory, place.database)

    with pytest.raises(MigrationError, match=f"names the role {place.role}, which is a worker's"):
        await migrate(owner_url=owner_url, service_url=place.url)


async def test_a_worker_of_another_database_sees_nothing_of_this_one(
    server: Connection, socket_directory: Path, place: RolePlace
) -> None:
    """All databases of a server share its roles, and so the group; the rights on tables are not the group's."""
    async with scratch_role(server, f"IN ROLE {WORKER_GROUP}") as stranger:
        url = development.database_url(stranger, socket_directory, place.database)
        async with connected(url) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT FROM tasks")
