"""What a connection has to be like before it serves anybody: bound by the policies, and on the right schema."""

from typing import TYPE_CHECKING

import asyncpg

from backend.errors import NotReady
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE

if TYPE_CHECKING:
    from backend.postgres.pool import Connection


class UnsafeRole(Exception):
    """The service would not be held to the policies. The message says what to do."""


async def examine(connection: "Connection", *, production: bool) -> None:
    """Raises UnsafeRole, or NotReady where the schema or the role's rights are not those of this release."""
    state = await connection.fetchrow(
        """
        -- Not the current user: a role that was put on can be taken off.
        SELECT session_user AS role,
               tasks.oid IS NOT NULL AND versions.oid IS NOT NULL AS migrated,
               (SELECT bool_and(has_table_privilege(tasks.oid, right_name))
                  FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS right_name)
                 AND has_table_privilege(versions.oid, 'SELECT') AS has_rights,
               (SELECT string_agg(rolname, ', ') FROM pg_roles
                 WHERE (rolsuper OR rolbypassrls) AND pg_has_role(session_user, pg_roles.oid, 'MEMBER')) AS above,
               pg_has_role(session_user, tasks.relowner, 'MEMBER') AS owner,
               -- Policies have no say in TRUNCATE.
               has_table_privilege(tasks.oid, 'TRUNCATE') AS may_truncate,
               tasks.relrowsecurity AND tasks.relforcerowsecurity AS policies_forced,
               current_setting('app.embedded', true) = 'true' AS embedded
          FROM (SELECT) AS one
          LEFT JOIN pg_class AS tasks ON tasks.oid = to_regclass('tasks')
          LEFT JOIN pg_class AS versions ON versions.oid = to_regclass($1)
        """,
        VERSION_TABLE,
    )
    assert state is not None  # the query always gives one row
    _refuse_unsafe(state, production=production)
    if not state["migrated"]:
        raise NotReady("The database has no tables of this service yet; run `tasks migrate`.")
    if not state["has_rights"]:
        raise NotReady(f"The role {state['role']} lacks its rights on the tables; run `tasks migrate`.")
    version = await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    if version is None or version < SCHEMA_VERSION:
        raise NotReady(
            f"The schema is at {version}, and this release needs {SCHEMA_VERSION}; run `tasks migrate`."
        )


def _refuse_unsafe(state: asyncpg.Record, *, production: bool) -> None:
    advice = (
        "Serve with a role of its own: put the owner's URL into MIGRATION_DATABASE_URL, run `tasks migrate`, "
        "and use the service role that it makes in DATABASE_URL."
    )
    role = state["role"]
    if state["above"]:
        raise UnsafeRole(
            f"Refusing to serve: row-level security does not bind the role {role}, because it is, or can become, "
            f"a superuser or a role with BYPASSRLS ({state['above']}). {advice}"
        )
    if state["owner"] or state["may_truncate"]:
        raise UnsafeRole(
            f"Refusing to serve: the role {role} owns the table tasks or may truncate it, so row-level security "
            f"would not bind it. {advice}"
        )
    if state["policies_forced"] is False:
        raise UnsafeRole(
            "Refusing to serve: row-level security is not forced on tasks. Let the table's owner execute "
            "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY."
        )
    if production and state["embedded"]:
        raise UnsafeRole(
            "Refusing to serve: ENVIRONMENT is production, but this is the embedded development database. "
            "Set DATABASE_URL to a PostgreSQL server of your own."
        )
