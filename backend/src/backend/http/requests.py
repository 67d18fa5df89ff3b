"""What routes take from a request: the tenant, ids, preconditions."""

import re
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Request
from pydantic import BeforeValidator

from backend import auth
from backend.config import Environment, Settings
from backend.database import Database, Tenant
from backend.errors import (
    InvalidToken,
    KeysUnavailable,
    MissingToken,
    NotTheCaller,
    OriginNotAllowed,
    PreconditionFailed,
)
from backend.http.refusals import explain
from backend.logs import log


async def _tenant(
    request: Request, user_id: Annotated[str, Path(description="Your own user id, or `me`.")]
) -> Tenant:
    database: Database = request.state.database
    principal = await _authenticate(request)
    request.state.user_id = principal.user_id
    if user_id not in {"me", principal.user_id}:
        raise NotTheCaller
    return database.tenant(principal)


async def _authenticate(request: Request) -> auth.Principal:
    authenticator: auth.Authenticator = request.state.authenticator
    try:
        return await authenticator.authenticate(request.method, request.headers)
    except auth.NoCredentials as error:
        raise MissingToken from error
    except auth.InvalidCredentials as error:
        log.info("token refused", reason=str(error), request_id=request.scope["request_id"])
        settings: Settings = request.state.settings
        in_development = settings.environment is Environment.DEVELOPMENT
        raise InvalidToken(explain(str(error)) if in_development else None) from error
    except auth.ForeignOrigin as error:
        raise OriginNotAllowed from error
    except auth.KeySourceUnavailable as error:
        log.warning("keys unavailable", reason=str(error), request_id=request.scope["request_id"])
        raise KeysUnavailable from error


async def _settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentTenant = Annotated[Tenant, Depends(_tenant)]
"""The caller's own part of the database. A route that takes it requires a valid token or session."""

CurrentSettings = Annotated[Settings, Depends(_settings)]


def _canonical(text: str) -> str:
    if len(text) != len("01a202b1-fa21-79e9-b75d-f80d096bdf97"):
        raise ValueError("should be a UUID")  # UUID() also accepts braces, URNs and missing hyphens
    return text


CanonicalUUID = Annotated[UUID, BeforeValidator(_canonical)]
"""An id in a path, in exactly the form in which the API returns it."""


_ENTITY_TAGS = re.compile(r'\s*(?:"[\x21\x23-\x7e]*"\s*(?:,\s*|$))+')
_VERSION = re.compile(r'"([1-9][0-9]{0,8})"')


async def _if_match(
    if_match: Annotated[
        list[str] | None, Header(description='Go ahead only if the task is still at this version, such as `"3"`.')
    ] = None,
) -> frozenset[int] | None:
    """The versions that `If-Match` names, or None if any version matches (RFC 9110, section 13.1.1)."""
    field = ",".join(if_match or ["*"])
    if field.strip() == "*":
        return None
    if not _ENTITY_TAGS.fullmatch(field):
        raise PreconditionFailed('If-Match takes strong entity tags such as "3", as the ETag header gives them.')
    return frozenset(int(version) for version in _VERSION.findall(field))


IfMatch = Annotated[frozenset[int] | None, Depends(_if_match)]


async def _if_none_match(
    if_none_match: Annotated[
        list[str] | None, Header(description='Answer 304 if the task is still at this version, such as `"3"`.')
    ] = None,
) -> Callable[[int], bool]:
    """Whether the caller already has a given version. Tags are compared weakly (RFC 9110, section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for field in if_none_match or () for tag in field.split(",")}
    return lambda version: "*" in tags or f'"{version}"' in tags


HasVersion = Annotated[Callable[[int], bool], Depends(_if_none_match)]
