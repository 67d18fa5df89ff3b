from hashlib import sha256
from time import time
from typing import Protocol

from starlette.datastructures import Headers

from backend.auth.tokens import InvalidToken, MissingToken, Principal, UnverifiedToken, parse

REMEMBERED_TOKENS = 10_000


class Verifier(Protocol):
    async def verify(self, token: UnverifiedToken) -> Principal: ...


class Authenticator:
    """Finds out who sent a request.

    A verified token is remembered until it expires, by its digest: a check of the signature costs some
    50 times as much as the look-up, and a client sends the same token again and again.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._remembered: dict[bytes, Principal] = {}

    async def authenticate(self, headers: Headers) -> Principal:
        """Raises MissingToken or InvalidToken."""
        token = _bearer_token(headers)
        digest = sha256(token.encode()).digest()
        principal = self._remembered.get(digest)
        if principal is None:
            principal = await self._verifier.verify(parse(token))
            self._remember(digest, principal)
        elif principal.expires_at <= time():
            del self._remembered[digest]
            raise InvalidToken("expired")
        return principal

    def _remember(self, digest: bytes, principal: Principal) -> None:
        while len(self._remembered) >= REMEMBERED_TOKENS:
            # Dictionaries keep the order of insertion, so this is the one remembered longest.
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = principal


def _bearer_token(headers: Headers) -> str:
    values = headers.getlist("authorization")
    if not values:
        raise MissingToken
    if len(values) > 1:
        raise InvalidToken("more than one Authorization header")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken("not a Bearer token")
    return token.strip(" ")
