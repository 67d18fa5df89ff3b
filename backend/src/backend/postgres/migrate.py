"""Bring the database to the schema of this release, and its roles to the rights they need."""

from collections.abc import Collection
from dataclasses import dataclass

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from backend.config import AuthSource, DatabaseSettings
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE, MigrationError
from backend.postgres import citus, rights, roles
from backend.postgres.urls import connect_arguments

OLDEST_SERVER = 170000  # the first with the collation pg_c_utf8

SERVICE_ROLE = "tasks_service"

# It is better to fail and be run again than to block every request behind a waiting ALTER TABLE.
LOCK_TIMEOUT = "5s"

# Any number will do, as long as every release uses the same one.
_LOCK = 7_461_736_873

# The lock covers one database, but roles belong to the whole server: migrations of two databases can change the
# same role at once. One of them then fails because the role exists, or was "concurrently updated".
_COLLISIONS = {"23505", "42710", "XX000", "40P01"}
_ATTEMPTS = 5


@dataclass(frozen=True)
class _Wanted:
    """The arguments of `migrate`."""

    owner_url: str
    service_url: str | None
    worker_url: str | None
    reads: Collection[AuthSource]
    distribute: bool


@dataclass(frozen=True)
class Outcome:
    version: str
    role: str
    generated_url: str | None  # to serve with; only where this run created the role
    worker_role: str | None = None


async def migrate(
    *,
    owner_url: str,
    service_url: str | None,
    worker_url: str | None = None,
    reads: Collection[AuthSource] = frozenset(),
    distribute: bool = False,
) -> Outcome:
    """Apply migrations in one transaction. Replicas that start together wait for one another.

    The service's role gets the name and the password of `service_url`; without one it is created with a generated
    password, once. Of Better Auth's tables it may read what the sources in `reads` need; other rights that were
    granted there are revoked. With a `worker_url` there is a role for workers too. `distribute` spreads the tables
    over the servers of a Citus cluster; later runs find that they are, and keep it so. Raises MigrationError.
    """
    wanted = _Wanted(owner_url, service_url, worker_url, reads, distribute)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(**connect_arguments(owner_url)),
        poolclass=NullPool,
        hide_parameters=True,
    )
    attempts = 0
    try:
        while True:
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(_migrate, wanted)
            except DBAPIError as error:
                attempts += 1
                if attempts == _ATTEMPTS or _sqlstate(error) not in _COLLISIONS:
                    raise MigrationError(_explain(error)) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or "it does not answer"
        raise MigrationError(f"Cannot connect to the database as its owner: {reason}") from error
    finally:
        await engine.dispose()


def reads_of(settings: DatabaseSettings) -> set[AuthSource]:
    """The sources in use that read Better Auth's tables."""
    named = {*settings.auth_sources, *([AuthSource.SESSION] if settings.jwt_check_session else [])}
    return named & roles.READS.keys()


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "backend:migrations")
    config.attributes["connection"] = connection
    return config


def _migrate(connection: Connection, wanted: _Wanted) -> Outcome:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    _require_server(connection)
    _require_better_auth(connection)
    roles.make_worker_group(connection)
    if (_version(connection) or "") < SCHEMA_VERSION:  # a newer schema serves this release as well
        command.upgrade(alembic_config(connection), "head")
    if wanted.service_url is None:
        role, generated_url = SERVICE_ROLE, roles.make_service_role(connection, SERVICE_ROLE, wanted.owner_url)
    else:
        role, generated_url = roles.update_service_role(connection, wanted.service_url), None
    if wanted.distribute or citus.is_distributed(connection):
        citus.distribute(connection)
        roles.set_default(connection, role, *citus.ROLE_SETTING)
    roles.grant(connection, role, rights.of_service())
    roles.grant_reads(connection, role, wanted.reads)
    worker_role = None
    if wanted.worker_url is not None:
        worker_role = roles.update_worker_role(connection, wanted.worker_url, service_role=role)
        roles.grant(connection, worker_role, rights.of_worker())
        roles.grant_reads(connection, worker_role, ())
    return Outcome(str(_version(connection)), role, generated_url, worker_role)


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
