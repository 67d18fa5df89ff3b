"""What all responses have in common: errors, headers, CORS, caching, the log."""

import json
import re
from asyncio import CancelledError
from collections.abc import Callable

import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from backend.config import Settings
from backend.http.middleware import Envelope
from backend.logs import log
from backend.main import create_api, create_app
from support import ORIGIN, SECRET, User, assert_problem, captured_logs, running

EXPOSED = {"Link", "ETag", "Idempotent-Replayed", "Location", "X-Request-Id", "Retry-After"}


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/api",
        "/api/me",
        "/api/me/tasks/",
        "/health/live/",
        "//health/live",
        "/api/me/tasks%0A",
        "/docs%0A",
        "/errors/",
        "/errors/nope",
        "/errors/unavailable",
    ],
)
async def test_an_unknown_path_is_a_404_and_no_redirect(user: User, path: str) -> None:
    answer = await user.get(path)

    assert_problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health/live", {"GET", "HEAD"}),
        ("DELETE", "/api/me/tasks", {"GET", "HEAD", "POST"}),
        ("POST", "/api/me/tasks/0", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("GET", "/api/me/tasks/0/complete", {"PATCH"}),
        ("TRACE", "/api/me/stats", {"GET", "HEAD"}),
        ("POST", "/docs/assets/swagger-ui.css", {"GET", "HEAD"}),
    ],
)
async def test_an_unknown_method_is_a_405_that_names_the_known_ones(
    client: httpx2.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await client.request(method, path)

    assert_problem(answer, 405, "method-not-allowed")
    assert set(re.split(r",\s*", answer.headers["allow"])) == allowed


@pytest.fixture
async def crashing(settings: Settings) -> FastAPI:
    """The API with a route that crashes."""
    api = create_api(settings)

    @api.get("/crash")
    async def crash() -> None:
        raise RuntimeError(f"{SECRET} must not be seen")

    return api


async def test_a_crash_is_answered_like_any_error(crashing: FastAPI, settings: Settings) -> None:
    app = Envelope(crashing, settings.cors_origins)

    async with running(app) as client:
        answer = await client.get("/crash", headers={"Origin": ORIGIN})

    problem = assert_problem(answer, 500, "internal-error")
    assert SECRET not in json.dumps(problem)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health/live", "/api/me/tasks", "/nope", "/api/me/tasks?search=%ff"])
async def test_every_answer_has_the_security_headers_and_an_id(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abc-123_X.y", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\tb", False),
        ("é", False),
        ("<script>", False),
    ],
)
async def test_a_callers_own_request_id_is_kept_if_it_is_plain(
    client: httpx2.AsyncClient, offered: str, kept: bool
) -> None:
    answer = await client.get("/health/live", headers=[(b"X-Request-Id", offered.encode())])

    assert (answer.headers["x-request-id"] == offered) is kept


async def test_browsers_may_cache_tasks_and_have_to_revalidate(user: User) -> None:
    task = await user.add_task()

    for path in ("tasks", f"tasks/{task['id']}"):
        answer = await user.get(path, headers={"Origin": ORIGIN})

        assert answer.headers["cache-control"] == "private, no-cache"
        assert set(answer.headers["vary"].split(", ")) == {"Origin", "Authorization"}


@pytest.mark.parametrize("path", ["tasks", "stats", "/health/live", "/nope", "tasks?limit=0", "/api/x/tasks"])
async def test_an_allowed_origin_can_read_every_answer(user: User, path: str) -> None:
    answer = await user.get(path, headers={"Origin": ORIGIN})

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert set(answer.headers["access-control-expose-headers"].split(", ")) == EXPOSED
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        f"{ORIGIN}.evil.example",
        f"{ORIGIN}/",
        "http://localhost",
        "HTTP://LOCALHOST:3000",
    ],
)
async def test_a_foreign_origin_gets_no_cors_header(user: User, origin: str) -> None:
    answers = [
        await user.get("tasks", headers={"Origin": origin}),
        await user.get("/nope", headers={"Origin": origin}),
        await user.request("OPTIONS", "tasks", headers={"Origin": origin, "Access-Control-Request-Method": "PUT"}),
    ]

    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in answer.headers["vary"]
    assert_problem(answers[2], 403, "origin-not-allowed")


@pytest.mark.parametrize("path", ["/api/me/tasks", "/api/me/tasks/0/complete", "/nope"])
async def test_a_preflight_needs_no_token_and_may_be_cached(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type,if-match",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} == set(
        answer.headers["access-control-allow-methods"].split(", ")
    )
    allowed = {name.lower() for name in answer.headers["access-control-allow-headers"].split(", ")}
    assert allowed == {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-request-id",
    }
    assert int(answer.headers["access-control-max-age"]) > 0


async def test_options_that_is_no_preflight_is_a_405(client: httpx2.AsyncClient) -> None:
    assert_problem(await client.options("/api/me/tasks"), 405, "method-not-allowed")


async def test_the_service_is_live_and_ready(client: httpx2.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await client.get(path)

        assert answer.json() == {"status": "ok"}


type Log = Callable[[], list[dict[str, object]]]


async def test_each_request_is_one_line_of_json_that_tells_no_secrets(
    settings: Settings, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(settings.model_copy(update={"log_format": "json", "log_level": "info"}))
    headers = {"Authorization": f"Bearer {user.token}", "X-Request-Id": "abc"}

    async with running(app) as client:
        log.flush()
        capsys.readouterr()
        await client.post("/api/me/tasks?x=query-secret", json={"title": "body-secret"}, headers=headers)
        await client.get("/api/me/tasks/%0A%1B[31m?search=query-secret", headers=headers)
        await client.get("/api/me/tasks", headers={"Authorization": "Bearer token-secret.x.y"})
        log.flush()
        lines = capsys.readouterr().out.splitlines()
    create_app(settings)  # the log of the other tests

    events = [json.loads(line) for line in lines]
    requests = [event for event in events if event["event"] == "request"]
    assert [(event["method"], event["path"], event["status"]) for event in requests] == [
        ("POST", "/api/me/tasks", 201),
        ("GET", "/api/me/tasks/%0A%1B[31m", 422),
        ("GET", "/api/me/tasks", 401),
    ]
    assert requests[0]["request_id"] == "abc"
    assert requests[0]["user_id"] == user.id
    assert requests[0]["duration_ms"] > 0
    assert "user_id" not in requests[2]
    (refused,) = [event for event in events if event["event"] == "token refused"]
    assert refused["reason"]
    for secret in ("body-secret", "query-secret", "token-secret", user.token):
        assert secret not in "\n".join(lines)


PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}


@pytest.mark.parametrize(
    ("headers", "status", "level"),
    [
        (PREFLIGHT, 204, "debug"),
        (PREFLIGHT | {"Origin": "https://evil.example"}, 403, "info"),
        ({}, 405, "info"),
    ],
    ids=["granted", "refused", "no preflight"],
)
async def test_only_a_preflight_that_is_refused_is_worth_a_line(
    client: httpx2.AsyncClient, headers: dict[str, str], status: int, level: str
) -> None:
    """A page sends one before each kind of request; whoever has forgotten CORS_ORIGINS should see why it fails."""
    with captured_logs() as events:
        await client.options("/api/me/tasks", headers=headers)

    assert [(event["event"], event["status"], event["level"]) for event in events] == [("request", status, level)]


@pytest.mark.parametrize("end", ["client hangs up", "server stops"])
async def test_an_incomplete_body_is_not_a_crash(
    settings: Settings, user: User, capsys: pytest.CaptureFixture[str], end: str
) -> None:
    app = create_app(settings.model_copy(update={"log_format": "json", "log_level": "info"}))
    received: list[Message] = [{"type": "http.request", "body": b'{"ti', "more_body": True}]

    async def half_sent(scope: Scope, _: Receive, send: Send) -> None:
        async def receive() -> Message:
            if received:
                return received.pop(0)
            if end == "server stops":
                raise CancelledError  # as a task is ended that waits for too long
            return {"type": "http.disconnect"}

        await app(scope, receive if scope["type"] == "http" else _, send)

    headers = {"Authorization": f"Bearer {user.token}", "Content-Type": "application/json"}
    async with running(half_sent) as client:
        log.flush()
        capsys.readouterr()
        answer = await client.post("/api/me/tasks", headers=headers)
        log.flush()
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    create_app(settings)  # the log of the other tests

    assert_problem(answer, 400, "malformed-request")
    assert [(event["event"], event["status"]) for event in events] == [("request", 400)]


async def test_a_crash_is_logged_with_its_traceback_and_without_its_variables(
    crashing: FastAPI, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    create_app(settings.model_copy(update={"log_format": "json", "log_level": "info"}))

    async with running(Envelope(crashing)) as client:
        await client.get("/crash", headers={"X-Request-Id": "abc", "Authorization": "Bearer token-secret"})
        output = capsys.readouterr().out
    create_app(settings)  # the log of the other tests

    (crash,) = [event for event in map(json.loads, output.splitlines()) if event["event"] == "crash"]
    assert crash["request_id"] == "abc"
    assert crash["exception"][0]["exc_type"] == "RuntimeError"
    assert "token-secret" not in output
