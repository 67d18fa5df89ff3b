"""The cost of authenticating a request, in microseconds, compared with PyJWT alone on the same token.

uv run python benchmarks/tokens.py
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import get_default_algorithms
from starlette.datastructures import Headers

from backend.auth import Authenticator, Sources
from backend.auth.jwks import KeyVerifier
from backend.auth.keys import JWK, KeySet
from backend.auth.secret import SecretVerifier
from backend.auth.tokens import CLOCK_SKEW, ClaimRules

ISSUER = "https://app.example.com"
RULES = ClaimRules(issuer=ISSUER, audience=ISSUER, max_lifetime=timedelta(hours=24))
SECRET = "a-secret-of-the-benchmark-0123456789abcdef"  # noqa: S105 - only for the benchmark
ROUNDS, TOKENS = 25, 40  # rounds, and tokens in each


def claims(number: int) -> dict[str, Any]:
    """The claims of a Better Auth token by default: the whole user, and the registered claims."""
    now = int(time.time())
    return {
        "name": "Ada Lovelace",
        "email": f"ada{number}@example.com",
        "emailVerified": True,
        "image": None,
        "createdAt": "2026-01-01T12:00:00.000Z",
        "updatedAt": "2026-01-01T12:00:00.000Z",
        "id": f"Kq3zXw0dYb8RtLm5{number:016}",
        "sub": f"Kq3zXw0dYb8RtLm5{number:016}",
        "iat": now,
        "exp": now + 900,
        "iss": ISSUER,
        "aud": ISSUER,
    }


async def measure(
    ours: Callable[[Headers], Awaitable[object]], theirs: Callable[[str], object], tokens: list[str]
) -> tuple[float, float]:
    """Microseconds per token. The two take turns, so that noise on the machine affects both."""
    times: tuple[list[float], list[float]] = ([], [])
    size = len(tokens) // ROUNDS
    for start in range(0, len(tokens), size):
        batch = tokens[start : start + size]
        headers = [Headers({"Authorization": f"Bearer {token}"}) for token in batch]
        begun = time.perf_counter()
        for each in headers:
            await ours(each)
        between = time.perf_counter()
        for token in batch:
            theirs(token)
        times[0].append(between - begun)
        times[1].append(time.perf_counter() - between)
    return median(times[0]) / size * 1e6, median(times[1]) / size * 1e6


def library(key: str | jwt.PyJWK, algorithm: str) -> Callable[[str], object]:
    def decode(token: str) -> object:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=ISSUER,
            audience=ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
        )

    return decode


async def main() -> None:
    private: dict[str, Any] = {
        "EdDSA": Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "RS256": rsa.generate_private_key(65537, 2048),
        "PS256": rsa.generate_private_key(65537, 2048),
    }
    jwks: dict[str, JWK] = {
        name: {
            **get_default_algorithms()[name].to_jwk(key.public_key(), as_dict=True),
            "alg": name,
            "kid": name,
            "key_ops": ["verify"],
        }
        for name, key in private.items()
    }

    async def fetch() -> list[JWK]:
        return list(jwks.values())

    def new_authenticator() -> Authenticator:
        return Authenticator(Sources(secret=SecretVerifier(SECRET, RULES), keys=KeyVerifier(KeySet(fetch), RULES)))

    print(f"{'':24}{'ours':>8}{'PyJWT':>8}{'ratio':>8}")
    for name in ("HS256", *private):
        key: Any = private.get(name, SECRET)
        tokens = [jwt.encode(claims(number), key, name, {"kid": name}) for number in range(ROUNDS * TOKENS)]
        authenticator = new_authenticator()
        decode = library(jwt.PyJWK(dict(jwks[name]), name) if name in jwks else SECRET, name)
        await authenticator.authenticate("GET", Headers({"Authorization": f"Bearer {tokens[0]}"}))

        async def authenticate(headers: Headers, authenticator: Authenticator = authenticator) -> object:
            return await authenticator.authenticate("GET", headers)

        for label in ("first use", "remembered"):
            ours, theirs = await measure(authenticate, decode, tokens)
            print(f"{name + ', ' + label:24}{ours:8.1f}{theirs:8.1f}{ours / theirs:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
