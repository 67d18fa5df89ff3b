"""The sources of tokens that the settings name, put together."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2

from backend.auth import Authenticator, Sources
from backend.auth.jwks import TIMEOUT_SECONDS, KeyVerifier, from_database, from_url
from backend.auth.keys import KeySet
from backend.auth.secret import SecretVerifier
from backend.auth.sessions import Sessions
from backend.auth.tokens import ClaimRules
from backend.config import AuthSource, Settings
from backend.errors import NotReady
from backend.logs import log

type Fetch = Callable[..., Awaitable[Sequence[Any]]]
"""Runs SQL with positional parameters and gives its rows."""

# The rights were not granted, or Better Auth's plugins have added or removed a column since.
_NOT_MIGRATED = (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


@asynccontextmanager
async def authenticator_for(settings: Settings, fetch: Fetch) -> AsyncIterator[Authenticator]:
    secret = settings.better_auth_secret.get_secret_value() if settings.better_auth_secret else None
    rules = ClaimRules(issuer=settings.issuer, audience=settings.audience, max_lifetime=settings.jwt_max_lifetime)
    read = _reading(fetch)
    sessions = Sessions(read, secret=secret, require_signature=settings.session_require_signature)
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        keys = None
        if AuthSource.JWKS in settings.sources:
            keys = KeySet(from_url(client, settings.keys_url))
        elif AuthSource.JWKS_DATABASE in settings.sources:
            keys = KeySet(from_database(read))
        sources = Sources(
            secret=SecretVerifier(secret, rules) if secret and AuthSource.SECRET in settings.sources else None,
            keys=KeyVerifier(keys, rules) if keys else None,
            sessions=sessions if AuthSource.SESSION in settings.sources else None,
            revocations=sessions if settings.jwt_check_session else None,
        )
        try:
            yield Authenticator(sources, cookie_origins=settings.cors_origins)
        finally:
            if keys:
                await keys.close()


def _reading(fetch: Fetch) -> Fetch:
    """To read Better Auth's tables with."""

    async def read(sql: str, *arguments: object) -> Sequence[Any]:
        try:
            return await fetch(sql, *arguments)
        except _NOT_MIGRATED as error:
            log.error("Better Auth's tables cannot be read; run `tasks migrate`", reason=str(error))
            raise NotReady(
                "The service may not read what it needs of Better Auth's tables; run `tasks migrate`."
            ) from error

    return read
