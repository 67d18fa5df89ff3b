"""From what a request carries to the person who sent it: tokens and sessions of Better Auth.

    tokens.py         what every JWT must satisfy, and how one is verified with a key
    secret.py         the key that Better Auth and this service share (HS256)
    keys.py           the issuer's public keys: fetched, bounded, bound to their algorithms
    jwks.py           tokens signed with them; where they are fetched from
    sessions.py       session tokens, looked up in Better Auth's table
    authenticator.py  which of these is asked

Nothing in here knows of tasks, settings or problems: the folder can be copied into another project. It needs
Starlette, PyJWT with cryptography, and for key sets over HTTP httpx2.
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
