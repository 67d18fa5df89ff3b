"""`tasks dev` and `tasks token`: an installation that runs, and what is said beside it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGTERM, raise_signal, signal
from typing import Any, NamedTuple

import httpx2
import psutil
import pytest

from backend.commands import development, embedded
from databases import connected
from in_process import run
from installation import copy_data, developers_client, developers_titles, first_call, has_greeted, stop
from processes import TASKS, Command, Start, processes_naming, workplace


@pytest.fixture
def folder() -> Iterator[Path]:
    with workplace() as place:
        yield place.folder


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


@pytest.mark.parametrize("command", ["dev", "token"])
def test_production_is_refused(folder: Path, command: str) -> None:
    refused = run(folder, command, ENVIRONMENT="production")

    assert refused.complaint() == "ENVIRONMENT is production, and this command is for development only."
    assert list(folder.iterdir()) == []


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
