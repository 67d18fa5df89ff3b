"""No route gives anything of anybody else's away, whatever it is asked for.

The cases are made from the API's own description, so a new route is tested as soon as it is there.
test_policies.py proves the same in the database.
"""

from itertools import product
from uuid import uuid4

import httpx2
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.main import create_api
from support import Json, User

API = create_api(
    Settings(database_url=SecretStr("postgresql://x"), better_auth_secret=SecretStr("x" * 32), _env_file=None)
)
ROUTES = [
    (method.upper(), path)
    for path, operations in API.openapi()["paths"].items()
    for method in operations
    if path.startswith("/api/")
]
TASK_ROUTES = [(method, path) for method, path in ROUTES if "{task_id}" in path]

BODIES: list[Json] = [None, {"title": "Mine now"}, {"completed": True}, {"title": ""}]
HEADERS: list[dict[str, str]] = [
    {},
    {"If-Match": "*"},
    {"If-Match": '"1"'},
    {"If-Match": '"2"'},
    {"If-None-Match": "*"},
    {"Idempotency-Key": "a"},
]

SECRET_TITLE = "A very private plan"


def test_there_are_routes_to_test() -> None:
    assert len(ROUTES) >= 8
    assert len(TASK_ROUTES) >= 5


def essence(answer: httpx2.Response) -> tuple[int, Json, dict[str, str]]:
    """An answer without what differs from request to request."""
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        body.pop("requestId", None)
    varying = {"x-request-id", "date"}
    return answer.status_code, body, {name: value for name, value in answer.headers.items() if name not in varying}


def assert_silent(answer: httpx2.Response, about: User, task: Json) -> None:
    everything = f"{answer.headers} {answer.text}"
    for secret in (SECRET_TITLE, about.id, task["id"]):
        assert secret not in everything


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_somebody_elses_path_is_refused_whether_they_exist_or_not(
    user: User, other: User, method: str, path: str
) -> None:
    task = await other.add_task(title=SECRET_TITLE)

    for body, headers in product(BODIES, HEADERS):
        answer, reference = [
            await user.request(method, path.format(user_id=user_id, task_id=task_id), json=body, headers=headers)
            for user_id, task_id in ((other.id, task["id"]), ("nobody", uuid4()))
        ]

        assert answer.status_code == 403
        assert essence(answer) == essence(reference)
        assert_silent(answer, other, task)
    assert (await other.get("tasks")).json() == [task]


@pytest.mark.parametrize(("method", "path"), TASK_ROUTES)
@pytest.mark.parametrize("alias", ["me", None])
async def test_somebody_elses_task_is_no_different_from_none(
    user: User, other: User, method: str, path: str, alias: str | None
) -> None:
    task = await other.add_task(title=SECRET_TITLE)
    completed = await other.patch(f"tasks/{task['id']}/complete")

    for body, headers in product(BODIES, HEADERS):
        answer, reference = [
            await user.request(
                method, path.format(user_id=alias or user.id, task_id=task_id), json=body, headers=headers
            )
            for task_id in (task["id"], uuid4())
        ]

        assert 400 <= answer.status_code < 500
        assert essence(answer) == essence(reference)
        assert_silent(answer, other, task)
    assert (await other.get("tasks")).json() == [completed.json()]


@pytest.mark.parametrize("body", [{}, {"completed": True, "status": "completed"}])
async def test_nobody_can_give_a_task_away_or_take_one(user: User, other: User, body: Json) -> None:
    task = await other.add_task(title=SECRET_TITLE)

    stolen = await user.post("tasks", json=task | body | {"userId": other.id})
    given = await user.put(f"tasks/{stolen.json()['id']}", json={"userId": other.id, "id": task["id"]})

    assert stolen.json()["userId"] == given.json()["userId"] == user.id
    assert stolen.json()["id"] != task["id"]
    assert (await other.get("tasks")).json() == [task]


@pytest.mark.parametrize(
    "query",
    ["", "search=private", "status=pending", "category=other", "due_after=2020-01-01", "sort_by=title&limit=1000"],
)
async def test_lists_and_counts_are_ones_own(user: User, other: User, query: str) -> None:
    await other.add_task(title=SECRET_TITLE, dueDate="2020-01-02")

    listed = await user.get(f"tasks?{query}")
    counted = await user.get("stats")

    assert listed.json() == []
    assert set(counted.json().values()) == {0}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token_nothing_is_told(
    client: httpx2.AsyncClient, other: User, method: str, path: str
) -> None:
    task = await other.add_task(title=SECRET_TITLE)

    answer = await client.request(method, path.format(user_id=other.id, task_id=task["id"]), json={"title": "x"})

    assert answer.status_code == 401
    assert_silent(answer, other, task)
