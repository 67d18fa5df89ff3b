"""The way from an empty database, or an older one, to this release: the schema, and the service's role."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import MetaData, Table
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from backend.auth import Principal
from backend.commands import development
from backend.database import Database
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE, MigrationError
from backend.postgres import migrate as migrations
from backend.postgres import rights, roles
from backend.postgres.migrate import Outcome, alembic_config, migrate
from backend.postgres.rights import our_tables
from backend.postgres.roles import ROLE_SETTINGS
from backend.schemas.tasks import TaskCreate, TaskQuery
from backend.services import tasks
from databases import connected, eventually, opened, scratch, scratch_role
from support import Connection

BETTER_AUTH = files("backend.commands").joinpath("better_auth.sql").read_text()

ROLE = "migrated_"
"""How the names of the service's roles begin here."""

# What our tables, $1, are made of, in a form that can be compared.
COLUMNS = """
    SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), collname, attnotnull,
           pg_get_expr(adbin, adrelid)
      FROM pg_attribute
      LEFT JOIN pg_collation ON pg_collation.oid = attcollation
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relname = ANY ($1))
       AND attnum > 0 AND NOT attisdropped
     ORDER BY attrelid::regclass::text, attnum
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
      FROM pg_constraint WHERE conrelid::regclass::text = ANY ($1) ORDER BY conrelid::regclass::text, conname
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = ANY ($1) ORDER BY indexname"
ENUMERATIONS = """
    SELECT typname, array_agg(enumlabel ORDER BY enumsortorder)
      FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid WHERE $1::text[] IS NOT NULL
     GROUP BY typname ORDER BY typname
"""
POLICIES = "SELECT * FROM pg_policies WHERE tablename = ANY ($1) ORDER BY tablename, policyname"
RIGHTS = """
    SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND $1::text[] IS NOT NULL ORDER BY relname
"""
EVERYTHING = (COLUMNS, CONSTRAINTS, INDEXES, ENUMERATIONS, POLICIES, RIGHTS)


class Place(NamedTuple):
    """A database of the test's own, with Better Auth's tables and nothing of ours."""

    owner: Connection
    owner_url: str
    role: str
    service_url: str
    """Names a role that is not there yet."""

    async def migrate(self) -> Outcome:
        return await migrate(owner_url=self.owner_url, service_url=self.service_url)

    async def describe(self, *queries: str) -> list[list[asyncpg.Record]]:
        names = [table.name for table in our_tables()]
        return [await self.owner.fetch(query, names) for query in queries]


@asynccontextmanager
async def new_place(
    server: Connection, socket_directory: Path, *, options: str = "TEMPLATE template0", owner: str = "postgres"
) -> AsyncIterator[Place]:
    role = f"{ROLE}{uuid4().hex}"
    try:
        async with scratch(server, f"OWNER {owner} {options}") as name:
            owner_url = development.database_url(owner, socket_directory, name)
            async with connected(owner_url) as connection:
                await connection.execute(BETTER_AUTH)
                service_url = development.database_url(f"{role}:first%20secret", socket_directory, name)
                yield Place(connection, owner_url, role, service_url)
    finally:
        await server.execute(f"DROP ROLE IF EXISTS {role}")


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with new_place(server, socket_directory) as place:
        yield place


async def run_with_alembic(place: Place, work: Callable[[SyncConnection], None]) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(place.owner_url, statement_cache_size=0)
    )
    async with engine.begin() as connection:
        await connection.run_sync(work)
    await engine.dispose()


def test_the_version_that_the_service_needs_is_the_newest() -> None:
    script = ScriptDirectory(str(files("backend.migrations")))

    assert script.get_current_head() == SCHEMA_VERSION


async def test_migrations_make_the_tables_that_the_models_describe(
    place: Place, server: Connection, socket_directory: Path
) -> None:
    await place.migrate()
    async with new_place(server, socket_directory) as modelled:
        await run_with_alembic(modelled, SQLModel.metadata.create_all)

        for query in (COLUMNS, CONSTRAINTS, INDEXES, ENUMERATIONS):
            assert await place.describe(query) == await modelled.describe(query)


async def test_migrations_can_be_undone_and_done_again(place: Place) -> None:
    untouched = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ $1"
    types = "SELECT typname FROM pg_type WHERE typtype = 'e'"
    before = await place.owner.fetch(untouched, VERSION_TABLE)
    await place.migrate()
    migrated = await place.describe(*EVERYTHING)

    await run_with_alembic(place, lambda connection: command.downgrade(alembic_config(connection), "base"))
    undone = [await place.owner.fetch(untouched, VERSION_TABLE), await place.owner.fetch(types)]
    await place.migrate()

    assert undone == [before, []]
    assert await place.describe(*EVERYTHING) == migrated


@pytest.mark.parametrize(
    "change", ["SELECT", "DROP INDEX ix_tasks_pending"], ids=["as it was", "in its first form"]
)
async def test_tasks_of_the_first_schema_are_kept(place: Place, change: str) -> None:
    await place.migrate()
    migrated = await place.describe(*EVERYTHING)
    await run_with_alembic(place, lambda connection: command.downgrade(alembic_config(connection), "0001"))
    await place.owner.execute(change)
    await place.owner.execute(
        """
        INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('ada', 'Ada', 'ada@example.com', true);
        INSERT INTO tasks ("userId", id, title) VALUES ('ada', gen_random_uuid(), 'Water the plants')
        """
    )

    await place.migrate()

    assert await place.describe(*EVERYTHING) == migrated
    assert await place.owner.fetchval("SELECT title FROM tasks") == "Water the plants"


async def test_a_second_run_changes_nothing(place: Place) -> None:
    first = await place.migrate()
    migrated = await place.describe(*EVERYTHING)

    second = await place.migrate()

    assert first == second == Outcome(SCHEMA_VERSION, place.role, None)
    assert await place.describe(*EVERYTHING) == migrated


async def test_replicas_that_start_together_migrate_once(place: Place) -> None:
    outcomes = await asyncio.gather(*(place.migrate() for _ in range(8)))

    assert set(outcomes) == {Outcome(SCHEMA_VERSION, place.role, None)}
    assert len((await place.describe(INDEXES))[0]) > 0


IS_WAITING = (
    "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'"
)


@pytest.mark.parametrize("there", [False, True])
async def test_a_migration_of_another_database_may_touch_the_same_role_at_once(
    place: Place, server: Connection, there: bool
) -> None:
    """Roles belong to the whole server, which knows no lock on them that all its databases share."""
    if there:
        await place.migrate()
    async with server.transaction():
        await server.execute(f"{'ALTER' if there else 'CREATE'} ROLE {place.role} PASSWORD 'other'")
        migration = asyncio.create_task(place.migrate())
        await eventually(lambda: place.owner.fetchval(IS_WAITING))

    outcome = await migration

    assert outcome == Outcome(SCHEMA_VERSION, place.role, None)


async def test_a_schema_of_a_newer_release_is_left_alone(place: Place) -> None:
    """A release that was taken back starts as it did before, its migration included."""
    await place.migrate()
    await place.owner.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")

    outcome = await place.migrate()

    assert outcome.version == "9999"


async def test_without_citus_nothing_can_be_distributed(place: Place) -> None:
    with pytest.raises(MigrationError, match="CREATE EXTENSION citus"):
        await migrate(owner_url=place.owner_url, service_url=place.service_url, distribute=True)

    assert await place.owner.fetchval("SELECT to_regclass('tasks')") is None


async def test_without_better_auth_the_message_says_what_to_run(place: Place) -> None:
    await place.owner.execute('DROP TABLE "user" CASCADE')

    with pytest.raises(MigrationError, match=r'table "user" is not in this database.*npx auth@latest migrate'):
        await place.migrate()


@pytest.mark.parametrize("kind", ["uuid", "varchar(36)", "integer"])
async def test_user_ids_of_another_type_are_refused(place: Place, kind: str) -> None:
    await place.owner.execute(f'DROP TABLE "user" CASCADE; CREATE TABLE "user" (id {kind} PRIMARY KEY)')

    with pytest.raises(MigrationError, match=r"needs text.*generateId"):
        await place.migrate()


async def test_a_database_that_is_not_unicode_is_refused(server: Connection, socket_directory: Path) -> None:
    options = "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    async with new_place(server, socket_directory, options=options) as place:
        with pytest.raises(MigrationError, match="encoded in LATIN1; create one with ENCODING 'UTF8'"):
            await place.migrate()


async def test_a_server_that_is_too_old_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST_SERVER", 990000)

    with pytest.raises(MigrationError, match=r"The server is PostgreSQL \d+; 99 or newer is needed"):
        await place.migrate()


async def test_an_owner_without_rights_is_told_what_it_lacks(place: Place, server: Connection) -> None:
    async with scratch_role(server) as stranger:
        owner_url = place.owner_url.replace("postgres@", f"{stranger}@")

        with pytest.raises(MigrationError, match=r"lacks a right: .*; set MIGRATION_DATABASE_URL to the owner's"):
            await migrate(owner_url=owner_url, service_url=place.service_url)


async def test_one_role_for_both_urls_is_refused(place: Place) -> None:
    with pytest.raises(MigrationError, match=r"names the role postgres.*needs a role of its own"):
        await migrate(owner_url=place.owner_url, service_url=place.owner_url)


@pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS"])
async def test_a_role_that_stands_above_policies_keeps_its_password(
    place: Place, server: Connection, right: str
) -> None:
    async with scratch_role(server, right) as powerful:
        with pytest.raises(MigrationError, match="bypasses row-level security"):
            await migrate(owner_url=place.owner_url, service_url=place.service_url.replace(place.role, powerful))

        password = await server.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", powerful)
    assert password is None


async def test_a_url_without_a_role_is_refused(place: Place) -> None:
    with pytest.raises(MigrationError, match="DATABASE_URL names no role"):
        await migrate(owner_url=place.owner_url, service_url="postgresql://host/database")


async def test_a_table_in_use_ends_the_migration_and_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "100ms")
    async with asyncio.timeout(2), place.owner.transaction():
        await place.owner.execute('LOCK TABLE "user"')

        with pytest.raises(MigrationError, match=r"in use for longer than 100ms.* Run the migration again"):
            await place.migrate()

    assert await place.owner.fetchval("SELECT to_regclass('tasks')") is None


@pytest.mark.parametrize(
    "url", ["postgresql://postgres@/no-such-database?host={}", "postgresql://u:p@127.0.0.1:1/db"]
)
async def test_an_unreachable_database_is_named_as_such(socket_directory: Path, url: str) -> None:
    with pytest.raises(MigrationError, match=r"Cannot connect to the database as its owner: .+"):
        await migrate(owner_url=url.format(socket_directory), service_url=None)


@pytest.fixture(scope="module")
async def password_check(server: Connection) -> None:
    """The embedded server lets everybody in; the roles of this file it shall ask for their password."""
    _put_first(Path(await server.fetchval("SHOW hba_file")), f"local all /^{ROLE} scram-sha-256\n")
    await server.execute("SELECT pg_reload_conf()")


def _put_first(path: Path, line: str) -> None:
    lines = path.read_text()
    if line not in lines:
        path.write_text(line + lines)


async def can_connect(url: str) -> bool:
    try:
        async with connected(url):
            return True
    except asyncpg.InvalidPasswordError:
        return False


@pytest.mark.usefixtures("password_check")
async def test_the_services_role_gets_the_password_of_its_url(place: Place) -> None:
    changed_url = place.service_url.replace("first%20secret", "second'%22%25secret")

    await place.migrate()
    with_the_first = [await can_connect(url) for url in (place.service_url, changed_url)]
    await migrate(owner_url=place.owner_url, service_url=changed_url)
    with_the_second = [await can_connect(url) for url in (place.service_url, changed_url)]

    assert with_the_first == [True, False]
    assert with_the_second == [False, True]


@pytest.mark.usefixtures("password_check")
async def test_the_owners_url_alone_gives_one_to_serve_with_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "SERVICE_ROLE", place.role)

    first = await migrate(owner_url=place.owner_url, service_url=None)
    second = await migrate(owner_url=place.owner_url, service_url=None)

    assert first.generated_url is not None
    assert urlsplit(first.generated_url).username == place.role
    assert await can_connect(first.generated_url)
    assert not await can_connect(first.generated_url.replace("@", "x@", 1))
    assert second == Outcome(SCHEMA_VERSION, place.role, None)


async def test_the_services_role_gives_up_by_itself(place: Place) -> None:
    await place.migrate()

    async with connected(place.service_url) as service:
        settings = {name: await service.fetchval(f"SHOW {name}") for name in ROLE_SETTINGS}

    assert settings == {
        "statement_timeout": "3s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "transaction_timeout": "3s",
    }


async def test_the_services_role_has_exactly_the_rights_it_needs(place: Place) -> None:
    """Also where the owner's default privileges, or somebody before, gave it more."""
    await place.migrate()
    for table in our_tables():
        await place.owner.execute(f'GRANT ALL ON "{table.name}" TO {place.role}')

    await place.migrate()

    assert await _granted(place, *(table.name for table in our_tables()), VERSION_TABLE) == {
        **{table.name: "DELETE INSERT SELECT UPDATE" for table in our_tables()},
        "idempotency_keys": "DELETE INSERT SELECT",
        VERSION_TABLE: "SELECT",
    }


async def test_rights_on_each_table_follow_what_is_declared(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of which workers may do nothing, one that they may write, and what they had before is revoked."""
    await place.migrate()
    await place.owner.execute(
        f"""
        CREATE TABLE closed (id text);
        CREATE TABLE written (id text);
        GRANT ALL ON closed, written TO {place.role}
        """
    )
    metadata = MetaData()
    tables = [Table("closed", metadata), Table("written", metadata, info={"worker": ("SELECT", "DELETE")})]
    monkeypatch.setattr(rights, "our_tables", lambda: tables)

    await place.migrate()
    as_service = await _granted(place, "closed", "written")
    await run_with_alembic(place, lambda connection: roles.grant(connection, place.role, rights.of_worker()))
    as_worker = await _granted(place, "closed", "written")

    assert as_service == {"closed": "DELETE INSERT SELECT UPDATE", "written": "DELETE INSERT SELECT UPDATE"}
    assert as_worker == {"written": "DELETE SELECT"}


async def _granted(place: Place, *tables: str) -> dict[str, str]:
    """To the role of the service, by table."""
    rows = await place.owner.fetch(
        """
        SELECT table_name::text, string_agg(privilege_type, ' ' ORDER BY privilege_type)
          FROM information_schema.role_table_grants WHERE grantee = $1 GROUP BY table_name
        """,
        place.role,
    )
    granted = dict(tuple(row) for row in rows)
    assert granted.keys() <= {*tables, *(table.name for table in our_tables()), VERSION_TABLE}
    return {table: privileges for table, privileges in granted.items() if table in tables}


async def test_an_owner_that_is_no_superuser_can_migrate_and_the_service_serve(
    server: Connection, socket_directory: Path
) -> None:
    """As on Neon: the owner may create roles, and that is all."""
    async with (
        scratch_role(server, "CREATEROLE") as owner,
        new_place(server, socket_directory, owner=owner) as place,
    ):
        outcomes = [await place.migrate(), await place.migrate()]

        assert outcomes == [Outcome(SCHEMA_VERSION, place.role, None)] * 2
        await place.owner.execute(
            """INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('a', 'a', 'a', true)"""
        )
        async with opened(Database(place.service_url, pool_size=1, production=True)) as service:
            await service.check()
            tenant = service.tenant(Principal("a", 0))
            await tasks.create(tenant, TaskCreate(title="Water the plants"), max_tasks=1)
            before = await tasks.find(tenant, TaskQuery())
            await place.owner.execute("""DELETE FROM "user" WHERE id = 'a'""")
            after = await tasks.find(tenant, TaskQuery())

        assert (len(json.loads(before.tasks)), after.tasks) == (1, "[]")
