"""Problems as HTTP answers: problem details (RFC 9457), for our own errors and for those of the frameworks."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from backend.errors import Fault, InternalError, MalformedRequest, MethodNotAllowed, NotFound, Problem


def render(problem: Problem, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    body: dict[str, Any] = {  # JSON
        "type": f"/errors/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "requestId": request_id,
    }
    if problem.faults:
        body["errors"] = [fault._asdict() for fault in problem.faults]
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        problem.status,
        {**problem.headers, **(headers or {})},
        "application/problem+json",
    )


def install_handlers(app: FastAPI) -> None:
    """Answer in the one form what FastAPI and Starlette find wrong with a request that is for no route."""

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return render(MethodNotAllowed(), request.scope["request_id"], {"Allow": _allowed_methods(request)})
        problem = NotFound() if error.status_code == HTTPStatus.NOT_FOUND else MalformedRequest()
        return render(problem, request.scope["request_id"])

    @app.exception_handler(Exception)
    async def crash(request: Request, _: Exception) -> Response:
        return render(InternalError(), request.scope["request_id"])


def _allowed_methods(request: Request) -> str:
    """Every method of the path. The framework names only those of the first route that it looked at."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and route.methods and compile_path(route.path)[0].match(request.scope["path"]):
            methods |= route.methods
    return ", ".join(sorted(methods))


def faults_of(errors: Sequence[Any], source: tuple[str, ...] = ("path", "query", "body")) -> list[Fault]:
    """Pydantic's errors without the values that caused them: those may be large, or nobody's business."""
    return [
        Fault(
            "".join(f"/{part}" for part in error["loc"] if part not in source),
            _sentence(error),
        )
        for error in errors
    ]


def _sentence(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "value_error":
            text = str(error["ctx"]["error"])
        case "extra_forbidden":
            text = "is not known here"
        case "missing":
            text = "is required"
        case "model_type":
            text = "should be a JSON object"
        case _:
            text = error["msg"].removeprefix("Input ")
    return text if text.endswith(".") else f"{text}."
