from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Protocol

from starlette.datastructures import Headers

from .sessions import Sessions, session_cookie
from .tokens import ForeignOrigin, InvalidCredentials, NoCredentials, Principal, UnverifiedToken, parse

REMEMBERED_TOKENS = 10_000
REMEMBERED_FOR = 60.0  # seconds; how long a token can outlive the withdrawal of its key

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1
_UNKNOWN = Principal(""), 0.0


class Verifier(Protocol):
    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidCredentials or KeySourceUnavailable."""

    async def check(self) -> None:
        """Raises KeySourceUnavailable if no token could be verified right now."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What credentials are checked against. None switches a source off."""

    secret: Verifier | None = None  # HS256
    keys: Verifier | None = None  # every other algorithm
    sessions: Sessions | None = None  # session tokens, sent as bearer tokens or cookies
    revocations: Sessions | None = None  # checks that the session in a JWT's `sid` is still alive


class Authenticator:
    """Finds out who sent a request.

    The form of the credentials selects one source. If that source refuses them, no other source is tried.

    A verified JWT is remembered for a minute, by its digest: clients send the same token many times, and checking
    its signature costs some 50 times as much as the look-up. Sessions are looked up on each request.
    """

    def __init__(self, sources: Sources, *, cookie_origins: Collection[str] = ()) -> None:
        self._sources = sources
        self._cookie_origins = frozenset(cookie_origins)
        self._remembered: dict[bytes, tuple[Principal, float]] = {}  # with the time it is forgotten

    async def authenticate(self, method: str, headers: Headers) -> Principal:
        """The user who sent the request.

        Raises NoCredentials, InvalidCredentials, ForeignOrigin or KeySourceUnavailable.
        """
        token = _bearer_token(headers)
        if token is not None:
            return await self._of_token(token)
        cookie = session_cookie(headers) if self._sources.sessions else None
        if cookie is None or self._sources.sessions is None:
            raise NoCredentials
        if method not in _SAFE_METHODS and headers.get("origin") not in self._cookie_origins:
            # A browser adds the cookie to requests of any page; only the origin tells which page made this one.
            raise ForeignOrigin
        return await self._sources.sessions.of_cookie(cookie)

    async def check(self) -> None:
        """Raises KeySourceUnavailable, or what the query raises, if an enabled source could verify nothing."""
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
        # The header only chooses among enabled verifiers; each of them accepts its own key's algorithm alone.
        verifier = self._sources.secret if token.header.get("alg") == "HS256" else self._sources.keys
        if verifier is None:
            raise InvalidCredentials("signed in a way that is not switched on")
        return verifier

    def _remember(self, digest: bytes, principal: Principal) -> None:
        self._remembered.pop(digest, None)
        while len(self._remembered) >= REMEMBERED_TOKENS:
            # Dictionaries keep insertion order, so the first entry is the oldest.
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
