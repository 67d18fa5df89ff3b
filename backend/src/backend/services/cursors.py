"""Cursors: the place where a page of tasks ended, as text that the next request sends back."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from backend.models.tasks import Priority
from backend.schemas.due_dates import DueDate
from backend.schemas.tasks import SortBy, SortOrder


class Cursor(NamedTuple):
    """The sort value and the id of a page's last task, with the order of the list that it belongs to."""

    sort_by: SortBy
    sort_order: SortOrder
    value: str | None  # as in the task's JSON
    id: UUID

    @classmethod
    def after(cls, task: Mapping[str, Any], sort_by: SortBy, sort_order: SortOrder) -> Self:  # a task's JSON
        return cls(sort_by, sort_order, task[sort_by], UUID(task["id"]))

    def encode(self) -> str:
        parts = [self.sort_by, self.sort_order, self.value, str(self.id)]
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort_by: SortBy, sort_order: SortOrder) -> Self:
        """Raises ValueError for text that `encode` did not write, and for a cursor of another order."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            own_sort_by, own_sort_order, value, task_id = json.loads(urlsafe_b64decode(padded))
            cursor = cls(SortBy(own_sort_by), SortOrder(own_sort_order), value, UUID(task_id))
            cursor.key()
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("is not a cursor of this list") from error
        if (cursor.sort_by, cursor.sort_order) != (sort_by, sort_order):
            raise ValueError("belongs to another sort order; start again without it")
        return cursor

    def key(self) -> datetime | str | None:
        """The sort value, of the type that PostgreSQL compares. Raises ValueError if it is of another type."""
        match self.sort_by:
            case SortBy.DUE_DATE:
                return None if self.value is None else DueDate.parse(self.value).at
            case SortBy.PRIORITY:
                return Priority(self.value or "")
            case SortBy.TITLE:
                if not isinstance(self.value, str) or "\0" in self.value:
                    raise ValueError("not a title")
                self.value.encode()
                return self.value
            case _:
                return DueDate.parse(self.value or "").at
