"""Tasks from creation to deletion, over HTTP, on PostgreSQL."""

from support import User


async def test_a_created_task_can_be_fetched(user: User) -> None:
    created = await user.post("tasks", json={"title": "  Water the plants  "})

    fetched = await user.get(created.headers["location"])

    assert created.status_code == 201
    assert fetched.json() == created.json()
    assert fetched.json()["title"] == "Water the plants"
