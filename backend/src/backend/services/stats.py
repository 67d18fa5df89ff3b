"""How many tasks a tenant has."""

from datetime import UTC, datetime

from sqlalchemy import bindparam, case, func, select

from backend.database import Tenant
from backend.models.tasks import tasks
from backend.postgres.statements import SCOPE, Statement, of_tenant

column = tasks.c

# A task is overdue once its day has ended, or its instant has passed.
_today = bindparam("today", type_=column.due_date.type)
_overdue = case((column.due_all_day, column.due_date < _today), else_=column.due_date <= func.now())

# Two counts, each from an index alone. Pending tasks have an index of their own.
_total = select(func.count()).select_from(tasks).where(of_tenant(tasks)).correlate(SCOPE).scalar_subquery()
_COUNT = Statement.read(
    select(
        _total.label("total"), func.count().label("pending"), func.count().filter(_overdue).label("overdue")
    ).where(of_tenant(tasks), column.completed_at.is_(None))
)


async def count(tenant: Tenant, *, today: datetime | None = None) -> dict[str, int]:
    """The members of `Stats`. `today` is a day's midnight in UTC, by default the current day in UTC.

    The cost grows with the number of the tenant's tasks.
    """
    today = today or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    total, pending, overdue = (await tenant.read(_COUNT, today=today))[0]
    return {"total": total, "pending": pending, "completed": total - pending, "overdue": overdue}
