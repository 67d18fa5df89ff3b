"""What surrounds every request, in one layer: each further one would cost every request its share."""

import re
from collections.abc import Collection
from random import Random
from time import perf_counter
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.http import cors, gate
from backend.http.cors import Header
from backend.http.problems import render
from backend.logs import log

# Unless the route that answers has set its own.
_NO_STORE: Header = b"cache-control", b"no-store"
_CSP: Header = b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"

_NO_SNIFFING: Header = b"x-content-type-options", b"nosniff"

# A line has at most 1 KiB, even if each of these characters has to be escaped in JSON. Our own paths are shorter.
MAX_LOGGED_PATH_BYTES = 256

# Ids are not secrets, and getting each from the system would take longer than checking a token.
_IDS = Random()  # noqa: S311
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Envelope:
    """Gives each request an id and a line in the log, and each answer the headers that all answers have.

    Preflights, and what the parsers behind it should not see, are answered here. It wraps FastAPI from outside, so
    that the response to a crash has the same headers as any other. A caller's own `X-Request-Id` is kept if it is
    short and plain, so that one id can follow a request through several services.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str] = ()) -> None:
        self.app = app
        self._granted = {origin: cors.headers_for(origin) for origin in (name.encode() for name in origins)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request = _read(scope["headers"])
        id_bytes = request.offered_id
        if id_bytes is None or not _REQUEST_ID.fullmatch(id_bytes):
            id_bytes = b"%016x" % _IDS.getrandbits(64)
        request_id = scope["request_id"] = id_bytes.decode()
        granted = self._granted.get(request.origin) if request.origin else None
        status: int | None = None
        finished = False

        async def send_sealed(message: Message) -> None:
            nonlocal status, finished
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                _add_defaults(headers)
                headers += (b"x-request-id", id_bytes), _NO_SNIFFING
                if granted:
                    headers += granted
                await send(message)
            else:
                await send(message)
                finished = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            answer = self._find_answer(scope, request, request_id, allowed=granted is not None)
            await answer(scope, receive, send_sealed)
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
                path=_for_log(scope["raw_path"]),
                status=status,
                duration_ms=round((perf_counter() - started) * 1000, 1),
                request_id=request_id,
                **_caller(scope),
            )

    def _find_answer(self, scope: Scope, request: "_Request", request_id: str, *, allowed: bool) -> ASGIApp:
        """The application, or the answer to what it should not see. `allowed` says whether the origin may call."""
        if problem := gate.find_protocol_error(scope, request.hosts, request.transfer_codings):
            return render(problem, request_id)
        if request.is_preflight and scope["method"] == "OPTIONS":
            return cors.answer_preflight(request_id, allowed=allowed)
        if problem := gate.find_problem(scope, header_bytes=request.size):
            return render(problem, request_id)
        return self.app


class _Request(NamedTuple):
    """What the headers of a request say here. Of several ids or origins the first counts."""

    size: int  # of all names and values, in bytes
    hosts: list[bytes]
    transfer_codings: bytes | None  # of all lines
    offered_id: bytes | None
    origin: bytes | None
    is_preflight: bool  # if its method is OPTIONS


def _read(headers: Collection[Header]) -> _Request:
    size = 0
    hosts = []
    offered_id = origin = transfer_codings = None
    asks_for_method = False
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            hosts.append(value)
        elif name == b"origin":
            origin = value if origin is None else origin
        elif name == b"x-request-id":
            offered_id = value if offered_id is None else offered_id
        elif name == b"access-control-request-method":
            asks_for_method = True
        elif name == b"transfer-encoding":
            transfer_codings = value if transfer_codings is None else transfer_codings + b"," + value
    return _Request(
        size, hosts, transfer_codings, offered_id, origin, is_preflight=asks_for_method and bool(origin)
    )


def _add_defaults(headers: list[Header]) -> None:
    """Add what the route has not set by itself. Every answer varies by the origin."""
    has_caching = has_csp = varies = False
    for number, (name, value) in enumerate(headers):
        if name == b"cache-control":
            has_caching = True
        elif name == b"content-security-policy":
            has_csp = True
        elif name == b"vary" and not varies:
            headers[number] = name, value + b", Origin"
            varies = True
    if not has_caching:
        headers.append(_NO_STORE)
    if not has_csp:
        headers.append(_CSP)
    if not varies:
        headers.append((b"vary", b"Origin"))


def _for_log(raw_path: bytes) -> str:
    """Still percent-encoded, which keeps line breaks and terminal escapes out of the log."""
    if len(raw_path) > MAX_LOGGED_PATH_BYTES:
        raw_path = raw_path[:MAX_LOGGED_PATH_BYTES] + b"..."
    return raw_path.decode("latin-1")


def _is_routine(method: str, status: int | None) -> bool:
    """Whether it is a preflight that was granted. Pages send one before each kind of request."""
    return method == "OPTIONS" and status == 204


def _caller(scope: Scope) -> dict[str, str]:
    user_id = scope.get("state", {}).get("user_id")
    return {"user_id": user_id} if user_id else {}
