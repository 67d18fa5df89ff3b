"""`tasks dev`, which serves a whole installation on this machine, and `tasks token` for whoever calls it."""

import asyncio
import sys
from argparse import Namespace
from contextlib import nullcontext
from signal import SIG_IGN
from typing import TYPE_CHECKING

from pydantic import SecretStr

from backend.auth.tokens import SUBJECT
from backend.commands import development, frontend, signals
from backend.commands.embedded import SUPERUSER, postgres
from backend.commands.greeting import Greeting
from backend.config import Settings
from backend.errors import Refusal
from backend.http.server import listen, url_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType


def run(options: Namespace) -> int:
    """Raises Refusal and OSError."""
    development.refuse_production()
    data: Path = options.data.resolve()
    with development.locked(data):
        settings = development.settings(data)
        front_end, why_alone = _front_end(options, settings)
        listener = listen(settings.api_host, settings.api_port)
        if front_end:
            frontend.require_free_port(front_end, data)
        from backend import logs
        from backend.commands.serving import serve
        from backend.main import create_app
        from backend.postgres.migrate import SERVICE_ROLE, reads_of

        # Now that there is something to stop, and not before: an import may swallow what a handler raises.
        signals.handle(leave)
        with postgres(data) as socket_directory:
            if front_end:  # which creates its tables as soon as it starts
                with signals.held():  # an event loop that is interrupted half-way prints complaints
                    asyncio.run(development.create_database(socket_directory))
            owner_url = development.database_url(SUPERUSER, socket_directory)
            with (
                frontend.running(front_end, settings, data, database_url=owner_url, api_url=url_of(listener))
                if front_end
                else nullcontext()
            ):
                with signals.held():
                    asyncio.run(development.prepare(socket_directory, options.user, reads=reads_of(settings)))
                url = development.database_url(SERVICE_ROLE, socket_directory)
                app = create_app(settings.model_copy(update={"database_url": SecretStr(url)}))
                if front_end:
                    logs.log.label("api")
                greeting = Greeting(
                    why_alone=why_alone,
                    app_url=front_end.url if front_end else None,
                    api_url=url_of(listener),
                    data=data,
                    user=options.user if development.signs(settings) else None,
                    by_make=options.by_make,
                )
                print(greeting, flush=True)
                serve(app, listener)
    return 0


def _front_end(options: Namespace, settings: Settings) -> tuple[frontend.FrontEnd | None, str | None]:
    """What to start beside the API. If it was asked for and cannot be started, the reason instead."""
    if options.frontend is None:
        return None, None
    try:
        port = development.FrontEndSettings().frontend_port
        return frontend.find(options.frontend.resolve(), settings, port=port, watch=options.watch), None
    except frontend.Absent as absent:
        return None, str(absent)


def leave(number: int, _: "FrameType | None") -> None:
    """Leave through every `finally`, and let no signal interrupt one."""
    signals.handle(SIG_IGN)
    sys.exit(128 + number)


def print_token(options: Namespace) -> int:
    """Raises Refusal."""
    development.refuse_production()
    if "@" not in options.user and not SUBJECT.fullmatch(options.user):
        raise Refusal("A user's id has 1 to 128 letters, digits, hyphens and underscores.")
    data: Path = options.data.resolve()
    user_id = asyncio.run(development.find_user(data, options.user))
    settings = development.settings(data)
    if not development.signs(settings):
        raise Refusal(
            "AUTH_SOURCES does not name secret, so a token made here would be refused. Sign in to the app and "
            "take the one of /api/auth/token."
        )
    print(development.token(settings, user_id))
    return 0
