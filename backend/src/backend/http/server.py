"""Run the API in this process, and answer clearly where it cannot listen."""

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

# Longer than any statement may take, so that requests under way at SIGTERM are answered.
SHUTDOWN_SECONDS = 15

# Headers above 32 KiB are answered further in; this one is for those that do not end. A body of 128 KiB in chunks
# of a byte each is below it.
MAX_OVERHEAD_BYTES = 1024 * 1024


def listen(
    host: str, port: int, *, otherwise: str = "set API_PORT (and API_HOST) to another address"
) -> socket.socket:
    """Raises Refusal, which says what to do `otherwise` than to free the port."""
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
    """For somebody on this machine."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Serves until a signal calls `handle_exit`, and finishes the requests under way. More signals are ignored."""
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
            proxy_headers=False,  # nobody here asks for the client's address or scheme
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


class _Protocol(HttpToolsProtocol):
    """Uvicorn's, with a bound on all that is not body, and without other protocols.

    A URL, header or trailer without end would be gathered in memory, each piece more slowly than the one before,
    and everybody else would wait.
    """

    _overhead = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        self.parser = _Parser(self)
        super().connection_made(cast("asyncio.Transport", _Gathered(transport, self.loop)))  # it has what is used

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
        """Whether to put aside a request that offers another protocol, which `_Parser` then reads again."""
        return self.parser.get_method() != b"CONNECT"


class _Parser(HttpRequestParser):
    """Reads a request that offers another protocol as if it did not, which RFC 9110, section 7.8, allows.

    Otherwise such a request ends for the parser with its headers. Its body would be missing, and be read as the
    next request.
    """

    def __init__(self, protocol: _Protocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

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
                # Another one, because this one may have seen the connection's last request.
                self._protocol.parser = parser = _Parser(self._protocol)
                feed(parser, head)
            else:
                return

    def head(self) -> bytes:
        """Of the last request, without the offer."""
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self._protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])


class _Gathered:
    """A transport that writes once for all that is written while the event loop goes round once.

    Uvicorn writes the headers of an answer and then its body, and uvloop makes a system call of each.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._write)

    def close(self) -> None:
        self._write()
        self._transport.close()

    def _write(self) -> None:
        data, self._waiting = b"".join(self._waiting), []
        if data and not self._transport.is_closing():  # by now nobody may be there any more
            self._transport.write(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A second Ctrl-C would else keep the application from closing what it has open."""
        self.should_exit = True
