"""Open connections, each lent to one request at a time.

Unlike asyncpg's own pool this one sends nothing to the server when a connection comes back. There is nothing to
reset: a tenant is set for one statement or transaction, and nothing else is ever set. A connection that comes back
goes straight to the request that has waited longest, so none is overtaken.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic

import asyncpg

type Connection = asyncpg.Connection[asyncpg.Record]

# A database that suspends itself when nobody is connected must get the chance to.
IDLE_SECONDS = 300.0
CLOSE_SECONDS = 2.0


class Pool:
    """Up to `size` connections, opened on demand. A request waits at most `patience` seconds for one."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._slots = 0  # in use: a connection is open, is being opened, or is about to be by a waiter
        self._idle: deque[tuple[Connection, float]] = deque()  # with the time since when; the newest is lent first
        self._waiters: deque[tuple[asyncio.Future[Connection | None], float]] = deque()  # with their deadlines
        self._wait_timer: asyncio.TimerHandle | None = (
            None  # one for all waiters: setting a timer for each is slow
        )
        self._idle_timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def acquire(self) -> Connection:
        """Raises TimeoutError if no connection becomes free in time, and whatever connecting raises."""
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._slots -= 1
        if self._slots < self._size:
            self._slots += 1
        else:
            handed_over = await self._wait()
            if handed_over and not handed_over.is_closed():
                return handed_over
        async with asyncio.timeout(self._patience):
            return await self._open()

    def release(self, connection: Connection) -> None:
        """Hand the connection to the first waiter, or its slot if it is closed."""
        if self._closed:
            connection.terminate()
        if connection.is_closed():
            self._release_slot()
        elif not self._hand_over(connection):
            self._idle.append((connection, monotonic()))
            if self._idle_timer is None:
                self._idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_idle)

    async def close(self) -> None:
        """Close idle connections in an orderly way, and do not wait for a server that does not answer."""
        self._closed = True
        if self._idle_timer:
            self._idle_timer.cancel()
        connections = [connection for connection, _ in self._idle]
        self._idle.clear()
        self._slots -= len(connections)
        await asyncio.gather(
            *(connection.close(timeout=CLOSE_SECONDS) for connection in connections), return_exceptions=True
        )

    async def _open(self) -> Connection:
        """In a slot that the caller has taken."""
        try:
            return await self._connect()
        except BaseException:
            self._release_slot()
            raise

    async def _wait(self) -> Connection | None:
        """A connection that another request used, or None for a slot to open one in."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append((waiter, monotonic() + self._patience))
        if self._wait_timer is None:
            self._wait_timer = loop.call_later(self._patience, self._time_out_waiters)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and not waiter.exception():
                # Something was handed over in the same turn of the event loop: pass it on.
                if connection := waiter.result():
                    self.release(connection)
                else:
                    self._release_slot()
            raise

    def _hand_over(self, connection: Connection | None) -> bool:
        """Give the first waiter a connection, or a slot for one. False if there is no waiter."""
        while self._waiters:
            waiter, _ = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _release_slot(self) -> None:
        """To the first waiter if there is one: a free slot could be taken by a request that came later."""
        if not self._hand_over(None):
            self._slots -= 1

    def _time_out_waiters(self) -> None:
        """Those at the front have waited longest."""
        now = monotonic()
        while self._waiters and (self._waiters[0][1] <= now or self._waiters[0][0].done()):
            waiter, _ = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(TimeoutError("no connection became free in time"))
        self._wait_timer = None
        if self._waiters:
            seconds = self._waiters[0][1] - now
            self._wait_timer = asyncio.get_running_loop().call_later(seconds, self._time_out_waiters)

    def _close_idle(self) -> None:
        """Those at the front have been idle longest."""
        now = monotonic()
        while self._idle and self._idle[0][1] + IDLE_SECONDS <= now:
            connection, _ = self._idle.popleft()
            self._slots -= 1
            connection.terminate()
        self._idle_timer = None
        if self._idle:
            seconds = self._idle[0][1] + IDLE_SECONDS - now
            self._idle_timer = asyncio.get_running_loop().call_later(seconds, self._close_idle)
