"""Connections that are kept open, each lent to one request at a time.

Unlike asyncpg's own pool this one sends nothing to the server when a connection comes back. There is nothing to
reset: what is set for a tenant is gone at the end of a statement or transaction, and nothing else is ever set. And
who waits gets a connection from the hands of who had it, first come first served, so that nobody is overtaken.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic

import asyncpg

type Connection = asyncpg.Connection[asyncpg.Record]

# So that a database that sleeps when nobody is connected gets to sleep.
IDLE_SECONDS = 300.0
CLOSE_SECONDS = 2.0


class Pool:
    """Up to `size` connections, opened when they are needed; who gets none waits for `patience` seconds."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._number = 0  # of those that are open, being opened, or for somebody to open
        self._idle: deque[tuple[Connection, float]] = deque()  # and since when; the last is lent first
        self._waiting: deque[tuple[asyncio.Future[Connection | None], float]] = deque()  # and until when
        self._alarm: asyncio.TimerHandle | None = None  # one for all that wait: to set and clear timers takes time
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def acquire(self) -> Connection:
        """Raises TimeoutError where none is to be had in time, and whatever connecting raises."""
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._number -= 1
        if self._number < self._size:
            self._number += 1
        else:
            given = await self._wait()
            if given and not given.is_closed():
                return given
        async with asyncio.timeout(self._patience):
            return await self._open()

    def release(self, connection: Connection) -> None:
        """Whoever waits longest gets it, or the room that it leaves if it is closed."""
        if self._closed:
            connection.terminate()
        if connection.is_closed():
            self._pass_room_on()
        elif not self._hand_over(connection):
            self._idle.append((connection, monotonic()))
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_idle)

    async def close(self) -> None:
        """Part in good order from what is idle. A server that does not answer is not waited for."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        connections = [connection for connection, _ in self._idle]
        self._idle.clear()
        self._number -= len(connections)
        await asyncio.gather(
            *(connection.close(timeout=CLOSE_SECONDS) for connection in connections), return_exceptions=True
        )

    async def _open(self) -> Connection:
        """In room that is counted already."""
        try:
            return await self._connect()
        except BaseException:
            self._pass_room_on()
            raise

    async def _wait(self) -> Connection | None:
        """A connection that another has used, or None for room to open one, which is counted already."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append((waiting, monotonic() + self._patience))
        if self._alarm is None:
            self._alarm = loop.call_later(self._patience, self._give_up)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and not waiting.exception():
                # It was given something at the same moment.
                if connection := waiting.result():
                    self.release(connection)
                else:
                    self._pass_room_on()
            raise

    def _hand_over(self, connection: Connection | None) -> bool:
        """To whoever has waited longest: a connection, or room for one. False where nobody waits."""
        while self._waiting:
            waiting, _ = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(connection)
                return True
        return False

    def _pass_room_on(self) -> None:
        """What a connection leaves is never free while somebody waits, lest another should come first."""
        if not self._hand_over(None):
            self._number -= 1

    def _give_up(self) -> None:
        """On behalf of those at the front, who have waited longest."""
        now = monotonic()
        while self._waiting and (self._waiting[0][1] <= now or self._waiting[0][0].done()):
            waiting, _ = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(TimeoutError("no connection became free in time"))
        self._alarm = None
        if self._waiting:
            self._alarm = asyncio.get_running_loop().call_later(self._waiting[0][1] - now, self._give_up)

    def _close_idle(self) -> None:
        """Those at the front have been idle longest."""
        now = monotonic()
        while self._idle and self._idle[0][1] + IDLE_SECONDS <= now:
            connection, _ = self._idle.popleft()
            self._number -= 1
            connection.terminate()
        self._timer = None
        if self._idle:
            seconds = self._idle[0][1] + IDLE_SECONDS - now
            self._timer = asyncio.get_running_loop().call_later(seconds, self._close_idle)
