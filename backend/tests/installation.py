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
from support import claims_of, sign


def greeted(dev: Command) -> bool:
    return "Ctrl-C stops everything." in dev.stdout


def first_call(dev: Command) -> str:
    """The two lines for a shell: one for a token, and one that uses it."""
    found = re.search(r"^ +(TOKEN=.+)\n +(curl .+)$", dev.stdout, re.MULTILINE)
    assert found, dev.stdout
    return f"{found[1]}\n{found[2]}"


def client(dev: Command) -> httpx2.Client:
    """The developer, with a token as the first printed line gives it, which would start a process each time."""
    *_, url = shlex.split(first_call(dev))
    data = re.search(r"^  Data +(.+)$", dev.stdout, re.MULTILINE)
    assert data, dev.stdout
    port = re.search(r"FRONTEND_PORT=(\d+)", first_call(dev))
    issuer = f"http://localhost:{port[1] if port else 3000}"
    secret = (Path(data[1]) / "better-auth-secret").read_text()
    token = sign(claims_of("developer", iss=issuer, aud=issuer), secret=secret)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=url.removesuffix("/api/me/tasks"), headers=headers, trust_env=False)


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
