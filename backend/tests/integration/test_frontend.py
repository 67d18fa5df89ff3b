"""`tasks dev` with the front end: one command for everything, which stops and recovers by itself."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM
from typing import NamedTuple

import httpx2
import jwt
import psutil
import pytest

import issuer
from backend.commands import frontend
from installation import client, copy, greeted, stop, titles
from processes import UNMEASURED, Command, Start, Workplace, free_port, workplace

FOLDER = Path(__file__).parents[3] / "frontend"


@pytest.fixture(scope="module")
def built() -> Path:
    return issuer.find_front_end(FOLDER)


@pytest.fixture(scope="module")
def installation() -> Iterator[Path]:
    """The data of a first run without the front end, so with Better Auth's tables as `tasks dev` makes them."""
    with workplace(API_PORT="0") as place:
        dev = place.start("dev")
        titles(dev)
        assert stop(dev) == 0
        yield place.folder / ".data"


@pytest.fixture
def place(installation: Path) -> Iterator[Workplace]:
    with workplace(API_PORT="0", FRONTEND_PORT=str(free_port()), **UNMEASURED) as place:
        copy(installation, place.folder)
        yield place


@pytest.fixture
def start(place: Workplace) -> Start:
    return place.start


class Everything(NamedTuple):
    dev: Command
    start: Start
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def everything(built: Path) -> Iterator[Everything]:
    """One that was started where there was nothing, for tests that change nothing about it."""
    port = free_port()
    with workplace(API_PORT="0", FRONTEND_PORT=str(port)) as place:
        dev = place.start("dev", "--frontend", built)
        dev.until(lambda: greeted(dev))
        yield Everything(dev, place.start, port)
        assert stop(dev) == 0


def web_server(dev: Command) -> psutil.Process:
    (found,) = [process for process in dev.family() if process.name().startswith("next-server")]
    return found


def has_begun(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # one of the others may be ending
        return "--import" in process.cmdline()
    return False


def has_ended(process: psutil.Process) -> bool:
    """Though not everywhere is somebody who takes note of it."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def api_of(dev: Command) -> str:
    found = re.search(r"^  API +(\S+)$", dev.stdout, re.MULTILINE)
    assert found, dev.stdout
    return found[1]


async def sign_up_and_call(url: str, api: str) -> tuple[str, httpx2.Response]:
    """Somebody new in a browser; gives the algorithm of their token, and what the API answers to it."""
    async with issuer.browser_at(url) as browser:
        user_id = await issuer.sign_up(browser)
        token = await issuer.fetch_token(browser)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await browser.post(f"{api}/api/{user_id}/tasks", json={"title": "Sow"}, headers=headers)
        return jwt.get_unverified_header(token)["alg"], answer


# Starting


def test_it_says_first_what_to_open(everything: Everything) -> None:
    greeting = [line for line in everything.dev.stdout.splitlines() if line.startswith("  ")]

    assert greeting[0] == f"  Open   {everything.url}"
    # The port is a part of the issuer, without which a token is refused.
    assert "`make token`, with the same FRONTEND_PORT, prints another" in greeting[-1]
    assert httpx2.get(everything.url, follow_redirects=True, trust_env=False).status_code == 200


async def test_somebody_who_signs_up_can_use_the_api(everything: Everything) -> None:
    algorithm, answer = await sign_up_and_call(everything.url, api_of(everything.dev))

    assert algorithm == "HS256"
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == everything.url


@pytest.mark.parametrize("sources", ["jwks", "jwks-database"])
async def test_tokens_of_better_auths_keys_are_one_setting_away(
    start: Start, place: Workplace, built: Path, sources: str
) -> None:
    dev = start("dev", "--frontend", built, AUTH_SOURCES=sources)
    dev.until(lambda: greeted(dev))

    algorithm, answer = await sign_up_and_call(f"http://localhost:{place.variables['FRONTEND_PORT']}", api_of(dev))

    assert algorithm == "EdDSA"
    assert answer.status_code == 201
    assert "curl" not in dev.stdout
    stop(dev)


async def test_the_address_in_numbers_does_as_well(everything: Everything) -> None:
    origin = f"http://127.0.0.1:{everything.port}"
    async with issuer.browser_at(everything.url) as browser:
        browser.headers["Origin"] = origin

        await issuer.sign_up(browser)

    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    allowed = httpx2.options(f"{api_of(everything.dev)}/api/me/tasks", headers=asked, trust_env=False)
    assert allowed.headers["Access-Control-Allow-Origin"] == origin


def test_each_line_of_the_log_says_whose_it_is(everything: Everything) -> None:
    everything.dev.until(lambda: "started" in everything.dev.stdout)

    lines = everything.dev.stdout.splitlines()

    assert {line[:6] for line in lines if line.strip() and not line.startswith("  ")} == {"web │ ", "api │ "}
    assert any(re.match("web │ .*Ready", line) for line in lines)
    assert any(re.match("api │ .*started", line) for line in lines)


def test_a_token_of_the_command_is_taken_too(everything: Everything) -> None:
    token = everything.start("token", "somebody")

    assert token.status() == 0
    with client(everything.dev) as somebody:
        somebody.headers["Authorization"] = f"Bearer {token.stdout.strip()}"
        assert somebody.get("/api/somebody/tasks").json() == []


# Doing without


def test_without_node_the_api_runs_alone_and_says_so(start: Start) -> None:
    dev = start("dev", "--frontend", FOLDER, PATH="/nonexistent")

    assert titles(dev) == []
    reason = "There is no Node here, and the front end needs 20.19 or newer. The API runs alone."
    assert next(line.strip() for line in dev.stdout.splitlines() if line) == reason
    assert "Open" not in dev.stdout
    assert "│" not in dev.stdout
    stop(dev)


# Stopping


def test_it_can_be_stopped_at_any_moment(start: Start, built: Path) -> None:
    def started(dev: Command) -> bool:
        return any(map(has_begun, dev.family()))

    def ready(dev: Command) -> bool:
        return "Ready in" in dev.stdout

    for number, moment in ((SIGINT, started), (SIGTERM, ready), (SIGHUP, greeted)):
        dev = start("dev", "--frontend", built)
        dev.until(partial(moment, dev))
        stop(dev, number, number)


def test_it_hears_nothing_of_the_terminal(everything: Everything) -> None:
    assert web_server(everything.dev).terminal() is None
    assert web_server(everything.dev).ppid() == everything.dev.process.pid


def test_a_front_end_that_ends_by_itself_ends_everything(start: Start, built: Path) -> None:
    dev = start("dev", "--frontend", built)
    dev.until(lambda: greeted(dev))
    family = dev.family()

    web_server(dev).kill()

    assert dev.status() == 1
    assert dev.stderr == "tasks: The front end has ended by itself (signal 9); its last words are above.\n"
    assert [process for process in family if process.is_running()] == []


@pytest.fixture
def misbehaving(tmp_path: Path) -> Path:
    """A folder with a program in the place of Next.js: the real one cannot be made to fail in these ways."""
    (tmp_path / ".next").mkdir()
    (tmp_path / ".next" / "BUILD_ID").touch()
    (tmp_path / "node_modules/next/dist/bin").mkdir(parents=True)
    return tmp_path


SAYS = "console.log('Oh no');"
ENDS = f"{SAYS} process.exit(3)"
FAILS = f"""
    {SAYS} require("http").createServer((_, answer) => {{ answer.statusCode = 500; answer.end() }})
        .listen(process.argv.at(-1), process.argv.at(-3))
"""


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        (ENDS, "has ended by itself (exit status 3); its last words are above."),
        (FAILS, "answers with status 500; what is wrong is above."),
    ],
)
def test_one_that_fails_to_start_is_said(start: Start, misbehaving: Path, program: str, complaint: str) -> None:
    (misbehaving / "node_modules/next/dist/bin/next").write_text(program)

    dev = start("dev", "--frontend", misbehaving)

    assert dev.status() == 1
    assert dev.stdout == "web │ Oh no\n"
    assert dev.stderr == f"tasks: The front end {complaint}\n"


# Recovering


def test_one_whose_command_was_killed_ends_and_makes_way(start: Start, built: Path) -> None:
    killed = start("dev", "--frontend", built)
    killed.until(lambda: greeted(killed))
    server = web_server(killed)

    killed.process.kill()
    killed.status()
    dev = start("dev", "--frontend", built)

    assert titles(dev) == []
    assert has_ended(server)
    stop(dev)


# Refusing


def test_its_port_in_use_is_said_at_once(everything: Everything, start: Start, built: Path) -> None:
    refused = start("dev", "--frontend", built, FRONTEND_PORT=str(everything.port))

    assert refused.complaint() == (
        f"Cannot listen on localhost:{everything.port}: Address already in use. "
        "Stop the program that uses the port, or set FRONTEND_PORT to another one."
    )


def test_sessions_alone_are_not_enough(start: Start, built: Path) -> None:
    refused = start("dev", "--frontend", built, AUTH_SOURCES="session")

    assert refused.complaint() == (
        "AUTH_SOURCES has to name secret, jwks or jwks-database: the front end sends JWTs."
    )


@pytest.mark.usefixtures("built")
def test_processes_of_the_front_end_without_the_pipe_go_on() -> None:
    """Next.js hands its options on to processes that have /dev/null for standard input."""
    command = ["node", "--import", frontend.END_WITH_THE_PIPE, "--eval", "0"]

    assert subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
