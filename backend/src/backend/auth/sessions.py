"""Session tokens, looked up where Better Auth keeps them: what ends a session there ends it here at once.

A session token is a key to a row, and says nothing by itself. It comes as a cookie, `token.signature` in
percent-encoding, or as a bearer token, in the same form or bare. The signature is the HMAC-SHA-256 of the token
with BETTER_AUTH_SECRET, in padded base64.
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
"""Runs SQL with positional parameters and gives its rows."""

COOKIES = ("__Secure-better-auth.session_token", "better-auth.session_token")

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")

# A ban is Better Auth's own business until somebody writes it into the table by other means; then only this
# notices. The two columns exist only with the admin plugin: where they do not, their names mean the outer ones.
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
    """Better Auth's table of sessions, read once for each request."""

    def __init__(self, run_query: RunQuery, *, secret: str | None, require_signature: bool) -> None:
        self._run_query = run_query
        self._secret = secret.encode() if secret else None
        self._require_signature = require_signature

    async def of_bearer(self, text: str) -> Principal:
        """Bare or signed. Raises InvalidCredentials."""
        if "." not in unquote(text):
            if self._require_signature:
                raise InvalidCredentials("a session token without its signature")
            return await self._find(text)
        return await self.of_cookie(text)

    async def of_cookie(self, value: str) -> Principal:
        """Raises InvalidCredentials."""
        token, _, signature = unquote(value).rpartition(".")
        self._check_signature(token, signature)
        return await self._find(token)

    async def check(self) -> None:
        """Raises whatever the table raises where no session could be looked up."""
        await self._run_query(BY_TOKEN, "")

    async def require(self, principal: Principal) -> None:
        """Raises InvalidCredentials unless the session that a JWT names in `sid` goes on, and is its user's."""
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
        # As bytes: compare_digest refuses text that is not ASCII.
        if not hmac.compare_digest(signature.encode(), expected):
            raise InvalidCredentials("a session token with a wrong signature")


def session_cookie(headers: Headers) -> str | None:
    """The value of the session cookie; the secure one goes first, since nobody can set it over plain http."""
    cookies: dict[str, str] = {}
    for header in headers.getlist("cookie"):
        cookies |= cookie_parser(header)
    return next((cookies[name] for name in COOKIES if name in cookies), None)
