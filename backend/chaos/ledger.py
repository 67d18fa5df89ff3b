"""What was acknowledged, compared with what the API shows and the database holds."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

SLOW_SECONDS = 5.0

type Json = Any


class Task(NamedTuple):
    """What a client changes of a task."""

    title: str
    completed: bool


@dataclass
class Ledger:
    tasks: dict[str, dict[str, Task]] = field(default_factory=dict)
    """By user and id: what the last acknowledged answers say."""
    titles: dict[str, set[str]] = field(default_factory=dict)
    """By user: every title that a client has sent. No two are the same."""

    requests: int = 0
    acknowledged: int = 0
    repeated: int = 0
    lost: int = 0
    doubled: int = 0
    foreign: int = 0
    wrong: int = 0
    crashes: int = 0  # answers with 500
    slow: int = 0  # answers after more than SLOW_SECONDS
    longest_gap: float = 0.0  # seconds without an acknowledgement of anything
    complaints: list[str] = field(default_factory=list)
    _surplus: set[str] = field(default_factory=set)
    _last: float = field(default_factory=time.monotonic)

    def answer(self, seconds: float, status: int | None) -> None:
        """Count an answer, or None for a connection that broke."""
        self.requests += 1
        self.crashes += status == 500
        self.slow += seconds > SLOW_SECONDS

    def acknowledge(self) -> None:
        now = time.monotonic()
        self.acknowledged += 1
        self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now

    def complain(self, what: str) -> None:
        self.wrong += 1
        self.complaints.append(what)

    def compare(self, user: str, found: Mapping[str, Task], owners: Iterable[str]) -> None:
        """With all tasks that somebody sees as this user's. What is found here is not found again."""
        known = self.tasks[user]
        self.foreign += sum(owner != user for owner in owners)
        for task_id, task in found.items():
            if task_id not in known and task_id not in self._surplus:
                self._surplus.add(task_id)
                self.doubled += task.title in self.titles[user]
                self.foreign += task.title not in self.titles[user]
                self.complaints.append(f"{task_id} ({task.title}) is there without having been acknowledged")
            elif task != known.get(task_id, task):
                self.complain(f"{task_id} is {task}, and {known[task_id]} was acknowledged last")
                known[task_id] = task
        for task_id in known.keys() - found.keys():
            self.lost += 1
            self.complaints.append(f"{task_id} ({known.pop(task_id).title}) is lost")

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.foreign or self.wrong or self.crashes)

    def table(self) -> str:
        lines = [
            ("requests", f"{self.requests:,}"),
            ("acknowledged", f"{self.acknowledged:,}"),
            ("repeated", f"{self.repeated:,}"),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("foreign", self.foreign),
            ("wrong", self.wrong),
            ("500s", self.crashes),
            (f"over {SLOW_SECONDS:.0f} s", self.slow),
            ("longest gap", f"{self.longest_gap:.1f} s"),
        ]
        return "\n".join(f"  {name:<14}{value:>8}" for name, value in lines)


def task_of(row: Mapping[str, Json]) -> tuple[str, Task]:
    """The id and the task, from JSON or from a row of the table."""
    completed = row["completed"] if "completed" in row else row["completedAt"] is not None
    return str(UUID(str(row["id"]))), Task(row["title"], completed)
