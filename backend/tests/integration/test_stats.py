from datetime import UTC, datetime, timedelta

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
