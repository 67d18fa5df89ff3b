"""What routes take from a request: the tenant and ids."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request
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
