"""Renders our own errors and those of the frameworks as problem details (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi.utils import is_body_allowed_for_status_code
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.staticfiles import StaticFiles

from backend.errors import (
    Fault,
    InternalError,
    InvalidValues,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
)

# So that the response stays small.
MAX_NAME_LENGTH = 100

type Document = dict[str, Any]  # JSON


def render(problem: Problem, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    document: Document = {
        "type": f"/errors/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "requestId": request_id,
    }
    if problem.faults:
        document["errors"] = [asdict(fault) for fault in problem.faults]
    return _response(document, {**problem.headers, **(headers or {})})


def _response(document: Document, headers: Mapping[str, str]) -> Response:
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, document["status"], headers, "application/problem+json")


def install_handlers(app: FastAPI) -> None:
    """Make every error response problem details, whether the application or a framework raises it."""

    @app.exception_handler(Problem)
    async def of_ours(request: Request, problem: Problem) -> Response:
        return render(problem, request.scope["request_id"])

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return render(MalformedRequest("The body is not valid JSON."), request.scope["request_id"])
        return render(InvalidValues(*faults_of(faults)), request.scope["request_id"])

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> Response:
        request_id = request.scope["request_id"]
        own_problem = _PROBLEM_OF_STATUS.get(error.status_code)
        if own_problem and error.detail == HTTPStatus(error.status_code).phrase:  # as the frameworks raise them
            headers = {"Allow": _allowed_methods(request)} if own_problem is MethodNotAllowed else {}
            return render(own_problem(), request_id, {**(error.headers or {}), **headers})
        if not is_body_allowed_for_status_code(error.status_code):
            return Response(status_code=error.status_code, headers=error.headers)
        return _response(_document_of(error, request_id), error.headers or {})

    @app.exception_handler(Exception)
    async def crash(request: Request, _: Exception) -> Response:
        return render(InternalError(), request.scope["request_id"])


_PROBLEM_OF_STATUS: dict[int, type[Problem]] = {400: MalformedRequest, 404: NotFound, 405: MethodNotAllowed}


def _document_of(error: HTTPException, request_id: str) -> Document:
    """What a route raised as an HTTPException. A detail that is no text becomes a member of its own, `context`."""
    try:
        title = HTTPStatus(error.status_code).phrase
    except ValueError:
        title = "Error"
    given: object = error.detail  # Starlette says text, FastAPI takes whatever JSON can hold
    detail = (given.strip() if isinstance(given, str) else "") or title
    return {
        "type": "about:blank",  # not an error of ours; RFC 9457, section 4.2.1
        "title": title,
        "status": error.status_code,
        "detail": detail if detail.endswith((".", "!", "?")) else f"{detail}.",
        "code": title.lower().replace(" ", "-"),
        "requestId": request_id,
        **({} if isinstance(given, str) or given is None else {"context": jsonable_encoder(given)}),
    }


def _allowed_methods(request: Request) -> str:
    """The methods of all routes with this path. Starlette names only those of the first one that matches."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and route.methods and compile_path(route.path)[0].match(request.scope["path"]):
            methods |= route.methods | ({"HEAD"} if "GET" in route.methods else set())
        elif isinstance(getattr(route, "app", None), StaticFiles) and request.scope["path"].startswith(
            f"{route.path}/"
        ):
            methods |= {"GET", "HEAD"}
    return ", ".join(sorted(methods))


def faults_of(errors: Sequence[Any]) -> list[Fault]:
    """FastAPI's validation errors as faults. Their `loc` begins with `path`, `query`, `header` or `body`.

    The rejected values are left out, because they may be large or private.
    """
    return [
        Fault("".join(f"/{shown(str(part))}" for part in error["loc"][1:]), _sentence(error)) for error in errors
    ]


def shown(name: str) -> str:
    """A name that a client may have made up: cut, and without halves of surrogate pairs, which have no UTF-8."""
    return name[:MAX_NAME_LENGTH].encode(errors="replace").decode()


def _sentence(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "value_error":
            text = str(error["ctx"]["error"])
        case "extra_forbidden":
            nearest = error.get("nearest")
            text = f"is not a known name; perhaps you mean {nearest}" if nearest else "is not a known name"
        case "missing":
            text = "is required"
        case "model_type":
            text = "should be a JSON object"
        case _:
            text = error["msg"].removeprefix("Input ")
    return text if text.endswith(".") else f"{text}."
