"""What `tasks dev` starts, as somebody uses it who has read what it printed."""

import re
import shlex
import subprocess
from pathlib import Path
from signal import SIGINT, Signals

import httpx2
import jwt
import psutil

import issuer
from processes import Command, about, has_ended


def greeted(dev: Command) -> bool:
    return "Ctrl-C stops everything." in dev.stdout


def curl_line(dev: Command) -> str:
    found = re.search(r"^ +(curl .+)$", dev.stdout, re.MULTILINE)
    assert found, dev.stdout
    return found[1]


def client(dev: Command) -> httpx2.Client:
    """Somebody who has read what the command printed."""
    *_, header, url = shlex.split(curl_line(dev))
    name, _, value = header.partition(": ")
    return httpx2.Client(base_url=url.removesuffix("/api/me/tasks"), headers={name: value}, trust_env=False)


def titles(dev: Command) -> list[str]:
    """Of the developer's tasks, as soon as they can be had."""
    dev.until(lambda: greeted(dev))
    with client(dev) as developer:
        return [task["title"] for task in developer.get("/api/me/tasks").json()]


def web_server(dev: Command) -> psutil.Process:
    (found,) = [process for process in dev.family() if process.name().startswith("next-server")]
    return found


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


def stop(dev: Command, *signals: Signals) -> int:
    """End it, and see that it goes quietly and takes along whatever it started; gives its exit status."""
    family = dev.family()

    for number in signals or (SIGINT,):
        dev.signal(number)
    status = dev.status()

    assert [process for process in family if not has_ended(process)] == []
    assert about(dev.folder) == []
    assert dev.stderr == ""
    assert "Traceback" not in dev.stdout
    return status


def copy(installation: Path, folder: Path) -> Path:
    """Gives the folder of its data."""
    data = folder / ".data"
    subprocess.run(["cp", "-a", installation, data], check=True)
    return data
