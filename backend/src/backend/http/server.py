"""Runs the API in this process, on uvicorn. The subclasses below work around gaps in uvicorn and httptools."""

import asyncio
import socket
from collections.abc import Buffer
from ipaddress import ip_address
from types import FrameType
from typing import cast

import uvicorn
from httptools import HttpParserUpgrade, HttpRequestParser
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.errors import Refusal

# Longer than any statement may take, so that requests in progress at SIGTERM still get their responses.
SHUTDOWN_SECONDS = 15

# The middleware answers headers above 32 KiB with a 431; this bound is for headers that never end. It leaves room
# for a chunked body of 128 KiB whose chunks are one byte each.
MAX_OVERHEAD_BYTES = 1024 * 1024

# How much may wait to be joined. More than that is written at once, so that a slow client slows the response down.
MAX_COALESCED_BYTES = 64 * 1024


def listen(
    host: str, port: int, *, otherwise: str = "set API_PORT (and API_HOST) to another address"
) -> socket.socket:
    """Raises Refusal if the port is taken. `otherwise` is the advice beside stopping the program that uses it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise Refusal(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            f"Stop the program that uses the port, or {otherwise}."
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL for clients on this machine."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Serves until a signal calls `handle_exit`, then finishes running requests. Ignores further signals."""
    return _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nothing reads the client's address or scheme
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


class _Protocol(HttpToolsProtocol):
    """Bounds everything in a request that is not its body, and never switches to another protocol.

    Uvicorn limits the size of headers with h11 only (https://github.com/Kludex/uvicorn/issues/157). With httptools
    a URL, header or trailer without end fills the memory, and each new piece takes longer to append than the one
    before, while all other requests wait.
    """

    _overhead = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's signature
        self.parser = _Parser(self)
        # It has all that uvicorn uses of a transport.
        super().connection_made(cast("asyncio.Transport", _CoalescingTransport(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > MAX_OVERHEAD_BYTES:
            self.send_400_response("Too much of the request is not its body.")

    def on_message_begin(self) -> None:
        self._overhead = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        self._overhead -= len(body)
        super().on_body(body)

    def _should_upgrade(self) -> bool:
        """Whether to skip the callbacks of a request that offers an upgrade: `_Parser` parses it again."""
        return self.parser.get_method() != b"CONNECT"


class _Parser(HttpRequestParser):
    """Ignores `Upgrade`, which RFC 9110, section 7.8, allows: the request is parsed again without that header.

    httptools ends a request that offers an upgrade after its headers, also if the server declines. The application
    then gets no body, and the body is parsed as the next request (https://github.com/Kludex/uvicorn/issues/2722,
    https://github.com/MagicStack/httptools/issues/124).
    """

    def __init__(self, protocol: _Protocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn

    def feed_data(self, data: Buffer) -> None:
        """Raises HttpParserError, and HttpParserUpgrade after a CONNECT."""
        parser, feed = self, HttpRequestParser.feed_data
        rest = memoryview(data)
        while True:
            try:
                feed(parser, rest)
            except HttpParserUpgrade as upgrade:
                if parser.get_method() == b"CONNECT":
                    raise
                head, rest = parser.head(), rest[upgrade.args[0] :]
                # A new parser: to this one, the request may have been the last of the connection.
                self._protocol.parser = parser = _Parser(self._protocol)
                feed(parser, head)
            else:
                return

    def head(self) -> bytes:
        """The current request's head, without `Upgrade`."""
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self._protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])


class _CoalescingTransport:
    """A transport that joins the writes of one iteration of the event loop, up to a bound.

    Uvicorn writes the headers and the body of a response separately, and uvloop makes one system call for each.
    Without the bound, a stream that never suspends would be gathered whole: the loop would never get to write, and
    uvicorn would never be told to wait for a slow client.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def write(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > MAX_COALESCED_BYTES:
            self._write()
        elif len(self._pending) == 1:
            self._loop.call_soon(self._write)

    def close(self) -> None:
        self._write()
        self._transport.close()

    def _write(self) -> None:
        data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
        if data and not self._transport.is_closing():  # the client may have disconnected since
            self._transport.write(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class _Server(uvicorn.Server):
    """Treats a second Ctrl-C like the first.

    In uvicorn it forces an exit that skips the lifespan's shutdown (https://github.com/Kludex/uvicorn/pull/280,
    https://github.com/Kludex/uvicorn/issues/451), so the application could not close its connections.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        self.should_exit = True
