"""`tasks dev` with the front end: one command for everything, which stops and recovers by itself."""

import re
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import psutil
import pytest

from installation import api_of, developers_titles, has_greeted, sign_up_and_call, stop, web_server
from issuer import FRONT_END
from processes import Command, Start, Workplace, has_ended

pytestmark = pytest.mark.usefixtures("data")


def has_begun(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # one of the others may be ending
        return "--import" in process.cmdline()
    return False


@pytest.mark.parametrize("sources", ["jwks", "jwks-database"])
async def test_tokens_of_better_auths_keys_are_one_setting_away(
    start: Start, place: Workplace, built: Path, sources: str
) -> None:
    dev = start("dev", "--frontend", built, AUTH_SOURCES=sources)
    dev.until(lambda: has_greeted(dev))

    url = f"http://localhost:{place.variables['FRONTEND_PORT']}"
    algorithm, answer = await sign_up_and_call(url, api_of(dev))

    assert algorithm == "EdDSA"
    assert answer.status_code == 201
    assert "curl" not in dev.stdout
    assert f"sign in to the app and open {url}/api/auth/token" in dev.stdout
    stop(dev)


def test_without_node_the_api_runs_alone_and_says_so(start: Start) -> None:
    dev = start("dev", "--frontend", FRONT_END, PATH="/nonexistent")

    assert developers_titles(dev) == ["Water the plants"]
    reason = "The front end needs Node 20.19 or newer, and there is no Node here. The API runs alone."
    assert next(line.strip() for line in dev.stdout.splitlines() if line) == reason
    assert "Open" not in dev.stdout
    assert "│" not in dev.stdout
    stop(dev)


def test_it_can_be_stopped_at_any_moment(start: Start, built: Path) -> None:
    def started(dev: Command) -> bool:
        return any(map(has_begun, dev.family()))

    def ready(dev: Command) -> bool:
        return "Ready in" in dev.stdout

    for number, moment in ((SIGINT, started), (SIGTERM, ready), (SIGHUP, has_greeted)):
        dev = start("dev", "--frontend", built)
        dev.until(partial(moment, dev))
        stop(dev, number, number)


def test_a_front_end_that_ends_by_itself_ends_everything(start: Start, built: Path) -> None:
    dev = start("dev", "--frontend", built)
    dev.until(lambda: has_greeted(dev))
    family = dev.family()

    web_server(dev).kill()

    assert dev.status() == 1
    assert dev.stderr == "tasks: The front end ended unexpectedly (signal 9); see its output above.\n"
    assert [process for process in family if not has_ended(process)] == []


def test_one_whose_command_was_killed_ends_and_makes_way(start: Start, built: Path) -> None:
    killed = start("dev", "--frontend", built)
    killed.until(lambda: has_greeted(killed))
    server = web_server(killed)

    killed.process.kill()
    killed.status()
    dev = start("dev", "--frontend", built)

    assert developers_titles(dev) == ["Water the plants"]
    assert has_ended(server)
    stop(dev)


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
        (ENDS, "ended unexpectedly (exit status 3); see its output above."),
        (FAILS, "answered with status 500; see its output above."),
    ],
)
def test_one_that_fails_to_start_is_said(start: Start, misbehaving: Path, program: str, complaint: str) -> None:
    (misbehaving / "node_modules/next/dist/bin/next").write_text(program)

    dev = start("dev", "--frontend", misbehaving)

    assert dev.status() == 1
    assert re.fullmatch(r"web │ \d\d:\d\d:\d\d \[info     \] Oh no *\n", dev.stdout)
    assert dev.stderr == f"tasks: The front end {complaint}\n"
