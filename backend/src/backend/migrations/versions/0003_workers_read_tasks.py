"""A policy that shows workers the tasks of every user. They may read them and nothing else.

`tasks migrate` has created the role `tasks_workers` before.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE POLICY worker ON tasks FOR SELECT TO tasks_workers USING (true)")


def downgrade() -> None:
    op.execute("DROP POLICY worker ON tasks")
