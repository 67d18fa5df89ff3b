"""The `tasks` command."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, SIGINT, SIGTERM, raise_signal, signal
from types import FrameType
from typing import TYPE_CHECKING

from backend.commands import signals
from backend.errors import Refusal

if TYPE_CHECKING:
    from socket import socket

    from pydantic_core import ErrorDetails
    from starlette.types import ASGIApp

    from backend.commands.frontend import FrontEnd
    from backend.config import Settings

DEVELOPER = "developer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 for whatever a person can mend; it is said in one line each on standard error."""
    # As long as there is nothing to clean up, Ctrl-C ends this like any program, without a traceback.
    signal(SIGINT, SIG_DFL)
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2

    from pydantic import ValidationError

    try:
        return int(options.command(options))
    except Refusal as refusal:
        return _complain(str(refusal))
    except ValidationError as error:
        return _complain(*map(_explain, error.errors(include_input=False, include_url=False)))
    except OSError as error:
        if error.filename is None:
            raise
        return _complain(f"Cannot use {error.filename}: {error.strerror}.")


def _complain(*lines: str) -> int:
    for line in lines:
        print(f"tasks: {line}", file=sys.stderr)
    return 1


def _explain(fault: "ErrorDetails") -> str:
    """An invalid setting by the name of its environment variable, and never its value."""
    name = "_".join(part for part in fault["loc"] if isinstance(part, str)).upper()
    if fault["type"] == "missing":
        message = "is not set; docs/configuration.md says what it is for."
    else:
        message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name} {message}".strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tasks", description="A task backend for users of Better Auth.")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="command")

    serve = commands.add_parser("serve", help="serve the API with the settings of the environment")
    serve.set_defaults(command=_serve)

    migrate = commands.add_parser("migrate", help="bring the database to the schema of this release")
    migrate.set_defaults(command=_migrate)

    doctor = commands.add_parser("doctor", help="check the settings and what they name, and say what to change")
    doctor.add_argument("--token", help="check this token of a user too; Better Auth's /api/auth/token gives one")
    doctor.set_defaults(command=_doctor)

    openapi = commands.add_parser("openapi", help="print the API's description (OpenAPI, JSON)")
    openapi.set_defaults(command=_openapi)

    dev = commands.add_parser("dev", help="serve the API on an embedded PostgreSQL (development only)")
    dev.add_argument("--frontend", type=Path, metavar="FOLDER", help="start the front end in this folder too")
    dev.add_argument("--watch", action="store_true", help="have the front end follow changes of its sources")
    dev.set_defaults(command=_dev)

    token = commands.add_parser("token", help="print a token to try the API with (development only)")
    token.add_argument("user", nargs="?", default=DEVELOPER, help="a user's id (%(default)s)")
    token.set_defaults(command=_token)

    for command in (dev, token):
        command.add_argument(
            "--data", type=Path, default=Path(".data"), help="where dev keeps its data (%(default)s)"
        )
    return parser


def _serve(_: argparse.Namespace) -> int:
    from backend.config import Settings
    from backend.http.server import listen

    settings = Settings()
    listener = listen(settings.api_host, settings.api_port)
    from backend.main import create_app  # what takes long comes after what may be refused, here and below

    refused = False

    def refuse() -> None:
        nonlocal refused
        refused = True
        raise_signal(SIGTERM)

    _run(create_app(settings, on_unsafe_role=refuse), listener)
    return int(refused)


def _run(app: "ASGIApp", listener: "socket") -> None:
    """Serve until a signal ends it."""
    from backend.http.server import server_of

    server = server_of(app)
    # The server handles signals itself while it serves, but gives them back before the process ends.
    signals.handle(server.handle_exit)
    server.run(sockets=[listener])


def _migrate(_: argparse.Namespace) -> int:
    import asyncio

    from backend.config import MigrationSettings

    settings = MigrationSettings()
    url = settings.database_url.get_secret_value()
    from backend.postgres.migrate import migrate, reads_of

    owner = settings.migration_database_url
    worker = settings.worker_database_url
    outcome = asyncio.run(
        migrate(
            owner_url=owner.get_secret_value() if owner else url,
            service_url=url if owner else None,
            worker_url=worker.get_secret_value() if worker else None,
            reads=reads_of(settings),
        )
    )
    print(f"The schema is at {outcome.version}. The service's role is {outcome.role}.")
    if outcome.worker_role:
        print(f"The role of workers is {outcome.worker_role}.")
    if outcome.generated_url:
        print(f"Serve with this URL; its password is not shown again:\n  DATABASE_URL={outcome.generated_url}")
    elif owner is None:
        print(
            "Its password was shown when it was made, possibly for another database of this server. "
            "MIGRATION_DATABASE_URL lets you set another (docs/configuration.md)."
        )
    return 0


def _doctor(options: argparse.Namespace) -> int:
    import asyncio

    from backend.config import Settings

    settings = Settings()
    from backend.commands.doctor import findings

    async def report() -> bool:
        healthy = True
        async for finding in findings(settings, options.token):
            print(finding, flush=True)
            healthy = healthy and finding.healthy
        return healthy

    return int(not asyncio.run(report()))


def _dev(options: argparse.Namespace) -> int:
    import asyncio
    from contextlib import nullcontext

    from pydantic import SecretStr

    from backend.commands import development, frontend
    from backend.commands.embedded import SUPERUSER, postgres
    from backend.http.server import listen, url_of

    development.refuse_production()
    data: Path = options.data.resolve()
    with development.locked(data):
        settings = development.settings(data)
        front_end, why_alone = _front_end(options, settings)
        listener = listen(settings.api_host, settings.api_port)
        if front_end:
            frontend.make_way(front_end, data)
        from backend import logs
        from backend.main import create_app
        from backend.postgres.migrate import SERVICE_ROLE, reads_of

        # Only now that there is something to stop, and no sooner: an import may swallow what a handler raises.
        signals.handle(_leave)
        with postgres(data) as socket_directory:
            if front_end:  # which makes its tables as soon as it starts
                with signals.held():  # an event loop that is torn down half-way has complaints
                    asyncio.run(development.create_database(socket_directory))
            owner_url = development.database_url(SUPERUSER, socket_directory)
            with (
                frontend.running(front_end, settings, data, database_url=owner_url, api_url=url_of(listener))
                if front_end
                else nullcontext()
            ):
                with signals.held():
                    asyncio.run(development.prepare(socket_directory, DEVELOPER, reads=reads_of(settings)))
                url = development.database_url(SERVICE_ROLE, socket_directory)
                app = create_app(settings.model_copy(update={"database_url": SecretStr(url)}))
                if front_end:
                    logs.log.label("api")
                token = development.token(settings, DEVELOPER) if development.signs(settings) else None
                _greet(why_alone, front_end and front_end.url, url_of(listener), data, token)
                _run(app, listener)
    return 0


def _front_end(options: argparse.Namespace, settings: "Settings") -> "tuple[FrontEnd | None, str | None]":
    """What to start beside the API, or else why there is nothing, if it was asked for."""
    from backend.commands import development, frontend

    if options.frontend is None:
        return None, None
    try:
        port = development.FrontEndSettings().frontend_port
        return frontend.find(options.frontend.resolve(), settings, port=port, watch=options.watch), None
    except frontend.Absent as absent:
        return None, str(absent)


def _leave(number: int, _: FrameType | None) -> None:
    """Leave through every `finally`, and let none of them be interrupted."""
    signals.handle(SIG_IGN)
    sys.exit(128 + number)


# What a token is made of. The port is a part of the issuer's address.
_OF_TOKENS = ("BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "FRONTEND_PORT", "JWT_ISSUER", "JWT_AUDIENCE")


def _greet(why_alone: str | None, web_url: str | None, url: str, data: Path, token: str | None) -> None:
    lines = [f"API    {url}", f"Docs   {url}/docs", f"Data   {data}", ""]
    if web_url:
        lines.insert(0, f"Open   {web_url}\n")
    if why_alone:
        lines.insert(0, f"{why_alone} The API runs alone.\n")
    if token:
        lines += ["Try it:", f'  curl -H "Authorization: Bearer {token}" {url}/api/me/tasks', ""]
        same = " and ".join(name for name in _OF_TOKENS if name in os.environ)
        make = f"`make token`, with the same {same}," if same else "`make token`"
        lines += [f"{make} prints another token when this one has expired. Ctrl-C stops everything."]
    else:
        lines += ["Ctrl-C stops everything."]
    print("", *(f"  {line}".rstrip(" ") for line in lines), "", sep="\n", flush=True)


def _token(options: argparse.Namespace) -> int:
    import asyncio

    from backend.auth.tokens import SUBJECT
    from backend.commands import development

    development.refuse_production()
    if not SUBJECT.fullmatch(options.user):
        raise Refusal("A user's id has 1 to 128 letters, digits, hyphens and underscores.")
    data: Path = options.data.resolve()
    asyncio.run(development.add_user_if_running(data, options.user))
    settings = development.settings(data)
    if not development.signs(settings):
        raise Refusal("AUTH_SOURCES does not name secret, and only that takes a token made here; sign in for one.")
    print(development.token(settings, options.user))
    return 0


def _openapi(_: argparse.Namespace) -> int:
    import json

    from backend.config import Settings
    from backend.main import create_api

    # Nothing of the description depends on the settings.
    print(json.dumps(create_api(Settings.model_construct()).openapi(), indent=2, ensure_ascii=False))
    return 0
