"""An issuer's public keys: which to trust, for which algorithm, and when to fetch them again (RFC 7517)."""

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
"""Fetches the key set. Any exception means that the set is unavailable."""

ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")  # all that Better Auth can sign with, besides HS256

# Seconds.
COOLDOWN = 1.0  # from the start of one fetch to the start of the next, even if the first fails
FETCH_TIMEOUT = 2.0  # of a fetch, and of a request that waits for one
REFRESH_AFTER = 300.0  # then a fetch in the background finds out which keys are still listed
EXPIRE_AFTER = 3600.0  # how long keys stay valid while the issuer cannot be reached


class KeySourceUnavailable(Exception):
    """The issuer's keys cannot be fetched right now, so a token can be neither accepted nor refused."""


class KeySet:
    """The issuer's keys by id.

    All requests share one fetch at a time, and at most one starts per second, however many keys are asked for.
    """

    def __init__(self, fetch: FetchKeys) -> None:
        self._fetch = fetch
        self._keys: dict[str, Key] = {}
        self._begun = self._succeeded = -inf
        self._failure: str | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._closed = False

    async def find(self, key_id: object) -> Key:
        """The key with this id. Keys rotate, so the set is fetched before an unknown id is refused.

        Raises InvalidCredentials if the issuer does not list it, KeySourceUnavailable if it cannot be reached.
        """
        if not isinstance(key_id, str):
            raise InvalidCredentials("no key id")
        if key := self._known(key_id):
            if monotonic() - self._succeeded > REFRESH_AFTER:
                self._join()
            return key
        asked = monotonic()
        # A fetch already under way does not count: it may have read the set just before the key was added.
        while self._begun < asked:
            await self._fetched(asked + FETCH_TIMEOUT)
            if key := self._known(key_id):
                return key
        if self._failure:
            raise KeySourceUnavailable(self._failure)
        raise InvalidCredentials("signed with a key that the issuer does not list")

    async def check(self) -> None:
        """Raises KeySourceUnavailable unless the set is known or can be fetched. It may be empty."""
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
        """Wait for the running fetch, or for a new one. Cancelling this leaves the fetch, which others share."""
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
        except Exception as error:  # noqa: BLE001 - any failure is the source's, not the token's
            self._failure = f"{type(error).__name__}: {error}"
        else:
            self._keys, self._succeeded, self._failure = keys, self._begun, None


def usable(keys: Iterable[JWK]) -> dict[str, Key]:
    """The keys that can verify signatures, by id, each bound to one algorithm. All others are dropped."""
    listed = [(jwk["kid"], jwk) for jwk in keys if isinstance(jwk.get("kid"), str)]
    times = Counter(key_id for key_id, _ in listed)
    found: dict[str, Key] = {}
    for key_id, jwk in listed:
        try:
            # Keys that share an id are ambiguous, so none of them is used.
            if times[key_id] == 1 and (algorithm := algorithm_of(jwk)):
                # An RSA key of fewer than 2048 bits fails here.
                found[key_id] = Key(algorithm, jwt.PyJWK(dict(jwk), algorithm).key)
        except Exception:  # noqa: BLE001, S112 - a malformed key can raise anything
            continue
    return found


def algorithm_of(jwk: JWK) -> str | None:
    """The algorithm that a public key declares it is for, or None if it cannot be used here.

    Raises ValueError if a number is not base64url.
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
        return False  # a private key that is published proves nothing
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


# The y coordinates of the eight points of Ed25519 whose order divides the cofactor. With such a key,
# one signature is valid for almost any message. RFC 8032, section 5.1.7, leaves this check to the verifier.
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
