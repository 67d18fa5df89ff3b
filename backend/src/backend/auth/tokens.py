"""JSON Web Tokens: parsing, claims and signatures, checked strictly (RFC 7519, RFC 8725)."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import jwt

MAX_TOKEN_BYTES = 8 * 1024

# How far in the future `iat` and `nbf` may be, since clocks differ. `exp` gets no leeway.
CLOCK_SKEW = timedelta(seconds=30)

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HEADER_MEMBERS = {"alg", "typ", "kid"}


class NoCredentials(Exception):
    """The request has neither an Authorization header nor a session cookie that would be checked."""


class InvalidCredentials(Exception):
    """The credentials prove nothing. The message is for the log: an explanation in the response helps a forger."""


class ForeignOrigin(Exception):
    """A write came by cookie and without an allowed `Origin`: it may be cross-site request forgery."""


class Principal(NamedTuple):
    """A user whose credentials were verified. Outside of tests, only an Authenticator makes one."""

    user_id: str
    expires_at: float = 0.0  # JWTs only: seconds since the epoch
    session_id: object = None  # JWTs only: the claim `sid`, of any type


@dataclass(frozen=True, kw_only=True)
class ClaimRules:
    issuer: str
    audience: str
    max_lifetime: timedelta


class UnverifiedToken(NamedTuple):
    """A well-formed token. Anybody could have written what it says."""

    header: dict[str, Any]  # JSON
    claims: dict[str, Any]  # JSON
    signed: bytes
    signature: bytes


class Key:
    """A key, bound to the one algorithm it may be used with."""

    def __init__(self, algorithm: str, key: Any) -> None:  # noqa: ANN401 - its type depends on the algorithm
        """Raises ValueError or jwt.InvalidKeyError if the key does not fit the algorithm, or is too short."""
        self.algorithm = algorithm
        self._library = jwt.get_algorithm_by_name(algorithm)
        self._key = self._library.prepare_key(key)
        if complaint := self._library.check_key_length(self._key):
            raise jwt.InvalidKeyError(complaint)

    def has_signed(self, token: UnverifiedToken) -> bool:
        """Whether the signature is valid. May raise exceptions of PyJWT and cryptography."""
        return self._library.verify(token.signed, self._key, token.signature)


def parse(text: str) -> UnverifiedToken:
    """Split a compact JWS into its parts. Raises InvalidCredentials unless each is exactly as the RFCs require."""
    if len(text) > MAX_TOKEN_BYTES:
        raise InvalidCredentials("too long")
    parts = _COMPACT.fullmatch(text)
    if not parts:
        raise InvalidCredentials("not three parts of base64url")
    header, claims, signature = (_decoded(part) for part in parts.groups())
    token = UnverifiedToken(_object(header), _object(claims), text[: parts.end(2)].encode(), signature)
    if not token.header.keys() <= _HEADER_MEMBERS:
        raise InvalidCredentials("unexpected header member")
    if not isinstance(token.header.get("kid", ""), str):
        raise InvalidCredentials("kid is not a string")
    # Better Auth's jwt plugin sets no `typ`; each other kind of token that it signs has one of its own.
    if token.header.get("typ", "JWT") != "JWT":
        raise InvalidCredentials("another type of token")
    return token


def verify(token: UnverifiedToken, key: Key, rules: ClaimRules, now: float) -> Principal:
    """Check claims and signature. `now` is in seconds since the epoch. Raises InvalidCredentials.

    The key determines the algorithm, and the token's `alg` has to agree.
    """
    if token.header.get("alg") != key.algorithm:
        raise InvalidCredentials("not signed with the algorithm of the key")
    check_claims(token.claims, rules, now)
    try:
        genuine = key.has_signed(token)
    except Exception as error:
        # PyJWT lets some exceptions of cryptography through. All of them mean that the token is not valid.
        raise InvalidCredentials(f"its signature cannot be checked: {type(error).__name__}") from error
    if not genuine:
        raise InvalidCredentials("wrong signature")
    return Principal(token.claims["sub"], token.claims["exp"], token.claims.get("sid"))


def check_claims(claims: dict[str, Any], rules: ClaimRules, now: float) -> None:
    """The part of the check that needs no key. Raises InvalidCredentials."""
    for name in ("iss", "aud", "sub", "iat", "exp"):
        if claims.get(name) is None:
            raise InvalidCredentials(f"no {name}")
    if claims["iss"] != rules.issuer:
        raise InvalidCredentials("another issuer")
    if not _names(claims["aud"], rules.audience):
        raise InvalidCredentials("another audience")
    issued, expires = (_numeric_date(claims, name) for name in ("iat", "exp"))
    begins = _numeric_date(claims, "nbf") if "nbf" in claims else issued
    if expires <= now:
        raise InvalidCredentials("expired")
    if max(issued, begins) > now + CLOCK_SKEW.total_seconds():
        raise InvalidCredentials("not yet valid")
    if not 0 < expires - issued <= rules.max_lifetime.total_seconds():
        raise InvalidCredentials("lives too long, or ends before it begins")
    if not isinstance(claims["sub"], str) or not SUBJECT.fullmatch(claims["sub"]):
        raise InvalidCredentials("sub is not a user id")


def _names(audience: object, ours: str) -> bool:
    """Whether `aud`, a string or a list of strings, contains ours (RFC 7519, section 4.1.3)."""
    if isinstance(audience, list):
        return ours in audience and all(isinstance(name, str) for name in audience)
    return audience == ours


def _numeric_date(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    # In Python a bool is an int. Above 2^53, parsers that use doubles no longer agree on the second.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2**53:
        raise InvalidCredentials(f"{name} is not a time")
    return value


def _decoded(part: str) -> bytes:
    try:
        return jwt.utils.base64url_decode(part)
    except ValueError as error:
        raise InvalidCredentials("not base64url") from error


def _object(part: bytes) -> dict[str, Any]:
    try:
        # Given bytes, json.loads would accept UTF-16 and UTF-32 too; RFC 7519, section 7.2, requires UTF-8.
        decoded = json.loads(part.decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidCredentials("not JSON") from error
    if not isinstance(decoded, dict):
        raise InvalidCredentials("not a JSON object")
    return decoded


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Parsers differ in which of two members of the same name they keep (RFC 7515 and RFC 7519, section 4).
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
