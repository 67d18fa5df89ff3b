"""Many writers on one task: no write is lost."""

import asyncio
from collections import Counter
from datetime import datetime
from itertools import pairwise

import httpx2
import pytest

from databases import eventually
from support import Connection, Json, User

WRITERS = 100


async def insist(user: User, method: str, path: str, **options: Json) -> httpx2.Response:
    """Try again while the pool is exhausted, as a slow machine may find it; such an answer has done nothing."""
    while True:
        answer = await user.request(method, path, **options)
        if answer.status_code != 503:
            return answer


async def test_a_hundred_toggles_at_once_all_count(user: User) -> None:
    task = await user.add_task()

    answers = await asyncio.gather(
        *(insist(user, "PATCH", f"tasks/{task['id']}/complete") for _ in range(WRITERS))
    )

    final = (await user.get(f"tasks/{task['id']}")).json()
    assert Counter(answer.status_code for answer in answers) == {200: WRITERS}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, WRITERS + 2))
    assert Counter(answer.json()["completed"] for answer in answers) == {True: 50, False: 50}
    assert final["version"] == WRITERS + 1
    assert final["completed"] is False


async def test_of_a_hundred_conditional_puts_each_is_done_or_refused(user: User) -> None:
    """Each appends its number to what it read, and tries again where it is told that it read too early.

    All hundred are under way at once, but only ten are between reading and writing: more would only make more
    of them read in vain.
    """
    turn = asyncio.Semaphore(10)
    task = await user.add_task(description="")
    path = f"tasks/{task['id']}"
    refusals = 0

    async def append(number: int) -> None:
        nonlocal refusals
        while True:
            async with turn:
                read = await insist(user, "GET", path)
                text = f"{read.json()['description']} {number}"
                condition = {"If-Match": read.headers["etag"]}
                answer = await insist(user, "PUT", path, json={"description": text}, headers=condition)
            if answer.status_code == 200:
                return
            assert answer.status_code == 412
            refusals += 1

    await asyncio.gather(*(append(number) for number in range(WRITERS)))

    final = (await user.get(path)).json()
    assert sorted(int(number) for number in final["description"].split()) == list(range(WRITERS))
    assert final["version"] == WRITERS + 1
    assert refusals > 0


async def test_a_hundred_conditional_puts_from_one_version_let_one_through(user: User) -> None:
    task = await user.add_task()

    answers = await asyncio.gather(
        *(
            insist(user, "PUT", f"tasks/{task['id']}", json={"title": f"{n}"}, headers={"If-Match": '"1"'})
            for n in range(WRITERS)
        )
    )

    final = (await user.get(f"tasks/{task['id']}")).json()
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
    assert final == winner
    assert final["version"] == 2


@pytest.mark.parametrize("change", ["PUT", "toggle", "set"])
async def test_a_write_that_has_waited_is_not_dated_before_the_one_it_has_waited_for(
    user: User, owner: Connection, server: Connection, change: str
) -> None:
    """Its statement begins before the other write is dated, and goes on after that one has committed."""
    task = await user.add_task()
    path = f"tasks/{task['id']}"
    writes = {
        "PUT": lambda: user.put(path, json={"title": "Feed the cat"}),
        "toggle": lambda: user.patch(f"{path}/complete"),
        "set": lambda: user.patch(f"{path}/complete", json={"completed": True}),
    }

    async def is_waiting() -> bool:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        return bool(await server.fetchval(waits, owner.get_server_pid()))

    async with owner.transaction():
        await owner.execute("""UPDATE tasks SET version = 2 WHERE "userId" = $1""", user.id)
        waiting = asyncio.create_task(writes[change]())
        await eventually(is_waiting)
        other = await owner.fetchval(
            """UPDATE tasks SET "updatedAt" = clock_timestamp() WHERE "userId" = $1 RETURNING "updatedAt" """,
            user.id,
        )
    written = (await waiting).json()

    assert written["version"] == 3
    assert datetime.fromisoformat(written["updatedAt"]) >= other
    assert written["completedAt"] in {None, written["updatedAt"]}


async def test_a_hundred_puts_at_once_are_dated_in_the_order_of_their_versions(user: User) -> None:
    task = await user.add_task()

    answers = await asyncio.gather(
        *(insist(user, "PUT", f"tasks/{task['id']}", json={"title": f"{n}"}) for n in range(WRITERS))
    )

    versions = sorted((answer.json() for answer in answers), key=lambda task: task["version"])
    assert [task["version"] for task in versions] == list(range(2, WRITERS + 2))
    assert [step for step in pairwise(versions) if step[0]["updatedAt"] > step[1]["updatedAt"]] == []


async def test_a_hundred_creations_at_once_all_arrive(user: User) -> None:
    answers = await asyncio.gather(
        *(insist(user, "POST", "tasks", json={"title": f"{n}"}) for n in range(WRITERS))
    )

    listed = (await user.get("tasks?sort_order=asc")).json()
    assert Counter(answer.status_code for answer in answers) == {201: WRITERS}
    assert sorted(int(task["title"]) for task in listed) == list(range(WRITERS))
