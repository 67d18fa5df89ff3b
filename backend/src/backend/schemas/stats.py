"""What clients send and receive about the counts of their tasks."""

from typing import Annotated

from pydantic import BaseModel, Field

from backend.schemas.bases import Parameters
from backend.schemas.due_dates import Day


class StatsQuery(Parameters):
    today: Day | None = None
    """The day that it is where the caller is: tasks due on a day before are overdue. By default the day in UTC."""


class Stats(BaseModel):
    total: int
    pending: int
    completed: int
    overdue: Annotated[int, Field(description="Pending, and the instant has passed or the day has ended.")]
