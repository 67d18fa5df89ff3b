"""A POST with an Idempotency-Key is done once, however often it is sent, and answered alike each time."""

import asyncio
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

import support
from backend.commands import development
from backend.config import Settings
from backend.main import create_app
from backend.models.idempotency import MAX_KEY_LENGTH
from backend.postgres.migrate import SERVICE_ROLE
from databases import settings_for
from support import Connection, Json, User, assert_problem
from wire import Wire

TASK = {"title": "Water the plants", "priority": "high", "dueDate": "2026-01-05"}


async def add(user: User, key: str, task: Json = TASK, **options: Json) -> httpx2.Response:
    return await user.post("tasks", json=task, headers={"Idempotency-Key": key}, **options)


async def keys_of(owner: Connection, user: User) -> list[str]:
    rows = await owner.fetch('SELECT key FROM idempotency_keys WHERE "userId" = $1 ORDER BY key', user.id)
    return [row["key"] for row in rows]


async def let_expire(owner: Connection, user: User, after: timedelta = timedelta(hours=24, seconds=1)) -> None:
    """As if that much time had passed."""
    rows = await owner.fetch('SELECT key, "createdAt" FROM idempotency_keys WHERE "userId" = $1', user.id)
    await owner.executemany(
        """UPDATE idempotency_keys SET "createdAt" = $3 WHERE "userId" = $1 AND key = $2""",
        [(user.id, row["key"], row["createdAt"] - after) for row in rows],
    )


def essence(answer: httpx2.Response) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what says which request it is for."""
    other = {"x-request-id", "idempotent-replayed"}
    headers = {name: value for name, value in answer.headers.items() if name not in other}
    return answer.status_code, answer.content, headers


async def test_a_repeated_request_is_done_once_and_gets_the_first_answer(user: User) -> None:
    first = await add(user, "a")
    second = await add(user, "a")

    assert first.status_code == 201
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert essence(second) == essence(first)
    assert (await user.get("tasks")).json() == [first.json()]


async def test_the_first_answer_stays_what_it_was(user: User) -> None:
    first = await add(user, "a")
    await user.patch(f"tasks/{first.json()['id']}", json={"title": "Changed"})
    changed = await add(user, "a")
    await user.delete(f"tasks/{first.json()['id']}")
    deleted = await add(user, "a")

    assert essence(changed) == essence(deleted) == essence(first)
    assert (await user.get("tasks")).json() == []


async def test_without_a_key_each_request_is_done(owner: Connection, user: User) -> None:
    answers = [await user.post("tasks", json=TASK) for _ in range(2)]

    assert len({answer.json()["id"] for answer in answers}) == 2
    assert await keys_of(owner, user) == []


async def test_different_keys_are_different_requests(user: User) -> None:
    answers = [await add(user, key) for key in ("a", "b", "A", " a b ".join('""'))]

    assert len({answer.json()["id"] for answer in answers}) == 4


async def test_a_key_is_a_users_own(user: User, other: User) -> None:
    mine, theirs = await add(user, "a"), await add(other, "a", {"title": "Something else"})

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    assert "idempotent-replayed" not in theirs.headers


@pytest.mark.parametrize(
    "other",
    [{**TASK, "title": "Feed the cat"}, {**TASK, "dueDate": "2026-01-05T00:00:00Z"}, {"title": TASK["title"]}],
)
async def test_a_key_with_another_payload_is_refused(user: User, other: Json) -> None:
    first = await add(user, "a")

    answer = await add(user, "a", other)

    assert_problem(answer, 422, "idempotency-key-reused")
    assert (await user.get("tasks")).json() == [first.json()]


async def test_the_form_of_the_payload_does_not_matter(user: User) -> None:
    """Nor do the members that only the server sets."""
    first = await add(user, "a")

    reordered = dict(reversed((TASK | {"id": str(uuid4()), "title": " Water the plants "}).items()))
    second = await add(user, "a", reordered)

    assert essence(second) == essence(first)


async def test_what_was_not_sent_does_not_count(user: User) -> None:
    """Otherwise a release that adds a member with a default would refuse repetitions across its start."""
    await add(user, "a", {"title": "Water the plants"})

    answer = await add(user, "a", {"title": "Water the plants", "priority": "medium"})

    assert_problem(answer, 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ('"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ('" "', " "),
        ('"a,b;c"', "a,b;c"),
        ("x" * MAX_KEY_LENGTH, "x" * MAX_KEY_LENGTH),
        (f'"{r"\\" * MAX_KEY_LENGTH}"', "\\" * MAX_KEY_LENGTH),
    ],
)
async def test_a_key_is_a_string_with_or_without_its_quotes(
    owner: Connection, user: User, sent: str, key: str
) -> None:
    answer = await add(user, sent)

    assert answer.status_code == 201
    assert await keys_of(owner, user) == [key]


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b" ",
        b'""',
        b'"a',
        b'a"',
        b'"a"b"',
        b'"a\\b"',
        b'"a\\"',
        b'"a", "b"',
        b"a, b",
        b"a b",
        b'"a";q=1',
        b"a;q=1",
        b'"a\tb"',
        b'"\x7f"',
        '"é"'.encode(),
        '"é"'.encode("latin-1"),
        b"x" * (MAX_KEY_LENGTH + 1),
        b'"' + b"x" * (MAX_KEY_LENGTH + 1) + b'"',
    ],
)
async def test_a_malformed_key_is_refused(user: User, key: bytes) -> None:
    answer = await user.client.post(
        "/api/me/tasks",
        json=TASK,
        headers=[(b"Authorization", f"Bearer {user.token}".encode()), (b"Idempotency-Key", key)],
    )

    assert "Idempotency-Key" in assert_problem(answer, 400, "malformed-request")["detail"]
    assert (await user.get("tasks")).json() == []


async def test_two_keys_are_refused(user: User) -> None:
    authorization = ("Authorization", f"Bearer {user.token}")

    answer = await user.client.post(
        "/api/me/tasks", json=TASK, headers=[authorization, ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    )

    assert_problem(answer, 400, "malformed-request")


async def test_a_refused_request_leaves_its_key_free(owner: Connection, user: User, settings: Settings) -> None:
    few = settings.model_copy(update={"max_tasks_per_user": 1})
    task = await user.add_task()
    async with support.running(create_app(few)) as client:
        limited = User(client, user.id, user.token)
        invalid = await add(limited, "a", {"title": ""})
        too_many = await add(limited, "a")
        free = await keys_of(owner, user)
        await limited.delete(f"tasks/{task['id']}")
        done = await add(limited, "a")
        replayed = await add(limited, "a")

    assert_problem(invalid, 422, "invalid-values")
    assert_problem(too_many, 409, "too-many-tasks")
    assert free == []
    assert done.status_code == 201
    assert essence(replayed) == essence(done)  # although there is no room for another task


async def test_a_key_of_a_deleted_account_is_refused_like_any_request(owner: Connection, user: User) -> None:
    await add(user, "a")
    await owner.execute('DELETE FROM "user" WHERE id = $1', user.id)

    assert_problem(await add(user, "a"), 401, "account-gone")


async def test_a_key_is_valid_for_a_day(owner: Connection, user: User) -> None:
    first = await add(user, "a")
    await let_expire(owner, user, after=timedelta(hours=23, minutes=59))
    within = await add(user, "a")
    await let_expire(owner, user, after=timedelta(minutes=1))

    after = await add(user, "a", {"title": "Another task"})
    again = await add(user, "a", {"title": "Another task"})

    assert essence(within) == essence(first)
    assert after.status_code == 201
    assert "idempotent-replayed" not in after.headers
    assert essence(again) == essence(after)
    assert len((await user.get("tasks")).json()) == 2


async def test_an_expired_key_can_be_used_again_among_many(owner: Connection, user: User) -> None:
    """It is not among the few that a new key takes away."""
    keys = [f"{number:02}" for number in range(25)]
    for key in keys:
        await add(user, key)
    await let_expire(owner, user)

    answer = await add(user, keys[-1], {"title": "Another task"})

    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


async def test_new_keys_take_expired_ones_away(owner: Connection, user: User, other: User) -> None:
    """A few each time, the oldest first, and nobody else's."""
    for key in range(25):
        await add(user, f"old-{key:02}")
    await add(other, "theirs")
    for somebody in (user, other):
        await let_expire(owner, somebody)

    left = []
    for number in range(4):
        await add(user, f"new-{number}")
        left.append([key for key in await keys_of(owner, user) if key.startswith("old-")])

    assert left == [[f"old-{key:02}" for key in range(first, 25)] for first in (10, 20, 25, 25)]
    assert await keys_of(owner, other) == ["theirs"]
    assert len((await user.get("tasks?limit=1000")).json()) == 29


async def insist(user: User, key: str, task: Json = TASK) -> httpx2.Response:
    """Repeat until acknowledged: so many requests at once exhaust a user's share of the connections."""
    while True:
        answer = await add(user, key, task)
        if answer.status_code != 503:
            return answer
        await asyncio.sleep(0.02)


async def test_of_many_requests_with_a_key_at_once_one_is_done(user: User) -> None:
    keys = [uuid4().hex for _ in range(20)]

    answers = await asyncio.gather(*(insist(user, key) for key in keys for _ in range(12)))

    by_key = [answers[12 * number :][:12] for number in range(20)]
    listed = (await user.get("tasks")).json()
    for same in by_key:
        assert len({str(essence(answer)) for answer in same}) == 1
        assert Counter(answer.headers.get("idempotent-replayed") for answer in same) == {None: 1, "true": 11}
    assert sorted(task["id"] for task in listed) == sorted(same[0].json()["id"] for same in by_key)


async def test_of_many_payloads_with_a_key_at_once_one_is_done(user: User) -> None:
    answers = await asyncio.gather(*(insist(user, "a", {"title": f"{number}"}) for number in range(10)))

    (listed,) = (await user.get("tasks")).json()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 9}
    assert [answer.json() for answer in answers if answer.status_code == 201] == [listed]


async def test_an_expired_key_is_used_by_one_of_many(owner: Connection, user: User) -> None:
    await add(user, "a", {"title": "Yesterday"})
    await let_expire(owner, user)

    answers = await asyncio.gather(*(insist(user, "a") for _ in range(12)))

    assert len({str(essence(answer)) for answer in answers}) == 1
    assert Counter(answer.headers.get("idempotent-replayed") for answer in answers) == {None: 1, "true": 11}
    assert sorted(task["title"] for task in (await user.get("tasks")).json()) == ["Water the plants", "Yesterday"]


async def test_while_the_first_is_under_way_the_second_waits_for_its_answer(owner: Connection, user: User) -> None:
    """Nobody is told that a request is in progress: whoever comes second waits, as for any row."""
    first = {"userId": user.id, "key": "a", "fingerprint": b"x", "answer": "{}", "version": 1}
    async with owner.transaction():
        await owner.execute(
            """
            INSERT INTO idempotency_keys ("userId", key, fingerprint, answer, version) VALUES ($1, $2, $3, $4, $5)
            """,
            *first.values(),
        )
        second = asyncio.create_task(add(user, "a"))
        await asyncio.wait([second], timeout=0.2)
        waited = not second.done()

    answer = await second
    assert waited
    assert_problem(answer, 422, "idempotency-key-reused")
    assert (await user.get("tasks")).json() == []


async def test_a_lost_answer_is_given_again(
    settings: Settings, socket_directory: Path, owner: Connection, database: str
) -> None:
    """The connection is lost after the commit, before the service has the answer."""
    with tempfile.TemporaryDirectory(prefix="tasks-wire-") as directory:
        async with Wire(Path(directory)).open(socket_directory) as wire:
            url = development.database_url(SERVICE_ROLE, wire.directory, database)
            async with support.running(create_app(settings_for(settings, url, pool_size=1))) as client:
                user = await support.new_user(client, owner)
                await user.add_task()
                wire.cut_at_answer()
                lost = await add(user, "a")
                kept = await keys_of(owner, user)
                repeated = await add(user, "a")
                listed = (await user.get("tasks?sort_order=asc")).json()

    assert_problem(lost, 503, "database-unavailable")
    assert kept == ["a"]
    assert repeated.status_code == 201
    assert repeated.headers["idempotent-replayed"] == "true"
    assert [task["title"] for task in listed] == ["Water the plants", "Water the plants"]
    assert listed[1] == repeated.json()


async def test_the_service_cannot_change_an_answer(service_url: str, user: User) -> None:
    await add(user, "a")
    service = await asyncpg.connect(service_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await service.execute("UPDATE idempotency_keys SET answer = '{}'")
    finally:
        await service.close()


async def test_the_answers_location_leads_to_the_task(user: User) -> None:
    await add(user, "a")

    answer = await add(user, "a")

    assert (await user.get(answer.headers["location"])).json() == answer.json()
    assert UUID(answer.headers["location"].rpartition("/")[2]) == UUID(answer.json()["id"])
    assert answer.headers["etag"] == '"1"'
