"""Several statements of one tenant in one transaction: all of them or none, and nobody else's rows."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import psutil
import pytest
from sqlalchemy import func, literal_column, select
from sqlmodel import SQLModel

from backend.auth import Principal
from backend.commands import development
from backend.database import Database, Tenant
from backend.errors import AccountGone, DatabaseUnavailable, TaskNotFound
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.statements import Statement
from backend.schemas.idempotency import Key
from backend.schemas.tasks import TaskCreate, TaskQuery
from backend.services import stats, tasks
from databases import connected, eventually, opened, scratch
from rows import add_row
from support import Connection
from wire import Traffic, Wire

TABLE = SQLModel.metadata.tables["tasks"]

# Nothing in these names a tenant: which rows they reach is up to PostgreSQL.
EVERYTHING = Statement.across(select(TABLE.c.title))
RENAME = Statement('UPDATE tasks SET title = $1 RETURNING "userId"', ("title",), {})
SLEEP = Statement.across(select(func.pg_sleep(20)))
MISTAKE = Statement.across(select(literal_column("1 / 0")))
PID = Statement.across(select(func.pg_backend_pid()))

# What happens at the COMMIT to a transaction with such a task.
AT_COMMIT = """
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.title = 'wait' THEN
            PERFORM pg_advisory_xact_lock(1);
        ELSIF NEW.title LIKE 'sqlstate %' THEN
            RAISE EXCEPTION 'trouble' USING ERRCODE = substr(NEW.title, 10);
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION at_commit();
"""


class Place(NamedTuple):
    owner: Connection
    name: str
    url: str
    database: Database
    """With a single connection."""
    tenant: Tenant

    async def titles(self) -> list[str]:
        """Of the tenant's tasks, as others see them."""
        rows = await self.owner.fetch('SELECT title FROM tasks WHERE "userId" = $1', self.tenant.user_id)
        return sorted(row["title"] for row in rows)

    async def backends(self, condition: str = "true") -> list[int]:
        rows = await self.owner.fetch(
            f"SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = $2 AND {condition}",
            self.name,
            SERVICE_ROLE,
        )
        return [row["pid"] for row in rows]

    async def terminate(self) -> None:
        """End the service's sessions, and wait until they have gone."""
        for pid in await self.backends():
            await self.owner.execute("SELECT pg_terminate_backend($1, 10000)", pid)

    async def is_idle(self) -> bool:
        """Nothing of the service is left in a transaction."""
        return not await self.backends("state <> 'idle'")


def end(pid: int) -> None:
    """End a process of the server and wait, while the event loop stands still and notices nothing."""
    process = psutil.Process(pid)
    process.terminate()
    assert psutil.wait_procs([process], timeout=10)[1] == []


def new(title: str) -> TaskCreate:
    return TaskCreate(title=title)


async def add(tenant: Tenant, title: str) -> None:
    await tasks.create(tenant, new(title), max_tasks=100)


async def sign_up(owner: Connection) -> Principal:
    user_id = uuid4().hex
    await owner.execute(
        """INSERT INTO "user" (id, name, email, "emailVerified") VALUES ($1, $1, $1, true)""", user_id
    )
    return Principal(user_id)


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with (
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        await owner.execute(AT_COMMIT)
        url = development.database_url(SERVICE_ROLE, socket_directory, name)
        async with opened(Database(url, pool_size=1, production=False)) as database:
            yield Place(owner, name, url, database, database.tenant(await sign_up(owner)))


async def test_a_transaction_takes_no_idempotency_key(place: Place) -> None:
    """A key that is taken would end it."""
    with pytest.raises(RuntimeError, match="no idempotency key"):
        async with place.tenant.transaction() as tx:
            await tasks.create(tx, new("x"), max_tasks=100, key=Key("a", b""))

    assert await place.titles() == []


async def test_all_statements_are_committed_together(place: Place) -> None:
    async with place.tenant.transaction() as tx:
        await add(tx, "Water the plants")
        await add(tx, "Feed the cat")
        within = await tasks.find(tx, TaskQuery())
        outside = await place.titles()

    assert len(json.loads(within.tasks)) == 2
    assert outside == []
    assert await place.titles() == ["Feed the cat", "Water the plants"]


async def test_an_exception_undoes_them_and_goes_on(place: Place) -> None:
    before = await place.tenant.read(PID)

    with pytest.raises(TaskNotFound):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            await tasks.remove(tx, uuid4())

    assert await place.titles() == []
    assert await place.is_idle()
    assert await place.tenant.read(PID) == before  # the connection is good, and kept


async def test_an_error_of_the_server_is_the_one_a_single_statement_raises(place: Place) -> None:
    await place.owner.execute('DELETE FROM "user" WHERE id = $1', place.tenant.user_id)

    with pytest.raises(AccountGone):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")

    assert await place.is_idle()


async def test_an_error_that_is_caught_still_undoes_everything_and_is_not_taken_for_a_commit(
    place: Place,
) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, and raises nothing."""
    with pytest.raises(RuntimeError, match="nothing was committed"):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            with suppress(asyncpg.DivisionByZeroError):
                await tx.read(MISTAKE)

    assert await place.titles() == []


async def test_every_statement_reaches_only_the_tenants_own_rows(place: Place) -> None:
    stranger = (await sign_up(place.owner)).user_id
    for user_id in (place.tenant.user_id, stranger):
        await add_row(place.owner, TABLE, user_id)

    async with place.tenant.transaction() as tx:
        seen = await tx.read(EVERYTHING)
        changed = await tx.write(RENAME, title="Mine")

    assert len(seen) == 1
    assert [row["userId"] for row in changed] == [place.tenant.user_id]
    assert await place.titles() == ["Mine"]
    assert await place.tenant.read(EVERYTHING) == []  # without a transaction nobody is set


async def test_it_takes_three_round_trips_more_than_its_statements(place: Place, socket_directory: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tasks-wire-") as directory:
        async with Wire(Path(directory)).open(socket_directory) as wire:
            url = development.database_url(SERVICE_ROLE, wire.directory, place.name)
            async with opened(Database(url, pool_size=1, production=False)) as database:
                tenant = database.tenant(Principal(place.tenant.user_id))

                async def use() -> None:
                    async with tenant.transaction() as tx:
                        await add(tx, "Water the plants")
                        await stats.count(tx)

                await use()  # PostgreSQL prepares the statements
                wire.count()
                await use()
                traffic = wire.count()

    assert traffic == Traffic(round_trips=5, statements=5)


async def test_a_connection_that_died_before_is_replaced_unseen(place: Place) -> None:
    """The service sends BEGIN before it reads that the server has gone."""
    pid = (await place.tenant.read(PID))[0][0]

    end(pid)
    async with place.tenant.transaction() as tx:
        await add(tx, "Water the plants")

    assert await place.titles() == ["Water the plants"]


async def test_a_connection_that_dies_within_is_a_503_and_nothing_is_repeated(place: Place) -> None:
    times = 0

    with pytest.raises(DatabaseUnavailable):
        async with place.tenant.transaction() as tx:
            times += 1
            await add(tx, "Water the plants")
            await place.terminate()
            await tasks.find(tx, TaskQuery())

    assert times == 1
    assert await place.titles() == []
    await add(place.tenant, "Feed the cat")  # over a new connection


async def test_what_the_block_raises_is_not_hidden_by_a_dead_connection(place: Place) -> None:
    with pytest.raises(TaskNotFound):
        async with place.tenant.transaction() as tx:
            end((await tx.read(PID))[0][0])
            raise TaskNotFound

    await add(place.tenant, "Feed the cat")  # over a new connection


async def test_a_connection_that_is_lost_at_the_commit_is_a_503_and_nothing_is_repeated(
    place: Place, socket_directory: Path
) -> None:
    """It may well have been done, as this one is when the lock is gone."""
    times = 0
    for limit in ("lock_timeout", "statement_timeout"):  # as long as it takes here
        await place.owner.execute(f"ALTER ROLE {SERVICE_ROLE} IN DATABASE {place.name} SET {limit} = '60s'")

    async def write(tenant: Tenant) -> None:
        nonlocal times
        async with tenant.transaction() as tx:
            times += 1
            await add(tx, "wait")

    with tempfile.TemporaryDirectory(prefix="tasks-wire-") as directory:
        async with Wire(Path(directory)).open(socket_directory) as wire:
            url = development.database_url(SERVICE_ROLE, wire.directory, place.name)
            async with opened(Database(url, pool_size=2, production=False)) as database:
                await place.owner.execute("SELECT pg_advisory_lock(1)")
                writing = asyncio.create_task(write(database.tenant(Principal(place.tenant.user_id))))
                await eventually(lambda: place.backends("query = 'COMMIT' AND wait_event = 'advisory'"))
                wire.cut()
                with pytest.raises(DatabaseUnavailable):
                    await writing
                await place.owner.execute("SELECT pg_advisory_unlock(1)")
                await eventually(place.titles)

    assert times == 1
    assert await place.titles() == ["wait"]


@pytest.mark.parametrize(
    ("state", "error"), [("40001", DatabaseUnavailable), ("23505", asyncpg.UniqueViolationError)]
)
async def test_a_commit_that_is_refused_is_an_error(place: Place, state: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            await add(tx, f"sqlstate {state}")

    assert await place.titles() == []
    await add(place.tenant, "Feed the cat")


@pytest.mark.parametrize("during", ["a statement", "the block"])
async def test_a_cancelled_one_is_undone_and_leaves_room_for_the_next(place: Place, during: str) -> None:
    began = asyncio.Event()

    async def use() -> None:
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            began.set()
            await (tx.read(SLEEP) if during == "a statement" else asyncio.Event().wait())

    using = asyncio.create_task(use())
    await began.wait()
    pids = await place.backends()
    if during == "a statement":
        await eventually(lambda: place.backends("wait_event = 'PgSleep'"))
    using.cancel()
    await asyncio.wait([using])

    assert using.cancelled()
    assert (await place.tenant.read(PID))[0][0] not in pids
    assert await place.titles() == []


async def test_a_statement_that_is_given_up_ends_the_transaction(place: Place) -> None:
    """By a deadline within the block, which goes on."""
    with pytest.raises(DatabaseUnavailable):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await tx.read(SLEEP)

    assert await place.titles() == []


async def test_one_that_idles_too_long_is_ended(place: Place) -> None:
    await place.owner.execute(
        f"ALTER ROLE {SERVICE_ROLE} IN DATABASE {place.name} SET idle_in_transaction_session_timeout = '50ms'"
    )

    with pytest.raises(DatabaseUnavailable):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            await eventually(lambda: _is_empty(place.backends()))
            await tasks.find(tx, TaskQuery())

    assert await place.titles() == []


async def test_a_commit_that_was_given_up_is_not_done_afterwards(place: Place) -> None:
    """The server's process froze before it read the COMMIT, and goes on too late."""
    frozen = psutil.Process((await place.tenant.read(PID))[0][0])

    with pytest.raises(DatabaseUnavailable):
        async with place.tenant.transaction() as tx:
            await add(tx, "Water the plants")
            frozen.suspend()
    frozen.resume()
    await eventually(lambda: _is_empty(place.backends()))

    assert await place.titles() == []


async def _is_empty(things: Awaitable[list[int]]) -> bool:
    return not await things


async def test_it_cannot_be_nested(place: Place) -> None:
    async with place.tenant.transaction() as tx:
        for tenant in (place.tenant, tx):
            with pytest.raises(RuntimeError, match="do not nest"):
                async with tenant.transaction():
                    pass
        await add(tx, "Water the plants")

    assert await place.titles() == ["Water the plants"]


async def test_it_runs_one_statement_at_a_time(place: Place) -> None:
    """Two at once are a mistake in our code, and no reason to tell a client to try again."""
    with pytest.raises(RuntimeError, match="one statement at a time"):
        async with place.tenant.transaction() as tx:
            await asyncio.gather(add(tx, "Water the plants"), add(tx, "Feed the cat"))

    assert await place.titles() == []


async def test_its_tenant_runs_nothing_beside_it(place: Place) -> None:
    """A statement that was meant to be a part of it would be done on its own, and not undone."""
    async with place.tenant.transaction():
        for run in (place.tenant.read, place.tenant.write):
            with pytest.raises(RuntimeError, match="has a transaction open"):
                await run(PID)

    await place.tenant.read(PID)


async def test_it_cannot_be_used_after_its_end(place: Place) -> None:
    async with place.tenant.transaction() as tx:
        pass

    for run in (tx.read, tx.write):
        with pytest.raises(RuntimeError, match="is over"):
            await run(PID)
