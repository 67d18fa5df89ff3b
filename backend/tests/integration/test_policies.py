"""What PostgreSQL itself enforces, whoever asks: each tenant's own rows, and the rules for a row."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Table

from backend.commands.development import WORKER_ROLE
from backend.migrations import VERSION_TABLE
from backend.postgres.rights import WORKER_GROUP, of_service, of_worker, our_tables
from databases import connected
from rows import add_row, insert, new_values
from support import Connection, User

TABLES = our_tables()
BETTER_AUTH_TABLES = set(
    re.findall('CREATE TABLE "([a-z]+)"', files("backend.commands").joinpath("better_auth.sql").read_text())
)

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@pytest.fixture
async def service(service_url: str) -> AsyncIterator[Connection]:
    """A connection of the service's role, without any of our code."""
    async with connected(service_url) as connection:
        yield connection


@asynccontextmanager
async def acting_as(service: Connection, user_id: str) -> AsyncIterator[None]:
    async with service.transaction():
        await service.execute("SELECT tasks_tenant($1, 'infinity')", user_id)
        yield


async def update(service: Connection, table: Table, assignment: str, *values: object) -> str:
    """Its outcome. A role that may not update at all cannot get at a row that way."""
    if "UPDATE" in of_service()[table.name]:
        return await service.execute(f'UPDATE "{table.name}" SET {assignment}', *values)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with service.transaction():
            await service.execute(f'UPDATE "{table.name}" SET {assignment}', *values)
    return "not permitted"


async def rows(connection: Connection, table: Table, user_id: str) -> list[asyncpg.Record]:
    return await connection.fetch(f'SELECT * FROM "{table.name}" WHERE "userId" = $1', user_id)


async def test_every_table_is_a_users_and_has_its_policies_forced(owner: Connection) -> None:
    """One policy for its user, and one for each right that the model gives to workers."""
    found = await owner.fetch(
        """
        SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,
               (SELECT array_agg((cmd, permissive, roles, qual IS NOT NULL, with_check IS NOT NULL)::text)
                  FROM pg_policies WHERE tablename = relname AND policyname = 'tenant') AS tenant,
               (SELECT array_agg((cmd, permissive, roles)::text)
                  FROM pg_policies WHERE tablename = relname AND policyname <> 'tenant') AS others,
               (SELECT attnum FROM pg_attribute
                 WHERE attrelid = pg_class.oid AND attname = 'userId' AND attnotnull) AS user_id
          FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'f')
        """
    )
    ours = {row["relname"]: row for row in found if row["relname"] not in {*BETTER_AUTH_TABLES, VERSION_TABLE}}

    assert sorted(ours) == sorted(table.name for table in TABLES)
    for name, row in ours.items():
        assert row["forced"]
        assert row["tenant"] == ["(ALL,PERMISSIVE,{public},t,t)"]
        assert sorted(row["others"] or []) == sorted(
            f"({right},PERMISSIVE,{{{WORKER_GROUP}}})" for right in of_worker()[name]
        )
        assert row["user_id"]


async def test_every_index_begins_with_the_user(owner: Connection) -> None:
    found = await owner.fetch(
        """
        SELECT indexrelid::regclass::text AS name, attname AS first
          FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
         WHERE indrelid = ANY ($1::text[]::regclass[])
        """,
        [table.name for table in TABLES],
    )

    assert found
    assert {row["name"] for row in found if row["first"] != "userId"} == set()


@every_table
async def test_bare_statements_reach_only_the_tenants_own_rows(
    service: Connection, owner: Connection, user: User, other: User, table: Table
) -> None:
    for somebody in (user, user, other):
        await add_row(owner, table, somebody.id)
    others_rows = await rows(owner, table, other.id)
    another = next(f'"{column.name}"' for column in table.columns if not column.primary_key)

    async with acting_as(service, user.id):
        selected = await service.fetch(f'SELECT * FROM "{table.name}"')
        named = await rows(service, table, other.id)
        updated = await update(service, table, f"{another} = {another}")
        deleted = await service.execute(f'DELETE FROM "{table.name}"')

    assert [row["userId"] for row in selected] == [user.id, user.id]
    assert (named, deleted) == ([], "DELETE 2")
    assert updated in {"UPDATE 2", "not permitted"}
    assert await rows(owner, table, user.id) == []
    assert await rows(owner, table, other.id) == others_rows


@every_table
async def test_a_row_cannot_be_given_to_anybody_else(
    service: Connection, owner: Connection, user: User, other: User, table: Table
) -> None:
    await add_row(owner, table, user.id)

    others = await new_values(owner, table, other.id)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="violates row-level security policy"):
        async with acting_as(service, user.id):
            await insert(service, table, others)
    # Citus refuses earlier, because the row would have to move.
    with pytest.raises(
        (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError),
        match=r"violates row-level security policy|modifying the partition value|permission denied",
    ):
        async with acting_as(service, user.id):
            await service.execute(f'UPDATE "{table.name}" SET "userId" = $1', other.id)

    assert await rows(owner, table, other.id) == []
    assert len(await rows(owner, table, user.id)) == 1


@every_table
@pytest.mark.parametrize("before", ["never", "ended", "empty"])
async def test_without_a_tenant_there_is_nothing(
    service: Connection, owner: Connection, user: User, table: Table, before: str
) -> None:
    """A setting that was local to a transaction is not absent after it, but empty."""
    await add_row(owner, table, user.id)
    another = await new_values(owner, table, user.id)
    if before == "ended":
        async with acting_as(service, user.id):
            assert await service.fetchval("SELECT current_setting('app.user_id')") == user.id
    elif before == "empty":
        await service.execute("SELECT set_config('app.user_id', '', false)")

    assert await service.fetch(f'SELECT * FROM "{table.name}"') == []
    assert await update(service, table, '"userId" = "userId"') in {"UPDATE 0", "not permitted"}
    assert await service.execute(f'DELETE FROM "{table.name}"') == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="violates row-level security policy"):
        await insert(service, table, another)


@every_table
async def test_nobody_is_not_somebody_without_a_name(service: Connection, owner: Connection, table: Table) -> None:
    await owner.execute("""INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('', '', '', true)""")
    await add_row(owner, table, "")
    try:
        async with acting_as(service, ""):
            assert await service.fetch(f'SELECT * FROM "{table.name}"') == []
    finally:
        await owner.execute("""DELETE FROM "user" WHERE id = ''""")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE {} ADD COLUMN colour text",
        "ALTER POLICY tenant ON {} USING (true)",
        "DROP POLICY tenant ON {}",
        "CREATE POLICY open ON {} USING (true)",
        "DROP TABLE {}",
        'CREATE INDEX ON {} ("userId")',
        "CREATE TRIGGER spy BEFORE UPDATE ON {} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "SET row_security = off; SELECT * FROM {}",
        "CREATE TABLE {}_copy (id text)",
        "SET SESSION AUTHORIZATION postgres; SELECT * FROM {}",
        "SET ROLE postgres; SELECT * FROM {}",
        f"SET ROLE {WORKER_GROUP}; SELECT * FROM {{}}",
        f"GRANT {WORKER_GROUP} TO CURRENT_USER",
    ],
)
@every_table
async def test_the_services_role_cannot_change_what_binds_it(
    service: Connection, table: Table, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement.format(table.name))


@pytest.mark.parametrize("change", ["SET ROLE", "SET SESSION AUTHORIZATION"])
@pytest.mark.usefixtures("server")  # which has such a role
@every_table
async def test_the_services_role_cannot_become_a_workers(service: Connection, table: Table, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(f"{change} {WORKER_ROLE}; SELECT * FROM {table.name}")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM account",
        "SELECT FROM verification",
        'SELECT "privateKey" FROM jwks',
        'DELETE FROM "user"',
        "UPDATE session SET id = id",
    ],
)
async def test_better_auths_secrets_are_out_of_reach(service: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)


type Columns = dict[str, str | None]
"""As literals; the rest of a row is as usual."""

GOOD: list[Columns] = [
    {"title": "x"},
    {"title": "x" * 255},
    {"title": "\U0001f331" * 255},
    {"title": "two words"},
    {"description": None},
    {"description": ""},
    {"description": "\U0001f331" * 10_000},
    {"status": "completed", "completedAt": "2026-01-05T12:00:00Z"},
    {"priority": "low"},
    {"priority": "high"},
    {"category": "x"},
    {"category": "é" * 50},
    {"dueDate": "0001-01-02T00:00:00Z"},
    {"dueDate": "9999-12-31T23:59:59Z"},
    {"dueDate": "2026-01-05T12:30:00Z", "dueAllDay": "false"},
    {"dueDate": "2026-01-05T00:00:00Z", "dueAllDay": "true"},
    {"dueDate": "0001-01-02T00:00:00Z", "dueAllDay": "true"},
    {"version": "2147483647"},
]

BAD: list[tuple[str, Columns]] = [
    ("ck_tasks_title", {"title": ""}),
    ("ck_tasks_title", {"title": "x" * 256}),
    ("ck_tasks_title", {"title": " x"}),
    ("ck_tasks_title", {"title": "x\n"}),
    ("ck_tasks_title", {"title": "\u2003x"}),
    ("ck_tasks_description", {"description": "x" * 10_001}),
    ("ck_tasks_category", {"category": ""}),
    ("ck_tasks_category", {"category": "x" * 51}),
    ("ck_tasks_category", {"category": "Home"}),
    ("ck_tasks_category", {"category": "É"}),
    ("ck_tasks_category", {"category": " home"}),
    ("ck_tasks_category", {"category": "home\t"}),
    ("ck_tasks_dueDate", {"dueDate": "0001-01-01T23:59:59.999999Z"}),
    ("ck_tasks_dueDate", {"dueDate": "9999-12-31T23:59:59.000001Z"}),
    ("ck_tasks_dueDate", {"dueDate": "infinity"}),
    ("ck_tasks_dueDate", {"dueDate": "-infinity"}),
    ("ck_tasks_dueAllDay", {"dueAllDay": "true"}),
    ("ck_tasks_dueAllDay", {"dueAllDay": "true", "dueDate": "2026-01-05T00:00:00.000001Z"}),
    ("ck_tasks_dueAllDay", {"dueAllDay": "true", "dueDate": "2026-01-05T00:00:00+05:30"}),
    ("ck_tasks_completedAt", {"status": "completed"}),
    ("ck_tasks_completedAt", {"completedAt": "2026-01-05T12:00:00Z"}),
    ("ck_tasks_version", {"version": "0"}),
    ("fk_tasks_userId", {"userId": "nobody"}),
    ("task_status", {"status": "done"}),
    ("task_priority", {"priority": "urgent"}),
    ("integer", {"version": "2147483648"}),
]

REQUIRED = [
    "userId",
    "id",
    "title",
    "status",
    "priority",
    "category",
    "dueAllDay",
    "version",
    "createdAt",
    "updatedAt",
]


async def insert_task(owner: Connection, user: User, columns: Columns) -> dict[str, Any]:
    """Beside our own code and the policies. Times without a zone would mean India's here."""
    await owner.execute("SET LOCAL TIME ZONE 'Asia/Kolkata'")
    values = {"userId": user.id, "id": str(uuid4()), "title": "Water the plants", **columns}
    names = ", ".join(f'"{name}"' for name in values)
    literals = [await owner.fetchval("SELECT quote_nullable($1::text)", value) for value in values.values()]
    row = await owner.fetchrow(f"INSERT INTO tasks ({names}) VALUES ({', '.join(literals)}) RETURNING *")
    assert row is not None
    return dict(row)


@pytest.mark.parametrize("columns", GOOD, ids=lambda columns: str(columns)[:50])
async def test_a_row_within_the_rules_is_stored(owner: Connection, user: User, columns: Columns) -> None:
    async with owner.transaction():
        row = await insert_task(owner, user, columns)

    assert row["userId"] == user.id


@pytest.mark.parametrize(("rule", "columns"), BAD, ids=lambda value: str(value)[:50])
async def test_a_row_beyond_the_rules_is_refused(
    owner: Connection, user: User, rule: str, columns: Columns
) -> None:
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.DataError), match=rule):
        async with owner.transaction():
            await insert_task(owner, user, columns)


@pytest.mark.parametrize("column", REQUIRED)
async def test_a_row_without_a_required_value_is_refused(owner: Connection, user: User, column: str) -> None:
    # Citus says by another error that it cannot place the row.
    with pytest.raises(asyncpg.PostgresError, match=rf'"{column}"|NULL in the partition column'):
        async with owner.transaction():
            await insert_task(owner, user, {column: None})


async def test_a_row_is_completed_by_the_defaults(owner: Connection, user: User) -> None:
    async with owner.transaction():
        row = await insert_task(owner, user, {})

    expected = {
        "description": None,
        "status": "pending",
        "priority": "medium",
        "category": "other",
        "dueDate": None,
        "dueAllDay": False,
        "completedAt": None,
        "version": 1,
        "createdAt": row["updatedAt"],
    }
    assert row | expected == row


async def test_an_id_is_unique_for_one_user_alone(owner: Connection, user: User, other: User) -> None:
    columns: Columns = {"id": str(UUID(int=7))}
    async with owner.transaction():
        await insert_task(owner, user, columns)
        await insert_task(owner, other, columns)

    with pytest.raises(asyncpg.UniqueViolationError, match="pk_tasks"):
        async with owner.transaction():
            await insert_task(owner, user, columns)


@every_table
async def test_a_deleted_user_leaves_nothing_behind(
    owner: Connection, user: User, other: User, table: Table
) -> None:
    for somebody in (user, other):
        await add_row(owner, table, somebody.id)

    await owner.execute('DELETE FROM "user" WHERE id = $1', user.id)

    assert await rows(owner, table, user.id) == []
    assert len(await rows(owner, table, other.id)) == 1
