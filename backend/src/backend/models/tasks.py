from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    text,
)
from sqlmodel import Field, SQLModel


class Status(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"


class Priority(StrEnum):
    # In ascending order, in which PostgreSQL sorts them.
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


STATUS = Enum(Status, name="task_status", values_callable=lambda members: [member.value for member in members])
PRIORITY = Enum(
    Priority, name="task_priority", values_callable=lambda members: [member.value for member in members]
)

# Folds case and orders by code point whatever locale the server was set up with (PostgreSQL 17 and newer).
UNICODE = Text(collation="pg_c_utf8")

# A keyset page needs a sort key that is never null. Undated tasks come last in both orders, so the two
# orders put different values in the place of a missing date, which LEAST and GREATEST ignore. PostgreSQL knows
# that those two leak nothing; COALESCE it would not look up in an index before the policy has been applied.
DUE_ASCENDING = text("""least("dueDate", 'infinity'::timestamptz)""")
DUE_DESCENDING = text("""greatest("dueDate", '-infinity'::timestamptz)""")


class Task(SQLModel, table=True):
    """One task. The user's id leads the primary key and every index, so that a user's rows lie together."""

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("userId", "id", name="pk_tasks"),
        ForeignKeyConstraint(["userId"], ["user.id"], name="fk_tasks_userId", ondelete="CASCADE"),
        CheckConstraint(r"char_length(title) BETWEEN 1 AND 255 AND title !~ '^\s|\s$'", name="ck_tasks_title"),
        CheckConstraint("char_length(description) <= 10000", name="ck_tasks_description"),
        CheckConstraint(
            r"char_length(category) BETWEEN 1 AND 50 AND category !~ '^\s|\s$' AND category = lower(category)",
            name="ck_tasks_category",
        ),
        CheckConstraint(
            """"dueDate" BETWEEN '0001-01-02T00:00:00Z' AND '9999-12-31T23:59:59Z'""", name="ck_tasks_dueDate"
        ),
        CheckConstraint(
            """NOT "dueAllDay" OR """
            """("dueDate" IS NOT NULL AND ("dueDate" AT TIME ZONE 'UTC')::time = '00:00')""",
            name="ck_tasks_dueAllDay",
        ),
        CheckConstraint("""(status = 'completed') = ("completedAt" IS NOT NULL)""", name="ck_tasks_completedAt"),
        CheckConstraint("version >= 1", name="ck_tasks_version"),
        Index("ix_tasks_createdAt", "userId", "createdAt", "id"),
        Index("ix_tasks_updatedAt", "userId", "updatedAt", "id"),
        Index("ix_tasks_due_ascending", "userId", DUE_ASCENDING, "id"),
        Index("ix_tasks_due_descending", "userId", DUE_DESCENDING, "id"),
        Index("ix_tasks_priority", "userId", "priority", "id"),
        # With what is counted of them, so that counting need not look at the rows.
        Index(
            "ix_tasks_pending",
            "userId",
            "createdAt",
            "id",
            postgresql_include=["dueDate", "dueAllDay"],
            postgresql_where=text('"completedAt" IS NULL'),
        ),
        Index("ix_tasks_title", "userId", text("lower(title)"), "title", "id"),
        {"info": {"worker": ("SELECT",)}},
    )

    user_id: str = Field(sa_column=Column("userId", Text, nullable=False))
    id: UUID = Field(sa_column=Column("id", Uuid, nullable=False))
    title: str = Field(sa_column=Column("title", UNICODE, nullable=False))
    description: str | None = Field(sa_column=Column("description", UNICODE))
    status: Status = Field(sa_column=Column("status", STATUS, nullable=False, server_default=Status.PENDING))
    priority: Priority = Field(
        sa_column=Column("priority", PRIORITY, nullable=False, server_default=Priority.MEDIUM)
    )
    category: str = Field(sa_column=Column("category", UNICODE, nullable=False, server_default="other"))
    due_date: datetime | None = Field(sa_column=Column("dueDate", DateTime(timezone=True)))
    due_all_day: bool = Field(sa_column=Column("dueAllDay", Boolean, nullable=False, server_default=text("false")))
    completed_at: datetime | None = Field(sa_column=Column("completedAt", DateTime(timezone=True)))
    version: int = Field(sa_column=Column("version", Integer, nullable=False, server_default=text("1")))
    created_at: datetime = Field(
        sa_column=Column("createdAt", DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
    updated_at: datetime = Field(
        sa_column=Column("updatedAt", DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )
