"""Tokens signed by hand, since a library would refuse to sign most of the invalid ones."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta

from starlette.datastructures import Headers

from backend.auth import Authenticator, Principal, Sources
from backend.auth.secret import SecretVerifier
from backend.auth.tokens import ClaimRules
from support import ISSUER, SECRET

HS256: Mapping[str, object] = {"alg": "HS256"}
RULES = ClaimRules(issuer=ISSUER, audience=ISSUER, max_lifetime=timedelta(hours=24))

type Part = Mapping[str, object] | str | bytes
"""A part of a token before encoding: JSON members, JSON text, or arbitrary bytes."""


def forge(claims: Part, header: Part = HS256, *, secret: str | bytes = SECRET, digest: str = "sha256") -> str:
    signed = f"{encoded(header)}.{encoded(claims)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), digest))}"


def encoded(part: Part) -> str:
    text = json.dumps(part) if isinstance(part, Mapping) else part
    content = text.encode() if isinstance(text, str) else text
    return urlsafe_b64encode(content).decode().rstrip("=")


def bearer(token: str) -> Headers:
    return Headers({"Authorization": f"Bearer {token}"})


def new_authenticator() -> Authenticator:
    return Authenticator(Sources(secret=SecretVerifier(SECRET, RULES)))


async def authenticate(token: str) -> Principal:
    """Authenticate with a new authenticator, which remembers no tokens."""
    return await new_authenticator().authenticate("GET", bearer(token))
