"""Every statement of the services, and values to run them with."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

from backend import services
from backend.postgres.rights import our_tables
from backend.postgres.statements import Statement
from backend.schemas.tasks import SortBy, SortOrder, TaskPatch
from backend.services import tasks_sql
from rows import value_for

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

VALUES: dict[str, Any] = {  # SQL values by the names that statements give their parameters
    **{
        f"{prefix}{column.key}": value_for(column)
        for table in our_tables()
        for column in table.c
        for prefix in ("", "new_")
    },
    "id": UUID(int=7),
    "limit": 21,
    "after_id": UUID(int=1 << 127),
    "versions": [1, 2],
    "excluded": False,
    "max_tasks": 10_000,
    "priority": "low",
    "category": "home",
    "due_after": NOON,
    "due_before": NOON,
    "today": NOON,
    "deadline": datetime.max.replace(tzinfo=UTC),
    "word0": "water",
}
AFTER = {SortBy.TITLE: "8", SortBy.PRIORITY: "medium"}


def every_service() -> list[ModuleType]:
    return [
        importlib.import_module(f"{services.__name__}.{module.name}")
        for module in pkgutil.iter_modules(services.__path__)
    ]


def every_statement() -> Iterator[tuple[str, Statement]]:
    for module in every_service():
        for name, value in vars(module).items():
            if isinstance(value, Statement):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value
    for conditions in [*tasks_sql.FILTERS, *tasks_sql.STATUS_FILTERS]:
        statement = tasks_sql.find(
            frozenset({conditions}), 1, SortBy.CREATED_AT, SortOrder.DESCENDING, paged=False
        )
        yield f"find {conditions}", statement
    for sort_by in SortBy:
        for sort_order in SortOrder:
            yield (
                f"find by {sort_by} {sort_order}",
                tasks_sql.find(frozenset(), 0, sort_by, sort_order, paged=True),
            )
    for field in sorted(TaskPatch.model_fields.keys() - {"completed"}):
        names = {field, "due_all_day"} if field == "due_date" else {field}
        yield f"change {field}", tasks_sql.change(frozenset(names), conditional=True)


STATEMENTS = dict(every_statement())
