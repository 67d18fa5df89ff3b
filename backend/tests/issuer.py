"""A real Better Auth server beside the tests."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import httpx2
import pytest

from support import SECRET, Json

SERVER = Path(__file__).parent / "better_auth"
FRONT_END = Path(__file__).parents[2] / "frontend"
PASSWORD = "correct horse battery staple"


def find_node() -> str:
    """The path of Node; skips the test if Node or Better Auth is not installed."""
    program = shutil.which("node")
    if not program or not (SERVER / "node_modules").is_dir():
        _do_without(
            "These tests run a real Better Auth server, which needs Node 20.19 or newer and `make issuer`."
        )
    return program


def find_front_end() -> Path:
    """The folder of the front end; skips the test if it cannot be started."""
    if not shutil.which("node") or not (FRONT_END / ".next" / "BUILD_ID").exists():
        _do_without("These tests use the front end's build, which needs Node 20.19 or newer and `make built`.")
    return FRONT_END


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Issuers:
    """Better Auth servers in one Node process. `better_auth/server.mjs` describes their configuration."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextmanager
    def serving(self, database_url: str, **configuration: Json) -> Iterator[str]:
        """Start a Better Auth server; gives its URL."""
        configuration = {"databaseUrl": database_url, "secret": SECRET, **configuration}
        url: str = self._request(serve=configuration)["url"]
        try:
            yield url
        finally:
            self._request(stop=url)

    def migrate(self, database_url: str) -> Json:
        """Run Better Auth's migrations; gives what was missing."""
        return self._request(migrate={"databaseUrl": database_url})

    def _request(self, **request: Json) -> Json:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer


@contextmanager
def issuers() -> Iterator[Issuers]:
    # With an empty environment: Better Auth and node-postgres read many variables.
    with subprocess.Popen(
        [find_node(), "server.mjs"], cwd=SERVER, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Issuers(process)
        assert process.stdin
        process.stdin.close()  # that ends it


def browser_at(url: str) -> httpx2.AsyncClient:
    """A browser at the front end, with its own cookies."""
    return httpx2.AsyncClient(base_url=url, headers={"Origin": url})


async def sign_up(browser: httpx2.AsyncClient) -> str:
    """Sign up a new user; gives their id."""
    body = {"name": "Somebody", "email": f"{uuid4().hex}@example.com", "password": PASSWORD}
    answer = await browser.post("/api/auth/sign-up/email", json=body)
    assert answer.status_code == 200, answer.text
    user_id: str = answer.json()["user"]["id"]
    return user_id


async def fetch_token(browser: httpx2.AsyncClient) -> str:
    answer = await browser.get("/api/auth/token")
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token
