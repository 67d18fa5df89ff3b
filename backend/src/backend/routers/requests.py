"""What routes take from a request: the tenant, a JSON body, a precondition."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers

from backend import auth
from backend.config import Settings
from backend.database import Database, Tenant
from backend.errors import (
    Fault,
    InvalidToken,
    InvalidValues,
    MalformedRequest,
    MissingToken,
    NotTheCaller,
    PreconditionFailed,
    UnsupportedMediaType,
    faults_of,
)
from backend.logs import log
from backend.services.tasks import Versions


async def _tenant(
    request: Request, user_id: Annotated[str, Path(description="Your own user id, or `me`.")]
) -> Tenant:
    authenticator: auth.Authenticator = request.state.authenticator
    database: Database = request.state.database
    try:
        principal = await authenticator.authenticate(request.headers)
    except auth.MissingToken as error:
        raise MissingToken from error
    except auth.InvalidToken as error:
        log.info("token refused", reason=str(error), request_id=request.scope["request_id"])
        raise InvalidToken from error
    request.scope["user_id"] = principal.user_id
    if user_id not in {"me", principal.user_id}:
        raise NotTheCaller
    return database.tenant(principal)


async def _settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentTenant = Annotated[Tenant, Depends(_tenant)]
"""The caller's own part of the database. A route that takes it cannot be called without a valid token."""

CurrentSettings = Annotated[Settings, Depends(_settings)]

TaskId = Annotated[UUID, Path()]


def json_body[Model: BaseModel](
    model: type[Model], *, media_types: tuple[str, ...] = ("application/json",), optional: bool = False
) -> Callable[[Request], Awaitable[Model | None]]:
    """A dependency that reads the body as `model`.

    FastAPI would parse the body before it looks at who sent it, and answer broken JSON with 422.
    The routes document their bodies with `documented`.
    """

    async def read(request: Request) -> Model | None:
        content = await request.body()
        if optional and not content:
            return None
        _require_media_type(request.headers, media_types)
        try:
            return model.model_validate(_parse(content))
        except ValidationError as error:
            raise InvalidValues(*faults_of(error.errors())) from error

    return read


def _require_media_type(headers: Headers, media_types: tuple[str, ...]) -> None:
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() not in media_types or charset not in {"", "utf-8"}:
        raise UnsupportedMediaType(f"Send the body as `Content-Type: {' or '.join(media_types)}`, in UTF-8.")


def _parse(content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(content.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise MalformedRequest("The body is not valid UTF-8.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not valid JSON: {error.msg} at {place}.") from error
    except (RecursionError, ValueError) as error:
        raise MalformedRequest("The body is JSON nested too deeply, or with too long a number.") from error


def _refuse_constant(name: str) -> None:
    raise InvalidValues(Fault("", f"{name} is not a JSON value."))


_ENTITY_TAGS = re.compile(r'\s*(?:"[\x21\x23-\x7e]*"\s*(?:,\s*|$))+')
_VERSION = re.compile(r'"([1-9][0-9]{0,8})"')


async def _if_match(request: Request) -> Versions | None:
    """The versions that `If-Match` names, or None if any will do (RFC 9110, section 13.1.1)."""
    values = request.headers.getlist("if-match")
    field = ",".join(values)
    if not values or field.strip() == "*":
        return None
    if not _ENTITY_TAGS.fullmatch(field):
        raise PreconditionFailed('If-Match takes strong entity tags such as "3", as the ETag header gives them.')
    return frozenset(int(version) for version in _VERSION.findall(field))


IfMatch = Annotated[Versions | None, Depends(_if_match)]
