"""Run by Alembic. The connection, in a transaction of its own, comes from `backend.migrate`."""

from alembic import context

from backend.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
