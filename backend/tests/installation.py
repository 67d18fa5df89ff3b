"""A running `tasks dev`, used by somebody who has read what it printed."""

import re
import shlex
import subprocess
from pathlib import Path
from signal import SIGINT, Signals

import httpx2
import jwt
import psutil

import issuer
from processes import Command, has_ended, processes_naming
from support import claims_of, sign


def has_greeted(dev: Command) -> bool:
    return "Ctrl-C stops everything." in dev.stdout


def first_call(dev: Command) -> str:
    """The two lines for a shell: one for a token, and one that uses it."""
    found = re.search(r"^ +(TOKEN=.+)\n +(curl .+)$", dev.stdout, re.MULTILINE)
    assert found, dev.stdout
    return f"{found[1]}\n{found[2]}"


def developers_client(dev: Command) -> httpx2.Client:
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


def developers_titles(dev: Command) -> list[str]:
    """The titles of the developer's tasks, as soon as the API has started."""
    dev.until(lambda: has_greeted(dev))
    with developers_client(dev) as developer:
        return [task["title"] for task in developer.get("/api/me/tasks").json()]


def web_server(dev: Command) -> psutil.Process:
    (found,) = [process for process in dev.family() if process.name().startswith("next-server")]
    return found


def api_of(dev: Command) -> str:
    found = re.search(r"^  API +(\S+)$", dev.stdout, re.MULTILINE)
    assert found, dev.stdout
    return found[1]


async def sign_up_and_call(url: str, api: str) -> tuple[str, httpx2.Response]:
    """Sign up a new user in a browser; gives the algorithm of their token and the API's answer to it."""
    async with issuer.browser_at(url) as browser:
        user_id = await issuer.sign_up(browser)
        token = await issuer.fetch_token(browser)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await browser.post(f"{api}/api/{user_id}/tasks", json={"title": "Sow"}, headers=headers)
        return jwt.get_unverified_header(token)["alg"], answer


def stop(dev: Command, *signals: Signals) -> int:
    """Stop it, and check that it ends quietly, with every process it started; gives its exit status."""
    family = dev.family()

    for number in signals or (SIGINT,):
        dev.signal(number)
    status = dev.status()

    assert [process for process in family if not has_ended(process)] == []
    assert processes_naming(dev.folder) == []
    assert dev.stderr == ""
    assert "Traceback" not in dev.stdout
    return status


def copy_data(installation: Path, folder: Path) -> Path:
    """Copy an installation's data into the folder; gives the data's folder there."""
    data = folder / ".data"
    subprocess.run(["cp", "-a", installation, data], check=True)
    return data
