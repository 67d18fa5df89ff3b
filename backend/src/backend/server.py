"""Run the API in this process, and answer clearly where it cannot listen."""

import signal
import socket
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


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Requests under way are finished."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    # When it has shut down, uvicorn raises the signal again for whoever handled it before.
    previous = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _ignore(number: int, frame: FrameType | None) -> None: ...
