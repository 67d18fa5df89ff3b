"""The `tasks` command."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from signal import SIG_DFL, SIGINT, SIGTERM, raise_signal, signal
from typing import TYPE_CHECKING

from backend.errors import Refusal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DEVELOPER = "developer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 for whatever a person can fix: one line for each on standard error."""
    # Until there is something to clean up, Ctrl-C ends this like any program, without a traceback.
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
    """Name the environment variable that is invalid, never its value."""
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
    migrate.add_argument(
        "--citus", action="store_true", help="spread the tables over the servers of a Citus cluster"
    )
    migrate.set_defaults(command=_migrate)

    doctor = commands.add_parser(
        "doctor", help="check the settings and what they point to, and say what to change"
    )
    doctor.add_argument("--token", help="check a user's token too; Better Auth's /api/auth/token returns one")
    doctor.set_defaults(command=_doctor)

    openapi = commands.add_parser("openapi", help="print the API's description (OpenAPI, JSON)")
    openapi.set_defaults(command=_openapi)

    dev = commands.add_parser("dev", help="serve the API on an embedded PostgreSQL (development only)")
    dev.add_argument("--frontend", type=Path, metavar="FOLDER", help="start the front end in this folder too")
    dev.add_argument("--watch", action="store_true", help="reload the front end when its sources change")
    dev.add_argument("--by-make", action="store_true", help="print make's commands instead of this program's")
    dev.set_defaults(command=_dev, user=DEVELOPER)

    token = commands.add_parser("token", help="print a token to try the API with (development only)")
    token.add_argument(
        "user",
        nargs="?",
        default=DEVELOPER,
        help="a user's id (%(default)s), or the e-mail address of somebody who has signed up",
    )
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
    from backend.commands.serving import serve
    from backend.main import create_app  # slow imports come after what may be refused, here and below

    refused = False

    def refuse() -> None:
        nonlocal refused
        refused = True
        raise_signal(SIGTERM)

    serve(create_app(settings, on_unsafe_role=refuse), listener)
    return int(refused)


def _migrate(options: argparse.Namespace) -> int:
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
            distribute=options.citus,
        )
    )
    print(f"The schema is at {outcome.version}. The service's role is {outcome.role}.")
    if outcome.worker_role:
        print(f"The role of workers is {outcome.worker_role}.")
    if outcome.generated_url:
        print(f"Serve with this URL; its password is not shown again:\n  DATABASE_URL={outcome.generated_url}")
    elif owner is None:
        print(
            "Its password was shown when the role was created, possibly for another database of this server. "
            "To set another one, use MIGRATION_DATABASE_URL (docs/configuration.md)."
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
    from backend.commands import dev

    return dev.run(options)


def _token(options: argparse.Namespace) -> int:
    from backend.commands import dev

    return dev.print_token(options)


def _openapi(_: argparse.Namespace) -> int:
    import json

    from backend.config import Settings
    from backend.main import create_api

    # The description does not depend on the settings.
    print(json.dumps(create_api(Settings.model_construct()).openapi(), indent=2, ensure_ascii=False))
    return 0
