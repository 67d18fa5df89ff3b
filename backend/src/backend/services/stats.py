from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select
from sqlmodel import SQLModel

from backend.database import Tenant
from backend.statements import READER, Statement

column = SQLModel.metadata.tables["tasks"].c

_DAY: ColumnElement[Any] = literal_column("interval '24 hours'")
# A day is over when the next one begins, an instant when it has come.
_due = column.dueDate + case((column.dueAllDay, _DAY), else_=literal_column("interval '0 hours'"))
_pending = column.status == literal_column("'pending'")
_overdue = and_(_pending, _due <= func.now())

_COUNT = Statement.read(
    select(
        func.count().label("total"),
        func.count().filter(_pending).label("pending"),
        func.count().filter(column.status == literal_column("'completed'")).label("completed"),
        func.count().filter(_overdue).label("overdue"),
    ).where(column.userId == READER)
)


async def count(tenant: Tenant) -> dict[str, Any]:  # counts by name
    return dict((await tenant.read(_COUNT))[0])
