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
PASSWORD = "correct horse battery staple"


def find_node() -> str:
    """The Node program, with Better Auth installed; skips the test where one of the two is missing."""
    program = shutil.which("node")
    if not program or not (SERVER / "node_modules").is_dir():
        _do_without(
            "These tests run a real Better Auth server, which needs Node 20.19 or newer and `make issuer`."
        )
    return program


def find_front_end(folder: Path) -> Path:
    """The folder, if the front end in it can be started; skips the test where it cannot."""
    if not shutil.which("node") or not (folder / ".next" / "BUILD_ID").exists():
        _do_without("These tests start the front end, which needs Node 20.19 or newer and `make built`.")
    return folder


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def command(node: str, database_url: str, *arguments: str, **environment: str) -> Json:
    """What to start, for subprocess. The environment is ours alone: Better Auth reads many variables."""
    return {
        "args": [node, "server.mjs", *arguments],
        "cwd": SERVER,
        "env": {
            "DATABASE_URL": database_url,
            "BETTER_AUTH_SECRET": SECRET,
            "PLUGINS": "jwt,bearer",
            **environment,
        },
        "stdout": subprocess.PIPE,
        "text": True,
    }


@contextmanager
def serving(node: str, database_url: str, **environment: str) -> Iterator[str]:
    """A Better Auth server; gives its URL."""
    with subprocess.Popen(**command(node, database_url, **environment), stdin=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()  # by this it knows that nobody needs it any more


def browser_at(url: str) -> httpx2.AsyncClient:
    """Somebody's browser at the front end, with cookies of its own."""
    return httpx2.AsyncClient(base_url=url, headers={"Origin": url})


async def sign_up(browser: httpx2.AsyncClient) -> str:
    """Gives the new user's id."""
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
