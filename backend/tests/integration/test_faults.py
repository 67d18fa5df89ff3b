"""What goes wrong around a database, and what clients see of it: a 503 that says when to try again, at worst."""

import asyncio
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sized
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import httpx2
import psutil
import pytest
from sqlalchemy import Integer, bindparam, select

import support
from backend.auth import Principal
from backend.commands import development, embedded
from backend.config import Settings
from backend.database import Database
from backend.errors import DatabaseUnavailable
from backend.main import create_app
from backend.migrations import VERSION_TABLE
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.statements import Statement
from backend.schemas.tasks import TaskCreate
from backend.services import tasks
from databases import connected, eventually, opened, scratch, settings_for
from support import Connection, Json, User, assert_problem, captured_logs
from wire import Wire

# Tasks with these titles take their time, or fail as the server would.
TROUBLE = """
    CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.title = 'slow' THEN
            PERFORM pg_sleep(20);
        ELSIF NEW.title LIKE 'sqlstate %' THEN
            RAISE EXCEPTION 'trouble' USING ERRCODE = substr(NEW.title, 10),
                DETAIL = concat(NEW.description);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION trouble();
"""


class Place(NamedTuple):
    """A migrated database, with a connection of its owner, for one test to break."""

    owner: Connection
    database: str
    url: str  # of the service's role


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with (
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        await owner.execute(TROUBLE)
        yield Place(owner, name, development.database_url(SERVICE_ROLE, socket_directory, name))


type Serve = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def serve(settings: Settings) -> AsyncIterator[Serve]:
    """Start the application on a database; it is stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(url: str, *, pool_size: int = 3) -> httpx2.AsyncClient:
            app = create_app(settings_for(settings, url, pool_size=pool_size))
            return await stack.enter_async_context(support.running(app))

        yield start


@pytest.fixture
async def place_user(place: Place, serve: Serve) -> User:
    """Somebody who may have two connections to the place at once, of three."""
    return await support.new_user(await serve(place.url), place.owner)


def assert_unavailable(answer: httpx2.Response) -> Json:
    problem = assert_problem(answer, 503, "database-unavailable")
    assert answer.headers["retry-after"] == "1"
    return problem


async def timed[T](answer: Awaitable[T]) -> tuple[T, float]:
    started = time.monotonic()
    return await answer, time.monotonic() - started


async def backends(place: Place, *, only: str = "true") -> list[int]:
    """The server's processes for the service."""
    await place.owner.execute("SELECT pg_stat_clear_snapshot()")  # in a transaction it would stay the same
    rows = await place.owner.fetch(
        f"SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = $2 AND {only}",
        place.database,
        SERVICE_ROLE,
    )
    return [row["pid"] for row in rows]


async def terminate(place: Place, *, only: str = "true") -> None:
    """Cut the service's connections, as an administrator or a failing network would."""
    await eventually(lambda: backends(place, only=only))
    for pid in await backends(place, only=only):
        await place.owner.execute("SELECT pg_terminate_backend($1)", pid)


IS_SLEEPING = "wait_event = 'PgSleep'"
IS_WAITING_FOR_A_LOCK = "wait_event_type = 'Lock'"


@asynccontextmanager
async def locked(place: Place, command: str, *arguments: object) -> AsyncIterator[None]:
    """Somebody else's transaction has executed `command` and does not end."""
    async with place.owner.transaction():
        await place.owner.execute(command, *arguments)
        yield


async def test_without_a_database_the_service_starts_and_recovers_when_it_comes(
    place: Place, serve: Serve, socket_directory: Path
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        later = Path(directory) / "later"
        client = await serve(development.database_url(SERVICE_ROLE, later, place.database))
        user = await support.new_user(client, place.owner)

        without = [await client.get("/health/live"), await client.get("/health/ready"), await user.get("tasks")]
        later.symlink_to(socket_directory)
        recovered = [await client.get("/health/ready"), await user.get("tasks")]

    assert without[0].status_code == 200
    assert_unavailable(without[1])
    assert_unavailable(without[2])
    assert [answer.status_code for answer in recovered] == [200, 200]


async def test_connections_cut_while_idle_are_replaced_unseen(place: Place, place_user: User) -> None:
    for _ in range(5):
        await asyncio.gather(*(place_user.get("tasks") for _ in range(4)))
        await terminate(place)

        answers = await asyncio.gather(
            place_user.get("tasks"), place_user.post("tasks", json={"title": "Water the plants"})
        )

        assert [answer.status_code for answer in answers] == [200, 201]


async def test_connections_cut_at_the_moment_of_a_write_are_replaced_unseen(
    place: Place, place_user: User
) -> None:
    """The service writes before it gets to read that the server has gone, and the pipe is broken."""
    await place_user.get("tasks")
    pids = await backends(place)
    assert pids

    _end(pids)
    answer = await place_user.post("tasks", json={"title": "Water the plants"})

    assert answer.status_code == 201
    assert [task["title"] for task in (await place_user.get("tasks")).json()] == ["Water the plants"]


def _end(pids: list[int]) -> None:
    """Terminate them and wait, while the event loop stands still."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.terminate()
    assert psutil.wait_procs(processes, timeout=10)[1] == []


async def test_a_session_ended_during_a_write_is_replaced_unseen(place: Place, place_user: User) -> None:
    task = await place_user.add_task()
    async with locked(place, "SELECT FROM tasks WHERE id = $1 FOR UPDATE", task["id"]):
        request = asyncio.create_task(place_user.patch(f"tasks/{task['id']}/complete"))
        await terminate(place, only=IS_WAITING_FOR_A_LOCK)

    answer = await request

    assert answer.status_code == 200
    assert (await place_user.get("tasks")).json() == [answer.json()]
    assert answer.json()["version"] == 2


async def test_a_write_whose_answer_was_lost_is_not_repeated(
    place: Place, settings: Settings, socket_directory: Path
) -> None:
    """It may well have been done, as this one is when the lock is gone."""
    with tempfile.TemporaryDirectory(prefix="tasks-wire-") as directory:
        async with Wire(Path(directory)).open(socket_directory) as wire:
            url = development.database_url(SERVICE_ROLE, wire.directory, place.database)
            app = create_app(settings_for(settings, url, pool_size=1))
            async with support.running(app) as client:
                user = await support.new_user(client, place.owner)
                task = await user.add_task()
                async with locked(place, "SELECT FROM tasks WHERE id = $1 FOR UPDATE", task["id"]):
                    request = asyncio.create_task(user.patch(f"tasks/{task['id']}/complete"))
                    await eventually(lambda: backends(place, only=IS_WAITING_FOR_A_LOCK))
                    wire.cut()
                    answer = await request
                await eventually(lambda: _is_at_version(user, task, 2))

    assert_unavailable(answer)


async def _is_at_version(user: User, task: Json, version: int) -> bool:
    found: Json = (await user.get(f"tasks/{task['id']}")).json()
    return bool(found["version"] == version)


async def test_a_connection_cut_during_a_read_is_replaced_unseen(place: Place, place_user: User) -> None:
    async with locked(place, "LOCK TABLE tasks"):
        request = asyncio.create_task(place_user.get("tasks"))
        await terminate(place, only=IS_WAITING_FOR_A_LOCK)

    answer = await request

    assert answer.status_code == 200


async def test_each_kind_of_waiting_has_its_limit(place: Place, place_user: User) -> None:
    """A statement may take 3 seconds, a lock 2, and a connection where all are in use 1."""
    task = await place_user.add_task()

    async with locked(place, "SELECT FROM tasks WHERE id = $1 FOR UPDATE", task["id"]):
        slow = asyncio.create_task(timed(place_user.post("tasks", json={"title": "slow"})))
        blocked = asyncio.create_task(timed(place_user.delete(f"tasks/{task['id']}")))
        await eventually(lambda: backends(place, only=IS_SLEEPING))
        await eventually(lambda: backends(place, only=IS_WAITING_FOR_A_LOCK))
        read = timed(place_user.get("tasks"))
        write = timed(place_user.post("tasks", json={"title": "Feed the cat"}))
        answers = await asyncio.gather(slow, blocked, read, write)

    for (answer, seconds), limit in zip(answers, (3, 2, 1, 1), strict=True):
        assert_unavailable(answer)
        assert limit - 0.1 < seconds < limit + 1.5
    assert (await place_user.get("tasks")).json() == [task]


async def test_a_cancelled_request_gives_its_connection_back(place: Place, serve: Serve) -> None:
    user = await support.new_user(await serve(place.url, pool_size=1), place.owner)
    request = asyncio.create_task(user.post("tasks", json={"title": "slow"}))
    await eventually(lambda: backends(place, only=IS_SLEEPING))

    request.cancel()
    await asyncio.wait([request])
    answer = await user.get("tasks")

    assert answer.status_code == 200
    assert answer.json() == []


@pytest.mark.parametrize(
    "forbid",
    [
        pytest.param("ALTER DATABASE {} CONNECTION LIMIT 0", id="too many clients"),
        pytest.param("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", id="no right to connect"),
    ],
)
async def test_a_database_that_refuses_connections_is_unavailable(place: Place, serve: Serve, forbid: str) -> None:
    client = await serve(place.url)
    user = await support.new_user(client, place.owner)
    await place.owner.execute(forbid.format(place.database))
    await terminate(place)

    answers = [
        await user.get("tasks"),
        await user.post("tasks", json={"title": "x"}),
        await client.get("/health/ready"),
    ]

    for answer in answers:
        assert_unavailable(answer)


async def test_a_read_only_database_still_answers_reads(place: Place, serve: Serve) -> None:
    user = await support.new_user(await serve(place.url), place.owner)
    await place.owner.execute(f"ALTER DATABASE {place.database} SET default_transaction_read_only = on")
    await terminate(place)

    read, write = await user.get("tasks"), await user.post("tasks", json={"title": "x"})

    assert read.status_code == 200
    assert_unavailable(write)


PASSING = {
    "08006": "connection failure",
    "25006": "read-only transaction",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53100": "disk full",
    "53200": "out of memory",
    "55P03": "lock not available",
    "57014": "query canceled",
    "57P01": "administrator's shutdown",
    "57P03": "starting up",
}


async def test_a_passing_trouble_of_the_server_is_a_503(place_user: User) -> None:
    answers = {state: await place_user.post("tasks", json={"title": f"sqlstate {state}"}) for state in PASSING}

    assert {
        PASSING[state]: answer.status_code for state, answer in answers.items() if answer.status_code != 503
    } == {}
    for answer in answers.values():
        assert_unavailable(answer)


async def test_an_error_that_will_not_pass_is_a_500(place_user: User) -> None:
    answer = await place_user.post("tasks", json={"title": "sqlstate P0001"})

    assert_problem(answer, 500, "internal-error")
    await place_user.add_task()


async def test_a_mistake_of_ours_is_not_blamed_on_the_database(service_url: str) -> None:
    statement = Statement.read(select(bindparam("number", type_=Integer)))
    async with opened(Database(service_url, pool_size=1, production=False)) as service:
        with pytest.raises(asyncpg.DataError, match="invalid input for query argument"):
            await service.tenant(Principal("somebody", 0)).read(statement, number="one")


async def test_what_a_task_says_stays_out_of_the_log(place: Place, place_user: User) -> None:
    """The server likes to quote the row that it complains about."""
    private = uuid4().hex
    async with opened(Database(place.url, pool_size=1, production=False)) as service:
        tenant = service.tenant(Principal(place_user.id, 0))

        with captured_logs() as logs:
            with pytest.raises(DatabaseUnavailable):
                await tasks.create(tenant, TaskCreate(title="sqlstate 40001", description=private), max_tasks=1)
            with pytest.raises(asyncpg.RaiseError) as crash:
                await tasks.create(tenant, TaskCreate(title="sqlstate P0001", description=private), max_tasks=1)

    assert "trouble" in str(logs)
    assert private not in str(logs)
    assert private not in "".join(traceback.format_exception(crash.value))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param('ALTER TABLE tasks ADD COLUMN "colour" text', id="new column"),
        pytest.param("ALTER TABLE tasks ALTER COLUMN version TYPE bigint", id="new type"),
    ],
)
async def test_a_migration_under_open_connections_breaks_no_request(
    place: Place, serve: Serve, change: str
) -> None:
    """The plans that a connection has prepared are no longer good then."""
    user = await support.new_user(await serve(place.url, pool_size=1), place.owner)
    task = await user.add_task()
    path = f"tasks/{task['id']}"
    for _ in range(2):
        await user.get(path)
        await user.patch(path, json={"title": "Before"})

    await place.owner.execute(change)
    first = [await user.patch(path, json={"title": "After"}), await user.get(path), await user.get("tasks")]
    second = [await user.patch(path, json={"title": "After"}), await user.get(path), await user.get("tasks")]

    assert [answer.status_code for answer in first] in ([200, 200, 200], [503, 200, 200])
    assert [answer.status_code for answer in second] == [200, 200, 200]


@contextmanager
def frozen(postmaster: psutil.Process) -> Iterator[None]:
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


type Victim = Callable[[], AbstractAsyncContextManager[Place]]


@pytest.fixture(scope="module")
async def victim() -> AsyncIterator[Victim]:
    """A server of our own, to be frozen and killed."""

    @asynccontextmanager
    async def place() -> AsyncIterator[Place]:
        async with connected(development.database_url("postgres", sockets)) as owner:
            yield Place(owner, development.DATABASE, development.database_url(SERVICE_ROLE, sockets))

    with tempfile.TemporaryDirectory(prefix="tasks-victim-") as data, embedded.postgres(Path(data)) as sockets:
        await development.prepare(sockets, "developer")
        yield place


async def test_a_frozen_server_keeps_nobody_waiting_longer_than_5_seconds(
    victim: Victim, serve: Serve, settings: Settings
) -> None:
    async with victim() as place, AsyncExitStack() as leaving:
        user = await support.new_user(await serve(place.url), place.owner)
        stranger = await support.new_user(await serve(place.url), place.owner)
        task = await user.add_task()
        await stranger.get("tasks")
        await leaving.enter_async_context(support.running(create_app(settings_for(settings, place.url))))
        async with locked(place, "SELECT FROM tasks WHERE id = $1 FOR UPDATE", task["id"]):
            await place.owner.execute(f"LOCK TABLE {VERSION_TABLE}")
            waiting = asyncio.create_task(timed(user.patch(f"tasks/{task['id']}", json={"title": "Changed"})))
            await eventually(lambda: backends(place, only=IS_WAITING_FOR_A_LOCK))
            connecting = asyncio.create_task(timed(user.get("tasks")))
            await eventually(lambda: _two(backends(place, only=IS_WAITING_FOR_A_LOCK)))

            with frozen(_postmaster(await backends(place))):
                left = asyncio.create_task(timed(leaving.aclose()))
                answers = await asyncio.gather(
                    waiting,
                    connecting,
                    timed(user.get("tasks")),
                    timed(user.post("tasks", json={"title": "x"})),
                    timed(stranger.post("tasks", json={"title": "x"})),
                    timed(stranger.get("tasks")),
                )
                _, seconds_to_leave = await left
        await eventually(lambda: _is_ok(user.get("tasks")))

        for answer, seconds in answers:
            assert_unavailable(answer)
            assert seconds < 5
        assert seconds_to_leave < 5
        assert (await user.get("tasks")).json() == [task]


async def test_a_write_answered_with_a_503_is_not_done_afterwards(victim: Victim, serve: Serve) -> None:
    """The server's processes for one service freeze, with the writes in their sockets. Another service goes on."""
    async with victim() as place:
        user = await support.new_user(await serve(place.url), place.owner)
        task = await user.add_task(title="First")
        # A connection for each write.
        await asyncio.gather(*(user.get("tasks") for _ in range(2)))
        processes = [psutil.Process(pid) for pid in await backends(place)]
        other = User(await serve(place.url), user.id, user.token)

        with ExitStack() as freezing:
            for process in processes:
                freezing.enter_context(frozen(process))
            lost = await asyncio.gather(
                user.patch(f"tasks/{task['id']}", json={"title": "Late"}),
                user.post("tasks", json={"title": "Late"}),
            )
            newer = await other.patch(f"tasks/{task['id']}", json={"title": "Newer"})
        for process in processes:
            await eventually(partial(_has_ended, process))

        for answer in lost:
            assert_unavailable(answer)
        assert (await other.get("tasks")).json() == [newer.json()]


async def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running()


# From now on the server's clock is an hour ahead.
SET_THE_CLOCK = """
    CREATE SCHEMA clock;
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + interval ''1 hour''';
    GRANT USAGE ON SCHEMA clock TO PUBLIC;
    CREATE OR REPLACE FUNCTION tasks_tenant(tenant text, deadline timestamptz) RETURNS text LANGUAGE sql AS $$
        SELECT CASE WHEN clock.clock_timestamp() < deadline THEN set_config('app.user_id', tenant, true)
                    ELSE tasks_too_late() END
    $$;
"""


async def test_a_clock_that_was_set_costs_no_write(place: Place, place_user: User) -> None:
    """Whatever is sent on connections that know the old time is late, and done on a new one."""
    await place_user.add_task(title="Before")
    before = await backends(place)
    await place.owner.execute(SET_THE_CLOCK)
    await place.owner.execute(f"ALTER DATABASE {place.database} SET search_path = clock, public, pg_catalog")

    await place_user.add_task(title="After")

    assert len(before) == 1
    assert before[0] not in await backends(place)


async def _two(pids: Awaitable[list[int]]) -> bool:
    return len(await pids) == 2


def _postmaster(backends: list[int]) -> psutil.Process:
    parent = psutil.Process(backends[0]).parent()
    assert parent is not None
    return parent


async def _is_ok(request: Awaitable[httpx2.Response]) -> bool:
    return (await request).status_code == 200


async def _number(things: Sized, at_least: int) -> bool:
    return len(things) >= at_least


async def test_a_crash_of_the_server_loses_nothing_that_was_acknowledged(victim: Victim, serve: Serve) -> None:
    async with victim() as place:
        user = await support.new_user(await serve(place.url, pool_size=4), place.owner)
        await user.add_task()
        pid = (await backends(place))[0]
    acknowledged: list[str] = []
    refused: list[httpx2.Response] = []

    enough = asyncio.Event()

    async def write() -> None:
        while not enough.is_set():
            answer = await user.post("tasks", json={"title": uuid4().hex})
            if answer.status_code == 201:
                acknowledged.append(answer.json()["title"])
            else:
                refused.append(answer)
                await asyncio.sleep(0.02)

    writers = [asyncio.create_task(write()) for _ in range(4)]
    await eventually(lambda: _number(acknowledged, 10))
    psutil.Process(pid).kill()
    await eventually(lambda: _number(refused, 1))
    enough.set()
    await asyncio.gather(*writers)
    await eventually(lambda: _is_ok(user.get("tasks")))

    kept = {task["title"] for task in (await user.get("tasks")).json()}
    assert refused
    for answer in refused:
        assert_unavailable(answer)
    assert set(acknowledged) <= kept
