"""What a request costs, in what can be counted: round trips to PostgreSQL, statements, calls of functions.

Not in time: a machine with other work to do would fail these tests, and a fast one let everything pass.
"""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple
from uuid import uuid4

import httpx2
import pytest
from starlette.types import Message

import support
from backend.commands import development
from backend.config import AuthSource, Settings
from backend.main import create_api, create_app
from backend.postgres.migrate import SERVICE_ROLE
from databases import settings_for
from support import Connection, Json, User
from wire import Traffic, Wire

READ = WRITE = Traffic(round_trips=1, statements=1)
# The same, and a look at whether the task is gone or at another version.
REFUSED_WRITE = Traffic(round_trips=2, statements=2)
# The same, and a look at the first answer.
REPLAY = Traffic(round_trips=2, statements=2)
NOTHING = Traffic(0, 0)


class Case(NamedTuple):
    operation: str  # by its id in the API's description
    method: str
    path: str
    status: int
    traffic: Traffic
    body: Json = None
    headers: dict[str, str] = {}


TASK = "/api/me/tasks/{task}"
NOBODYS = "/api/me/tasks/01a202b1-fa21-79e9-b75d-f80d096bdf97"
STALE = {"If-Match": '"999"'}
NEW_KEY, OLD_KEY, NO_KEY = ({"Idempotency-Key": key} for key in ("{new}", "old", '"'))

CASES = [
    Case("find_tasks", "GET", "/api/me/tasks", 200, READ),
    Case("find_tasks", "GET", "/api/me/tasks?search=plants&status=pending&sort_by=dueDate&limit=1", 200, READ),
    Case("find_tasks", "GET", "/api/me/tasks?limit=0", 422, NOTHING),
    Case("find_tasks", "GET", "/api/somebody/tasks", 403, NOTHING),
    Case("create_task", "POST", "/api/me/tasks", 201, WRITE, {"title": "Water the plants"}),
    Case("create_task", "POST", "/api/me/tasks", 422, NOTHING, {"title": ""}),
    Case("create_task", "POST", "/api/me/tasks", 201, WRITE, {"title": "Water the plants"}, NEW_KEY),
    Case("create_task", "POST", "/api/me/tasks", 201, REPLAY, {"title": "Water the plants"}, OLD_KEY),
    Case("create_task", "POST", "/api/me/tasks", 400, NOTHING, {"title": "Water the plants"}, NO_KEY),
    Case("get_task", "GET", TASK, 200, READ),
    Case("get_task", "GET", NOBODYS, 404, READ),
    Case("put_task", "PUT", TASK, 200, WRITE, {"title": "Feed the cat"}),
    Case("patch_task", "PATCH", TASK, 200, WRITE, {"title": "Water the cat", "status": "completed"}),
    Case("patch_task", "PATCH", TASK, 200, WRITE, {}),
    Case("patch_task", "PATCH", NOBODYS, 404, REFUSED_WRITE, {"title": "x"}),
    Case("patch_task", "PATCH", TASK, 412, REFUSED_WRITE, {"title": "x"}, STALE),
    Case("complete_task", "PATCH", f"{TASK}/complete", 200, WRITE),
    Case("complete_task", "PATCH", f"{TASK}/complete", 200, WRITE, {"completed": True}),
    Case("get_stats", "GET", "/api/me/stats", 200, READ),
    Case("delete_task", "DELETE", NOBODYS, 404, REFUSED_WRITE),
    Case("delete_task", "DELETE", TASK, 204, WRITE),
    Case("live", "GET", "/health/live", 200, NOTHING),
    Case("ready", "GET", "/health/ready", 200, Traffic(round_trips=2, statements=2)),
]


@pytest.fixture
async def wire(socket_directory: Path) -> AsyncIterator[Wire]:
    with tempfile.TemporaryDirectory(prefix="tasks-wire-") as directory:
        async with Wire(Path(directory)).open(socket_directory) as wire:
            yield wire


@pytest.fixture
def tapped(wire: Wire, settings: Settings, database: str) -> Settings:
    """With one connection, which goes over the wire."""
    url = development.database_url(SERVICE_ROLE, wire.directory, database)
    return settings_for(settings, url, pool_size=1)


async def ask(case: Case, user: User) -> httpx2.Response:
    """The request of the case, for a new task."""
    task = await user.add_task()
    content = {} if case.body is None else {"json": case.body}
    path = case.path.format(task=task["id"])
    headers = {name: value.format(new=uuid4()) for name, value in case.headers.items()}
    return await user.request(case.method, path, headers=headers, **content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation}-{case.status}")
async def test_each_operation_takes_so_many_round_trips(
    case: Case, tapped: Settings, wire: Wire, owner: Connection
) -> None:
    async with support.running(create_app(tapped)) as client:
        user = await support.new_user(client, owner)
        for _ in range(2):  # PostgreSQL gets to know the statements, those of a repeated request too
            await ask(case, user)
        await user.add_task()
        wire.count()
        await user.add_task()
        of_the_task = wire.count()

        answer = await ask(case, user)
        traffic = wire.count()

    assert answer.status_code == case.status, answer.text
    assert Traffic(*(both - one for both, one in zip(traffic, of_the_task, strict=True))) == case.traffic


def test_no_operation_is_forgotten(settings: Settings) -> None:
    document = create_api(settings).openapi()

    operations = {of["operationId"] for path in document["paths"].values() for of in path.values()}

    assert {case.operation for case in CASES} == operations


@asynccontextmanager
async def granted(owner: Connection, tables: str) -> AsyncIterator[None]:
    """For a while: other tests count on the service's not having this right."""
    await owner.execute(f"GRANT SELECT ON {tables} TO {SERVICE_ROLE}")
    try:
        yield
    finally:
        await owner.execute(f"REVOKE SELECT ON {tables} FROM {SERVICE_ROLE}")


async def test_a_session_takes_one_round_trip_more(
    tapped: Settings, wire: Wire, owner: Connection, client: httpx2.AsyncClient
) -> None:
    user = await support.new_user(client, owner)
    await owner.execute(
        """
        INSERT INTO "session" ("id", "userId", "token", "expiresAt", "createdAt", "updatedAt")
        VALUES ($1, $1, $1, now() + interval '1 hour', now(), now())
        """,
        user.id,
    )
    source = tapped.model_copy(update={"auth_sources": (AuthSource.SESSION,)})
    async with granted(owner, '"session", "user"'), support.running(create_app(source)) as of_sessions:
        user = User(of_sessions, user.id, user.id)
        await user.get("tasks")
        wire.count()

        answer = await user.get("tasks")
        traffic = wire.count()

    assert answer.status_code == 200
    assert traffic == Traffic(round_trips=2, statements=2)


# Some more than they are: a release of a library may make a few more calls, and a layer of a framework around each
# request makes dozens.
MOST_CALLS = {"GET /api/me/tasks?limit=1": 180, "GET /api/me/stats": 160, "GET /health/live": 70}


@pytest.mark.parametrize(("request_line", "most"), MOST_CALLS.items())
async def test_a_request_calls_so_many_functions(
    settings: Settings, owner: Connection, request_line: str, most: int
) -> None:
    method, target = request_line.split()
    path, _, query = target.partition("?")
    app = create_app(settings)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    states: list[dict[str, object]] = []

    async def remembering(scope: Json, receive: Json, send: Json) -> None:
        states.append(scope["state"])
        await app(scope, receive, send)

    async with support.running(remembering) as client:
        user = await support.new_user(client, owner)
        await user.request(method, target)
        await user.request(method, target)
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {user.token}".encode())],
            "state": states[-1],
        }
        with counted() as calls:
            await app(scope, receive, send)

    assert sent[0]["status"] == 200
    assert len(calls) <= most, "\n".join(f"{code.co_filename}:{code.co_qualname}" for code in calls)


@contextmanager
def counted() -> Iterator[list[CodeType]]:
    """Functions of ours and of libraries, each time that one is called."""
    calls: list[CodeType] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (
            "site-packages" in frame.f_code.co_filename or "backend/src" in frame.f_code.co_filename
        ):
            calls.append(frame.f_code)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)
