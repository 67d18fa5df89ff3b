"""From the credentials in a request to the user who sent it: JWTs and session tokens of Better Auth.

    tokens.py         parses a JWT, checks its claims and verifies its signature with a key
    secret.py         HS256, with the secret that Better Auth and this service share
    keys.py           the issuer's public keys: fetched within limits, each bound to one algorithm
    jwks.py           JWTs signed with those keys, and where the keys are fetched from
    sessions.py       session tokens, looked up in Better Auth's table
    authenticator.py  chooses which of these verifies a request

Nothing in this folder knows about tasks, settings or problem details, so it can be copied into another project. It
needs Starlette, PyJWT with cryptography, and httpx2 for key sets over HTTP.
"""

from .authenticator import Authenticator, Sources
from .keys import KeySourceUnavailable
from .tokens import ForeignOrigin, InvalidCredentials, NoCredentials, Principal

__all__ = [
    "Authenticator",
    "ForeignOrigin",
    "InvalidCredentials",
    "KeySourceUnavailable",
    "NoCredentials",
    "Principal",
    "Sources",
]
