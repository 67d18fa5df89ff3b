"""Serving, as `tasks serve` and `tasks dev` do it."""

import gc
from socket import socket

from starlette.types import ASGIApp

from backend.commands import signals
from backend.http.server import server_of


def serve(app: ASGIApp, listener: socket) -> None:
    """Serve until a signal ends it."""
    server = server_of(app)
    # What was imported lives as long as the process, so no collection of garbage has to look at it again.
    gc.freeze()
    # The server handles signals itself while it serves, but gives them back before the process ends.
    signals.handle(server.handle_exit)
    server.run(sockets=[listener])
