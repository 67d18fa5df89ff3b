from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Protocol

from starlette.datastructures import Headers

from .sessions import Sessions, session_cookie
from .tokens import ForeignOrigin, InvalidCredentials, NoCredentials, Principal, UnverifiedToken, parse

REMEMBERED_TOKENS = 10_000
REMEMBERED_FOR = 60.0  # seconds; its key may have been withdrawn since

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1
_UNKNOWN = Principal(""), 0.0


class Verifier(Protocol):
    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidCredentials or KeySourceUnavailable."""

    async def check(self) -> None:
        """Raises KeySourceUnavailable where no token could be verified."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a credential may come from. What is None is switched off."""

    secret: Verifier | None = None  # HS256
    keys: Verifier | None = None  # every other algorithm
    sessions: Sessions | None = None  # session tokens, as bearer tokens and cookies
    revocations: Sessions | None = None  # where the session that a JWT names in `sid` is looked up


class Authenticator:
    """Finds out who sent a request.

    What a request carries decides which source is asked, and no other is asked after that one has refused.

    A verified JWT is remembered for a minute, by its digest: a check of the signature costs some 50 times as much
    as the look-up, and a client sends the same token again and again. Sessions are looked up each time.
    """

    def __init__(self, sources: Sources, *, cookie_origins: Collection[str] = ()) -> None:
        self._sources = sources
        self._cookie_origins = frozenset(cookie_origins)
        self._remembered: dict[bytes, tuple[Principal, float]] = {}  # until when

    async def authenticate(self, method: str, headers: Headers) -> Principal:
        """Raises NoCredentials, InvalidCredentials, ForeignOrigin or KeySourceUnavailable."""
        token = _bearer_token(headers)
        if token is not None:
            return await self._of_token(token)
        cookie = session_cookie(headers) if self._sources.sessions else None
        if cookie is None or self._sources.sessions is None:
            raise NoCredentials
        if method not in _SAFE_METHODS and headers.get("origin") not in self._cookie_origins:
            # Browsers send cookies along with whatever page asks them to; only the origin tells which did.
            raise ForeignOrigin
        return await self._sources.sessions.of_cookie(cookie)

    async def check(self) -> None:
        """Raises KeySourceUnavailable where a source that is switched on could verify nothing."""
        sources = self._sources
        for source in (sources.secret, sources.keys, sources.sessions, sources.revocations):
            if source:
                await source.check()

    async def _of_token(self, text: str) -> Principal:
        if self._sources.sessions and text.count(".") < 2:
            return await self._sources.sessions.of_bearer(text)
        digest = sha256(text.encode()).digest()
        principal, until = self._remembered.get(digest, _UNKNOWN)
        if until <= time():
            token = parse(text)
            principal = await self._verifier(token).verify(token)
            self._remember(digest, principal)
        if self._sources.revocations and principal.session_id is not None:
            await self._sources.revocations.require(principal)
        return principal

    def _verifier(self, token: UnverifiedToken) -> Verifier:
        # The header chooses between what was switched on; each verifier accepts only the algorithm of its key.
        verifier = self._sources.secret if token.header.get("alg") == "HS256" else self._sources.keys
        if verifier is None:
            raise InvalidCredentials("signed in a way that is not switched on")
        return verifier

    def _remember(self, digest: bytes, principal: Principal) -> None:
        self._remembered.pop(digest, None)
        while len(self._remembered) >= REMEMBERED_TOKENS:
            # Dictionaries keep the order of insertion, so this is the one remembered longest.
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = principal, min(principal.expires_at, time() + REMEMBERED_FOR)


def _bearer_token(headers: Headers) -> str | None:
    values = headers.getlist("authorization")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidCredentials("more than one Authorization header")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidCredentials("not a Bearer token")
    return token.strip(" ")
