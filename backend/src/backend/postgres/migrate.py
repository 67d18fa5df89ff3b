"""Bring the database to the schema of this release, and the service's role to the rights it needs."""

from collections.abc import Collection
from dataclasses import dataclass
from secrets import token_urlsafe
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backend.config import AuthSource, DatabaseSettings
from backend.errors import Refusal
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE
from backend.postgres.urls import connect_arguments

OLDEST_SERVER = 170000  # the first with the collation pg_c_utf8

SERVICE_ROLE = "tasks_service"

# Set on the role, because a pooler such as Neon's passes no settings on from the connection string.
ROLE_SETTINGS = {
    "statement_timeout": "3s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}

# What the service reads of Better Auth's tables, by the source that needs it: no email address, no password and no
# private key. A column in the second place is there with the admin plugin only.
READS: dict[AuthSource, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    AuthSource.SESSION: {
        "session": (("id", "token", "userId", "expiresAt"), ()),
        "user": (("id",), ("banned", "banExpires")),
    },
    AuthSource.JWKS_DATABASE: {"jwks": (("id", "publicKey", "alg", "createdAt", "expiresAt"), ())},
}

# Better to fail and be run again than to queue in front of everybody's requests.
LOCK_TIMEOUT = "5s"

# Any number will do, as long as every release uses the same.
_LOCK = 7_461_736_873

# The lock is one database's, but roles belong to the whole server: the migrations of two databases can touch
# the same role at once. One of them is then told that the role exists, or that it was "concurrently updated".
_COLLISIONS = {"23505", "42710", "XX000", "40P01"}
_TRIES = 5


class MigrationError(Refusal):
    """The database is as it was before."""


@dataclass(frozen=True)
class Outcome:
    version: str
    role: str
    generated_url: str | None  # to serve with; only where the role was made here and its password is new


async def migrate(
    *, owner_url: str, service_url: str | None, reads: Collection[AuthSource] = frozenset()
) -> Outcome:
    """Apply migrations in one transaction. Replicas that start together wait for one another.

    With a `service_url` its role gets that name and password; without one the role is made with a
    generated password, once. Of Better Auth's tables the role may read what the sources in `reads` need, and
    from now on nothing else that was granted here. Raises MigrationError.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(**connect_arguments(owner_url)),
        poolclass=NullPool,
        hide_parameters=True,
    )
    tries = 0
    try:
        while True:
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(_migrate, owner_url, service_url, reads)
            except DBAPIError as error:
                tries += 1
                if tries == _TRIES or _sqlstate(error) not in _COLLISIONS:
                    raise MigrationError(_explain(error)) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or "it does not answer"
        raise MigrationError(f"Cannot connect to the database as its owner: {reason}") from error
    finally:
        await engine.dispose()


def reads_of(settings: DatabaseSettings) -> set[AuthSource]:
    """The sources that settings name and that read Better Auth's tables."""
    named = {*settings.auth_sources, *([AuthSource.SESSION] if settings.jwt_check_session else [])}
    return named & READS.keys()


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "backend:migrations")
    config.attributes["connection"] = connection
    return config


def _migrate(
    connection: Connection, owner_url: str, service_url: str | None, reads: Collection[AuthSource]
) -> Outcome:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    _require_server(connection)
    _require_better_auth(connection)
    if (_version(connection) or "") < SCHEMA_VERSION:  # a newer schema serves this release as well
        command.upgrade(alembic_config(connection), "head")
    if service_url is None:
        role, generated_url = _make_service_role(connection, owner_url)
    else:
        role, generated_url = _update_service_role(connection, service_url), None
    _grant(connection, role)
    _grant_reads(connection, role, reads)
    return Outcome(str(_version(connection)), role, generated_url)


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _require_server(connection: Connection) -> None:
    version, encoding = connection.execute(
        text("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
    ).one()
    if version < OLDEST_SERVER:
        raise MigrationError(
            f"The server is PostgreSQL {version // 10000}; {OLDEST_SERVER // 10000} or newer is needed."
        )
    if encoding != "UTF8":
        raise MigrationError(f"The database is encoded in {encoding}; create one with ENCODING 'UTF8'.")


def _require_better_auth(connection: Connection) -> None:
    id_type = connection.scalar(
        text(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            """WHERE attrelid = to_regclass('"user"') AND attname = 'id'"""
        )
    )
    if id_type is None:
        raise MigrationError(
            "Better Auth's table \"user\" is not in this database. Run Better Auth's own migration first "
            "(`npx auth@latest migrate` in the app that holds its configuration), then this one again."
        )
    if id_type != "text":
        raise MigrationError(
            f'Better Auth\'s column "user".id is of type {id_type}; this service needs text, its default. '
            "Leave `advanced.database.generateId` of Better Auth as it is."
        )


def _make_service_role(connection: Connection, owner_url: str) -> tuple[str, str | None]:
    if _role_exists(connection, SERVICE_ROLE):
        # Its password is in use somewhere; nobody can read it back, and a new one would lock that out.
        return SERVICE_ROLE, None
    password = token_urlsafe(24)
    _set_password(connection, "CREATE", SERVICE_ROLE, password)
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return SERVICE_ROLE, urlunsplit(parts._replace(netloc=f"{SERVICE_ROLE}:{password}@{host}"))


def _update_service_role(connection: Connection, service_url: str) -> str:
    parts = urlsplit(service_url)
    role = unquote(parts.username or "")
    if not role:
        raise MigrationError("DATABASE_URL names no role: write it as postgresql://role:password@host/database.")
    is_above_policies = connection.scalar(
        text("SELECT rolsuper OR rolbypassrls OR rolname = current_user FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    )
    if is_above_policies:
        raise MigrationError(
            f"DATABASE_URL names the role {role}, which is the owner's or bypasses row-level security. The "
            "service needs a role of its own: put another name and a new password into DATABASE_URL, and this "
            "command creates it."
        )
    verb = "CREATE" if is_above_policies is None else "ALTER"
    _set_password(connection, verb, role, unquote(parts.password or ""))
    return role


def _role_exists(connection: Connection, role: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is not None


def _set_password(connection: Connection, verb: str, role: str, password: str) -> None:
    _execute_formatted(connection, f"{verb} ROLE %I LOGIN", role)
    if password:
        _execute_formatted(connection, "ALTER ROLE %I PASSWORD %L", role, password)


def _grant(connection: Connection, role: str) -> None:
    """Exactly what the service needs: no DDL, and no TRUNCATE, which policies do not see."""
    for name, value in ROLE_SETTINGS.items():
        _execute_formatted(connection, f"ALTER ROLE %I SET {name} = %L", role, value)
    schema = connection.scalar(text("SELECT current_schema()"))
    _execute_formatted(connection, "GRANT USAGE ON SCHEMA %I TO %I", str(schema), role)
    _execute_formatted(connection, "REVOKE ALL ON tasks FROM %I", role)
    _execute_formatted(connection, "GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO %I", role)
    _execute_formatted(connection, f"GRANT SELECT ON {VERSION_TABLE} TO %I", role)


def _grant_reads(connection: Connection, role: str, reads: Collection[AuthSource]) -> None:
    """The columns of Better Auth's tables that the sources need, one by one."""
    wanted: set[tuple[str, str]] = set()
    for source in reads:
        for table, (needed, optional) in READS[source].items():
            columns = _columns(connection, table)
            if missing := set(needed) - columns:
                what = f"column {min(missing)} of the table" if columns else "table"
                raise MigrationError(
                    f'Better Auth\'s {what} "{table}" is missing, and {_cause(source)} needs it. Run '
                    "Better Auth's own migration first (`npx auth@latest migrate`), then this one again."
                )
            wanted |= {(table, column) for column in (*needed, *optional) if column in columns}
    for table, column in sorted(_granted(connection, role) - wanted):
        _execute_formatted(connection, "REVOKE SELECT (%I) ON %I FROM %I", column, table, role)
    for table, column in sorted(wanted):
        _execute_formatted(connection, "GRANT SELECT (%I) ON %I TO %I", column, table, role)


def _cause(source: AuthSource) -> str:
    setting = " or JWT_CHECK_SESSION" if source is AuthSource.SESSION else ""
    return f"{source} in AUTH_SOURCES{setting}"


def _columns(connection: Connection, table: str) -> set[str]:
    columns = connection.scalars(
        text(
            "SELECT attname FROM pg_attribute "
            "WHERE attrelid = to_regclass(quote_ident(:table)) AND attnum > 0 AND NOT attisdropped"
        ),
        {"table": table},
    )
    return set(columns)


def _granted(connection: Connection, role: str) -> set[tuple[str, str]]:
    """Columns that the role itself may read, in those tables that the service could be given any of."""
    columns = connection.execute(
        text(
            "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, "
            "aclexplode(attacl) AS granted JOIN pg_roles ON pg_roles.oid = granted.grantee "
            "WHERE pg_class.oid IN (SELECT to_regclass(quote_ident(name)) "
            "FROM unnest(CAST(:tables AS text[])) AS name) "
            "AND rolname = :role AND privilege_type = 'SELECT'"
        ),
        {"role": role, "tables": [table for tables in READS.values() for table in tables]},
    )
    return {(table, column) for table, column in columns}


def _execute_formatted(connection: Connection, template: str, *names: str) -> None:
    """Run a statement that takes no parameters; the server itself quotes the names and literals."""
    places = ", ".join(f"CAST(:n{number} AS text)" for number in range(len(names)))
    statement = connection.scalar(
        text(f"SELECT format('{template}', {places})"),
        {f"n{number}": name for number, name in enumerate(names)},
    )
    connection.exec_driver_sql(str(statement))


def _explain(error: DBAPIError) -> str:
    state = _sqlstate(error)
    message = str(error.orig).partition(": ")[2] or str(error.orig)
    if error.statement is None:
        return f"Cannot connect to the database as its owner: {message}"
    if state == "42501":
        return (
            f"The role that migrates lacks a right: {message}. It must own the database's tables and have "
            "CREATEROLE; set MIGRATION_DATABASE_URL to the owner's connection string."
        )
    if state == "55P03":
        return (
            f"A table was in use for longer than {LOCK_TIMEOUT}, so nothing was changed. Run the migration again."
        )
    return f"The migration failed and changed nothing: {message}"


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
