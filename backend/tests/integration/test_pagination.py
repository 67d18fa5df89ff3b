"""Keyset pages over many tasks with equal sort values, while others come and go."""

import random
import re
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

import httpx2
import pytest

from backend.postgres.json import MAX_PAGE_BYTES
from support import Connection, Json, User, assert_problem, claims_of, pointers, sign

SORTS = ["createdAt", "updatedAt", "dueDate", "priority", "title"]
ORDERS = ["asc", "desc"]
TASKS = 5_000

# Few values for many tasks, so that nearly every page ends among equals.
FILL = """
    INSERT INTO tasks ("userId", id, title, priority, "dueDate", "dueAllDay", "createdAt", "updatedAt")
    SELECT $1, uuidv7(), (ARRAY['Apple', 'apple', 'Éclair', 'zebra', 'Zebra', '漢字'])[1 + i % 6],
           (ARRAY['low', 'medium', 'high'])[1 + i % 3]::task_priority,
           CASE WHEN i % 4 > 0 THEN timestamptz '2026-01-01Z' + (i % 5) * interval '1 day' END,
           i % 4 > 1,
           timestamptz '2026-01-01Z' + (i % 7) * interval '1 microsecond',
           timestamptz '2026-01-02Z' + (i % 3) * interval '1 microsecond'
      FROM generate_series(1, $2) AS i
"""


class Walk(NamedTuple):
    ids: list[str]
    tasks: list[Json]
    pages: int


async def walk(user: User, query: str, between: Json = None) -> Walk:
    """Follow `next` links to the end; `between` is awaited after each page with the page."""
    url, tasks = f"tasks?{query}", []
    for page in count(1):
        answer = await user.get(url)
        assert answer.status_code == 200, answer.text
        tasks += answer.json()
        if between:
            await between(answer.json())
        if "next" not in answer.links:
            return Walk([task["id"] for task in tasks], tasks, page)
        url = answer.links["next"]["url"]
    raise AssertionError


@pytest.fixture(scope="module")
async def crowd(client: httpx2.AsyncClient, owner: Connection) -> User:
    """Somebody with very many tasks."""
    from support import new_user

    user = await new_user(client, owner)
    await owner.execute(FILL, user.id, TASKS)
    await owner.execute("ANALYZE tasks")
    return user


def sort_key(task: Json, sort_by: str) -> Json:
    match sort_by:
        case "priority":
            return ["low", "medium", "high"].index(task["priority"])
        case "title":
            return (task["title"].lower(), task["title"])
        case _:
            return task[sort_by]


@pytest.mark.parametrize("sort_by", SORTS)
@pytest.mark.parametrize("sort_order", ORDERS)
async def test_nothing_is_lost_or_repeated_while_tasks_come_and_go(
    crowd: User, owner: Connection, sort_by: str, sort_order: str
) -> None:
    before = {record["id"] for record in await owner.fetch('SELECT id FROM tasks WHERE "userId" = $1', crowd.id)}
    chance = random.Random(f"{sort_by} {sort_order}")  # a fixed sequence, so that a failure repeats
    deleted: set[str] = set()
    added: set[str] = set()

    async def disturb(page: list[Json]) -> None:
        """Delete the task the cursor stands on and some that have not been seen, and add some."""
        unseen = [str(task_id) for task_id in chance.sample(sorted(before), 3)]
        for task_id in {page[-1]["id"], *unseen} - deleted:
            await owner.execute('DELETE FROM tasks WHERE "userId" = $1 AND id = $2', crowd.id, task_id)
            deleted.add(task_id)
        await owner.execute(FILL.replace("$2", "3"), crowd.id)

    found = await walk(crowd, f"sort_by={sort_by}&sort_order={sort_order}&limit=250", disturb)

    assert found.pages >= TASKS / 250
    assert len(found.ids) == len(set(found.ids))
    assert {str(task_id) for task_id in before} - deleted <= set(found.ids)
    added = set(found.ids) - {str(task_id) for task_id in before}
    assert len(added) <= 3 * found.pages


@pytest.mark.parametrize("sort_by", SORTS)
@pytest.mark.parametrize("sort_order", ORDERS)
async def test_pages_are_sorted_from_end_to_end(crowd: User, sort_by: str, sort_order: str) -> None:
    found = await walk(crowd, f"sort_by={sort_by}&sort_order={sort_order}&limit=1000")

    dated = [task for task in found.tasks if sort_by != "dueDate" or task["dueDate"]]
    keys = [(sort_key(task, sort_by), task["id"]) for task in dated]
    if sort_by == "dueDate":  # a day sorts as its midnight
        keys = [(key.ljust(27, "~").replace("~" * 17, "T00:00:00.000000Z"), task_id) for key, task_id in keys]
    assert keys == sorted(keys, reverse=sort_order == "desc")
    assert found.tasks[: len(dated)] == dated  # the undated come last


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_of_any_size_hold_the_same_tasks(user: User, limit: int) -> None:
    tasks = [await user.add_task(title=f"{number}") for number in range(7)]

    found = await walk(user, f"limit={limit}&sort_order=asc")

    assert found.tasks == tasks
    assert found.pages == -(-7 // limit)


async def test_what_ends_a_task_inside_of_a_text_ends_no_page(user: User) -> None:
    """A page is cut from its JSON at a comma and a line break."""
    notes = ['x,\n{"id":1}', ",\n", "\\,\n", ",\r\n"]
    for note in notes:
        await user.add_task(title="Plan", description=note)

    listed = await walk(user, "sort_order=asc&limit=1")

    assert [task["description"] for task in listed.tasks] == notes
    assert listed.pages == len(notes)


# Tasks of about 10 KB, and what each character of their descriptions takes in JSON.
LARGE = """
    INSERT INTO tasks ("userId", id, title, description, priority, "createdAt", "updatedAt")
    SELECT $1, uuidv7(), 'Large', repeat($3, 10000), 'low', now(), now() FROM generate_series(1, $2)
"""


@pytest.mark.parametrize("surplus", [-1, 0, 1])
async def test_a_page_has_so_many_bytes_and_no_more(user: User, owner: Connection, surplus: int) -> None:
    await owner.execute(LARGE, user.id, 101, "x")
    last = await user.add_task(description="x")
    spare = MAX_PAGE_BYTES - len((await user.get("tasks")).content)
    await user.patch(f"tasks/{last['id']}", json={"description": "x" * (1 + spare + surplus)})

    answer = await user.get("tasks")
    listed = await walk(user, "sort_by=updatedAt&sort_order=asc")

    if surplus > 0:
        assert "next" in answer.links
        assert len(answer.content) < MAX_PAGE_BYTES
    else:
        assert "next" not in answer.links
        assert len(answer.content) == MAX_PAGE_BYTES + surplus
    assert len(set(listed.ids)) == len(listed.ids) == 102


async def test_a_page_of_the_largest_tasks_goes_on(user: User, owner: Connection) -> None:
    """A control character takes six bytes in JSON, so they are 12 MB."""
    await owner.execute(LARGE, user.id, 200, "\x01")

    async def is_small(page: Json) -> None:
        assert 0 < len(page) <= MAX_PAGE_BYTES // 60_000

    listed = await walk(user, "", is_small)

    assert len(set(listed.ids)) == len(listed.ids) == 200
    assert listed.pages < 30


async def test_filters_hold_on_every_page(user: User) -> None:
    for number in range(9):
        await user.add_task(title=f"Task & {number}", category="home" if number % 2 else "work")

    found = await walk(user, "category=home&search=task+%26&limit=2&sort_order=asc")

    assert [task["title"] for task in found.tasks] == ["Task & 1", "Task & 3", "Task & 5", "Task & 7"]


async def test_the_next_page_is_named_relative_to_the_server(user: User) -> None:
    for _ in range(2):
        await user.add_task()

    answer = await user.get("/api/me/tasks?limit=1")

    assert answer.links["next"]["url"].startswith("/api/me/tasks?limit=1&cursor=")


@pytest.mark.parametrize("user_id", ["a?b=c", "a#b", "a/b", "a b", "50%", "a%2Fb", "ä", 'a"><b', "a;b,c"])
async def test_an_id_may_have_any_character_in_a_url(
    client: httpx2.AsyncClient, owner: Connection, monkeypatch: pytest.MonkeyPatch, user_id: str
) -> None:
    """Better Auth makes no such ids, and no token with one is accepted. A session's user may have one."""
    monkeypatch.setattr("backend.auth.tokens.SUBJECT", re.compile(r".+"))
    await owner.execute(
        """INSERT INTO "user" (id, name, email, "emailVerified") VALUES ($1, $1, $1, true)""", user_id
    )
    user = User(client, user_id, sign(claims_of(user_id)))
    tasks = f"/api/{quote(user_id, safe='')}/tasks"

    created = [await user.post(tasks, json={"title": "x"}) for _ in range(2)]
    page = await user.get(f"{tasks}?limit=1")
    link = page.headers["link"]

    assert link.startswith(f"<{tasks}?limit=1&cursor=")
    assert link.count(">") == 1
    assert (await user.get(page.links["next"]["url"])).status_code == 200
    for answer in created:
        assert answer.headers["location"] == f"{tasks}/{answer.json()['id']}"
        assert (await user.get(answer.headers["location"])).json() == answer.json()
    await owner.execute("""DELETE FROM "user" WHERE id = $1""", user_id)


async def test_a_path_is_named_in_the_link_as_it_was_sent(user: User) -> None:
    for _ in range(2):
        await user.add_task()

    answer = await user.get(f"/%61pi/{user.id}/tasks?limit=1")

    assert answer.links["next"]["url"].startswith(f"/%61pi/{user.id}/tasks?limit=1&cursor=")


async def test_a_cursor_belongs_to_its_sort_order(user: User) -> None:
    for _ in range(2):
        await user.add_task()
    first = await user.get("tasks?limit=1&sort_by=title")
    cursor = httpx2.URL(first.links["next"]["url"]).params["cursor"]

    for query in ("sort_by=createdAt", "sort_by=title&sort_order=asc"):
        answer = await user.get(f"tasks?{query}&cursor={cursor}")

        assert pointers(assert_problem(answer, 422, "invalid-values")) == ["/cursor"]


async def test_a_cursor_shows_nobody_elses_tasks(user: User, other: User) -> None:
    for _ in range(3):
        await user.add_task()
        await other.add_task()
    first = await user.get("tasks?limit=1")
    cursor = httpx2.URL(first.links["next"]["url"]).params["cursor"]

    answer = await other.get(f"tasks?cursor={cursor}")

    assert {task["userId"] for task in answer.json()} <= {other.id}
