"""Connections, and the only two ways to use them: a tenant's read and a tenant's write.

SQLAlchemy builds statements from the models and compiles them once; asyncpg executes them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from backend.auth import Principal
from backend.errors import DatabaseUnavailable, Fault, InvalidValues, Problem
from backend.logs import log
from backend.postgres.admission import UnsafeRole, examine
from backend.postgres.pool import Connection, Pool
from backend.postgres.statements import Statement
from backend.postgres.urls import connect_arguments

POOL_WAIT_SECONDS = 1.0
# The service's role has a statement_timeout of 3 s. This one is for a server that no longer answers at all.
COMMAND_SECONDS = 3.5

# The driver's own two errors are what a connection gives that was cut since its last use.
_DRIVER_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_LOST_CONNECTION = (
    ConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    *_DRIVER_ERRORS,
)
# SQLSTATE classes: connection exception, insufficient resources, operator intervention, transaction rollback.
_TRANSIENT_CLASSES = {"08", "53", "57", "40"}
_TRANSIENT = {"55P03", "25006"}  # a lock that was not to be had in time; a server that is read-only


class Tenant:
    """One user's part of the database. PostgreSQL shows it no row of anybody else's."""

    def __init__(self, database: "Database", principal: Principal) -> None:
        self._database = database
        self.user_id = principal.user_id

    async def read(self, statement: Statement, /, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL values
        """One round trip. Where a connection turns out to be dead, another is taken.

        Raises DatabaseUnavailable.
        """
        return await self._database.fetch(statement.sql, *self._arguments(statement, values))

    async def write(self, statement: Statement, /, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL values
        """One round trip and one transaction, repeated on another connection where it was certainly not done.

        Raises DatabaseUnavailable. If the connection was lost under way, nobody knows whether the write was done.
        """
        return await self._database.write(statement.sql, *self._arguments(statement, values))

    def _arguments(self, statement: Statement, values: dict[str, Any]) -> list[Any]:
        return statement.arguments({**values, "tenant": self.user_id})


class Database:
    """A pool of connections whose role has been checked. Opening it does not connect."""

    def __init__(
        self, url: str, *, pool_size: int, production: bool, on_unsafe_role: Callable[[], None] = lambda: None
    ) -> None:
        self._arguments = connect_arguments(url)
        self._pool_size = pool_size
        self._production = production
        self._on_unsafe_role = on_unsafe_role

    async def open(self) -> None:
        self._pool = Pool(self._connect, size=self._pool_size, patience=POOL_WAIT_SECONDS)

    async def close(self) -> None:
        await self._pool.close()

    def tenant(self, principal: Principal) -> Tenant:
        return Tenant(self, principal)

    async def check(self) -> None:
        """Raises NotReady or DatabaseUnavailable unless requests can be served."""
        await self._use(self._admit, again=_is_lost)

    def fetch(self, sql: str, *arguments: object) -> Awaitable[list[asyncpg.Record]]:
        """For what may be done twice. Raises DatabaseUnavailable."""
        return self._use(lambda connection: connection.fetch(sql, *arguments), again=_is_lost)

    def write(self, sql: str, *arguments: object) -> Awaitable[list[asyncpg.Record]]:
        """Raises DatabaseUnavailable."""
        return self._use(lambda connection: connection.fetch(sql, *arguments), again=_is_not_done)

    async def _use[T](
        self, work: Callable[[Connection], Awaitable[T]], *, again: Callable[[Exception], bool]
    ) -> T:
        """What the driver raises becomes what the API answers."""
        tries = 0
        while True:
            try:
                return await self._use_once(work)
            except Exception as error:
                tries += 1
                # What turns out to be dead leaves the pool, so there is a new connection for the last try.
                if tries > self._pool_size or not again(error):
                    _translate(error)
                    raise

    async def _use_once[T](self, work: Callable[[Connection], Awaitable[T]]) -> T:
        connection = await self._acquire()
        try:
            return await work(connection)
        except (asyncpg.PostgresError, Problem):
            raise
        except BaseException:
            # The server may be frozen, or still at work on what was given up: to part in good order would be to
            # wait for it.
            connection.terminate()
            raise
        finally:
            self._pool.release(connection)

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire()
        except (asyncpg.PostgresError, OSError, *_DRIVER_ERRORS) as error:
            # Whatever it is, be it our password: there is no connection.
            raise _unavailable(error) from error

    async def _connect(self) -> Connection:
        connection: Connection = await asyncpg.connect(**self._arguments, command_timeout=COMMAND_SECONDS)
        try:
            await self._admit(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _admit(self, connection: Connection) -> None:
        """Look at each new connection before it serves anybody."""
        try:
            await examine(connection, production=self._production)
        except UnsafeRole as unsafe:
            log.critical(str(unsafe))
            self._on_unsafe_role()
            raise


def _is_lost(error: Exception) -> bool:
    return isinstance(error, _LOST_CONNECTION)


def _is_not_done(error: Exception) -> bool:
    """Whether a statement was not sent in full, or its transaction ended by an administrator before the commit.

    A broken pipe (EPIPE) means that bytes were refused, and nothing is committed before the last of them came.
    """
    return isinstance(error, _DRIVER_ERRORS) or isinstance(
        error.__cause__, (asyncpg.AdminShutdownError, BrokenPipeError)
    )


def _translate(error: Exception) -> None:
    """Raises a problem for what has one; for anything else the error itself goes on."""
    match error:
        case asyncpg.CheckViolationError():
            # Our own check has passed, so the two disagree about a character.
            column = (error.constraint_name or "").rpartition("_")[2]
            raise InvalidValues(
                Fault(f"/{column}", "has a character that the database does not accept.")
            ) from error
        case asyncpg.PostgresError():
            if _is_transient(error):
                raise _unavailable(error) from error
            # It may quote the row, and this is going to be logged.
            error.detail = None
        case UnsafeRole():  # which has been logged in full
            raise DatabaseUnavailable from error
        case OSError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            raise _unavailable(error) from error


def _is_transient(error: asyncpg.PostgresError) -> bool:
    state = error.sqlstate or ""
    return (
        state[:2] in _TRANSIENT_CLASSES
        or state in _TRANSIENT
        # The schema was migrated under a prepared statement; the next try prepares it anew.
        or isinstance(error, asyncpg.InvalidCachedStatementError)
    )


def _unavailable(error: Exception) -> Problem:
    # The server's message names no values; its details, which could, are left out.
    reason = str(error).partition("\nDETAIL:")[0]
    log.warning("database unavailable", reason=f"{type(error).__name__}: {reason}")
    return DatabaseUnavailable()
