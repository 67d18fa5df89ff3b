from datetime import UTC, datetime

from sqlalchemy import bindparam, case, func, select
from sqlmodel import SQLModel

from backend.database import Tenant
from backend.postgres.statements import READER, Statement

column = SQLModel.metadata.tables["tasks"].c

# A day is over when the next one begins, an instant when it has come.
_today = bindparam("today", type_=column.dueDate.type)
_overdue = case((column.dueAllDay, column.dueDate < _today), else_=column.dueDate <= func.now())

# Two counts, each read from an index without a look at the rows. Pending tasks have one of their own.
_total = select(func.count()).where(column.userId == READER).correlate(READER.table).scalar_subquery()
_COUNT = Statement.read(
    select(
        _total.label("total"), func.count().label("pending"), func.count().filter(_overdue).label("overdue")
    ).where(column.userId == READER, column.completedAt.is_(None))
)


async def count(tenant: Tenant, *, today: datetime | None = None) -> dict[str, int]:
    """By name: total, pending, completed, overdue. `today` begins at 00:00 UTC, as days are kept."""
    today = today or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    total, pending, overdue = (await tenant.read(_COUNT, today=today))[0]
    return {"total": total, "pending": pending, "completed": total - pending, "overdue": overdue}
