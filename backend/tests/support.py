"""What tests are written with: users, the API in process, the API as a process."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4

import httpx2
import jwt
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import Problem
from backend.http.middleware import Envelope
from backend.logs import log

if TYPE_CHECKING:
    import asyncpg

SECRET = "a-secret-that-only-the-tests-know-0123456789"
ISSUER = "http://localhost:3000"
ORIGIN = "http://localhost:3000"

type Connection = asyncpg.Connection[asyncpg.Record]

type Json = Any
"""Whatever JSON decodes to; the tests assert on its shape."""


def claims_of(user_id: str, **changes: object) -> dict[str, object]:
    """The claims of a good token, changed; None takes a claim out."""
    now = int(time.time())
    claims = {"sub": user_id, "iat": now, "exp": now + 900, "iss": ISSUER, "aud": ISSUER, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def sign(
    claims: Mapping[str, object], *, secret: str = SECRET, algorithm: str = "HS256", headers: Json = None
) -> str:
    return jwt.encode(dict(claims), secret, algorithm, headers)


@contextmanager
def captured_logs() -> Iterator[list[dict[str, Json]]]:
    """What is said to the log meanwhile, however unimportant."""
    events: list[dict[str, Json]] = []

    def put(level: str, event: str, members: Mapping[str, object]) -> None:
        events.append({"level": level, "event": event, **members})

    with patch.object(log, "put", put):
        yield events


@dataclass
class User:
    """Somebody with an account and a token; requests are sent in their name to their own tasks."""

    client: httpx2.AsyncClient
    id: str
    token: str = field(repr=False)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] | None = None,
        **options: Json,
    ) -> httpx2.Response:
        """A path that starts with a slash is taken as it is, another below `/api/{user_id}/`."""
        url = path if path.startswith("/") else f"/api/{self.id}/{path}"
        own = httpx2.Headers(headers)
        own.setdefault("Authorization", f"Bearer {self.token}")
        return await self.client.request(method, url, headers=own, **options)

    async def get(self, path: str, **options: Json) -> httpx2.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Json) -> httpx2.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Json) -> httpx2.Response:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Json) -> httpx2.Response:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Json) -> httpx2.Response:
        return await self.request("DELETE", path, **options)

    async def add_task(self, **members: Json) -> Json:
        """A task of theirs, as the API answers it."""
        answer = await self.post("tasks", json={"title": "Water the plants", **members})
        assert answer.status_code == 201, answer.text
        return answer.json()


async def new_user(client: httpx2.AsyncClient, owner: Connection) -> User:
    """Signed up as Better Auth would have done it, straight in its table."""
    user_id = uuid4().hex
    await owner.execute(
        """
        INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES ($1, $1, $1 || '@example.com', true)
        """,
        user_id,
    )
    return User(client, user_id, sign(claims_of(user_id)))


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """The application in this process, started and stopped as a server would; gives a client for it."""
    state: dict[str, object] = {}
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    outgoing: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    lifespan = asyncio.create_task(_call(app, scope, incoming.get, outgoing.put))

    await incoming.put({"type": "lifespan.startup"})
    assert (await outgoing.get())["type"] == "lifespan.startup.complete"

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    transport = httpx2.ASGITransport(with_state)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        await lifespan


async def ask(app: ASGIApp, path: str, method: str = "GET", **options: Json) -> httpx2.Response:
    """The answer of an application that has not been started, such as one of a test's own routes."""
    transport = httpx2.ASGITransport(Envelope(app), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.request(method, path, **options)


async def _call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def assert_problem(answer: httpx2.Response, status: int, code: str) -> Json:
    """Every error has this one form; gives the problem for further questions."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"/errors/{code}"
    assert problem["title"]
    assert re.fullmatch(r"[^\n]*[.)]", problem["detail"])
    assert not re.search(r"[.!?] ", problem["detail"]), "more than one sentence"
    assert problem["requestId"] == answer.headers["x-request-id"]
    return problem


def pointers(problem: Json) -> list[str]:
    return sorted(fault["pointer"] for fault in problem["errors"])


def every_problem(kind: type[Problem] = Problem) -> list[type[Problem]]:
    """Every kind of error there is, at any depth below Problem."""
    return [found for child in kind.__subclasses__() for found in (child, *every_problem(child))]
