"""Due dates: calendar days and instants, in and out of text (RFC 3339)."""

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Annotated, NamedTuple

from pydantic import PlainValidator, WithJsonSchema

from backend.models.tasks import EARLIEST_DUE_DATE, LATEST_DUE_DATE

EARLIEST = datetime.fromisoformat(EARLIEST_DUE_DATE)
LATEST = datetime.fromisoformat(LATEST_DUE_DATE)
_RANGE = f"must lie between {EARLIEST_DUE_DATE.partition('T')[0]} and {LATEST_DUE_DATE}"

# RFC 3339 has no 24:00, which Python 3.13 and newer read as the next day's midnight. It bounds no fraction of a
# second; what is finer than PostgreSQL's microseconds is cut, not rounded, by `fromisoformat`.
_FORM = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"([Tt ](?P<time>(?!24)\d{2}:\d{2}(:\d{2}(\.\d+)?)?)(?P<zone>[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


class DueDate(NamedTuple):
    """When a task is due: an instant in UTC, or a calendar day, stored as its midnight in UTC."""

    at: datetime
    all_day: bool

    @classmethod
    def parse(cls, value: str) -> "DueDate":
        """Read `2026-01-05` or `2026-01-05T17:00:00+02:00`. Raises ValueError.

        A time without an offset from UTC is refused, because it names no instant. Midnight without an offset is
        the exception: it means the day, since older clients send days in that form.
        """
        parts = _FORM.fullmatch(value)
        if not parts:
            raise ValueError("is not a date such as 2026-01-05 or a time such as 2026-01-05T17:00:00Z")
        try:
            at = datetime.fromisoformat(f"{parts['day']}T{parts['time'] or '00:00'}")
            offset = _offset(parts["zone"])
            if offset is None and at.time() != time.min:
                raise ValueError("needs an offset from UTC, such as Z or +02:00")
            at = at.replace(tzinfo=offset or UTC).astimezone(UTC)
        except OverflowError as error:
            raise ValueError(_RANGE) from error
        if not EARLIEST <= at <= LATEST:
            raise ValueError(_RANGE)
        return cls(at, all_day=offset is None)


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    if zone in "Zz":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError("has an offset that does not exist")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


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


_DAY_SCHEMA = {"type": "string", "format": "date"}
_INSTANT_SCHEMA = {"anyOf": [_DAY_SCHEMA, {"type": "string", "format": "date-time"}]}
_DUE_DATE_SCHEMA = {
    "anyOf": [*_INSTANT_SCHEMA["anyOf"], {"type": "null"}],
    "description": "A calendar day (`2026-01-05`) or an instant (`2026-01-05T17:00:00+02:00`); null for none.",
    "examples": ["2026-01-05", "2026-01-05T15:00:00Z", None],
}

# Types of fields.
DueDateOrNull = Annotated[DueDate | None, PlainValidator(_due_date), WithJsonSchema(_DUE_DATE_SCHEMA)]
DueDateOrBlank = Annotated[DueDate | None, PlainValidator(_due_date_or_blank), WithJsonSchema(_DUE_DATE_SCHEMA)]
"""The empty string means none as well: forms send it."""
Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(_INSTANT_SCHEMA)]
"""A day stands for its midnight in UTC."""
Day = Annotated[datetime, PlainValidator(_day), WithJsonSchema(_DAY_SCHEMA)]
"""Its midnight in UTC."""
