"""From a request to the function that answers it.

FastAPI reads what the functions of routes ask for in their signatures, describes it in the API's documentation,
and keeps the validator of each parameter. It would also work out anew for every request how to get from one to
the other, which takes longer than the request itself. Here that is worked out once for each route, when the
application is put together. What is left to FastAPI to answer is its own documentation, and what there
is no route for.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import InternalError, InvalidValues, NotFound, Problem
from backend.http.problems import faults_of, render

type Errors = list[dict[str, Any]]
"""As Pydantic gives them."""

type Reader = Callable[[Request, Errors], Any]
"""Takes one parameter of a function from the request; None where it is not valid."""

type Resolver = Callable[[Request, Errors], Awaitable[Any]]
"""Calls a function with what it asks for; nothing is called that would get something invalid."""


class Dispatcher:
    """An application with the routes of `api`. Raises TypeError for one that asks for what is not known here."""

    def __init__(self, api: FastAPI) -> None:
        self._api: ASGIApp = api
        self._routes = _Node()
        for route in iter_route_contexts(api.routes):
            dependant: Dependant | None = getattr(route, "dependant", None)
            if dependant and route.path and route.methods:
                self._routes.add(route.path, route.methods, _resolver(dependant))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        resolver, parameters = self._find(scope)
        if resolver is None:
            if scope["type"] == "http" and scope["path"].endswith("\n"):
                # To Starlette's patterns this is the path without the newline: `$` matches before one too.
                await render(NotFound(), scope["request_id"])(scope, receive, send)
                return
            await self._api(scope, receive, send)
            return
        scope["path_params"] = parameters
        request = Request(scope, receive, send)
        crash = None
        try:
            response = await _answer(resolver, request)
        except Problem as problem:
            response = render(problem, scope["request_id"])
        except Exception as error:  # noqa: BLE001 - it is raised again
            response = render(InternalError(), scope["request_id"])
            crash = error
        await response(scope, receive, send)
        if crash:
            raise crash

    def _find(self, scope: Scope) -> tuple[Resolver | None, dict[str, str]]:
        if scope["type"] != "http":
            return None, {}
        return self._routes.find(scope["path"], scope["method"])


class _Node:
    """A tree of paths, one part on each level."""

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.methods: dict[str, tuple[Resolver, list[str]]] = {}

    def add(self, path: str, methods: set[str], resolver: Resolver) -> None:
        node, parameters = self, []
        for part in path.split("/")[1:]:
            if part.startswith("{"):
                parameters.append(part.strip("{}"))
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.names.setdefault(part, _Node())
        for method in methods:
            node.methods[method] = resolver, parameters

    def find(self, path: str, method: str) -> tuple[Resolver | None, dict[str, str]]:
        node, values = self, []
        for part in path.split("/")[1:]:
            if part in node.names:
                node = node.names[part]
            elif part and node.any:
                values.append(part)
                node = node.any
            else:
                return None, {}
        resolver, parameters = node.methods.get(method, (None, ()))
        return resolver, dict(zip(parameters, values, strict=False))


async def _answer(resolver: Resolver, request: Request) -> Response:
    errors: Errors = []
    response: Response = await resolver(request, errors)
    if errors:
        raise InvalidValues(*faults_of(errors))
    return response


def _resolver(dependant: Dependant) -> Resolver:
    call = dependant.call
    unknown = (dependant.body_params, dependant.cookie_params, dependant.response_param_name)
    if not iscoroutinefunction(call) or any(unknown):
        raise TypeError(f"{call} asks for something that the dispatcher does not know, or is not async")
    needs = [(str(need.name), _resolver(need)) for need in dependant.dependencies]
    readers = _readers(dependant)

    async def resolve(request: Request, errors: Errors) -> Any:  # noqa: ANN401 - whatever the function returns
        before = len(errors)
        values = {name: await need(request, errors) for name, need in needs}
        for name, reader in readers:
            values[name] = reader(request, errors)
        return await call(**values) if len(errors) == before else None

    return resolve


def _readers(dependant: Dependant) -> Sequence[tuple[str, Reader]]:
    readers: list[tuple[str, Reader]] = []
    readers += [(field.name, _of_path(field)) for field in dependant.path_params]
    readers += [(field.name, _of_query(field)) for field in dependant.query_params]
    readers += [(field.name, _of_headers(field)) for field in dependant.header_params]
    if dependant.request_param_name:
        readers.append((dependant.request_param_name, lambda request, _: request))
    return readers


def _of_path(field: Any) -> Reader:  # noqa: ANN401 - FastAPI does not export the type of its fields
    def read(request: Request, errors: Errors) -> object:
        value, faults = field.validate(request.path_params[field.alias], loc=("path", field.alias))
        errors += faults
        return value

    return read


def _of_query(field: Any) -> Reader:  # noqa: ANN401
    """One model for all parameters of the query string. Of a name that is given twice, the last counts."""
    if not issubclass(field.field_info.annotation, BaseModel):
        raise TypeError(f"{field.name} is no model of the whole query string")

    def read(request: Request, errors: Errors) -> object:
        value, faults = field.validate(dict(request.query_params), loc=("query",))
        errors += faults
        return value

    return read


def _of_headers(field: Any) -> Reader:  # noqa: ANN401
    """All headers of one name, or the default."""

    def read(request: Request, errors: Errors) -> object:
        given = request.headers.getlist(field.alias)
        if not given:
            return field.default
        value, faults = field.validate(given, loc=("header", field.alias))
        errors += faults
        return value

    return read
