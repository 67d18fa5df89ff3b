"""Run statements on examined connections, and repeat them only where that is safe."""

from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg

from backend.errors import Problem
from backend.logs import log
from backend.postgres.admission import UnsafeRole
from backend.postgres.failures import DRIVER_ERRORS, is_lost, is_not_done, translate, unavailable
from backend.postgres.pool import Connection, Pool
from backend.postgres.urls import connect_arguments

POOL_WAIT_SECONDS = 1.0
# The role has a statement_timeout of 3 s. This one is for a server that no longer answers at all.
COMMAND_SECONDS = 3.5

type Rows = Awaitable[list[asyncpg.Record]]


class Connections:
    """A pool of connections, each examined before its first use. Opening it does not connect.

    Everything here raises DatabaseUnavailable where the database cannot answer.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int,
        examine: Callable[[Connection], Awaitable[None]],
        on_unsafe_role: Callable[[], None] = lambda: None,
    ) -> None:
        self._arguments = connect_arguments(url)
        self._size = size
        self._examine = examine
        self._on_unsafe_role = on_unsafe_role
        self._pool = Pool(self._connect, size=size, patience=POOL_WAIT_SECONDS)

    async def close(self) -> None:
        await self._pool.close()

    async def check(self) -> None:
        """Raises NotReady or DatabaseUnavailable unless statements can be run."""
        await self._repeat(lambda: self._use(self._admit), is_retryable=is_lost)

    def read(self, sql: str, *arguments: object) -> Rows:
        """For what may be done twice. A dead connection is replaced."""
        work = partial(self._use, lambda connection: connection.fetch(sql, *arguments))
        return self._repeat(work, is_retryable=is_lost)

    def write(self, sql: str, *arguments: object) -> Rows:
        """Repeated only where the statement was certainly not executed."""
        work = partial(self._use, lambda connection: connection.fetch(sql, *arguments))
        return self._repeat(work, is_retryable=is_not_done)

    async def _repeat[T](
        self, attempt: Callable[[], Awaitable[T]], *, is_retryable: Callable[[Exception], bool]
    ) -> T:
        attempts = 0
        while True:
            try:
                return await attempt()
            except Exception as error:
                attempts += 1
                # Each dead connection leaves the pool, so the last attempt has a new one.
                if attempts > self._size or not is_retryable(error):
                    translate(error)
                    raise

    async def _use[T](self, work: Callable[[Connection], Awaitable[T]]) -> T:
        connection = await self._acquire()
        try:
            return await work(connection)
        except (asyncpg.PostgresError, Problem):
            raise
        except BaseException:
            # The server may be frozen, or still executing what was given up. An orderly close would wait for it.
            connection.terminate()
            raise
        finally:
            self._pool.release(connection)

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire()
        except (asyncpg.PostgresError, OSError, *DRIVER_ERRORS) as error:
            # Whatever the reason, a wrong password included: there is no connection.
            raise unavailable(error) from error

    async def _connect(self) -> Connection:
        connection: Connection = await asyncpg.connect(**self._arguments, command_timeout=COMMAND_SECONDS)
        try:
            await self._admit(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _admit(self, connection: Connection) -> None:
        """Examine a new connection before it serves anybody."""
        try:
            await self._examine(connection)
        except UnsafeRole as unsafe:
            log.critical(str(unsafe))
            self._on_unsafe_role()
            raise
