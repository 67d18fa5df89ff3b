"""Public keys of an issuer: which of them to trust for what, and when to fetch them anew (RFC 7517)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from time import monotonic
from typing import Any

import jwt
from jwt.utils import base64url_decode

from .tokens import InvalidCredentials, Key

type JWK = Mapping[str, Any]  # JSON
type FetchKeys = Callable[[], Awaitable[Iterable[JWK]]]
"""Gets the key set from wherever it is kept. Whatever it raises, there is no set to be had."""

ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")  # all that Better Auth signs with

# Seconds.
COOLDOWN = 1.0  # between the beginnings of two fetches, failed ones included
FETCH_TIMEOUT = 2.0  # how long one request waits for a key, and how long one fetch may take
REFRESH_AFTER = 300.0  # known keys serve on while a fetch in the background looks whether they are still listed
EXPIRE_AFTER = 3600.0  # how long known keys serve while the issuer cannot be reached


class KeySourceUnavailable(Exception):
    """The issuer's keys cannot be had at the moment, so nothing can be said about a token."""


class KeySet:
    """The keys by their ids. However many requests want one, at most one fetch a second begins, and one runs."""

    def __init__(self, fetch: FetchKeys) -> None:
        self._fetch = fetch
        self._keys: dict[str, Key] = {}
        self._begun = self._succeeded = -inf
        self._failure: str | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._closed = False

    async def find(self, key_id: object) -> Key:
        """The key of this id; for an unknown one the set is fetched first, since keys rotate.

        Raises InvalidCredentials if the issuer does not list it, KeySourceUnavailable if it cannot be reached.
        """
        if not isinstance(key_id, str):
            raise InvalidCredentials("no key id")
        if key := self._known(key_id):
            if monotonic() - self._succeeded > REFRESH_AFTER:
                self._join()
            return key
        asked = monotonic()
        # A fetch that is under way may have read the set just before the key was added to it.
        while self._begun < asked:
            await self._fetched(asked + FETCH_TIMEOUT)
            if key := self._known(key_id):
                return key
        if self._failure:
            raise KeySourceUnavailable(self._failure)
        raise InvalidCredentials("signed with a key that the issuer does not list")

    async def check(self) -> None:
        """Raises KeySourceUnavailable unless the set has been fetched, or can be. It may be empty."""
        if monotonic() - self._succeeded < EXPIRE_AFTER:
            return
        await self._fetched(monotonic() + FETCH_TIMEOUT)
        if self._failure:
            raise KeySourceUnavailable(self._failure)

    async def close(self) -> None:
        self._closed = True
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _known(self, key_id: str) -> Key | None:
        return self._keys.get(key_id) if monotonic() - self._succeeded < EXPIRE_AFTER else None

    async def _fetched(self, deadline: float) -> None:
        """Wait for the end of the next fetch. It is everybody's: who is cancelled here does not cancel it."""
        fetching = self._join()
        await asyncio.wait([fetching], timeout=max(0, deadline - monotonic()))
        if not fetching.done() or fetching.cancelled():
            raise KeySourceUnavailable("the issuer takes too long to answer, or the service is stopping")

    def _join(self) -> asyncio.Task[None]:
        if self._closed:
            raise KeySourceUnavailable("the service is stopping")
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._refresh())
        return self._fetching

    async def _refresh(self) -> None:
        await asyncio.sleep(self._begun + COOLDOWN - monotonic())
        self._begun = monotonic()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                keys = usable(await self._fetch())
        except KeySourceUnavailable as failure:
            self._failure = str(failure)
        except Exception as error:  # noqa: BLE001 - whatever it was, tokens are not what is wrong
            self._failure = f"{type(error).__name__}: {error}"
        else:
            self._keys, self._succeeded, self._failure = keys, self._begun, None


def usable(keys: Iterable[JWK]) -> dict[str, Key]:
    """The keys that can verify signatures, each bound to its one algorithm. The others are left out."""
    listed = [(jwk["kid"], jwk) for jwk in keys if isinstance(jwk.get("kid"), str)]
    times = Counter(key_id for key_id, _ in listed)
    found: dict[str, Key] = {}
    for key_id, jwk in listed:
        try:
            # Of two keys with one id nobody can say which is meant.
            if times[key_id] == 1 and (algorithm := algorithm_of(jwk)):
                # An RSA key of fewer than 2048 bits fails here.
                found[key_id] = Key(algorithm, jwt.PyJWK(dict(jwk), algorithm).key)
        except Exception:  # noqa: BLE001, S112 - there is no end to what can be wrong with a key
            continue
    return found


def algorithm_of(jwk: JWK) -> str | None:
    """The one algorithm that a public key is for, by the key's own record; None if it is for nothing here.

    Raises ValueError for numbers that are no base64url.
    """
    if not _is_for_verifying(jwk):
        return None
    match jwk.get("kty"), jwk.get("crv"), jwk.get("alg"):
        case "OKP", "Ed25519", "EdDSA" | "Ed25519" | None:
            return None if _has_small_order(jwk.get("x")) else "EdDSA"
        case "EC", "P-256", "ES256" | None:
            return "ES256"
        case "EC", "P-521", "ES512" | None:
            return "ES512"
        case "RSA", None, ("RS256" | "PS256") as algorithm:
            return str(algorithm)
    return None


def _is_for_verifying(jwk: JWK) -> bool:
    if "d" in jwk:
        return False  # a private key that everybody can read proves nothing
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


# The y coordinates of the eight points of Ed25519 whose order divides the cofactor. Under such a key one
# signature is good for almost any message (RFC 8032, section 5.1.7, leaves the check to the verifier).
_P = 2**255 - 19
_SMALL_ORDER_Y = {
    0,
    1,
    _P - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
}


def _has_small_order(x: object) -> bool:
    y = int.from_bytes(base64url_decode(x), "little") & (2**255 - 1) if isinstance(x, str) else 0
    return y % _P in _SMALL_ORDER_Y
