"""What `tasks dev` starts, as somebody uses it who has read what it printed."""

import re
import shlex
import subprocess
from pathlib import Path
from signal import SIGINT, Signals

import httpx2

from processes import Command, about


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


def stop(dev: Command, *signals: Signals) -> int:
    """End it, and see that it goes quietly and takes along whatever it started; gives its exit status."""
    family = dev.family()

    for number in signals or (SIGINT,):
        dev.signal(number)
    status = dev.status()

    assert [process for process in family if process.is_running()] == []
    assert about(dev.folder) == []
    assert dev.stderr == ""
    assert "Traceback" not in dev.stdout
    return status


def copy(installation: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-a", installation, folder], check=True)
    return folder / ".data"
