"""Routes in FastAPI's form, and the hot ones without its cost.

A router with `route_class=FastRoute` is declared, documented and included like any other. What its routes ask for
is worked out once (`compiler.py`), and `Application` takes a request straight to such a route. Ordinary routes
live beside them, and what FastAPI can do works there as ever: `yield` dependencies, background tasks, streams.
"""

from collections.abc import Callable, Coroutine, Sequence
from re import Match
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, _effective_route_context_var, iter_route_contexts
from starlette._utils import get_route_path
from starlette.routing import Mount, WebSocketRoute, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import Problem
from backend.http.compiler import Endpoint, compile_endpoint
from backend.http.problems import render

_FAILURE = "tasks.failure"
"""Where a scope holds what a fast route raised, for FastAPI to handle as if its own stack had run the route."""


class FastRoute(APIRoute):
    """A route that returns a Response and asks only for what can be compiled.

    Raises TypeError for anything else, when it is declared or its router is included. Under middleware, and with
    dependency overrides, it runs in FastAPI's own stack like any route.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        ordinary = super().get_route_handler()
        # A router that is included may bring dependencies, with which FastAPI makes the handler once more.
        route = _effective_route_context_var.get() or self
        endpoint = _compile(route)

        async def handle(request: Request) -> Response:
            if failure := request.scope.pop(_FAILURE, None):
                raise failure
            provider = route.dependency_overrides_provider
            if provider and provider.dependency_overrides:
                return await ordinary(request)
            return await endpoint(request)

        return handle


def _compile(route: Any) -> Endpoint:  # noqa: ANN401 - a route, or a route as it is included
    name = f"{'/'.join(sorted(route.methods))} {route.path}"
    if route.max_body_size is not None:
        raise TypeError(f"{name} has a max_body_size; the bound of all fast routes is that of bodies.py")
    return compile_endpoint(route.dependant, name=name)


class Application(FastAPI):
    """FastAPI with a shortcut to its fast routes, and with HEAD wherever there is GET.

    The shortcut goes past FastAPI's stack. It is closed while something in there has to see every request:
    middleware, telemetry, a bound on all bodies, dependency overrides. Routes are tried in the order in which they
    were declared, ordinary ones included; those that are added after the start are found by FastAPI alone.
    """

    _shortcut: "Sequence[_Entry]" = ()

    def build_middleware_stack(self) -> ASGIApp:
        watched = self.user_middleware or self.root_path or self.max_body_size is not None
        if not watched and not self._native_telemetry.enabled():
            contexts = iter_route_contexts(self.routes)
            self._shortcut = [_Entry(route) for route in contexts if not isinstance(route.route, WebSocketRoute)]
        return super().build_middleware_stack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] == "HEAD":
                await _answer_head(self, scope, receive, send)
                return
            if endpoint := self._take_shortcut(scope):
                response: ASGIApp
                try:
                    response = await endpoint(Request(scope, receive, send))
                except Problem as problem:
                    response = render(problem, scope["request_id"])
                except Exception as failure:  # noqa: BLE001 - FastAPI raises it again, for its handlers
                    scope[_FAILURE] = failure
                    response = super().__call__
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def _take_shortcut(self, scope: Scope) -> Endpoint | None:
        """The endpoint of the first route that takes the request, if that is a fast one.

        The scope names that route then.
        """
        if self.dependency_overrides:
            return None
        method, path = scope["method"], get_route_path(scope)
        # A slash inside of an id is no separator, but looks like one in the decoded path.
        raw_path: bytes = scope.get("raw_path", b"")
        decode = None
        if b"%2" in raw_path and b"%2f" in raw_path.lower():
            path, decode = raw_path.decode("latin-1"), unquote
        for entry in self._shortcut:
            if (entry.methods is None or method in entry.methods) and (match := entry.pattern.match(path)):
                if entry.endpoint:
                    scope["app"], scope["router"] = self, self.router
                    scope["route"], scope["endpoint"] = entry.route, entry.route.endpoint
                    scope["path_params"] = {**scope.get("path_params", {}), **entry.parameters_of(match, decode)}
                return entry.endpoint
        return None


class _Entry:
    """A route, as the shortcut finds it: by Starlette's pattern, and with an endpoint if it is a fast one."""

    def __init__(self, context: RouteContext) -> None:
        self.route: Any = context.original_route
        self.endpoint = _compile(context) if isinstance(self.route, FastRoute) else None
        self.methods = context.methods
        path = context.path
        if path is None:  # such as Host: only FastAPI knows what is for it, and so for whatever comes after it
            path = "/{path:path}"
        elif isinstance(self.route, Mount):
            path = f"{path}/{{path:path}}"
        self.pattern, _, convertors = compile_path(path)
        self._convert = {name: convertor.convert for name, convertor in convertors.items()}

    def parameters_of(self, match: Match[str], decode: Callable[[str], str] | None) -> dict[str, Any]:
        texts = match.groupdict().items()
        return {name: self._convert[name](decode(text) if decode else text) for name, text in texts}


async def _answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """The headers that GET would have (RFC 9110, section 9.3.2). Of a body, or a stream, nothing is sent."""
    answered = False

    async def send_headers(message: Message) -> None:
        nonlocal answered
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})
            answered = True

    async def receive_until_answered() -> Message:
        return {"type": "http.disconnect"} if answered else await receive()

    await app({**scope, "method": "GET"}, receive_until_answered, send_headers)
