"""Run by Alembic. The connection, with its transaction, comes from `backend.postgres.migrate`."""

from alembic import context

from backend.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
