from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column, select
from sqlmodel import SQLModel

from backend.database import Tenant
from backend.statements import READER, Statement

column = SQLModel.metadata.tables["tasks"].c

_DAY: ColumnElement[Any] = literal_column("interval '24 hours'")
# A day is over when the next one begins, an instant when it has come.
_due = column.dueDate + case((column.dueAllDay, _DAY), else_=literal_column("interval '0 hours'"))
_overdue = _due <= func.now()

# Two counts, each read from an index without a look at the rows. Pending tasks have one of their own.
_total = select(func.count()).where(column.userId == READER).correlate(READER.table).scalar_subquery()
_COUNT = Statement.read(
    select(
        _total.label("total"), func.count().label("pending"), func.count().filter(_overdue).label("overdue")
    ).where(column.userId == READER, column.completedAt.is_(None))
)


async def count(tenant: Tenant) -> dict[str, int]:
    """By name: total, pending, completed, overdue."""
    total, pending, overdue = (await tenant.read(_COUNT))[0]
    return {"total": total, "pending": pending, "completed": total - pending, "overdue": overdue}
