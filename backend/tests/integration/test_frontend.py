"""`tasks dev` with the front end: one command for everything, which stops and recovers by itself."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

import issuer
from backend.commands import frontend
from in_process import run
from installation import api_of, developers_client, has_greeted, sign_up_and_call, stop, web_server
from processes import Command, Start, free_port, workplace


class Everything(NamedTuple):
    dev: Command
    port: int
    start: Start

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def everything(built: Path) -> Iterator[Everything]:
    """One that was started where there was nothing, for tests that change nothing about it."""
    port = free_port()
    with workplace(API_PORT="0", FRONTEND_PORT=str(port)) as place:
        dev = place.start("dev", "--frontend", built)
        dev.until(lambda: has_greeted(dev))
        yield Everything(dev, port, place.start)
        assert stop(dev) == 0


# Starting


def test_it_says_first_what_to_open(everything: Everything) -> None:
    greeting = [line for line in everything.dev.stdout.splitlines() if line.startswith("  ")]

    assert greeting[0] == f"  Open   {everything.url}"
    # The port is a part of the issuer, without which a token is refused.
    assert f"TOKEN=$(FRONTEND_PORT={everything.port} " in everything.dev.stdout
    assert httpx2.get(everything.url, follow_redirects=True, trust_env=False).status_code == 200


async def test_somebody_who_signs_up_can_use_the_api(everything: Everything) -> None:
    algorithm, answer = await sign_up_and_call(everything.url, api_of(everything.dev))

    assert algorithm == "HS256"
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == everything.url


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

    logged = [line for line in lines if line.strip() and not line.startswith("  ")]
    columns = r"(?:web|api) │ \d\d:\d\d:\d\d \[(?:info|warning|error) *\] \S"
    assert [line for line in logged if not re.match(columns, line)] == []
    assert any(re.match(r"web │ .*\] Ready", line) for line in lines)
    assert any(re.match(r"api │ .*\] started", line) for line in lines)
    assert "Next.js" not in everything.dev.stdout


def test_a_token_of_the_command_is_taken_too(everything: Everything) -> None:
    token = run(everything.dev.folder, "token", "somebody", FRONTEND_PORT=str(everything.port))

    assert token.status == 0
    with developers_client(everything.dev) as somebody:
        somebody.headers["Authorization"] = f"Bearer {token.stdout.strip()}"
        assert somebody.get("/api/somebody/tasks").json() == []


def test_it_hears_nothing_of_the_terminal(everything: Everything) -> None:
    assert web_server(everything.dev).terminal() is None
    assert web_server(everything.dev).ppid() == everything.dev.process.pid


# Refusing


def test_its_port_in_use_is_said_at_once(everything: Everything, built: Path) -> None:
    refused = everything.start("dev", "--data", "other", "--frontend", built)

    assert refused.complaint() == (
        f"Cannot listen on localhost:{everything.port}: Address already in use. "
        "Stop the program that uses the port, or set FRONTEND_PORT to another one."
    )


def test_sessions_alone_are_not_enough(tmp_path: Path, built: Path) -> None:
    refused = run(tmp_path, "dev", "--frontend", built, AUTH_SOURCES="session")

    assert refused.complaint() == (
        "AUTH_SOURCES must name secret, jwks or jwks-database, because the front end sends JWTs."
    )


@pytest.mark.usefixtures("built")
def test_processes_of_the_front_end_without_the_pipe_go_on() -> None:
    """Next.js hands its options on to processes that have /dev/null for standard input."""
    command = ["node", "--import", frontend.END_WITH_THE_PIPE, "--eval", "0"]

    assert subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
