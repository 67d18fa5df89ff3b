"""Fast routes are routes of FastAPI: what it can do works on them or beside them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Message

from backend.http import problems
from backend.http.routing import Application, FastRoute
from support import ask


@pytest.fixture
def api() -> Application:
    app = Application()
    problems.install_handlers(app)
    return app


@pytest.fixture
def fast() -> APIRouter:
    return APIRouter(route_class=FastRoute)


def assert_problem_of_http(answer: httpx2.Response, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert (answer.headers["content-type"], problem["type"]) == ("application/problem+json", "about:blank")
    assert problem["requestId"] == answer.headers["x-request-id"]


async def nothing() -> Response:
    return Response()


async def test_dependencies_of_a_router_are_called(api: Application) -> None:
    called = []

    async def note() -> None:
        called.append("router")

    fast = APIRouter(route_class=FastRoute, dependencies=[Depends(note)])
    fast.get("/")(nothing)
    api.include_router(fast)

    await ask(api, "/")

    assert called == ["router"]


async def test_dependencies_of_an_inclusion_are_called(api: Application, fast: APIRouter) -> None:
    called = []

    async def by_route(request: Request) -> None:
        called.append(f"route {request.url.path}")

    async def by_inclusion(request: Request) -> None:
        called.append(f"inclusion {request.url.path}")

    fast.get("/x", dependencies=[Depends(by_route)])(nothing)
    api.include_router(fast, prefix="/a", dependencies=[Depends(by_inclusion)])
    api.include_router(fast, prefix="/b")

    await ask(api, "/a/x")
    await ask(api, "/b/x")

    assert called == ["inclusion /a/x", "route /a/x", "route /b/x"]


async def test_a_dependency_that_may_refuse_keeps_the_route_from_running(api: Application) -> None:
    async def refuse() -> None:
        raise HTTPException(403, "Not today")

    fast = APIRouter(route_class=FastRoute, dependencies=[Depends(refuse)])
    fast.get("/")(nothing)
    api.include_router(fast)

    assert_problem_of_http(await ask(api, "/"), 403, "forbidden")


async def test_a_shared_dependency_is_called_once_a_request(api: Application, fast: APIRouter) -> None:
    calls: list[str] = []

    async def caller() -> str:
        calls.append("caller")
        return "somebody"

    async def tenant(name: Annotated[str, Depends(caller)]) -> str:
        return f"tenant of {name}"

    @fast.get("/")
    async def show(one: Annotated[str, Depends(tenant)], name: Annotated[str, Depends(caller)]) -> Response:
        return PlainTextResponse(f"{one}, {name}")

    api.include_router(fast)

    answer = await ask(api, "/")

    assert answer.text == "tenant of somebody, somebody"
    assert calls == ["caller"]


async def test_a_dependency_without_cache_is_called_each_time(api: Application, fast: APIRouter) -> None:
    numbers = iter(range(10))

    async def number() -> int:
        return next(numbers)

    type Number = Annotated[int, Depends(number, use_cache=False)]

    @fast.get("/")
    async def show(one: Number, two: Number) -> Response:
        return JSONResponse([one, two])

    api.include_router(fast)

    assert (await ask(api, "/")).json() == [0, 1]


async def test_background_tasks_run_after_the_answer(api: Application, fast: APIRouter) -> None:
    done: list[str] = []

    @fast.get("/fast")
    async def answer_first() -> Response:
        return Response(background=BackgroundTask(done.append, "fast"))

    @api.get("/ordinary")
    async def add(tasks: BackgroundTasks) -> None:
        tasks.add_task(done.append, "ordinary")

    api.include_router(fast)

    await ask(api, "/fast")
    await ask(api, "/ordinary")

    assert done == ["fast", "ordinary"]


async def test_ordinary_routes_may_return_what_they_like(api: Application, fast: APIRouter) -> None:
    class Pair(BaseModel):
        one: int
        two: int = 2

    fast.get("/fast")(nothing)
    api.include_router(fast)

    @api.get("/model")
    async def model() -> Pair:
        return Pair(one=1)

    @api.get("/dict", response_model=Pair)
    def in_a_thread() -> dict[str, int]:
        return {"one": 7, "secret": 8}

    assert (await ask(api, "/model")).json() == {"one": 1, "two": 2}
    assert (await ask(api, "/dict")).json() == {"one": 7, "two": 2}


async def test_security_schemes_work_on_ordinary_routes(api: Application, fast: APIRouter) -> None:
    async def scopes(security: SecurityScopes) -> list[str]:
        return security.scopes

    fast.get("/fast")(nothing)
    api.include_router(fast)

    @api.get("/scopes")
    async def show(scopes: Annotated[list[str], Security(scopes, scopes=["tasks:read"])]) -> list[str]:
        return scopes

    @api.get("/bearer")
    async def bearer(token: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        return token.credentials

    assert (await ask(api, "/scopes")).json() == ["tasks:read"]
    assert (await ask(api, "/bearer", headers={"Authorization": "Bearer x"})).json() == "x"
    refused = await ask(api, "/bearer")
    assert_problem_of_http(refused, 401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_dependencies_that_yield_work_on_ordinary_routes(api: Application, fast: APIRouter) -> None:
    events = []

    async def resource() -> AsyncIterator[str]:
        events.append("open")
        yield "resource"
        events.append("close")

    fast.get("/fast")(nothing)
    api.include_router(fast)

    @api.get("/yield")
    async def use(value: Annotated[str, Depends(resource)]) -> None:
        events.append(value)

    await ask(api, "/yield")

    assert events == ["open", "resource", "close"]


async def test_server_sent_events_work_on_ordinary_routes(api: Application, fast: APIRouter) -> None:
    fast.get("/fast")(nothing)
    api.include_router(fast)

    @api.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[dict[str, int]]:
        yield {"number": 1}
        yield {"number": 2}

    answer = await ask(api, "/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == 'data: {"number":1}\n\ndata: {"number":2}\n\n'


async def test_an_http_exception_of_a_fast_route_is_answered(api: Application, fast: APIRouter) -> None:
    @fast.get("/")
    async def refuse() -> Response:
        raise HTTPException(410, "Gone for good.", headers={"X-Reason": "age"})

    api.include_router(fast)

    answer = await ask(api, "/")

    assert_problem_of_http(answer, 410, "gone")
    assert answer.json()["detail"] == "Gone for good."
    assert answer.headers["x-reason"] == "age"


@pytest.mark.parametrize(
    ("raised", "title", "detail", "context"),
    [
        (HTTPException(404, "No such thing"), "Not Found", "No such thing.", None),
        (HTTPException(400, "Why? "), "Bad Request", "Why?", None),
        (HTTPException(499, "The client left"), "Error", "The client left.", None),
        (HTTPException(409, {"field": "x"}), "Conflict", "Conflict.", {"field": "x"}),
    ],
)
async def test_what_an_http_exception_says_is_kept(
    api: Application, raised: HTTPException, title: str, detail: str, context: object
) -> None:
    @api.get("/")
    async def refuse() -> None:
        raise raised

    answer = await ask(api, "/")

    problem = answer.json()
    assert (answer.status_code, problem["title"], problem["detail"]) == (raised.status_code, title, detail)
    assert problem.get("context") == context


async def test_an_http_exception_without_a_body_has_none(api: Application) -> None:
    @api.get("/")
    async def unchanged() -> None:
        raise HTTPException(304, headers={"ETag": '"7"'})

    answer = await ask(api, "/")

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"7"')


@pytest.mark.parametrize("kind", [FastRoute, APIRoute])
async def test_exception_handlers_see_what_any_route_raises(api: Application, kind: type[APIRoute]) -> None:
    class OutOfTea(Exception): ...

    @api.exception_handler(OutOfTea)
    async def brew(request: Request, _: OutOfTea) -> Response:
        return PlainTextResponse(f"no tea at {request.url.path}", 418)

    router = APIRouter(route_class=kind)

    @router.get("/tea")
    async def tea() -> Response:
        raise OutOfTea

    api.include_router(router)

    answer = await ask(api, "/tea")

    assert (answer.status_code, answer.text) == (418, "no tea at /tea")


async def test_a_crash_of_a_fast_route_is_raised_to_the_server(api: Application, fast: APIRouter) -> None:
    async def crash() -> Response:
        raise RuntimeError("crash")

    fast.get("/")(crash)
    api.include_router(fast)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "request_id": "x"}
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="crash"):
        await api(scope, asyncio.Queue[Message]().get, send)

    assert sent[0]["status"] == 500
