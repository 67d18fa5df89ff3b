"""`tasks dev` without the front end: an installation that starts, stops and recovers by itself."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import psutil
import pytest

from installation import developers_titles, stop
from processes import Command, Start, as_ordinary_user, processes_naming

ODD_SHELL = {
    "LC_ALL": "xx_YY.UTF-8",
    "PGHOST": "db.example.com",
    "PGPORT": "1",
    "PGSSLMODE": "verify-full",
    "PGOPTIONS": "-c search_path=nowhere",
    "PGCLIENTENCODING": "LATIN1",
}


# Starting


@pytest.mark.usefixtures("data")
def test_the_second_start_answers_within_three_seconds(start: Start) -> None:
    """Whatever else the machine is doing can only make it slower, so the best of some starts counts."""
    seconds = inf

    for _ in range(5):
        dev = start("dev")
        developers_titles(dev)
        seconds = min(seconds, time.monotonic() - dev.started)
        assert stop(dev) == 0
        if seconds < 3:
            break

    assert seconds < 3


def test_neither_the_place_of_the_data_nor_the_shell_matters(start: Start, folder: Path) -> None:
    """A Unix socket's path may have some 100 bytes, drivers split it at commas, and the shell may know servers."""
    data = folder / "My data, 100% (ü) yes?" / ("x" * 100)

    dev = start("dev", "--data", data, **ODD_SHELL)

    assert developers_titles(dev) == []
    assert re.search(f"^  Data +{re.escape(str(data))}$", dev.stdout, re.MULTILINE)
    stop(dev)


def test_an_ordinary_user_can_run_it(start: Start) -> None:
    dev = start("dev", by=as_ordinary_user())

    assert developers_titles(dev) == []
    assert {process.uids().effective for process in dev.family()} == {os.geteuid()}
    stop(dev)


# Stopping


@pytest.mark.usefixtures("data")
def test_a_second_ctrl_c_does_no_harm(start: Start) -> None:
    dev = start("dev")
    developers_titles(dev)

    status = stop(dev, SIGINT, SIGINT)

    assert status == 0
    assert dev.stdout.splitlines()[-1].endswith("stopped")
    assert list(dev.temporary.iterdir()) == []
    assert not (dev.folder / ".data" / "socket").is_symlink()


def test_it_can_be_stopped_at_any_moment_of_its_first_start(start: Start, folder: Path) -> None:
    """Some supervisors send the signal twice: to the process and to its group."""
    data = folder / ".data"
    secret, log, pid_file = (
        data / "better-auth-secret",
        data / "postgres.log",
        data / "postgres" / "postmaster.pid",
    )

    def half_made() -> set[Path]:
        return set(data.glob("initdb-*/base"))

    begun: list[tuple[Signals, Callable[[Command], object]]] = [
        (SIGINT, lambda _: secret.exists()),
        (SIGINT, lambda _: half_made()),
        (SIGTERM, lambda _: pid_file.exists()),
        (SIGINT, lambda _: log.exists() and "ready to accept connections" in log.read_text()),
        (SIGHUP, lambda dev: developers_titles(dev) == []),
    ]

    for number, moment in begun:
        # What an earlier start left behind would look like this one's.
        log.unlink(missing_ok=True)
        for remains in data.glob("initdb-*"):
            shutil.rmtree(remains)
        assert not pid_file.exists()
        dev = start("dev")
        dev.until(partial(moment, dev))
        stop(dev, number, number)
        assert list(dev.temporary.iterdir()) == []


# Recovering


@pytest.mark.usefixtures("data")
def test_a_server_that_outlived_its_command_is_taken_over(start: Start, folder: Path) -> None:
    killed = start("dev")
    developers_titles(killed)
    killed.process.kill()
    killed.status()
    assert processes_naming(folder) != []

    dev = start("dev")

    assert developers_titles(dev) == ["Water the plants"]
    stop(dev)
    assert list(dev.temporary.iterdir()) == []


@pytest.fixture
def stranger(data: Path) -> Iterator[int]:
    """The process id of a program that is nobody's business, and runs as PostgreSQL does."""
    with subprocess.Popen(["sleep", "60"], user=(data / "postgres").stat().st_uid) as process:
        yield process.pid
        process.kill()


def test_nothing_is_lost_in_a_power_cut(start: Start, data: Path, stranger: int) -> None:
    """The number of the process in PostgreSQL's lock belongs to another one when the power is back."""
    killed = start("dev")
    developers_titles(killed)
    for process in killed.family():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    killed.status()
    lock = data / "postgres" / "postmaster.pid"
    lock.write_text(re.sub("^[0-9]+", str(stranger), lock.read_text()))

    dev = start("dev")

    assert developers_titles(dev) == ["Water the plants"]
    assert psutil.pid_exists(stranger)
    stop(dev)
    assert list(dev.temporary.iterdir()) == []


def test_a_lock_that_says_nothing_is_removed(start: Start, data: Path) -> None:
    (data / "postgres" / "postmaster.pid").write_text("what?\n")

    dev = start("dev")

    assert developers_titles(dev) == ["Water the plants"]
    stop(dev)


def test_a_first_start_that_was_killed_is_begun_anew(start: Start, folder: Path) -> None:
    killed = start("dev")
    killed.until(lambda: list(folder.glob(".data/initdb-*/base")))

    killed.process.kill()
    killed.status()

    dev = start("dev")
    assert developers_titles(dev) == []
    stop(dev)
    assert list(folder.glob(".data/initdb-*")) == []
    assert list(dev.temporary.iterdir()) == []
