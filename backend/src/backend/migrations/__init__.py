"""Alembic's revisions of the schema, shipped with the package. `tasks migrate` applies them."""

SCHEMA_VERSION = "0002"
"""The newest revision. A later one serves as well: migrations keep the previous release working."""

VERSION_TABLE = "tasks_migrations"
"""Alembic's own table, by a name that leaves the usual one to other programs in a shared database."""
