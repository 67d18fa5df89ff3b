"""The pool, with connections that only know whether they are closed."""

import asyncio
import time
from itertools import count
from typing import cast

import pytest

from backend.postgres import pool
from backend.postgres.pool import MAX_WAITING, Connection, Pool


class Fake:
    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg has it
        assert timeout
        self.closed = True


class Server:
    """Opens connections, or does not."""

    def __init__(self) -> None:
        self.opened: list[Fake] = []
        self.failure: Exception | None = None

    async def connect(self) -> Connection:
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        self.opened.append(Fake())
        return cast("Connection", self.opened[-1])  # as far as the pool uses one


class Desk(Pool[Connection]):
    """A pool that lends each connection to another holder."""

    def __init__(self, server: Server, *, size: int, patience: float) -> None:
        super().__init__(server.connect, size=size, patience=patience)
        self._names = map(str, count())
        self._holders: dict[Connection, str] = {}

    async def acquire(self, holder: str = "") -> Connection:
        holder = holder or next(self._names)
        connection = await super().acquire(holder)
        self._holders[connection] = holder
        return connection

    def release(self, connection: Connection, holder: str = "") -> None:
        super().release(connection, holder or self._holders[connection])


@pytest.fixture
def server() -> Server:
    return Server()


async def test_a_connection_is_lent_again(server: Server) -> None:
    kept = Desk(server, size=2, patience=1)

    for _ in range(3):
        kept.release(await kept.acquire())

    assert len(server.opened) == 1


async def test_no_more_are_opened_than_it_may_have(server: Server) -> None:
    kept = Desk(server, size=2, patience=0.01)
    await asyncio.gather(kept.acquire(), kept.acquire())

    with pytest.raises(TimeoutError):
        await kept.acquire()

    assert len(server.opened) == 2


async def test_each_waits_as_long_as_any_other(server: Server) -> None:
    """Though one timer serves them all."""
    kept = Desk(server, size=1, patience=0.6)
    await kept.acquire()
    waited = []

    async def wait(delay: float) -> None:
        await asyncio.sleep(delay)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await kept.acquire()
        waited.append(time.monotonic() - began)

    await asyncio.gather(wait(0), wait(0.4), wait(0.5), wait(1.2))

    assert len(waited) == 4
    assert min(waited) >= 0.6
    assert max(waited) < 0.9  # with a timer that began anew for each it would be a second


async def test_who_comes_first_is_served_first(server: Server) -> None:
    """Also where whoever gives a connection back asks for the next one at once."""
    kept = Desk(server, size=1, patience=1)
    served = []

    async def use(name: str) -> None:
        for turn in range(2):
            connection = await kept.acquire()
            served.append((name, turn))
            await asyncio.sleep(0)
            kept.release(connection)

    await asyncio.gather(*(use(name) for name in "abc"))

    assert served == [(name, turn) for turn in range(2) for name in "abc"]


async def test_a_closed_connection_leaves_room_for_a_new_one(server: Server) -> None:
    kept = Desk(server, size=1, patience=1)
    first = await kept.acquire()
    waiting = asyncio.create_task(kept.acquire())
    await asyncio.sleep(0)

    first.terminate()
    kept.release(first)
    second = await waiting
    kept.release(second)
    second.terminate()
    third = await kept.acquire()

    assert len({first, second, third}) == 3


async def test_who_lost_a_connection_asks_again_behind_those_who_wait(server: Server) -> None:
    kept = Desk(server, size=1, patience=1)
    served = []

    async def use(name: str, *, loses: int = 0) -> None:
        for _ in range(loses + 1):
            connection = await kept.acquire()
            served.append(name)
            await asyncio.sleep(0.01)
            if name == "a" and served.count("a") == 1:
                connection.terminate()
            kept.release(connection)

    await asyncio.gather(use("a", loses=1), use("b"), use("c"))

    assert served == ["a", "b", "c", "a"]
    assert len(server.opened) == 2


async def test_a_failure_to_connect_leaves_room_for_whoever_waits(server: Server) -> None:
    kept = Desk(server, size=1, patience=1)
    server.failure = OSError("refused")

    outcomes = await asyncio.gather(*(kept.acquire() for _ in range(3)), return_exceptions=True)
    server.failure = None

    assert all(isinstance(outcome, OSError) for outcome in outcomes)
    assert not (await kept.acquire()).is_closed()


@pytest.mark.parametrize("usable", [True, False])
async def test_what_is_given_to_somebody_who_has_left_goes_to_the_next(server: Server, *, usable: bool) -> None:
    kept = Desk(server, size=1, patience=1)
    connection = await kept.acquire()
    leaving, staying = (asyncio.create_task(kept.acquire()) for _ in range(2))
    await asyncio.sleep(0)

    if not usable:
        connection.terminate()
    kept.release(connection)
    leaving.cancel()
    got = await staying

    assert leaving.cancelled()
    assert (got is connection) == usable


async def test_what_is_not_used_for_long_is_closed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database may go to sleep when nobody is connected."""
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.02)
    kept = Desk(server, size=2, patience=1)
    connections = await asyncio.gather(kept.acquire(), kept.acquire())
    kept.release(connections[0])
    await asyncio.sleep(0.01)
    kept.release(connections[1])

    await asyncio.sleep(0.05)

    assert all(connection.is_closed() for connection in connections)
    assert not (await kept.acquire()).is_closed()


async def test_closing_parts_from_all(server: Server) -> None:
    kept = Desk(server, size=2, patience=1)
    idle, lent = await asyncio.gather(kept.acquire(), kept.acquire())
    kept.release(idle)

    await kept.close()
    before = lent.is_closed()
    kept.release(lent)

    assert (idle.is_closed(), before, lent.is_closed()) == (True, False, True)


async def hold(kept: Desk, holder: str, number: int) -> list[Connection]:
    """What a holder gets of so many at once, without waiting."""
    tasks = [asyncio.create_task(kept.acquire(holder)) for _ in range(number)]
    for _ in range(5):
        await asyncio.sleep(0)
    return [task.result() for task in tasks if task.done()]


async def test_nobody_gets_more_than_half(server: Server) -> None:
    kept = Desk(server, size=10, patience=1)

    assert len(await hold(kept, "greedy", 50)) == 5


async def test_the_more_are_greedy_the_less_each_of_them_gets_and_something_is_left(server: Server) -> None:
    kept = Desk(server, size=10, patience=1)

    got = [len(await hold(kept, name, 50)) for name in ("a", "b", "c")]

    assert got == [5, 3, 1]
    assert len(await hold(kept, "modest", 1)) == 1


async def test_one_connection_is_for_everybody(server: Server) -> None:
    kept = Desk(server, size=1, patience=1)

    for holder in ("a", "a", "b"):
        kept.release(await kept.acquire(holder))


async def test_those_who_wait_take_turns_however_many_requests_each_has(server: Server) -> None:
    kept = Desk(server, size=1, patience=1)
    first = await kept.acquire("greedy")
    served = []

    async def use(holder: str) -> None:
        connection = await kept.acquire(holder)
        served.append(holder)
        await asyncio.sleep(0)
        kept.release(connection, holder)

    waiting = [asyncio.create_task(use(holder)) for holder in ["greedy"] * 5 + ["modest", "other", "modest"]]
    await asyncio.sleep(0)
    kept.release(first, "greedy")
    await asyncio.gather(*waiting)

    assert served == ["greedy", "modest", "other", "greedy", "modest", "greedy", "greedy", "greedy"]


@pytest.mark.parametrize("surplus", [0, 1, 2])
async def test_a_holder_has_so_many_waiting_and_no_more(server: Server, surplus: int) -> None:
    kept = Desk(server, size=1, patience=60)
    first = await kept.acquire("greedy")
    tasks = [asyncio.create_task(kept.acquire("greedy")) for _ in range(MAX_WAITING + surplus)]
    await asyncio.sleep(0)
    other = asyncio.create_task(kept.acquire("modest"))
    await asyncio.sleep(0)

    refused = [task.exception() for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    kept.release(first, "greedy")

    assert list(map(type, refused)) == [TimeoutError] * surplus
    assert not (await other).is_closed()


async def test_who_has_left_makes_room_in_the_queue(server: Server) -> None:
    kept = Desk(server, size=1, patience=0.01)
    first = await kept.acquire("greedy")

    for _ in range(2):
        waiting = [kept.acquire("greedy") for _ in range(MAX_WAITING)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {str(outcome) for outcome in outcomes} == {"no connection became free in time"}

    kept.release(first, "greedy")
    assert not (await kept.acquire("greedy")).is_closed()
