"""The CORS protocol (Fetch standard) for exactly the configured origins.

Unlike with Starlette's middleware, other origins get no CORS headers at all, and problem details for a preflight.
"""

from starlette.responses import Response

from backend.errors import OriginNotAllowed
from backend.http.problems import render

type Header = tuple[bytes, bytes]
"""A header as in ASGI, with its name in lower case."""

METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
EXPOSED = "Link, ETag, Idempotent-Replayed, Location, X-Request-Id, Retry-After"
PREFLIGHT_SECONDS = "7200"  # the most that Chromium accepts


def headers_for(origin: bytes) -> list[Header]:
    """What a page of an allowed origin needs to read an answer."""
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", EXPOSED.encode()),
    ]


def answer_preflight(request_id: str, *, allowed: bool) -> Response:
    if not allowed:
        return render(OriginNotAllowed(), request_id)
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        },
    )
