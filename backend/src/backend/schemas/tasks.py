"""What clients send and get about tasks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from backend.models import Priority, Status
from backend.schemas.due_dates import DueDate

MAX_SEARCH_WORDS = 10


def _storable(text: str) -> str:
    # PostgreSQL's text cannot hold NUL, nor UTF-8 half a surrogate pair.
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain half of a surrogate pair") from error
    return text


def _title(text: str) -> str:
    trimmed = _storable(text.strip())
    if not 1 <= len(trimmed) <= 255:
        raise ValueError("must have 1 to 255 characters besides surrounding white space")
    return trimmed


def _description(text: str) -> str:
    if len(text) > 10_000:
        raise ValueError("must have at most 10,000 characters")
    return _storable(text)


def _category(text: str) -> str:
    label = _storable(text.strip().lower())
    if not 1 <= len(label) <= 50:
        raise ValueError("must have 1 to 50 characters besides surrounding white space")
    return label


def _search(text: str) -> str:
    if len(text) > 200:
        raise ValueError("must have at most 200 characters")
    if len(text.split()) > MAX_SEARCH_WORDS:
        raise ValueError(f"must have at most {MAX_SEARCH_WORDS} words")
    return _storable(text)


def _due_date(value: object) -> DueDate | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("should be a string or null")  # noqa: TRY004 - Pydantic reports only ValueErrors
    return DueDate.parse(value)


def _due_date_or_blank(value: object) -> DueDate | None:
    return None if value == "" else _due_date(value)


def _instant(value: object) -> datetime:
    return DueDate.parse(str(value)).at


def _day(value: object) -> datetime:
    text = str(value)
    if len(text) != len("2026-01-05"):
        raise ValueError("should be a calendar day such as 2026-01-05")
    return DueDate.parse(text).at


def _digits(value: object) -> object:
    # Pydantic would also read "1_000", "1.0" and " 7".
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("should be a whole number from 1 to 1000")
    return value


_DATE_SCHEMA = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
_DUE_DATE_SCHEMA = {
    "anyOf": [*_DATE_SCHEMA["anyOf"], {"type": "null"}],
    "description": "A calendar day (`2026-01-05`) or an instant (`2026-01-05T17:00:00+02:00`); null for none.",
    "examples": ["2026-01-05", "2026-01-05T15:00:00Z", None],
}

Title = Annotated[
    str,
    AfterValidator(_title),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 255, "examples": ["Water the plants"]}),
]
Description = Annotated[str, AfterValidator(_description), WithJsonSchema({"type": "string", "maxLength": 10_000})]
Category = Annotated[
    str,
    AfterValidator(_category),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 50,
            "description": "A label. It is kept trimmed and in lower case.",
            "examples": ["home"],
        }
    ),
]
DueDateOrBlank = Annotated[DueDate | None, PlainValidator(_due_date_or_blank), WithJsonSchema(_DUE_DATE_SCHEMA)]
DueDateOrNull = Annotated[DueDate | None, PlainValidator(_due_date), WithJsonSchema(_DUE_DATE_SCHEMA)]

# JSON has no enumerations: their values arrive as strings, which strict mode alone would refuse.
PriorityName = Annotated[Priority, Field(strict=False)]
StatusName = Annotated[Status, Field(strict=False)]


class _Body(BaseModel):
    """Fields that were not sent stay unset; a default here is never written."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel, validate_by_alias=True, use_enum_values=True)

    def sent(self) -> dict[str, Any]:  # values of the fields' types
        return {name: getattr(self, name) for name in self.model_fields_set}

    def all(self) -> dict[str, Any]:  # values of the fields' types
        return {name: getattr(self, name) for name in type(self).model_fields}


class TaskCreate(_Body):
    """A new task. A whole task may be sent: members that only the server sets are ignored."""

    title: Title
    description: Description | None = None
    priority: PriorityName = Priority.MEDIUM
    category: Category = "other"
    due_date: DueDateOrBlank = None


def _without_defaults(schema: dict[str, Any]) -> None:  # JSON
    for field in schema["properties"].values():
        field.pop("default", None)


class TaskPut(_Body):
    """The fields to change. A whole task may be sent: members that only the server sets are ignored."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    title: Title = ""
    description: Description | None = None
    priority: PriorityName = Priority.MEDIUM
    category: Category = "other"
    due_date: DueDateOrBlank = None


class TaskPatch(_Body):
    """A JSON merge patch (RFC 7396)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)

    title: Title = ""
    description: Description | None = None
    status: StatusName = Status.PENDING
    completed: bool = False
    priority: PriorityName = Priority.MEDIUM
    category: Category = "other"
    due_date: DueDateOrNull = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        both = {"status", "completed"} <= self.model_fields_set
        if both and self.completed != (self.status == Status.COMPLETED):
            raise ValueError("status and completed contradict each other")
        return self

    def sent(self) -> dict[str, Any]:  # values of the fields' types
        fields = super().sent()
        if "completed" in fields:
            fields["status"] = Status.COMPLETED if fields.pop("completed") else Status.PENDING
        return fields


class Completion(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

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


class TaskQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    status: Status | None = None
    """Only tasks in this state."""
    priority: Priority | None = None
    """Only tasks of this priority."""
    category: Category | None = None
    """Only tasks with this label."""
    search: Annotated[str | None, AfterValidator(lambda text: _search(text) if text else None)] = None
    """Only tasks that have every one of these words in their title or description, in any case."""
    due_after: Annotated[datetime | None, PlainValidator(_instant), WithJsonSchema(_DATE_SCHEMA)] = None
    """Only tasks due at this time or later. A day means its midnight in UTC."""
    due_before: Annotated[datetime | None, PlainValidator(_instant), WithJsonSchema(_DATE_SCHEMA)] = None
    """Only tasks due before this time. A day means its midnight in UTC."""
    sort_by: SortBy = SortBy.CREATED_AT
    """Tasks without a due date come last in both orders; titles are sorted without regard to case."""
    sort_order: SortOrder = SortOrder.DESCENDING
    """Ascending or descending."""
    limit: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_digits)] = 1000
    """How many tasks a page has at the most."""
    cursor: Annotated[str | None, Field(max_length=4096)] = None
    """Where the page begins: taken from the `Link` header of the page before, for the same sort order."""


class TaskRead(BaseModel):
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
    userId: str
    title: str
    description: str | None
    status: Status
    completed: bool
    completedAt: datetime | None
    priority: Priority
    category: str
    dueDate: Annotated[
        str | None,
        Field(description="`2026-01-05` for a calendar day, `2026-01-05T15:00:00.000000Z` for an instant."),
    ]
    version: int
    createdAt: datetime
    updatedAt: datetime


class StatsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    today: Annotated[
        datetime | None, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})
    ] = None
    """The day that it is where the caller is: tasks due on a day before are overdue. By default the day in UTC."""


class Stats(BaseModel):
    total: int
    pending: int
    completed: int
    overdue: Annotated[int, Field(description="Pending, and the instant has passed or the day has ended.")]
