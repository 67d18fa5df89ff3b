"""Open connections, each lent to one request at a time, and shared fairly among those who ask for them.

Unlike asyncpg's own pool this one sends nothing to the server when a connection comes back. There is nothing to
reset: a tenant is set for one statement or transaction, and nothing else is ever set.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from time import monotonic

import asyncpg

type Connection = asyncpg.Connection[asyncpg.Record]

# A database that suspends itself when nobody is connected must get the chance to.
IDLE_SECONDS = 300.0
CLOSE_SECONDS = 2.0

# Of one holder. Further requests fail at once.
MAX_WAITING = 100


class Pool[C: Connection]:
    """Up to `size` connections, opened on demand. A request waits at most `patience` seconds for one.

    Each is lent to a holder, such as a user. A holder gets another one only while it holds fewer than are free. So
    one alone can have half of the pool, two greedy ones three quarters, and a holder that has none finds one free
    unless very many are at work. Of those that wait, each holder is served in turn, and each one's requests in the
    order in which they came.
    """

    def __init__(self, connect: Callable[[], Awaitable[C]], *, size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._free = size  # what is not lent: an idle connection, or the right to open one
        self._held: Counter[str] = Counter()  # by holder, without zeros
        self._idle: deque[tuple[C, float]] = deque()  # with the time since when; the newest is lent first
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}  # by holder, in the order of their turns
        self._deadlines: deque[tuple[asyncio.Future[None], str, float]] = deque()  # of all that wait or waited
        # One for all: setting a timer for each is slow.
        self._wait_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def acquire(self, holder: str) -> C:
        """Raises TimeoutError if none becomes free in time, or too many wait, and whatever connecting raises."""
        if self._held[holder] < self._free:
            self._lend(holder)
        else:
            await self._wait(holder)
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
        try:
            async with asyncio.timeout(self._patience):
                return await self._connect()
        except BaseException:
            self._take_back(holder)
            raise

    def release(self, connection: C, holder: str) -> None:
        if self._closed:
            connection.terminate()
        if not connection.is_closed():
            self._idle.append((connection, monotonic()))
            if self._idle_timer is None:
                self._idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_idle)
        self._take_back(holder)

    async def close(self) -> None:
        """Close idle connections in an orderly way, and do not wait for a server that does not answer."""
        self._closed = True
        if self._idle_timer:
            self._idle_timer.cancel()
        connections = [connection for connection, _ in self._idle]
        self._idle.clear()
        await asyncio.gather(
            *(connection.close(timeout=CLOSE_SECONDS) for connection in connections), return_exceptions=True
        )

    def _lend(self, holder: str) -> None:
        self._held[holder] += 1
        self._free -= 1

    def _take_back(self, holder: str) -> None:
        self._free += 1
        if self._held[holder] == 1:
            del self._held[holder]
        else:
            self._held[holder] -= 1
        if self._queues:
            self._serve()

    def _serve(self) -> None:
        """Lend what is free to those that wait and may have it."""
        # Whoever may not have one holds as many as are free, so few of those at the front are passed over.
        while holder := next((name for name in self._queues if self._held[name] < self._free), None):
            queue = self._queues.pop(holder)
            waiter = queue.popleft()
            if not waiter.done():  # cancelled, and about to leave
                waiter.set_result(None)
                self._lend(holder)
            if queue:
                self._queues[holder] = queue  # behind all others

    async def _wait(self, holder: str) -> None:
        """Until it has been lent one."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(holder, deque())
        if len(queue) == MAX_WAITING:
            raise TimeoutError("too many requests of this user wait for a connection")
        waiter: asyncio.Future[None] = loop.create_future()
        queue.append(waiter)
        self._deadlines.append((waiter, holder, monotonic() + self._patience))
        if self._wait_timer is None:
            self._wait_timer = loop.call_later(self._patience, self._time_out)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and not waiter.exception():
                self._take_back(holder)  # it was lent one in the same turn of the event loop
            else:
                self._leave(waiter, holder)
            raise

    def _leave(self, waiter: asyncio.Future[None], holder: str) -> None:
        if waiter in (queue := self._queues.get(holder, deque())):
            queue.remove(waiter)
            if not queue:
                del self._queues[holder]

    def _time_out(self) -> None:
        """Those at the front have waited longest."""
        now = monotonic()
        while self._deadlines and (self._deadlines[0][2] <= now or self._deadlines[0][0].done()):
            waiter, holder, _ = self._deadlines.popleft()
            if not waiter.done():
                self._leave(waiter, holder)
                waiter.set_exception(TimeoutError("no connection became free in time"))
        self._wait_timer = None
        if self._deadlines:
            seconds = self._deadlines[0][2] - now
            self._wait_timer = asyncio.get_running_loop().call_later(seconds, self._time_out)

    def _close_idle(self) -> None:
        """Those at the front have been idle longest."""
        now = monotonic()
        while self._idle and self._idle[0][1] + IDLE_SECONDS <= now:
            connection, _ = self._idle.popleft()
            connection.terminate()
        self._idle_timer = None
        if self._idle:
            seconds = self._idle[0][1] + IDLE_SECONDS - now
            self._idle_timer = asyncio.get_running_loop().call_later(seconds, self._close_idle)
