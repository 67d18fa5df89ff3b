"""Installations: created once by a first run of `tasks dev`, and copied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from installation import copy_data, developers_client, has_greeted, stop
from processes import UNMEASURED, Start, Workplace, free_port, workplace


@pytest.fixture(scope="session")
def installation() -> Iterator[Path]:
    """The data of a first run, in which the developer added a task."""
    with workplace(API_PORT="0", **UNMEASURED) as place:
        dev = place.start("dev")
        dev.until(lambda: has_greeted(dev))
        with developers_client(dev) as developer:
            assert developer.post("/api/me/tasks", json={"title": "Water the plants"}).status_code == 201
        assert stop(dev) == 0
        yield place.folder / ".data"


@pytest.fixture
def place() -> Iterator[Workplace]:
    with workplace(API_PORT="0", FRONTEND_PORT=str(free_port()), **UNMEASURED) as place:
        yield place


@pytest.fixture
def folder(place: Workplace) -> Path:
    return place.folder


@pytest.fixture
def start(place: Workplace) -> Start:
    """Start `tasks` in the folder."""
    return place.start


@pytest.fixture
def data(installation: Path, folder: Path) -> Path:
    """A copy of the installation's data, for one test."""
    return copy_data(installation, folder)
