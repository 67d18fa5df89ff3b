from datetime import UTC, datetime, timedelta

import pytest

from support import User


async def test_a_user_without_tasks_counts_none(user: User) -> None:
    answer = await user.get("stats")

    assert answer.status_code == 200
    assert answer.json() == {"total": 0, "pending": 0, "completed": 0, "overdue": 0}
    assert answer.headers["cache-control"] == "no-store"


async def test_tasks_are_counted_by_state(user: User, other: User) -> None:
    for _ in range(3):
        await user.add_task()
    done = await user.add_task()
    await user.patch(f"tasks/{done['id']}/complete")
    await other.add_task()

    answer = await user.get("stats")

    assert answer.json() == {"total": 4, "pending": 3, "completed": 1, "overdue": 0}


async def test_a_task_is_overdue_when_its_instant_has_passed_or_its_day_has_ended(user: User) -> None:
    now = datetime.now(UTC)
    today, yesterday = now.date(), now.date() - timedelta(days=1)
    await user.add_task(dueDate=(now - timedelta(seconds=1)).isoformat())
    await user.add_task(dueDate=(now + timedelta(hours=1)).isoformat())
    await user.add_task(dueDate=yesterday.isoformat())
    await user.add_task(dueDate=today.isoformat())
    await user.add_task(dueDate="9999-12-31")
    done = await user.add_task(dueDate="2020-01-01")
    await user.patch(f"tasks/{done['id']}/complete")

    answer = await user.get("stats")

    assert answer.json() == {"total": 6, "pending": 5, "completed": 1, "overdue": 2}


@pytest.mark.parametrize(
    ("today", "overdue"), [("2030-05-16", 0), ("2030-05-17", 0), ("2030-05-18", 1), ("9999-12-31", 1)]
)
async def test_days_end_where_the_caller_is(user: User, today: str, overdue: int) -> None:
    await user.add_task(dueDate="2030-05-17")
    await user.add_task(dueDate="2030-05-17T00:00:00Z")  # an instant passes everywhere at once

    answer = await user.get("stats", params={"today": today})

    assert answer.json()["overdue"] == overdue


async def test_without_a_day_it_is_the_one_in_utc(user: User) -> None:
    now = datetime.now(UTC)
    await user.add_task(dueDate=f"{now.date() - timedelta(days=1)}")
    await user.add_task(dueDate=f"{now.date()}")

    answers = [await user.get("stats"), await user.get("stats", params={"today": f"{now.date()}"})]

    assert [answer.json()["overdue"] for answer in answers] == [1, 1]


@pytest.mark.parametrize(
    "today", ["", "tomorrow", "2030-02-30", "20300517", "2030-05-17T10:00:00Z", "0001-01-01", "10000-01-01"]
)
async def test_what_is_no_day_is_refused(user: User, today: str) -> None:
    answer = await user.get("stats", params={"today": today})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/today"]


async def test_an_unknown_parameter_is_refused(user: User) -> None:
    answer = await user.get("stats", params={"day": "2030-05-17"})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/day"]
