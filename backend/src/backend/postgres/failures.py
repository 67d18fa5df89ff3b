"""What the driver and the server raise: whether a statement may be repeated, and what the API answers."""

import re

import asyncpg

from backend.errors import DatabaseUnavailable, Fault, InvalidValues, Problem
from backend.logs import log
from backend.postgres.admission import UnsafeRole

# A connection that was cut since its last use raises one of the driver's own two errors.
DRIVER_ERRORS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_LOST_CONNECTION = (
    ConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    *DRIVER_ERRORS,
)
# SQLSTATE classes: connection exception, insufficient resources, operator intervention, transaction rollback.
_TRANSIENT_CLASSES = {"08", "53", "57", "40"}
_TRANSIENT = {"55P03", "25006"}  # lock not available; read-only server

TOO_LATE = "57T01"  # of ours, in the class of operator intervention

# A CHECK is named after its table and column. Citus may add the number of a shard.
_CHECK = re.compile(r"\bck_\w+_([A-Za-z]+)(?:_[0-9]+)?\b")


def is_lost(error: Exception) -> bool:
    """Whether the connection is of no more use. The statement may or may not have been executed."""
    return isinstance(error, _LOST_CONNECTION) or is_late(error)


def is_late(error: Exception) -> bool:
    """Whether the server refused to begin a statement after its deadline, as `tasks_tenant` does."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate == TOO_LATE


def is_not_done(error: Exception) -> bool:
    """Whether a statement was certainly not executed.

    It was not sent in full, or arrived too late, or an administrator ended its transaction before the commit. A
    broken pipe (EPIPE) means that the system refused some of the bytes, and the server commits nothing before it
    has the last.
    """
    return (
        isinstance(error, DRIVER_ERRORS)
        or is_late(error)
        or isinstance(error.__cause__, (asyncpg.AdminShutdownError, BrokenPipeError))
    )


def translate(error: Exception) -> None:
    """Raise the problem that the API answers with. Returns where there is none: the error itself goes on."""
    match error:
        case asyncpg.CheckViolationError():
            # Our own check let the value through, so the two disagree about a character.
            raise InvalidValues(
                Fault(f"/{_column_of(error)}", "has a character that the database does not accept.")
            ) from error
        case asyncpg.PostgresError():
            if _is_transient(error):
                raise unavailable(error) from error
            # The error will be logged, and the detail may quote the row.
            error.detail = None
        case UnsafeRole():  # logged in full already
            raise DatabaseUnavailable from error
        case OSError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            raise unavailable(error) from error


def _column_of(error: asyncpg.CheckViolationError) -> str:
    name = error.constraint_name or str(error)  # from another server of a cluster only the message arrives
    found = _CHECK.search(name)
    return found[1] if found else ""


def unavailable(error: Exception) -> Problem:
    """The problem for a failure that will pass; its reason goes to the log."""
    # The server's message names no values. Its detail may, so it is left out.
    reason = str(error).partition("\nDETAIL:")[0]
    log.warning("database unavailable", reason=f"{type(error).__name__}: {reason}")
    return DatabaseUnavailable()


def _is_transient(error: asyncpg.PostgresError) -> bool:
    state = error.sqlstate or ""
    return (
        state[:2] in _TRANSIENT_CLASSES
        or state in _TRANSIENT
        # A migration changed the schema under a prepared statement. The next attempt prepares it again.
        or isinstance(error, asyncpg.InvalidCachedStatementError)
    )
