"""The `tasks` command."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIGTERM, raise_signal, signal

from pydantic import SecretStr, ValidationError

from backend import development
from backend.auth.tokens import SUBJECT
from backend.config import DatabaseSettings, Settings
from backend.development import CannotDevelop
from backend.migrate import SERVICE_ROLE, MigrationError, migrate
from backend.server import CannotListen, listen, run

DEVELOPER = "developer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 for whatever a person can mend; it is said in one line each on standard error."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (CannotDevelop, MigrationError, CannotListen) as failure:
        print(f"tasks: {failure}", file=sys.stderr)
    except ValidationError as error:
        for line in _explain(error):
            print(f"tasks: {line}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tasks", description="A task backend for users of Better Auth.")
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="serve the API with the settings of the environment")
    serve.set_defaults(command=_serve)

    migrate_ = commands.add_parser("migrate", help="bring the database to the schema of this release")
    migrate_.set_defaults(command=_migrate)

    dev = commands.add_parser("dev", help="serve the API on an embedded PostgreSQL (development only)")
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
    from backend.main import create_app

    settings = Settings()
    refused = False

    def refuse() -> None:
        nonlocal refused
        refused = True
        raise_signal(SIGTERM)

    listener = listen(settings.api_host, settings.api_port)
    run(create_app(settings, on_unsafe_role=refuse), listener)
    return int(refused)


def _migrate(_: argparse.Namespace) -> int:
    settings = DatabaseSettings()
    service_url = settings.database_url.get_secret_value()
    if settings.migration_database_url is None:
        outcome = asyncio.run(migrate(owner_url=service_url, service_url=None))
    else:
        owner_url = settings.migration_database_url.get_secret_value()
        outcome = asyncio.run(migrate(owner_url=owner_url, service_url=service_url))
    print(f"The schema is at {outcome.version}. The service's role is {outcome.role}.")
    if outcome.generated_url:
        print(f"Serve with this URL; its password is not shown again:\n  DATABASE_URL={outcome.generated_url}")
    return 0


def _dev(options: argparse.Namespace) -> int:
    # However this command ends, PostgreSQL is to be stopped: by default SIGTERM would run no `finally`.
    signal(SIGTERM, lambda *_: sys.exit(143))
    development.refuse_production()
    data: Path = options.data.resolve()
    with development.locked(data):
        settings = development.settings(data)
        listener = listen(settings.api_host, settings.api_port)
        from backend.main import create_app

        with development.postgres(data) as socket_directory:
            asyncio.run(development.prepare(socket_directory, DEVELOPER))
            url = development.database_url(SERVICE_ROLE, socket_directory)
            app = create_app(settings.model_copy(update={"database_url": SecretStr(url)}))
            host, port = listener.getsockname()[:2]
            _greet(f"http://{host}:{port}", data, development.token(settings, DEVELOPER))
            run(app, listener)
    return 0


def _greet(url: str, data: Path, token: str) -> None:
    print(
        f"""
  API    {url}
  Docs   {url}/docs
  Data   {data}

  Try it:
    curl -H "Authorization: Bearer {token}" {url}/api/me/tasks

  The token is good for 12 hours; `make token` prints another. Ctrl-C stops everything.
""",
        flush=True,
    )


def _token(options: argparse.Namespace) -> int:
    development.refuse_production()
    if not SUBJECT.fullmatch(options.user):
        raise CannotDevelop("A user's id has 1 to 128 letters, digits, hyphens and underscores.")
    data: Path = options.data.resolve()
    asyncio.run(development.add_user_if_running(data, options.user))
    print(development.token(development.settings(data), options.user))
    return 0


def _explain(error: ValidationError) -> list[str]:
    """Each invalid setting by the name of its environment variable, and never its value."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in fault["loc"]).upper()
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "missing":
            message = "is not set; docs/configuration.md says what it is for"
        lines.append(f"{name} {message}" if name else message)
    return lines
