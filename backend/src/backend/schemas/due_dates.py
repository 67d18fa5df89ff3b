"""Due dates: calendar days and instants, in and out of text (RFC 3339)."""

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import NamedTuple

EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

# Newer Pythons take 24:00 for the next day's midnight; RFC 3339 does not.
_FORM = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"([Tt ](?P<time>(?!24)\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)(?P<zone>[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


class DueDate(NamedTuple):
    """When a task is due: an instant in UTC, or a calendar day, kept as its midnight in UTC."""

    at: datetime
    all_day: bool

    @classmethod
    def parse(cls, value: str) -> "DueDate":
        """Read `2026-01-05` or `2026-01-05T17:00:00+02:00`.

        A date-time without an offset is refused, because nobody knows when it is; midnight without one means
        the day, since older clients send days in that form. Raises ValueError.
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


_RANGE = "must lie between 0001-01-02 and 9999-12-31T23:59:59Z"


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
