"""The table of tasks, its indexes and its policy."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

STATUS = postgresql.ENUM("pending", "completed", name="task_status", create_type=False)
PRIORITY = postgresql.ENUM("low", "medium", "high", name="task_priority", create_type=False)
UNICODE = sa.Text(collation="pg_c_utf8")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("CREATE TYPE task_status AS ENUM ('pending', 'completed')")
    op.execute("CREATE TYPE task_priority AS ENUM ('low', 'medium', 'high')")
    op.create_table(
        "tasks",
        sa.Column("userId", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("title", UNICODE, nullable=False),
        sa.Column("description", UNICODE),
        sa.Column("status", STATUS, nullable=False, server_default="pending"),
        sa.Column("priority", PRIORITY, nullable=False, server_default="medium"),
        sa.Column("category", UNICODE, nullable=False, server_default="other"),
        sa.Column("dueDate", TIME),
        sa.Column("dueAllDay", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("completedAt", TIME),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("createdAt", TIME, nullable=False, server_default=sa.text("now()")),
        sa.Column("updatedAt", TIME, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("userId", "id", name="pk_tasks"),
        sa.ForeignKeyConstraint(["userId"], ["user.id"], name="fk_tasks_userId", ondelete="CASCADE"),
        sa.CheckConstraint(r"char_length(title) BETWEEN 1 AND 255 AND title !~ '^\s|\s$'", name="ck_tasks_title"),
        sa.CheckConstraint("char_length(description) <= 10000", name="ck_tasks_description"),
        sa.CheckConstraint(
            r"char_length(category) BETWEEN 1 AND 50 AND category !~ '^\s|\s$' AND category = lower(category)",
            name="ck_tasks_category",
        ),
        sa.CheckConstraint(
            """"dueDate" BETWEEN '0001-01-02T00:00:00Z' AND '9999-12-31T23:59:59Z'""", name="ck_tasks_dueDate"
        ),
        sa.CheckConstraint(
            """NOT "dueAllDay" OR """
            """("dueDate" IS NOT NULL AND ("dueDate" AT TIME ZONE 'UTC')::time = '00:00')""",
            name="ck_tasks_dueAllDay",
        ),
        sa.CheckConstraint(
            """(status = 'completed') = ("completedAt" IS NOT NULL)""", name="ck_tasks_completedAt"
        ),
        sa.CheckConstraint("version >= 1", name="ck_tasks_version"),
    )
    op.create_index("ix_tasks_createdAt", "tasks", ["userId", "createdAt", "id"])
    op.create_index("ix_tasks_updatedAt", "tasks", ["userId", "updatedAt", "id"])
    due_ascending = sa.text("""least("dueDate", 'infinity'::timestamptz)""")
    due_descending = sa.text("""greatest("dueDate", '-infinity'::timestamptz)""")
    op.create_index("ix_tasks_due_ascending", "tasks", ["userId", due_ascending, "id"])
    op.create_index("ix_tasks_due_descending", "tasks", ["userId", due_descending, "id"])
    op.create_index("ix_tasks_priority", "tasks", ["userId", "priority", "id"])
    pending = sa.text('"completedAt" IS NULL')
    op.create_index("ix_tasks_pending", "tasks", ["userId", "createdAt", "id"], postgresql_where=pending)
    op.create_index("ix_tasks_title", "tasks", ["userId", sa.text("lower(title)"), "title", "id"])
    op.execute("ALTER TABLE tasks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tasks FORCE ROW LEVEL SECURITY")
    # A setting that was local to a transaction is empty afterwards, not absent: nobody has that id, but a
    # policy should not depend on it. The subquery is evaluated once a statement rather than once a row.
    op.execute(
        """
        CREATE POLICY tenant ON tasks
            USING ("userId" = (SELECT nullif(current_setting('app.user_id', true), '')))
            WITH CHECK ("userId" = (SELECT nullif(current_setting('app.user_id', true), '')))
        """
    )


def downgrade() -> None:
    op.drop_table("tasks")
    op.execute("DROP TYPE task_priority")
    op.execute("DROP TYPE task_status")
