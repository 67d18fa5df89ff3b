"""Fast routes are found, watched and replaced as FastAPI's own are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response, WebSocket
from fastapi.sse import EventSourceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Host, Route
from starlette.types import Message, Scope

from backend.http import problems
from backend.http.routing import Application, FastRoute
from support import ask

type Next = Callable[[Request], Awaitable[Response]]


def application(router: APIRouter, **options: object) -> Application:
    app = Application(**options)  # type: ignore[arg-type] # as FastAPI takes them
    problems.install_handlers(app)
    app.include_router(router)
    return app


@pytest.fixture
def fast() -> APIRouter:
    router = APIRouter(route_class=FastRoute)

    @router.get("/things/{number}")
    async def get_thing(number: int) -> Response:
        return JSONResponse(number)

    return router


async def test_middleware_sees_requests_for_fast_routes(fast: APIRouter) -> None:
    api = application(fast)

    @api.middleware("http")
    async def mark(request: Request, call_next: Next) -> Response:
        response = await call_next(request)
        response.headers["X-Seen"] = request.url.path
        return response

    answer = await ask(api, "/things/7")

    assert answer.json() == 7
    assert answer.headers["x-seen"] == "/things/7"


async def test_dependencies_can_be_overridden() -> None:
    async def caller() -> str:
        return "somebody"

    fast = APIRouter(route_class=FastRoute)

    @fast.get("/")
    async def show(name: Annotated[str, Depends(caller)]) -> Response:
        return PlainTextResponse(name)

    api = application(fast)
    before = await ask(api, "/")
    api.dependency_overrides[caller] = lambda: "a double"
    while_overridden = await ask(api, "/")
    api.dependency_overrides.clear()
    after = await ask(api, "/")

    assert [before.text, while_overridden.text, after.text] == ["somebody", "a double", "somebody"]


async def test_the_scope_names_the_route(fast: APIRouter) -> None:
    @fast.get("/where/{name}")
    async def where(request: Request, name: str) -> Response:
        scope = request.scope
        url = request.url_for("get_thing", number=name)
        return JSONResponse([scope["route"].path, scope["endpoint"].__name__, scope["app"].title, url.path])

    answer = await ask(application(fast, title="Things"), "/where/7")

    assert answer.json() == ["/where/{name}", "where", "Things", "/things/7"]


async def test_telemetry_names_the_route(fast: APIRouter) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    answer = await ask(application(fast, telemetry={"tracer_provider": provider}), "/things/7")

    assert answer.json() == 7
    assert "GET /things/{number}" in [span.name for span in spans.get_finished_spans()]


@pytest.mark.parametrize("first", ["ordinary", "fast"])
async def test_of_two_routes_the_one_declared_first_is_found(first: str) -> None:
    api, fast = Application(), APIRouter(route_class=FastRoute)

    @fast.get("/things/{name}")
    async def by_name(name: str) -> Response:
        return PlainTextResponse(f"fast {name}")

    if first == "fast":
        api.include_router(fast)

    @api.get("/things/export")
    async def export() -> Response:
        return PlainTextResponse("ordinary export")

    if first == "ordinary":
        api.include_router(fast)

    assert (await ask(api, "/things/export")).text == f"{first} export"
    assert (await ask(api, "/things/other")).text == "fast other"


async def test_mounts_live_beside_fast_routes(fast: APIRouter) -> None:
    inner = FastAPI()

    @inner.get("/x")
    async def show(request: Request) -> str:
        return str(request.scope["root_path"])

    api = Application()
    api.mount("/things/mounted", inner)
    api.include_router(fast)
    api.mount("/elsewhere", inner)

    assert (await ask(api, "/things/mounted/x")).json() == "/things/mounted"
    assert (await ask(api, "/elsewhere/x")).json() == "/elsewhere"
    assert (await ask(api, "/things/7")).json() == 7


async def test_an_application_with_fast_routes_can_be_mounted(fast: APIRouter) -> None:
    outer = FastAPI()
    outer.mount("/inner", application(fast))

    assert (await ask(outer, "/inner/things/7")).json() == 7


async def test_a_route_for_a_host_goes_first_if_it_is_declared_first(fast: APIRouter) -> None:
    async def hosted(_: Request) -> Response:
        return PlainTextResponse("hosted")

    api = Application()
    api.router.routes.append(Host("api", Starlette(routes=[Route("/things/7", hosted)])))
    api.include_router(fast)

    assert (await ask(api, "/things/7")).text == "hosted"


async def test_a_websocket_of_the_same_path_does_not_get_in_the_way(fast: APIRouter) -> None:
    api = Application()

    @api.websocket("/things/{number}")
    async def socket(websocket: WebSocket, number: int) -> None:
        await websocket.accept()
        await websocket.send_json(number)
        await websocket.close()

    api.include_router(fast)
    sent: list[Message] = []
    messages = iter([{"type": "websocket.connect"}])

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "websocket", "path": "/things/7", "headers": [], "query_string": b""}
    await api(scope, receive, send)

    assert [message.get("text") for message in sent] == [None, "7", None]
    assert (await ask(api, "/things/7")).json() == 7


async def test_a_route_that_is_added_later_is_found(fast: APIRouter) -> None:
    api = application(fast)
    await ask(api, "/things/7")
    late = APIRouter(route_class=FastRoute)

    @late.get("/late/{number}")
    async def show(number: int) -> Response:
        return JSONResponse(number)

    api.include_router(late)

    assert (await ask(api, "/late/7")).json() == 7
    assert (await ask(api, "/things/7")).json() == 7


@pytest.mark.parametrize("path", ["/fast", "/ordinary"])
async def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    async def show() -> Response:
        return PlainTextResponse("seven", headers={"ETag": '"7"'})

    fast = APIRouter(route_class=FastRoute)
    fast.get("/fast")(show)
    api = application(fast)
    api.get("/ordinary")(show)

    got, head = [await ask(api, path, method) for method in ("GET", "HEAD")]

    assert (head.status_code, head.content, got.content) == (200, b"", b"seven")
    varying = {"x-request-id"}
    assert {*head.headers.items()} - {*got.headers.items()} == {("x-request-id", head.headers["x-request-id"])}
    assert {*got.headers} == {*head.headers} >= varying


async def test_head_of_a_stream_without_end_is_answered() -> None:
    api, stopped = Application(), asyncio.Event()

    @api.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            stopped.set()

    answer = await asyncio.wait_for(ask(api, "/events", "HEAD"), 10)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    await asyncio.wait_for(stopped.wait(), 10)


async def test_head_is_refused_where_there_is_no_get() -> None:
    fast = APIRouter(route_class=FastRoute)

    @fast.post("/")
    async def create() -> Response:
        return Response(status_code=201)

    answer = await ask(application(fast), "/", "HEAD")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
