"""What surrounds every request: RequestLog → CORS → Gate → Application.

These wrap FastAPI from outside, so that the response to a crash has the same headers as any other.
"""

import re
from collections.abc import Collection
from random import Random
from time import perf_counter
from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import (
    HeadersTooLarge,
    MalformedRequest,
    NotFound,
    OriginNotAllowed,
    Problem,
    URITooLong,
)
from backend.http.problems import render
from backend.logs import log

MAX_HEADER_BYTES = 32 * 1024
MAX_QUERY_BYTES = 8 * 1024

type Header = tuple[bytes, bytes]
"""A header as in ASGI, with its name in lower case."""

# Unless the route that answers has set its own.
_NO_STORE: Header = b"cache-control", b"no-store"
_CSP: Header = b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"

_NO_SNIFFING: Header = b"x-content-type-options", b"nosniff"

# Ids are not secrets, and getting each from the system would take longer than checking a token.
_IDS = Random()  # noqa: S311
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """Outermost: gives each request an id, each response the security headers, and the log one line.

    A caller's own `X-Request-Id` is kept if it is short and plain, so that one id can follow a request through
    several services.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        offered = _header(scope, b"x-request-id") or ""
        request_id = offered if _REQUEST_ID.fullmatch(offered) else f"{_IDS.getrandbits(64):016x}"
        scope["request_id"] = request_id
        status: int | None = None
        finished = False

        async def send_sealed(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers += [default for default in (_NO_STORE, _CSP) if default[0] not in names]
                headers += (b"x-request-id", request_id.encode()), _NO_SNIFFING
            await send(message)
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await self.app(scope, receive, send_sealed)
        except Exception:
            log.exception("crash", request_id=request_id)
            # FastAPI answers a crash and raises it again. After a complete response the connection can stay open;
            # after a partial one the server has to close it.
            if not finished:
                raise
        finally:
            write = log.debug if _is_routine(scope["method"], status) else log.info
            write(
                "request",
                method=scope["method"],
                # Still percent-encoded, which keeps line breaks and terminal escapes out of the log.
                path=scope["raw_path"].decode("latin-1"),
                status=status,
                duration_ms=round((perf_counter() - started) * 1000, 1),
                request_id=request_id,
                **_caller(scope),
            )


def _is_routine(method: str, status: int | None) -> bool:
    """Whether it is a preflight that was granted. Pages send one before each kind of request."""
    return method == "OPTIONS" and status == 204


def _caller(scope: Scope) -> dict[str, str]:
    user_id = scope.get("state", {}).get("user_id")
    return {"user_id": user_id} if user_id else {}


class Gate:
    """Refuses requests that the parsers behind it should not see."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _unacceptable(scope) if scope["type"] == "http" else None
        if problem:
            await render(problem, scope["request_id"])(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class CORS:
    """Allows cross-origin access from exactly the configured origins (Fetch standard, CORS protocol).

    Unlike Starlette's middleware, it sends no CORS headers at all to other origins, and refuses their preflights
    with problem details.
    """

    METHODS = "GET, POST, PUT, PATCH, DELETE"
    HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id"
    EXPOSED = "Link, ETag, Location, X-Request-Id, Retry-After"
    PREFLIGHT_SECONDS = "7200"  # the most that Chromium accepts

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin = _header(scope, b"origin")
        allowed = origin in self.origins

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                _vary_by_origin(headers)
                if allowed and origin:
                    headers += (
                        (b"access-control-allow-origin", origin.encode("latin-1")),
                        (b"access-control-allow-credentials", b"true"),
                        (b"access-control-expose-headers", self.EXPOSED.encode()),
                    )
            await send(message)

        if (
            origin
            and scope["method"] == "OPTIONS"
            and _header(scope, b"access-control-request-method") is not None
        ):
            await self._preflight(scope, allowed=allowed)(scope, receive, send_with_cors)
        else:
            await self.app(scope, receive, send_with_cors)

    def _preflight(self, scope: Scope, *, allowed: bool) -> Response:
        if not allowed:
            return render(OriginNotAllowed(), scope["request_id"])
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": self.METHODS,
                "Access-Control-Allow-Headers": self.HEADERS,
                "Access-Control-Max-Age": self.PREFLIGHT_SECONDS,
            },
        )


def _header(scope: Scope, wanted: bytes) -> str | None:
    """The first header with this name."""
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value, "latin-1")
    return None


def _vary_by_origin(headers: list[Header]) -> None:
    for number, (name, value) in enumerate(headers):
        if name == b"vary":
            headers[number] = name, value + b", Origin"
            return
    headers.append((b"vary", b"Origin"))


def _unacceptable(scope: Scope) -> Problem | None:
    if scope["path"].endswith("\n"):
        return NotFound()  # Starlette's patterns would ignore it, because `$` also matches before a final newline
    query: bytes = scope["query_string"]
    if len(query) > MAX_QUERY_BYTES:
        return URITooLong()
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return HeadersTooLarge()
    for part in (scope["raw_path"], query):
        # Later decoders would replace invalid UTF-8 with replacement characters.
        if not _is_utf8(part):
            return MalformedRequest("The path or the query string is not valid UTF-8.")
    return None


def _is_utf8(part: bytes) -> bool:
    try:
        unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return False
    return True
