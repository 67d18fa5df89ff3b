"""Tokens signed with Better Auth's key pairs, and the two places where its public keys can be read."""

import json
from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

import httpx2

from .keys import ALGORITHMS, JWK, KeySet, KeySourceUnavailable
from .tokens import ClaimRules, InvalidCredentials, Principal, UnverifiedToken, check_claims, verify

MAX_BYTES = 64 * 1024
MAX_KEYS = 100  # daily rotation, with old keys listed for a month, makes about thirty
TIMEOUT_SECONDS = 2.0

# Better Auth, too, lists a key for 30 days after it stops signing with it. The LIMIT is MAX_KEYS.
PUBLIC_KEYS = """
    SELECT id, "publicKey", alg FROM jwks
     WHERE "expiresAt" IS NULL OR "expiresAt" > now() - interval '30 days'
     ORDER BY "createdAt" DESC LIMIT 100
"""


class KeyVerifier:
    """Verifies EdDSA, ES256, ES512, RS256 and PS256. The key that `kid` names determines the algorithm."""

    def __init__(self, keys: KeySet, rules: ClaimRules) -> None:
        self._keys = keys
        self._rules = rules

    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidCredentials or KeySourceUnavailable."""
        # Refused with any key, so no fetch is wasted on it: an expired token may name a key no longer listed.
        if token.header.get("alg") not in ALGORITHMS:
            raise InvalidCredentials("signed with an algorithm of no key")
        check_claims(token.claims, self._rules, time())
        key = await self._keys.find(token.header.get("kid"))
        return verify(token, key, self._rules, time())

    async def check(self) -> None:
        """Raises KeySourceUnavailable."""
        await self._keys.check()


def from_url(client: httpx2.AsyncClient, url: str) -> Callable[[], Awaitable[list[JWK]]]:
    """A function that fetches the key set Better Auth publishes; it raises KeySourceUnavailable."""

    async def fetch() -> list[JWK]:
        try:
            return _keys_of(await _read(client, url))
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            shown = repr(httpx2.URL(url))  # without the password, if it has one
            raise KeySourceUnavailable(f"{shown}: {type(error).__name__} {error}") from error

    return fetch


async def _read(client: httpx2.AsyncClient, url: str) -> bytearray:
    body = bytearray()
    # Uncompressed, so that MAX_BYTES bounds the memory that is used, not only the traffic.
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
        raise ValueError("no key set")  # noqa: TRY004 - the response is wrong, not an argument
    if len(keys) > MAX_KEYS:
        # Truncating the set could drop the key that signs.
        raise ValueError(f"more than {MAX_KEYS} keys")
    return [key for key in keys if isinstance(key, dict)]


def from_database(run_query: Callable[[str], Awaitable[Sequence[Any]]]) -> Callable[[], Awaitable[list[JWK]]]:
    """A function that reads the key set from Better Auth's table. `run_query` runs SQL and returns its rows."""

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
