"""Tokens signed with Better Auth's own key pairs, and the two places its public keys can be had from."""

import json
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

import httpx2

from .keys import ALGORITHMS, JWK, KeySet, KeySourceUnavailable
from .tokens import ClaimRules, InvalidCredentials, Principal, UnverifiedToken, check_claims, verify

MAX_BYTES = 64 * 1024
MAX_KEYS = 100  # an issuer that rotates its key daily and lists old ones for a month has some thirty
TIMEOUT_SECONDS = 2.0

# Better Auth itself lists a key for 30 days after it has stopped signing with it. The limit is MAX_KEYS.
PUBLIC_KEYS = """
    SELECT id, "publicKey", alg FROM jwks
     WHERE "expiresAt" IS NULL OR "expiresAt" > now() - interval '30 days'
     ORDER BY "createdAt" DESC LIMIT 100
"""


class KeyVerifier:
    """EdDSA, ES256, ES512, RS256 and PS256: the key that the token's `kid` names decides which."""

    def __init__(self, keys: KeySet, rules: ClaimRules) -> None:
        self._keys = keys
        self._rules = rules

    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidCredentials or KeySourceUnavailable."""
        # No key could save such a token, so none is asked for: it may be an old one, of a key long gone.
        if token.header.get("alg") not in ALGORITHMS:
            raise InvalidCredentials("signed with an algorithm of no key")
        check_claims(token.claims, self._rules, time())
        key = await self._keys.find(token.header.get("kid"))
        return verify(token, key, self._rules, time())

    async def check(self) -> None:
        """Raises KeySourceUnavailable."""
        await self._keys.check()


def from_url(client: httpx2.AsyncClient, url: str) -> Callable[[], Awaitable[list[JWK]]]:
    """The set as Better Auth publishes it."""

    async def fetch() -> list[JWK]:
        try:
            return _keys_of(await _read(client, url))
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            shown = repr(httpx2.URL(url))  # without the password, if it has one
            raise KeySourceUnavailable(f"{shown}: {type(error).__name__} {error}") from error

    return fetch


async def _read(client: httpx2.AsyncClient, url: str) -> bytearray:
    body = bytearray()
    # Uncompressed, so that the bound is one on what is read and not only on what is sent.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=headers, follow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES} bytes")
    return body


def _keys_of(body: bytearray) -> list[JWK]:
    answer = json.loads(body)
    keys = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(keys, list):
        raise ValueError("no key set")  # noqa: TRY004 - of what was answered, not of what was passed here
    if len(keys) > MAX_KEYS:
        # To leave some out could be to leave out the one that signs.
        raise ValueError(f"more than {MAX_KEYS} keys")
    return [key for key in keys if isinstance(key, dict)]


def from_database(run_query: Callable[[str], Awaitable[Sequence[Any]]]) -> Callable[[], Awaitable[list[JWK]]]:
    """The set as Better Auth keeps it. `run_query` runs SQL and gives its rows."""

    async def read() -> list[JWK]:
        keys: list[JWK] = []
        for row in await run_query(PUBLIC_KEYS):
            try:
                key = json.loads(row["publicKey"])
            except (ValueError, TypeError, RecursionError):
                continue
            if isinstance(key, dict):
                keys.append({"alg": row["alg"], **key, "kid": row["id"]})
        return keys

    return read
