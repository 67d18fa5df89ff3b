"""Session tokens, looked up in Better Auth's table, so that a session that ends there ends here at once.

A session token carries no claims; it only identifies a row. It arrives in a cookie, as a percent-encoded
`token.signature`, or as a bearer token, signed in the same way or bare. The signature is the HMAC-SHA-256 of the
token, keyed with BETTER_AUTH_SECRET, in padded base64.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from .tokens import InvalidCredentials, Principal

type RunQuery = Callable[..., Awaitable[Sequence[Any]]]
"""Runs SQL with positional parameters and returns its rows."""

COOKIES = ("__Secure-better-auth.session_token", "better-auth.session_token")

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")

# Better Auth enforces the bans that it sets itself; one that is put straight into the table is caught here only.
# The two columns exist only with the admin plugin; without it, their names resolve to `unless_there`.
_FIND = """
    SELECT s."userId"
      FROM session AS s, (SELECT false AS banned, NULL::timestamptz AS "banExpires") AS unless_there
     WHERE s.{column} = $1 AND s."expiresAt" > now()
       AND EXISTS (SELECT FROM "user" AS u WHERE u.id = s."userId"
                      AND NOT (coalesce(banned, false) AND coalesce("banExpires", 'infinity') > now()))
"""
BY_TOKEN = _FIND.format(column="token")
BY_ID = _FIND.format(column="id")


class Sessions:
    """Better Auth's table of sessions. Each look-up is one query; nothing is cached."""

    def __init__(self, run_query: RunQuery, *, secret: str | None, require_signature: bool) -> None:
        self._run_query = run_query
        self._secret = secret.encode() if secret else None
        self._require_signature = require_signature

    async def of_bearer(self, text: str) -> Principal:
        """The user of a session token, bare or signed. Raises InvalidCredentials."""
        if "." not in unquote(text):
            if self._require_signature:
                raise InvalidCredentials("a session token without its signature")
            return await self._find(text)
        return await self.of_cookie(text)

    async def of_cookie(self, value: str) -> Principal:
        """The user of a signed session token. Raises InvalidCredentials."""
        token, _, signature = unquote(value).rpartition(".")
        self._check_signature(token, signature)
        return await self._find(token)

    async def check(self) -> None:
        """Raises the database's error if sessions cannot be looked up."""
        await self._run_query(BY_TOKEN, "")

    async def require(self, principal: Principal) -> None:
        """Raises InvalidCredentials unless the session in a JWT's `sid` is alive and belongs to the JWT's user."""
        session_id = principal.session_id
        rows: Sequence[Any] = ()
        if isinstance(session_id, str) and _TOKEN.fullmatch(session_id):
            rows = await self._run_query(BY_ID, session_id)
        if not rows or rows[0]["userId"] != principal.user_id:
            raise InvalidCredentials("its session has ended")

    async def _find(self, token: str) -> Principal:
        if not _TOKEN.fullmatch(token):
            raise InvalidCredentials("not a session token")
        rows = await self._run_query(BY_TOKEN, token)
        if not rows:
            raise InvalidCredentials("no such session, or it has ended, or its user is banned")
        return Principal(rows[0]["userId"])

    def _check_signature(self, token: str, signature: str) -> None:
        if self._secret is None:
            raise InvalidCredentials("a signed session token, and no BETTER_AUTH_SECRET to check it with")
        expected = b64encode(hmac.digest(self._secret, token.encode(), "sha256"))
        # As bytes, since compare_digest refuses strings that are not ASCII.
        if not hmac.compare_digest(signature.encode(), expected):
            raise InvalidCredentials("a session token with a wrong signature")


def session_cookie(headers: Headers) -> str | None:
    """The value of the session cookie. The secure one wins, since it cannot be set over plain HTTP."""
    cookies: dict[str, str] = {}
    for header in headers.getlist("cookie"):
        cookies |= cookie_parser(header)
    return next((cookies[name] for name in COOKIES if name in cookies), None)
