"""What routes take from a request: the tenant, a JSON body, a precondition."""

import json
import re
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Request
from pydantic import BaseModel, BeforeValidator, ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from backend import auth
from backend.config import Settings
from backend.database import Database, Tenant
from backend.errors import (
    ContentTooLarge,
    Fault,
    InvalidToken,
    InvalidValues,
    KeysUnavailable,
    MalformedRequest,
    MissingToken,
    NotTheCaller,
    OriginNotAllowed,
    PreconditionFailed,
    UnsupportedMediaType,
)
from backend.http.problems import faults_of
from backend.logs import log
from backend.services.tasks import Versions

MAX_BODY_BYTES = 128 * 1024


async def _tenant(
    request: Request, user_id: Annotated[str, Path(description="Your own user id, or `me`.")]
) -> Tenant:
    database: Database = request.state.database
    principal = await _authenticate(request)
    request.scope["user_id"] = principal.user_id
    if user_id not in {"me", principal.user_id}:
        raise NotTheCaller
    return database.tenant(principal)


async def _authenticate(request: Request) -> auth.Principal:
    authenticator: auth.Authenticator = request.state.authenticator
    try:
        return await authenticator.authenticate(request.method, request.headers)
    except auth.MissingToken as error:
        raise MissingToken from error
    except auth.InvalidToken as error:
        log.info("token refused", reason=str(error), request_id=request.scope["request_id"])
        raise InvalidToken from error
    except auth.ForeignOrigin as error:
        raise OriginNotAllowed from error
    except auth.KeysUnavailable as error:
        log.warning("keys unavailable", reason=str(error), request_id=request.scope["request_id"])
        raise KeysUnavailable from error


async def _settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentTenant = Annotated[Tenant, Depends(_tenant)]
"""The caller's own part of the database. A route that takes it cannot be called without a valid token."""

CurrentSettings = Annotated[Settings, Depends(_settings)]


def _canonical(task_id: str) -> str:
    if len(task_id) != len("01a202b1-fa21-79e9-b75d-f80d096bdf97"):
        raise ValueError("should be a UUID")  # Python also reads them in braces, as URNs and without hyphens
    return task_id


TaskId = Annotated[UUID, BeforeValidator(_canonical), Path(description="The task's id.")]


def json_body[Model: BaseModel](
    model: type[Model], *, media_types: tuple[str, ...] = ("application/json",), optional: bool = False
) -> Callable[[Request], Awaitable[Model | None]]:
    """A dependency that reads the body as `model`.

    FastAPI would parse the body before it looks at who sent it, and answer broken JSON with 422.
    The routes document their bodies with `openapi.body`.
    """

    async def read(request: Request) -> Model | None:
        content = await _read(request)
        if optional and not content:
            return None
        _require_media_type(request.headers, media_types)
        try:
            return model.model_validate(_parse(content))
        except ValidationError as error:
            raise InvalidValues(*faults_of(error.errors())) from error

    return read


async def _read(request: Request) -> bytes:
    # FastAPI's own `max_body_size` answers in plain text where the client announced the length.
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise ContentTooLarge
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise ContentTooLarge
    except ClientDisconnect as error:
        # Nobody is there any more to read the answer, but the log is to say what happened.
        raise MalformedRequest("The request ended before its body did.") from error
    except CancelledError as error:
        # By a server that stops, and has waited long enough.
        raise MalformedRequest("The body did not come in time.") from error
    return bytes(content)


def _require_media_type(headers: Headers, media_types: tuple[str, ...]) -> None:
    media_type, *parameters = headers.get("content-type", "").lower().split(";")
    named = (parameter.strip().partition("=") for parameter in parameters)
    charsets = {value.strip('"') for name, _, value in named if name == "charset"}
    if media_type.strip() not in media_types or not charsets <= {"utf-8"}:
        raise UnsupportedMediaType(f"Send the body as `Content-Type: {' or '.join(media_types)}`, in UTF-8.")


def _parse(content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return _JSON.decode(content.decode())
    except UnicodeDecodeError as error:
        raise MalformedRequest("The body is not valid UTF-8.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not valid JSON: {error.msg} at {place}.") from error
    except (RecursionError, ValueError) as error:
        raise MalformedRequest("The body is JSON nested too deeply, or with too long a number.") from error


def _refuse_constant(name: str) -> None:
    raise InvalidValues(Fault("", f"{name} is not a JSON value."))


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


_ENTITY_TAGS = re.compile(r'\s*(?:"[\x21\x23-\x7e]*"\s*(?:,\s*|$))+')
_VERSION = re.compile(r'"([1-9][0-9]{0,8})"')


async def _if_match(
    if_match: Annotated[
        list[str] | None, Header(description='Go ahead only if the task is still at this version, such as `"3"`.')
    ] = None,
) -> Versions | None:
    """The versions that `If-Match` names, or None if any will do (RFC 9110, section 13.1.1)."""
    field = ",".join(if_match or ["*"])
    if field.strip() == "*":
        return None
    if not _ENTITY_TAGS.fullmatch(field):
        raise PreconditionFailed('If-Match takes strong entity tags such as "3", as the ETag header gives them.')
    return frozenset(int(version) for version in _VERSION.findall(field))


IfMatch = Annotated[Versions | None, Depends(_if_match)]


async def _if_none_match(
    if_none_match: Annotated[
        list[str] | None, Header(description='Answer 304 if the task is still at this version, such as `"3"`.')
    ] = None,
) -> Callable[[int], bool]:
    """Whether the caller has a version already. Tags are compared weakly (RFC 9110, section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for field in if_none_match or () for tag in field.split(",")}
    return lambda version: "*" in tags or f'"{version}"' in tags


HasVersion = Annotated[Callable[[int], bool], Depends(_if_none_match)]
