"""What every JSON Web Token must satisfy before and after its signature is checked (RFC 7519, RFC 8725)."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import jwt

MAX_TOKEN_BYTES = 8 * 1024

# Clocks of two machines differ a little. Nothing is forgiven at the end of a token's life.
CLOCK_SKEW = timedelta(seconds=30)

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HEADER_MEMBERS = {"alg", "typ", "kid"}


class MissingToken(Exception):
    """The request has no Authorization header."""


class InvalidToken(Exception):
    """The token proves nothing. The message is for the log: an answer that explains helps a forger."""


class Principal(NamedTuple):
    """Somebody whose token was verified; nothing but an Authenticator makes one outside of tests."""

    user_id: str
    expires_at: float  # seconds since the epoch


@dataclass(frozen=True, kw_only=True)
class ClaimRules:
    issuer: str
    audience: str
    max_lifetime: timedelta


class UnverifiedToken(NamedTuple):
    """A token in the right form. Its contents are still anybody's claim."""

    text: str
    header: dict[str, Any]  # JSON
    claims: dict[str, Any]  # JSON


def parse(text: str) -> UnverifiedToken:
    """Split a compact JWS into its parts. Raises InvalidToken unless each is strictly what the RFCs say."""
    if len(text) > MAX_TOKEN_BYTES:
        raise InvalidToken("too long")
    parts = _COMPACT.fullmatch(text)
    if not parts:
        raise InvalidToken("not three parts of base64url")
    header, claims = (_json_object(part) for part in parts.groups())
    if not header.keys() <= _HEADER_MEMBERS:
        raise InvalidToken("unexpected header member")
    # Better Auth's stock plugin sets no type; every other kind of token it signs names its own.
    if header.get("typ", "JWT") != "JWT":
        raise InvalidToken("another type of token")
    return UnverifiedToken(text, header, claims)


def verify(
    token: UnverifiedToken, key: bytes | jwt.PyJWK, algorithm: str, rules: ClaimRules, now: float
) -> Principal:
    """Check signature and claims. Raises InvalidToken.

    The algorithm is the key's; what the token says of itself has to agree.
    """
    if token.header.get("alg") != algorithm:
        raise InvalidToken("not signed with the algorithm of the key")
    try:
        jwt.decode(
            token.text,
            key,
            algorithms=[algorithm],
            issuer=rules.issuer,
            audience=rules.audience,
            leeway=CLOCK_SKEW,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
        )
    except Exception as error:
        # PyJWT lets some errors of its parsers through. Whatever it is, the token is not good.
        raise InvalidToken(f"{type(error).__name__}: {error}") from error
    return _principal(token.claims, rules, now)


def _principal(claims: dict[str, Any], rules: ClaimRules, now: float) -> Principal:
    """The checks that PyJWT leaves out: types, lifetime, and the form of the subject."""
    issued, expires = (_numeric_date(claims, name) for name in ("iat", "exp"))
    if expires <= now:
        raise InvalidToken("expired")
    if not 0 < expires - issued <= rules.max_lifetime.total_seconds():
        raise InvalidToken("lives too long, or ends before it begins")
    if "nbf" in claims:
        _numeric_date(claims, "nbf")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not SUBJECT.fullmatch(subject):
        raise InvalidToken("sub is not a user id")
    return Principal(subject, expires)


def _numeric_date(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    # A bool is an int to Python. Past 2^53 a number is no longer exact to the second for everyone.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2**53:
        raise InvalidToken(f"{name} is not a time")
    return value


def _json_object(part: str) -> dict[str, Any]:
    try:
        # Left to itself, json.loads would guess at UTF-16 and UTF-32 too (RFC 7519, section 7.2: UTF-8).
        decoded = json.loads(jwt.utils.base64url_decode(part).decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("not JSON") from error
    if not isinstance(decoded, dict):
        raise InvalidToken("not a JSON object")
    return decoded


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two members with one name, two readers may each believe another (RFC 8725, section 2.4).
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
