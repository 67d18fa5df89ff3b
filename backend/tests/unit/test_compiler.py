"""What a fast route cannot do is refused by name at the start, and never goes wrong in a request."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, File, Form, Header, Response, Security
from fastapi.dependencies.models import Dependant
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBearer, SecurityScopes
from pydantic import BaseModel

from backend.http.compiler import compile_endpoint
from backend.http.routing import Application, FastRoute


class Strict(BaseModel):
    limit: int = 10


class Tagged(BaseModel):
    tags: list[str] = []


async def fine(value: Annotated[str, Header()]) -> Response:
    return Response(value)


async def yields() -> AsyncIterator[int]:
    yield 1


def in_a_thread() -> int:
    return 1


async def with_scopes(_: SecurityScopes) -> None: ...


async def takes_a_body(_: Strict) -> None: ...


async def returns_a_dict() -> dict[str, str]:
    return {}


async def declares_nothing():  # type: ignore[no-untyped-def] # noqa: ANN201
    return Response()


def returns_in_a_thread() -> Response:
    return Response()


async def streams() -> AsyncIterator[str]:
    yield "x"


async def cookie(value: Annotated[str, Cookie()]) -> Response:
    return Response(value)


async def response(response: Response) -> Response:
    return response


async def connection(connection: HTTPConnection) -> Response:
    return Response(str(connection))


async def tasks(tasks: BackgroundTasks) -> Response:
    return Response(background=tasks)


async def form(value: Annotated[str, Form()]) -> Response:
    return Response(value)


async def upload(value: Annotated[bytes, File()]) -> Response:
    return Response(value)


async def two_bodies(one: Strict, two: Tagged) -> Response:
    return Response(f"{one} {two}")


async def embedded(one: Annotated[Strict, Body(embed=True)]) -> Response:
    return Response(str(one))


async def no_model(value: Annotated[list[int], Body()]) -> Response:
    return Response(str(value))


async def either_model(value: Strict | Tagged) -> Response:
    return Response(str(value))


def depending(dependency: Callable[..., Any], *, by: Callable[..., object] = Depends) -> Callable[..., Any]:
    async def show(value: Annotated[object, by(dependency)]) -> Response:
        return Response(str(value))

    return show


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (returns_a_dict, "must be declared to return a Response"),
        (declares_nothing, "must be declared to return a Response"),
        (returns_in_a_thread, "returns_in_a_thread"),
        (streams, "streams"),
        (cookie, "cookie asks for a cookie"),
        (response, "the Response to set headers on"),
        (connection, "an HTTPConnection"),
        (tasks, "BackgroundTasks; give the Response a `background`"),
        (form, "no form, file"),
        (upload, "no form, file"),
        (two_bodies, "embedded member"),
        (embedded, "embedded member"),
        (no_model, "value is a body that is not one model"),
        (either_model, "value is a body that is not one model"),
        (depending(yields), "yields"),
        (depending(in_a_thread), "in_a_thread"),
        (depending(with_scopes), "with_scopes asks for SecurityScopes"),
        (depending(with_scopes, by=partial(Security, scopes=["x"])), "scopes"),
        (depending(takes_a_body), "the dependency takes_a_body takes a body"),
        (depending(HTTPBearer()), "HTTPBearer"),
        (depending(Strict), "Strict"),
    ],
)
def test_what_a_fast_route_cannot_do_is_refused_at_the_start(function: Callable[..., Any], named: str) -> None:
    router = APIRouter(route_class=FastRoute)

    with pytest.raises(TypeError, match=f"POST /things.*{named}"):
        router.post("/things")(function)


def test_a_bound_on_the_body_of_one_route_is_refused() -> None:
    with pytest.raises(TypeError, match="GET /things has a max_body_size"):
        APIRouter(route_class=FastRoute).get("/things", max_body_size=10)(fine)


def test_dependencies_that_an_inclusion_brings_are_looked_at_too() -> None:
    router = APIRouter(route_class=FastRoute)
    router.get("/things")(fine)
    api = Application()
    api.include_router(router, dependencies=[Depends(yields)])

    with pytest.raises(TypeError, match=r"GET /things.*yields"):
        api.build_middleware_stack()


def test_what_a_later_fastapi_may_add_is_refused_until_it_is_known() -> None:

    @dataclass(slots=True)
    class LaterDependant(Dependant):
        telepathy_param_name: str | None = None

    async def show() -> Response:
        return Response()

    compile_endpoint(LaterDependant(call=show), name="GET /")
    with pytest.raises(TypeError, match="telepathy_param_name"):
        compile_endpoint(LaterDependant(call=show, telepathy_param_name="thoughts"), name="GET /")
