"""Builds the authenticator from the settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2

from backend.auth import Authenticator, Sources
from backend.auth.jwks import TIMEOUT_SECONDS, KeyVerifier, from_database, from_url
from backend.auth.keys import KeySet
from backend.auth.secret import SecretVerifier
from backend.auth.sessions import RunQuery, Sessions
from backend.auth.tokens import ClaimRules
from backend.config import AuthSource, Settings
from backend.errors import NotReady
from backend.logs import log

# The grants are missing, or Better Auth's plugins have added or removed a column since they were made.
_NOT_MIGRATED = (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


@asynccontextmanager
async def authenticator_for(settings: Settings, run_query: RunQuery) -> AsyncIterator[Authenticator]:
    secret = settings.better_auth_secret.get_secret_value() if settings.better_auth_secret else None
    rules = ClaimRules(issuer=settings.issuer, audience=settings.audience, max_lifetime=settings.jwt_max_lifetime)
    run_query = _explaining_refusals(run_query)
    sessions = Sessions(run_query, secret=secret, require_signature=settings.session_require_signature)
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        keys = None
        if AuthSource.JWKS in settings.sources:
            keys = KeySet(from_url(client, settings.keys_url))
        elif AuthSource.JWKS_DATABASE in settings.sources:
            keys = KeySet(from_database(run_query))
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


def _explaining_refusals(run_query: RunQuery) -> RunQuery:
    """Wraps `run_query`, to raise NotReady if Better Auth's tables or the grants on them are not as needed."""

    async def run(sql: str, *arguments: object) -> Sequence[Any]:
        try:
            return await run_query(sql, *arguments)
        except _NOT_MIGRATED as error:
            log.error("Better Auth's tables cannot be read; run `tasks migrate`", reason=str(error))
            raise NotReady(
                "The service cannot read what it needs from Better Auth's tables; run `tasks migrate`."
            ) from error

    return run
