"""Citus: our tables spread over several servers by the user's id. One user's rows are all on one of them.

Statements need nothing else, because each names its tenant as a parameter (`statements.of_tenant`).
"""

from sqlalchemy import Connection, text

from backend.migrations import VERSION_TABLE, MigrationError
from backend.postgres.rights import our_tables

REFERENCE = "a reference table"

# What has to hold where this runs: each role that serves requests has it.
ROLE_SETTING = ("citus.propagate_set_commands", "local")

# Citus passes on a SET LOCAL, but not what `set_config` does, to the server that has the rows. On one server
# `set_config` does the same, and faster.
_TENANT_ON_EVERY_SERVER = """
    CREATE OR REPLACE FUNCTION tasks_tenant(tenant text, deadline timestamptz) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        IF clock_timestamp() >= deadline THEN
            PERFORM tasks_too_late();
        END IF;
        EXECUTE format('SET LOCAL app.user_id = %L', tenant);
        RETURN tenant;
    END $$
"""

IS_INSTALLED = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"

# How each of the tables in the array is distributed: by a column, or as a reference table; null if not at all.
STATE = f"""
    SELECT name, CASE WHEN partmethod <> 'n' THEN column_to_column_name(logicalrelid, partkey)
                      WHEN repmodel = 't' THEN '{REFERENCE}' END AS distributed
      FROM unnest(CAST($1 AS text[])) AS name
      LEFT JOIN pg_dist_partition ON logicalrelid = to_regclass(quote_ident(name))
"""  # noqa: S608 - constants

# How many servers have the rows of users.
SERVERS = """
    SELECT count(DISTINCT groupid)
      FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) JOIN pg_dist_partition USING (logicalrelid)
     WHERE partmethod <> 'n'
"""


def expected() -> dict[str, str]:
    """How each table has to be distributed. Every server has all of `user`, for our foreign keys to it."""
    ours = {table.name: table.c.user_id.name for table in our_tables()}
    return {"user": REFERENCE, VERSION_TABLE: REFERENCE, **ours}


def is_distributed(connection: Connection) -> bool:
    return bool(connection.scalar(text(IS_INSTALLED))) and any(_state(connection).values())


def distribute(connection: Connection) -> None:
    """Safe to repeat. Moves the rows that are there, and nobody can write meanwhile. Raises MigrationError."""
    if not connection.scalar(text(IS_INSTALLED)):
        raise MigrationError(
            "--citus needs the extension citus: let a superuser execute CREATE EXTENSION citus in this database, "
            "and add the other servers with citus_add_node."
        )
    # One connection for each server, on which the tables and roles that this transaction created are seen.
    connection.execute(text("SET LOCAL citus.multi_shard_modify_mode = 'sequential'"))
    connection.exec_driver_sql(_TENANT_ON_EVERY_SERVER)
    state = _state(connection)
    for table, kind in expected().items():
        if state[table] == kind:
            continue
        if state[table]:
            raise MigrationError(
                f'The table "{table}" is distributed already, and in another way: {state[table]}, and not {kind}.'
            )
        name = connection.scalar(text("SELECT quote_ident(:table)"), {"table": table})
        if kind == REFERENCE:
            connection.execute(text("SELECT create_reference_table(:name)"), {"name": name})
        else:
            connection.execute(
                text("SELECT create_distributed_table(:name, :column)"), {"name": name, "column": kind}
            )


def _state(connection: Connection) -> dict[str, str | None]:
    rows = connection.exec_driver_sql(STATE, (list(expected()),))
    return {row.name: row.distributed for row in rows}
