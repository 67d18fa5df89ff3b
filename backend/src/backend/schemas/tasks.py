"""What clients send and receive about tasks. Fields are checked against the table when this module is imported."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import MISSING, AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from backend.models.tasks import (
    MAX_CATEGORY_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_TITLE_LENGTH,
    Priority,
    Status,
    tasks,
)
from backend.schemas.agreement import check_answer, check_bodies
from backend.schemas.bases import Answer, Body, Parameters
from backend.schemas.due_dates import DueDateOrBlank, DueDateOrNull, Instant
from backend.schemas.text import bounded, trimmed

MAX_SEARCH_LENGTH = 200
MAX_SEARCH_WORDS = 10
MAX_PAGE_SIZE = 1000
MAX_CURSOR_LENGTH = 4096


def _search(text: str) -> str | None:
    bounded(text, max_length=MAX_SEARCH_LENGTH)
    if len(text.split()) > MAX_SEARCH_WORDS:
        raise ValueError(f"must have at most {MAX_SEARCH_WORDS} words")
    return text or None


def _page_size(value: object) -> object:
    # Pydantic would also read "1_000", "1.0" and " 7".
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError(f"should be a whole number from 1 to {MAX_PAGE_SIZE}")
    return value


Title = Annotated[
    str,
    AfterValidator(lambda text: trimmed(text, max_length=MAX_TITLE_LENGTH)),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": MAX_TITLE_LENGTH, "examples": ["Water the plants"]}
    ),
]
Description = Annotated[
    str,
    AfterValidator(lambda text: bounded(text, max_length=MAX_DESCRIPTION_LENGTH)),
    WithJsonSchema({"type": "string", "maxLength": MAX_DESCRIPTION_LENGTH}),
]
Category = Annotated[
    str,
    AfterValidator(lambda text: trimmed(text.lower(), max_length=MAX_CATEGORY_LENGTH)),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_CATEGORY_LENGTH,
            "description": "A label. It is kept trimmed and in lower case.",
            "examples": ["home"],
        }
    ),
]

# JSON has no enumerations: their values arrive as strings, which strict mode alone would refuse.
PriorityName = Annotated[Priority, Field(strict=False)]
StatusName = Annotated[Status, Field(strict=False)]


# Of a task, as the server sends it.
SET_BY_THE_SERVER = frozenset(
    {"id", "userId", "status", "completed", "completedAt", "version", "createdAt", "updatedAt"}
)


class TaskCreate(Body):
    """A new task. A whole task may be sent: members that only the server sets are ignored."""

    ignored = SET_BY_THE_SERVER

    title: Title
    description: Description | None = None
    priority: PriorityName = Priority.MEDIUM
    category: Category = "other"
    due_date: DueDateOrBlank = None


class _TaskChanges(Body):
    """A field that was not sent is MISSING, and stays as it is in the database. `null` is a value."""

    title: Title | MISSING = MISSING
    description: Description | MISSING | None = MISSING
    priority: PriorityName | MISSING = MISSING
    category: Category | MISSING = MISSING
    due_date: DueDateOrBlank | MISSING = MISSING


class TaskPut(_TaskChanges):
    """The fields to change. A whole task may be sent: members that only the server sets are ignored."""

    ignored = SET_BY_THE_SERVER


class TaskPatch(_TaskChanges):
    """A JSON merge patch (RFC 7396)."""

    due_date: DueDateOrNull | MISSING = MISSING
    status: StatusName | MISSING = MISSING
    completed: bool | MISSING = MISSING

    @model_validator(mode="after")
    def _say_completed_as_status(self) -> Self:
        """Both members say the same. From here on there is only `status`."""
        if self.completed is not MISSING:
            status = Status.COMPLETED if self.completed else Status.PENDING
            if self.status is not MISSING and self.status != status:
                raise ValueError("status and completed contradict each other")
            self.status, self.completed = status, MISSING
        return self


class Completion(Body):
    completed: bool


class SortBy(StrEnum):
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"
    DUE_DATE = "dueDate"
    PRIORITY = "priority"
    TITLE = "title"


class SortOrder(StrEnum):
    ASCENDING = "asc"
    DESCENDING = "desc"


class TaskQuery(Parameters):
    status: Status | None = None
    """Only tasks in this state."""
    priority: Priority | None = None
    """Only tasks of this priority."""
    category: Category | None = None
    """Only tasks with this label."""
    search: Annotated[str | None, AfterValidator(lambda text: _search(text) if text else None)] = None
    """Only tasks that have every one of these words in their title or description, in any case."""
    due_after: Instant | None = None
    """Only tasks due at this time or later. A day means its midnight in UTC."""
    due_before: Instant | None = None
    """Only tasks due before this time. A day means its midnight in UTC."""
    sort_by: SortBy = SortBy.CREATED_AT
    """Tasks without a due date come last in both orders; titles are sorted without regard to case."""
    sort_order: SortOrder = SortOrder.DESCENDING
    """Ascending or descending."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE), BeforeValidator(_page_size)] = MAX_PAGE_SIZE
    """How many tasks a page has at the most."""
    cursor: Annotated[str | None, Field(max_length=MAX_CURSOR_LENGTH)] = None
    """Where the page begins: taken from the `Link` header of the page before, for the same sort order."""


class TaskRead(Answer):
    """A task. Times are in UTC with six decimals, so that they sort as strings."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01a202b1-fa21-79e9-b75d-f80d096bdf97",
                "userId": "kQ3xW8cVbN2mL5pR7tY1uI4oA6sD9fGh",
                "title": "Water the plants",
                "description": None,
                "status": "completed",
                "completed": True,
                "completedAt": "2026-01-05T16:20:00.000000Z",
                "priority": "medium",
                "category": "home",
                "dueDate": "2026-01-05",
                "version": 2,
                "createdAt": "2026-01-04T09:30:00.123456Z",
                "updatedAt": "2026-01-05T16:20:00.000000Z",
            }
        }
    )

    id: UUID
    user_id: str
    title: str
    description: str | None
    status: Status
    completed: bool
    completed_at: datetime | None
    priority: Priority
    category: str
    due_date: Annotated[
        str | None,
        Field(description="`2026-01-05` for a calendar day, `2026-01-05T15:00:00.000000Z` for an instant."),
    ]
    version: int
    created_at: datetime
    updated_at: datetime


check_bodies(tasks, TaskCreate, TaskPut, TaskPatch, computed={"due_date", "completed"})
check_answer(tasks, TaskRead, computed={"due_date", "completed"}, hidden={"due_all_day"})
