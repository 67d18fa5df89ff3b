"""What a connection must be before it is used: bound by the policies, and on the right schema."""

from typing import TYPE_CHECKING

import asyncpg

from backend.errors import NotReady
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE
from backend.postgres.rights import WORKER_GROUP, Rights, of_service, of_worker

if TYPE_CHECKING:
    from backend.postgres.pool import Connection

# $1 are our tables, $2 the privileges that the role needs on each, $3 Alembic's table, $4 the group of workers.
# It is the session's user that counts and not the current one: a role that was put on can be taken off.
_STATE = """
    SELECT session_user AS role,
           (SELECT string_agg(rolname, ', ') FROM pg_roles
             WHERE (rolsuper OR rolbypassrls) AND pg_has_role(session_user, pg_roles.oid, 'MEMBER')) AS above,
           (SELECT string_agg(rolname, ', ') FROM pg_roles
             WHERE rolname <> session_user AND pg_has_role(session_user, pg_roles.oid, 'MEMBER')) AS groups,
           EXISTS (SELECT FROM pg_roles
                    WHERE rolname = $4 AND pg_has_role(session_user, pg_roles.oid, 'MEMBER')) AS can_be_worker,
           EXISTS (SELECT FROM pg_roles
                    WHERE rolname = $4 AND pg_has_role(session_user, pg_roles.oid, 'USAGE')) AS is_worker,
           min(name) FILTER (WHERE pg_has_role(session_user, relowner, 'MEMBER')
                                -- Policies do not apply to TRUNCATE.
                                OR has_table_privilege(oid, 'TRUNCATE')) AS owned,
           min(name) FILTER (WHERE NOT (relrowsecurity AND relforcerowsecurity)) AS not_forced,
           min(name) FILTER (WHERE oid IS NULL) AS missing,
           min(name) FILTER (WHERE EXISTS (
               SELECT FROM unnest(needed) AS privilege WHERE NOT has_table_privilege(oid, privilege))) AS lacking,
           min(name) FILTER (WHERE has_table_privilege(oid, 'DELETE') AND 'DELETE' <> ALL (needed) OR EXISTS (
               SELECT FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) AS privilege
                WHERE has_any_column_privilege(oid, privilege) AND privilege <> ALL (needed))) AS exceeding,
           to_regclass($3) IS NOT NULL AS is_migrated,
           has_table_privilege(to_regclass($3), 'SELECT') AS may_read_version,
           current_setting('app.embedded', true) = 'true' AS is_embedded
      FROM (SELECT name, string_to_array(privileges, ',') AS needed
              FROM unnest($1::text[], $2::text[]) AS ours (name, privileges)) AS ours
      LEFT JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(name))
"""

_ADVICE = (
    "Serve with a role of its own: put the owner's URL into MIGRATION_DATABASE_URL, run `tasks migrate`, "
    "and use the service role that it makes in DATABASE_URL."
)


class UnsafeRole(Exception):
    """The role could do more than it may. The message says what to change."""


async def examine(connection: "Connection", *, production: bool) -> None:
    """Admit the service's role.

    Raises UnsafeRole, or NotReady where the schema or the role's rights are not those of this release.
    """
    state = await _state(connection, of_service())
    _refuse_unsafe(state, "serve", _ADVICE, production=production)
    if state["can_be_worker"]:
        raise UnsafeRole(
            f"Refusing to serve: the role {state['role']} is, or can become, a worker's, which sees the rows of "
            f"every user ({WORKER_GROUP}). {_ADVICE}"
        )
    await _require_schema(connection, state)


async def examine_worker(connection: "Connection", *, production: bool) -> None:
    """Admit a worker's role: a member of the group of workers and of nothing else, with the rights declared.

    Raises UnsafeRole or NotReady.
    """
    advice = "Put a name of its own into WORKER_DATABASE_URL and run `tasks migrate`, which makes the role."
    state = await _state(connection, of_worker())
    _refuse_unsafe(state, "work", advice, production=production)
    if state["groups"] != WORKER_GROUP or not state["is_worker"]:
        raise UnsafeRole(
            f"Refusing to work: the role {state['role']} must inherit from {WORKER_GROUP} and be a member "
            f"of nothing else; it is a member of {state['groups'] or 'nothing'}. {advice}"
        )
    if state["exceeding"]:
        raise UnsafeRole(
            f"Refusing to work: the role {state['role']} may do more with the table {state['exceeding']} than a "
            f"worker has to. {advice}"
        )
    await _require_schema(connection, state)


async def _state(connection: "Connection", rights: Rights) -> asyncpg.Record:
    privileges = [",".join(needed) for needed in rights.values()]
    state = await connection.fetchrow(_STATE, list(rights), privileges, VERSION_TABLE, WORKER_GROUP)
    assert state is not None  # an aggregate always gives one row
    return state


def _refuse_unsafe(state: asyncpg.Record, purpose: str, advice: str, *, production: bool) -> None:
    role = state["role"]
    if state["above"]:
        raise UnsafeRole(
            f"Refusing to {purpose}: row-level security does not bind the role {role}, because it is, or can "
            f"become, a superuser or a role with BYPASSRLS ({state['above']}). {advice}"
        )
    if state["owned"]:
        raise UnsafeRole(
            f"Refusing to {purpose}: the role {role} owns the table {state['owned']} or may truncate it, so "
            f"row-level security would not bind it. {advice}"
        )
    if table := state["not_forced"]:
        raise UnsafeRole(
            f"Refusing to {purpose}: row-level security is not forced on {table}. Let the table's owner execute "
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY."
        )
    if production and state["is_embedded"]:
        raise UnsafeRole(
            f"Refusing to {purpose}: ENVIRONMENT is production, but this is the embedded development database. "
            "Connect to a PostgreSQL server of your own."
        )


async def _require_schema(connection: "Connection", state: asyncpg.Record) -> None:
    """Raises NotReady."""
    if not state["is_migrated"]:
        raise NotReady("The database has no tables of this service yet; run `tasks migrate`.")
    if not state["may_read_version"]:
        raise _without_rights(state["role"], VERSION_TABLE)
    version = await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    if version is None or version < SCHEMA_VERSION:
        raise NotReady(
            f"The schema is at {version}, and this release needs {SCHEMA_VERSION}; run `tasks migrate`."
        )
    if state["missing"]:
        raise NotReady(f"The database has no table {state['missing']}; run `tasks migrate`.")
    if state["lacking"]:
        raise _without_rights(state["role"], state["lacking"])


def _without_rights(role: str, table: str) -> NotReady:
    return NotReady(f"The role {role} lacks its rights on the table {table}; run `tasks migrate`.")
