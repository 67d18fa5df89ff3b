"""The table of tasks. Its columns, bounds, defaults and indexes are stated here and nowhere else."""

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

# Bounds. Lengths are in characters, not bytes. The CHECKs below and the schemas take them from here.
MAX_TITLE_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 10_000
MAX_CATEGORY_LENGTH = 50
EARLIEST_DUE_DATE = "0001-01-02T00:00:00Z"
LATEST_DUE_DATE = "9999-12-31T23:59:59Z"


class Status(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"


class Priority(StrEnum):
    # In ascending order; PostgreSQL sorts by it.
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def _enumeration(members: type[StrEnum], name: str) -> Enum:
    """PostgreSQL's enumeration of the members' values; by default SQLAlchemy would store their names."""
    return Enum(members, name=name, values_callable=lambda kind: [member.value for member in kind])


STATUS = _enumeration(Status, "task_status")
PRIORITY = _enumeration(Priority, "task_priority")

# Folds case and sorts by code point, whatever the server's locale (PostgreSQL 17 and newer).
UNICODE = Text(collation="pg_c_utf8")
TIME = DateTime(timezone=True)

# Keyset pagination needs a sort key that is never null. Undated tasks come last in both orders, so a missing date
# sorts as `infinity` in one and as `-infinity` in the other. LEAST and GREATEST ignore nulls and, unlike COALESCE,
# count as leakproof: PostgreSQL can look them up in an index before it applies the policy.
DUE_ASCENDING = text("""least("dueDate", 'infinity'::timestamptz)""")
DUE_DESCENDING = text("""greatest("dueDate", '-infinity'::timestamptz)""")


class Task(SQLModel, table=True):
    """One task. The user's id leads the primary key and every index, which keeps a user's rows together.

    An attribute is the column's key (`due_date`); the column's name is the member's name in JSON (`dueDate`).
    """

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_tasks"),
        ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_tasks_userId", ondelete="CASCADE"),
        # Each CHECK is named after its column: an error says by that name which value was refused.
        CheckConstraint(
            rf"char_length(title) BETWEEN 1 AND {MAX_TITLE_LENGTH} AND title !~ '^\s|\s$'", name="ck_tasks_title"
        ),
        CheckConstraint(f"char_length(description) <= {MAX_DESCRIPTION_LENGTH}", name="ck_tasks_description"),
        CheckConstraint(
            rf"char_length(category) BETWEEN 1 AND {MAX_CATEGORY_LENGTH} AND category !~ '^\s|\s$' "
            "AND category = lower(category)",
            name="ck_tasks_category",
        ),
        CheckConstraint(
            f""""dueDate" BETWEEN '{EARLIEST_DUE_DATE}' AND '{LATEST_DUE_DATE}'""", name="ck_tasks_dueDate"
        ),
        CheckConstraint(
            """NOT "dueAllDay" OR """
            """("dueDate" IS NOT NULL AND ("dueDate" AT TIME ZONE 'UTC')::time = '00:00')""",
            name="ck_tasks_dueAllDay",
        ),
        CheckConstraint("""(status = 'completed') = ("completedAt" IS NOT NULL)""", name="ck_tasks_completedAt"),
        CheckConstraint("version >= 1", name="ck_tasks_version"),
        Index("ix_tasks_createdAt", "user_id", "created_at", "id"),
        Index("ix_tasks_updatedAt", "user_id", "updated_at", "id"),
        Index("ix_tasks_due_ascending", "user_id", DUE_ASCENDING, "id"),
        Index("ix_tasks_due_descending", "user_id", DUE_DESCENDING, "id"),
        Index("ix_tasks_priority", "user_id", "priority", "id"),
        # Includes the columns that /stats counts by, so that it reads the index alone.
        Index(
            "ix_tasks_pending",
            "user_id",
            "created_at",
            "id",
            postgresql_include=["due_date", "due_all_day"],
            postgresql_where=text('"completedAt" IS NULL'),
        ),
        Index("ix_tasks_title", "user_id", text("lower(title)"), "title", "id"),
        {"info": {"worker": ("SELECT",)}},
    )

    user_id: str = Field(sa_column=Column("userId", Text, key="user_id", nullable=False))
    id: UUID = Field(sa_column=Column("id", Uuid, nullable=False))
    title: str = Field(sa_column=Column("title", UNICODE, nullable=False))
    description: str | None = Field(sa_column=Column("description", UNICODE))
    status: Status = Field(sa_column=Column("status", STATUS, nullable=False, server_default=Status.PENDING))
    priority: Priority = Field(
        sa_column=Column("priority", PRIORITY, nullable=False, server_default=Priority.MEDIUM)
    )
    category: str = Field(sa_column=Column("category", UNICODE, nullable=False, server_default="other"))
    due_date: datetime | None = Field(sa_column=Column("dueDate", TIME, key="due_date"))
    due_all_day: bool = Field(
        sa_column=Column("dueAllDay", Boolean, key="due_all_day", nullable=False, server_default=text("false"))
    )
    completed_at: datetime | None = Field(sa_column=Column("completedAt", TIME, key="completed_at"))
    version: int = Field(sa_column=Column("version", Integer, nullable=False, server_default=text("1")))
    created_at: datetime = Field(
        sa_column=Column("createdAt", TIME, key="created_at", nullable=False, server_default=text("now()"))
    )
    updated_at: datetime = Field(
        sa_column=Column("updatedAt", TIME, key="updated_at", nullable=False, server_default=text("now()"))
    )


tasks = SQLModel.metadata.tables["tasks"]
