"""Run the API in this process, and answer clearly where it cannot listen."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, Handlers, getsignal, signal
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

# Longer than any statement may take, so that requests under way at SIGTERM are answered.
SHUTDOWN_SECONDS = 15


class CannotListen(Exception):
    """The message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. "
            "Stop the program that uses the port, or set API_PORT (and API_HOST) to another address."
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """For somebody on this machine."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until a signal ends it. Requests under way are finished; further signals are ignored from then on."""
    server = _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
    # The server does so itself for as long as it serves; it takes them back before the process is done.
    on_stop_signals(server.handle_exit)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A second Ctrl-C would else keep the application from closing what it has open."""
        self.should_exit = True


def on_stop_signals(handler: Callable[[int, FrameType | None], None] | Handlers) -> None:
    """Ctrl-C, SIGTERM, and the end of the terminal unless that is to be survived (nohup)."""
    for number in (SIGINT, SIGTERM, SIGHUP):
        if number != SIGHUP or getsignal(number) != SIG_IGN:
            signal(number, handler)
