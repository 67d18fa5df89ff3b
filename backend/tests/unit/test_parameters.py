"""A fast route takes from a request what FastAPI would have taken, and finds the same wrong."""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from backend.http import problems
from backend.http.routing import Application, FastRoute
from support import ask


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=10, ge=1, le=100)
    colour: Colour | None = None


class WithTags(BaseModel):
    tags: list[str] = []
    limit: int = 10


class WithAlias(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    due: date | None = Field(default=None, alias="dueDate")


class WithExtras(BaseModel):
    model_config = ConfigDict(extra="allow")


async def by_path_text(value: str) -> Response:
    return JSONResponse(value)


async def by_path_uuid(value: UUID) -> Response:
    return JSONResponse(str(value))


async def by_path_bounds(value: Annotated[int, Path(ge=1)]) -> Response:
    return JSONResponse(value)


async def by_query(value: int) -> Response:
    return JSONResponse(value)


async def by_optional_query(
    value: Colour | None = None, other: Annotated[str, Query(alias="o")] = "x"
) -> Response:
    return JSONResponse([value, other])


async def by_repeated_query(value: Annotated[list[int], Query()]) -> Response:
    return JSONResponse(value)


async def by_query_default(value: Annotated[list[str], Query()] = ["a"]) -> Response:  # noqa: B006 - it is copied
    value.append("b")
    return JSONResponse(value)


def by_model(model: type[BaseModel]) -> Callable[..., Any]:
    async def show(value: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        return JSONResponse(value.model_dump(mode="json"))  # type: ignore[attr-defined]

    return show


async def by_header(value: Annotated[str, Header()]) -> Response:
    return JSONResponse(value)


async def by_optional_header(idempotency_key: Annotated[str | None, Header()] = None) -> Response:
    return JSONResponse(idempotency_key)


async def by_number_header(value: Annotated[int, Header(ge=1)] = 7) -> Response:
    return JSONResponse(value)


async def by_repeated_header(value: Annotated[list[str] | None, Header()] = None) -> Response:
    return JSONResponse(value)


async def by_exact_header(value: Annotated[str | None, Header(alias="X_Exact")] = None) -> Response:
    return JSONResponse(value)


QUERIES = [
    *("", "value=7", "value=", "value=x", "value=red", "value=red&o=1", "o="),
    *("limit=5", "limit=0", "limit=5&colour=blue", "colour=green", "nope=1", "nope=1&nope=2"),
    *("tags=a", "tags=a&tags=b", "tags=a&limit=x", "dueDate=2026-01-05", "due=2026-01-05", "dueDate=x"),
]
HEADERS: list[list[tuple[str, str]]] = [
    [],
    [("value", "7")],
    [("VALUE", "0")],
    [("value", "")],
    [("value", "a"), ("value", "b")],
    [("Idempotency-Key", "k")],
    [("Idempotency_Key", "k")],
    [("X_Exact", "e")],
    [("X-Exact", "e")],
]
PATTERNS = ["/{value}", "/{value:path}", "/lists/{value}.ics"]
PATHS = ["7", "0", "x", "%20", "01a202b1-fa21-79e9-b75d-f80d096bdf97", "%F0%9F%AA%B4", "a.ics"]


async def answers(
    kind: type[APIRoute],
    path: str,
    function: Callable[..., Any],
    *,
    paths: Sequence[str] = ("/",),
    headers: Sequence[list[tuple[str, str]]] = ([],),
) -> list[Any]:
    """What each path, with each of the headers, is answered with."""
    api = Application()
    problems.install_handlers(api)
    router = APIRouter(route_class=kind)
    router.get(path)(function)
    api.include_router(router)
    got = []
    for asked, sent in product(paths, headers):
        answer = await ask(api, asked, headers=sent)
        body = answer.json()
        if isinstance(body, dict):
            body.pop("requestId", None)
        got.append((asked, sent, answer.status_code, body))
    return got


@pytest.mark.parametrize(
    ("path", "function"),
    [
        *product(PATTERNS, [by_path_text, by_path_uuid, by_path_bounds]),
        ("/{value:int}", by_path_bounds),
    ],
)
async def test_path_parameters_are_taken_as_by_fastapi(path: str, function: Callable[..., Any]) -> None:
    paths = [*(f"/{value}" for value in PATHS), *(f"/lists/{value}.ics" for value in PATHS)]

    fast, ordinary = [await answers(kind, path, function, paths=paths) for kind in (FastRoute, APIRoute)]

    assert fast == ordinary
    assert {status for _, _, status, _ in fast} >= {200}


@pytest.mark.parametrize(
    "function",
    [
        *(by_query, by_optional_query, by_repeated_query, by_query_default),
        *(by_model(model) for model in (Strict, WithTags, WithAlias, WithExtras)),
    ],
)
async def test_query_parameters_are_taken_as_by_fastapi(function: Callable[..., Any]) -> None:
    paths = [f"/?{query}" for query in QUERIES]

    fast, ordinary = [await answers(kind, "/", function, paths=paths) for kind in (FastRoute, APIRoute)]

    assert fast == ordinary
    assert {status for _, _, status, _ in fast} >= {200}


@pytest.mark.parametrize(
    ("function", "query", "repeated"),
    [
        (by_query, "value=7&value=7", ["/value"]),
        (by_optional_query, "value=red&o=1&o=2", ["/o"]),
        (by_optional_query, "value=red&value=blue&o=1&o=2", ["/o", "/value"]),
        (by_optional_query, "other=1&other=2", []),
        (by_repeated_query, "value=7&value=8", []),
        (by_model(Strict), "limit=5&limit=6&limit=7", ["/limit"]),
        (by_model(Strict), "limit=5&colour=red", []),
        (by_model(WithTags), "tags=a&tags=b", []),
        (by_model(WithTags), "tags=a&tags=b&limit=1&limit=2", ["/limit"]),
        (by_model(WithTags), "nope=1&nope=2", []),
        (by_model(WithAlias), "dueDate=2026-01-05&dueDate=2026-01-05", ["/dueDate"]),
    ],
)
async def test_a_query_parameter_is_given_once_unless_it_is_a_list(
    function: Callable[..., Any], query: str, repeated: list[str]
) -> None:
    """FastAPI takes the last one. Whatever stands in between, or checks the URL, may take the first."""
    ((_, _, status, body),) = await answers(FastRoute, "/", function, paths=[f"/?{query}"])

    faults = body["errors"] if status == 422 else []
    assert sorted(fault["pointer"] for fault in faults) == repeated
    assert {fault["detail"] for fault in faults} <= {"may be given only once."}


@pytest.mark.parametrize(
    "function", [by_header, by_optional_header, by_number_header, by_repeated_header, by_exact_header]
)
async def test_headers_are_taken_as_by_fastapi(function: Callable[..., Any]) -> None:
    fast, ordinary = [await answers(kind, "/", function, headers=HEADERS) for kind in (FastRoute, APIRoute)]

    assert fast == ordinary
    assert {status for _, _, status, _ in fast} >= {200}


async def test_all_that_is_wrong_is_named_at_once() -> None:
    called = []

    async def checked(limit: Annotated[int, Query(le=5)]) -> int:
        called.append(limit)
        return limit

    async def depending(number: Annotated[int, Depends(checked)]) -> int:
        called.append(number)
        return number

    async def show(
        value: UUID, number: Annotated[int, Depends(depending)], key: Annotated[str, Header()]
    ) -> Response:
        return JSONResponse([str(value), number, key])

    (fast,), (ordinary,) = [
        await answers(kind, "/{value}", show, paths=["/x?limit=6"]) for kind in (FastRoute, APIRoute)
    ]

    assert [fault["pointer"] for fault in fast[3]["errors"]] == ["/limit", "/value", "/key"]
    assert fast == ordinary
    assert called == []
