"""Alembic's revisions of the schema, shipped with the package. `tasks migrate` applies them."""

from pathlib import Path

from backend.errors import Refusal

SCHEMA_VERSION = max(path.name[:4] for path in Path(__file__).with_name("versions").glob("[0-9]*.py"))
"""The newest revision. A later one serves as well: migrations keep the previous release working."""

VERSION_TABLE = "tasks_migrations"
"""Alembic's own table, under a name that leaves the usual one to other programs in a shared database."""


class MigrationError(Refusal):
    """The migration was not applied. The database is as it was before."""
