"""Due dates in the index of pending tasks, so that they are counted without a look at the rows.

Tasks cannot be written while the index is built, which takes about a second for each million of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAME = "ix_tasks_pending"
KEY = ["userId", "createdAt", "id"]
PENDING = sa.text('"completedAt" IS NULL')


def upgrade() -> None:
    op.drop_index(NAME, if_exists=True)  # 0001 did not make it in its first form
    op.create_index(NAME, "tasks", KEY, postgresql_include=["dueDate", "dueAllDay"], postgresql_where=PENDING)


def downgrade() -> None:
    op.drop_index(NAME)
    op.create_index(NAME, "tasks", KEY, postgresql_where=PENDING)
