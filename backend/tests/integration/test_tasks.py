"""Tasks from creation to deletion."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter

from backend.schemas.tasks import TaskRead
from support import Connection, Json, User, assert_problem, pointers

MEMBERS = [field.alias for field in TaskRead.model_fields.values()]


async def test_a_created_task_can_be_fetched(user: User) -> None:
    created = await user.post("tasks", json={"title": "  Water the plants  "})

    fetched = await user.get(created.headers["location"])

    assert created.status_code == 201
    assert fetched.json() == created.json()
    assert fetched.json()["title"] == "Water the plants"


async def test_a_new_task_has_every_member_and_the_defaults(user: User) -> None:
    task = await user.add_task(title="Water the plants")

    assert list(task) == MEMBERS
    assert UUID(task["id"]).version == 7
    assert task["createdAt"] == task["updatedAt"]
    assert {name: task[name] for name in MEMBERS if name not in {"id", "createdAt", "updatedAt"}} == {
        "userId": user.id,
        "title": "Water the plants",
        "description": None,
        "status": "pending",
        "completed": False,
        "completedAt": None,
        "priority": "medium",
        "category": "other",
        "dueDate": None,
        "version": 1,
    }


async def test_a_task_is_what_the_description_of_the_api_says(user: User) -> None:
    task = await user.add_task(description="Twice a week", dueDate="2026-01-05", priority="high")
    await user.patch(f"tasks/{task['id']}/complete")

    answer = await user.get(f"tasks/{task['id']}")

    read = TypeAdapter(TaskRead).validate_json(answer.content)
    assert read.completed
    assert read.completed_at == read.updated_at


async def test_times_have_six_decimals_and_a_z(user: User) -> None:
    task = await user.add_task(dueDate="2026-01-05T17:00:00+02:00")

    assert task["dueDate"] == "2026-01-05T15:00:00.000000Z"
    assert len(task["createdAt"]) == len("2026-01-05T15:00:00.000000Z")
    assert datetime.now(UTC) - datetime.fromisoformat(task["createdAt"]) < timedelta(minutes=1)


async def test_text_comes_back_as_it_was_sent(user: User) -> None:
    text = 'Quotes " and \\ back, <tags>, tabs\tand\nlines, \x01 control, é, 漢字, 🪴, \u2028 .'

    task = await user.add_task(title=text, description=text, category=" Größe ")

    assert task["title"] == task["description"] == text
    assert task["category"] == "größe"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05T00:00:00", "2026-01-05"),
        ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00.000000Z"),
        ("2026-01-05T17:00:00.5-01:00", "2026-01-05T18:00:00.500000Z"),
        ("0001-01-02", "0001-01-02"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"),
        ("", None),
        (None, None),
    ],
)
async def test_a_due_date_is_a_day_or_an_instant(user: User, sent: str | None, stored: str | None) -> None:
    task = await user.add_task(dueDate=sent)

    fetched = await user.get(f"tasks/{task['id']}")

    assert task["dueDate"] == stored
    assert fetched.json()["dueDate"] == stored


async def test_put_changes_only_what_is_sent(user: User) -> None:
    task = await user.add_task(description="Twice a week", priority="high", dueDate="2026-01-05")

    changed = await user.put(f"tasks/{task['id']}", json={"title": "Feed the cat"})

    assert changed.json() == task | {
        "title": "Feed the cat",
        "version": 2,
        "updatedAt": changed.json()["updatedAt"],
    }
    assert changed.json()["updatedAt"] > task["updatedAt"]


async def test_put_takes_a_whole_task_and_ignores_what_only_the_server_sets(user: User) -> None:
    task = await user.add_task(dueDate="2026-01-05")
    echo = task | {
        "id": str(uuid4()),
        "userId": "somebody-else",
        "status": "completed",
        "completed": True,
        "completedAt": "yesterday",
        "version": 7,
        "createdAt": None,
        "title": "Feed the cat",
    }

    changed = await user.put(f"tasks/{task['id']}", json=echo)

    assert changed.json() == task | {
        "title": "Feed the cat",
        "version": 2,
        "updatedAt": changed.json()["updatedAt"],
    }


async def test_post_takes_a_whole_task_as_well(user: User) -> None:
    task = await user.add_task(title="Water the plants")

    copy = await user.add_task(**task | {"completed": True, "status": "completed"})

    assert copy["id"] != task["id"]
    assert copy["completed"] is False


@pytest.mark.parametrize("blank", ["", None])
async def test_put_clears_a_due_date(user: User, blank: str | None) -> None:
    task = await user.add_task(dueDate="2026-01-05")

    changed = await user.put(f"tasks/{task['id']}", json={"dueDate": blank})

    assert changed.json()["dueDate"] is None


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "changes", [{}, {"title": "Water the plants", "dueDate": "2026-01-05", "priority": "low"}]
)
async def test_what_changes_nothing_is_no_new_version(user: User, method: str, changes: Json) -> None:
    task = await user.add_task(title="Water the plants", dueDate="2026-01-05", priority="low")

    answer = await user.request(method, f"tasks/{task['id']}", json=changes)

    assert answer.status_code == 200
    assert answer.json() == task
    assert answer.headers["etag"] == '"1"'


async def test_a_day_and_its_midnight_are_different_due_dates(user: User) -> None:
    task = await user.add_task(dueDate="2026-01-05")

    changed = await user.put(f"tasks/{task['id']}", json={"dueDate": "2026-01-05T00:00:00Z"})

    assert changed.json()["dueDate"] == "2026-01-05T00:00:00.000000Z"
    assert changed.json()["version"] == 2


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_patch_merges(user: User, media_type: str) -> None:
    task = await user.add_task(description="Twice a week", dueDate="2026-01-05")

    changed = await user.patch(
        f"tasks/{task['id']}",
        content=b'{"description": null, "dueDate": null, "priority": "high"}',
        headers={"Content-Type": media_type},
    )

    assert changed.json() == task | {
        "description": None,
        "dueDate": None,
        "priority": "high",
        "version": 2,
        "updatedAt": changed.json()["updatedAt"],
    }


@pytest.mark.parametrize("changes", [{"status": "completed"}, {"completed": True}])
async def test_patch_completes_and_reopens(user: User, changes: Json) -> None:
    task = await user.add_task()

    completed = await user.patch(f"tasks/{task['id']}", json=changes)
    again = await user.patch(f"tasks/{task['id']}", json=changes | {"title": "Again"})
    reopened = await user.patch(f"tasks/{task['id']}", json={"completed": False, "status": "pending"})

    assert completed.json()["status"] == "completed"
    assert completed.json()["completedAt"] == completed.json()["updatedAt"]
    assert again.json()["completedAt"] == completed.json()["completedAt"]
    assert reopened.json()["status"] == "pending"
    assert reopened.json()["completedAt"] is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"colour": "green"}, "/colour"),
        ({"id": "00000000-0000-7000-8000-000000000000"}, "/id"),
        ({"version": 2}, "/version"),
        ({"completedAt": None}, "/completedAt"),
        ({"dueDate": ""}, "/dueDate"),
        ({"status": "completed", "completed": False}, ""),
        ({"title": None}, "/title"),
        ({"completed": None}, "/completed"),
    ],
    ids=str,
)
async def test_patch_is_strict(user: User, changes: Json, pointer: str) -> None:
    task = await user.add_task()

    answer = await user.patch(f"tasks/{task['id']}", json=changes)

    assert pointers(assert_problem(answer, 422, "invalid-values")) == [pointer]
    assert (await user.get(f"tasks/{task['id']}")).json() == task


async def test_toggling_completes_and_reopens(user: User) -> None:
    task = await user.add_task()

    completed = await user.patch(f"tasks/{task['id']}/complete")
    reopened = await user.patch(f"tasks/{task['id']}/complete")

    assert completed.json()["completed"] is True
    assert completed.json()["completedAt"] == completed.json()["updatedAt"]
    assert reopened.json() == task | {"version": 3, "updatedAt": reopened.json()["updatedAt"]}


async def test_setting_the_state_is_safe_to_repeat(user: User) -> None:
    task = await user.add_task()

    first = await user.patch(f"tasks/{task['id']}/complete", json={"completed": True})
    second = await user.patch(f"tasks/{task['id']}/complete", json={"completed": True})

    assert first.json()["version"] == 2
    assert second.json() == first.json()


@pytest.mark.parametrize(
    "body", [{}, {"completed": "yes"}, {"completed": 1}, {"completed": None}, {"done": True}, []]
)
async def test_a_wish_that_says_nothing_is_refused(user: User, body: Json) -> None:
    task = await user.add_task()

    answer = await user.patch(f"tasks/{task['id']}/complete", json=body)

    assert_problem(answer, 422, "invalid-values")
    assert (await user.get(f"tasks/{task['id']}")).json() == task


async def test_a_deleted_task_is_gone(user: User) -> None:
    task = await user.add_task()

    deleted = await user.delete(f"tasks/{task['id']}")

    assert deleted.status_code == 204
    assert deleted.content == b""
    assert_problem(await user.get(f"tasks/{task['id']}"), 404, "task-not-found")
    assert_problem(await user.delete(f"tasks/{task['id']}"), 404, "task-not-found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "x"}),
        ("PUT", "", {}),
        ("PATCH", "", {"title": "x"}),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("PATCH", "/complete", None),
        ("PATCH", "/complete", {"completed": True}),
    ],
)
@pytest.mark.parametrize("condition", [{}, {"If-Match": "*"}, {"If-Match": '"1"'}], ids=str)
async def test_what_is_not_there_is_a_404(
    user: User, method: str, path: str, body: Json, condition: dict[str, str]
) -> None:
    answer = await user.request(method, f"tasks/{uuid4()}{path}", json=body, headers=condition)

    assert_problem(answer, 404, "task-not-found")


async def test_me_stands_for_the_own_id(user: User) -> None:
    task = await user.add_task()

    listed = await user.get("/api/me/tasks")
    fetched = await user.get(f"/api/me/tasks/{task['id']}")

    assert listed.json() == [task]
    assert fetched.json() == task


async def test_calls_without_a_body_may_name_a_content_type(user: User) -> None:
    """Clients often send the header with every call."""
    task = await user.add_task()
    header = {"Content-Type": "application/json"}

    answers = [
        await user.get("tasks", headers=header),
        await user.get(f"tasks/{task['id']}", headers=header),
        await user.patch(f"tasks/{task['id']}/complete", headers=header),
        await user.delete(f"tasks/{task['id']}", headers=header),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 204]


async def test_a_user_can_have_only_so_many_tasks(user: User, owner: Connection) -> None:
    await owner.execute(
        """INSERT INTO tasks ("userId", id, title) SELECT $1, uuidv7(), 'x' FROM generate_series(1, 9999)""",
        user.id,
    )

    last = await user.post("tasks", json={"title": "The last one"})
    refused = await user.post("tasks", json={"title": "One too many"})
    await user.delete(f"tasks/{last.json()['id']}")
    again = await user.post("tasks", json={"title": "In its place"})

    assert last.status_code == 201
    assert "10000" in assert_problem(refused, 409, "too-many-tasks")["detail"]
    assert again.status_code == 201


async def test_creating_for_a_deleted_account_is_a_401(user: User, owner: Connection) -> None:
    await owner.execute('DELETE FROM "user" WHERE id = $1', user.id)

    answer = await user.post("tasks", json={"title": "x"})

    assert_problem(answer, 401, "account-gone")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_character_that_only_the_database_refuses_is_a_422(user: User, owner: Connection) -> None:
    """Such as a letter of Unicode 16 whose lower case PostgreSQL 18 knows and Python 3.13 does not."""
    await owner.execute("ALTER TABLE tasks ADD CONSTRAINT ck_tasks_unicode_category CHECK (category <> 'ⓧ')")

    try:
        answer = await user.post("tasks", json={"title": "x", "category": "Ⓧ"})
    finally:
        await owner.execute("ALTER TABLE tasks DROP CONSTRAINT ck_tasks_unicode_category")

    assert pointers(assert_problem(answer, 422, "invalid-values")) == ["/category"]
