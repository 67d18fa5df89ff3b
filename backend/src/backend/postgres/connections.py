"""Run statements on examined connections, and repeat them only where that is safe."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, Protocol

import asyncpg

from backend.errors import Problem
from backend.logs import log
from backend.postgres.admission import UnsafeRole
from backend.postgres.failures import DRIVER_ERRORS, is_late, is_lost, is_not_done, translate, unavailable
from backend.postgres.pool import Connection, Pool
from backend.postgres.statements import Statement
from backend.postgres.urls import connect_arguments

POOL_WAIT_SECONDS = 1.0
# The role has a statement_timeout of 3 s. This one is for a server that no longer answers at all.
COMMAND_SECONDS = 3.5

# The server refuses a write that it would begin later than this. Otherwise one that was answered with a 503 could
# be carried out afterwards, over a newer one, after it had waited in the socket of a frozen server process.
DEADLINE_SECONDS = 3.0

_SET_TENANT = "SELECT tasks_tenant($1, $2)"

type Rows = Awaitable[list[asyncpg.Record]]
type Values = Mapping[str, Any]  # SQL values by name


class Executor(Protocol):
    """Runs a tenant's statements: each in a transaction of its own, or all of them in one."""

    def read(self, statement: Statement, values: Values) -> Rows: ...

    def write(self, statement: Statement, values: Values) -> Rows: ...

    def transaction(self, user_id: str) -> AbstractAsyncContextManager["Executor"]: ...


class ServiceConnection(asyncpg.Connection):
    """A connection that knows the server's clock."""

    _ahead = 0.0  # the server's clock, minus the time of this process, in seconds

    async def read_clock(self) -> None:
        now: datetime = await self.fetchval("SELECT clock_timestamp()")
        self._ahead = now.timestamp() - monotonic()

    def deadline(self) -> datetime:
        """Until when the server may begin with what is sent now, by its own clock."""
        return datetime.fromtimestamp(monotonic() + self._ahead + DEADLINE_SECONDS, UTC)


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
        await self._repeat(lambda: self._use("", self._admit), is_retryable=is_lost)

    def share(self, holder: str) -> "Share":
        """The connections as one user may use them."""
        return Share(self, holder)

    def read(self, sql: str, *arguments: object, holder: str = "") -> Rows:
        """For what may be done twice. A dead connection is replaced."""
        work = partial(self._use, holder, lambda connection: connection.fetch(sql, *arguments))
        return self._repeat(work, is_retryable=is_lost)

    def write(self, statement: Statement, values: Values, *, holder: str) -> Rows:
        """Repeated only where the statement was certainly not executed."""
        work = partial(self._use, holder, partial(_fetch, statement, values))
        return self._repeat(work, is_retryable=is_not_done)

    @asynccontextmanager
    async def transaction(self, holder: str) -> AsyncGenerator["OpenTransaction"]:
        """Begin and set the tenant; commit at the end of the block, or roll back if it raises.

        A connection that turns out to be dead is replaced before the block begins. Nothing is repeated after that.
        """
        connection = await self._repeat(lambda: self._begin(holder), is_retryable=is_lost)
        opened = OpenTransaction(connection)
        try:
            yield opened
            await opened.commit()
        except Exception:
            await opened.roll_back()
            raise
        except BaseException:
            # Cancelled. The server may still be executing a statement, and a rollback would wait for it.
            connection.terminate()
            raise
        finally:
            opened.is_over = True
            self._pool.release(connection, holder)

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

    async def _use[T](self, holder: str, work: Callable[[ServiceConnection], Awaitable[T]]) -> T:
        connection = await self._acquire(holder)
        try:
            return await work(connection)
        except Problem:
            raise
        except asyncpg.PostgresError as error:
            if is_late(error):
                connection.terminate()  # one of the clocks may have been set since it was read
            raise
        except BaseException:
            # The server may be frozen, or still executing what was given up. An orderly close would wait for it.
            connection.terminate()
            raise
        finally:
            self._pool.release(connection, holder)

    async def _begin(self, user_id: str) -> ServiceConnection:
        connection = await self._acquire(user_id)
        try:
            await connection.execute("BEGIN")
            await connection.fetch(_SET_TENANT, user_id, connection.deadline())
        except BaseException:
            connection.terminate()
            self._pool.release(connection, user_id)
            raise
        return connection

    async def _acquire(self, holder: str) -> ServiceConnection:
        try:
            return await self._pool.acquire(holder)
        except (asyncpg.PostgresError, OSError, *DRIVER_ERRORS) as error:
            # Whatever the reason, a wrong password included: there is no connection.
            raise unavailable(error) from error

    async def _connect(self) -> ServiceConnection:
        connection: ServiceConnection = await asyncpg.connect(
            **self._arguments, command_timeout=COMMAND_SECONDS, connection_class=ServiceConnection
        )
        try:
            await self._admit(connection)
            await connection.read_clock()
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


@dataclass(frozen=True, slots=True)
class Share:
    """An Executor for one user, whose requests wait for each other before they keep those of others waiting."""

    connections: Connections
    holder: str

    def read(self, statement: Statement, values: Values) -> Rows:
        return self.connections.read(statement.sql, *statement.arguments(values), holder=self.holder)

    def write(self, statement: Statement, values: Values) -> Rows:
        return self.connections.write(statement, values, holder=self.holder)

    def transaction(self, user_id: str) -> AbstractAsyncContextManager[Executor]:
        return self.connections.transaction(user_id)


def _fetch(statement: Statement, values: Values, connection: ServiceConnection) -> Rows:
    return connection.fetch(statement.sql, *statement.arguments({**values, "deadline": connection.deadline()}))


class OpenTransaction:
    """One connection between BEGIN and COMMIT, for one statement at a time."""

    def __init__(self, connection: ServiceConnection) -> None:
        self._connection = connection
        self._is_busy = False
        self.is_over = False

    async def read(self, statement: Statement, values: Values) -> list[asyncpg.Record]:
        if self.is_over:
            raise RuntimeError("The transaction is over; begin another one.")
        if self._is_busy:
            raise RuntimeError("A transaction runs one statement at a time; await each before the next.")
        self._is_busy = True
        try:
            return await self._run(_fetch(statement, values, self._connection))
        finally:
            self._is_busy = False

    write = read  # nothing is repeated in a transaction

    def transaction(self, user_id: str) -> AbstractAsyncContextManager[Executor]:  # noqa: ARG002 - an Executor's
        raise RuntimeError("Transactions do not nest; use the one that is open.")

    async def commit(self) -> None:
        self.is_over = True
        # PostgreSQL answers the COMMIT of a failed transaction with a rollback, and not with an error.
        if await self._run(self._connection.execute("COMMIT")) != "COMMIT":
            raise RuntimeError(
                "A statement of the transaction failed and its error was caught: nothing was committed."
            )

    async def roll_back(self) -> None:
        """Terminates a connection that cannot; the server then does it by itself."""
        if self._connection.is_closed() or not self._connection.is_in_transaction():
            return
        try:
            await self._connection.execute("ROLLBACK")
        except BaseException as error:
            self._connection.terminate()
            if not isinstance(error, (asyncpg.PostgresError, OSError, *DRIVER_ERRORS)):
                raise

    async def _run[T](self, statement: Awaitable[T]) -> T:
        try:
            return await statement
        except asyncpg.PostgresError as error:
            translate(error)
            raise
        except BaseException as error:
            self._connection.terminate()  # as in `Connections._use`
            if isinstance(error, Exception):
                translate(error)
            raise
