"""What the embedded PostgreSQL removes of a run that was killed, and what it must not remove."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest

from backend.commands import embedded
from installation import copy_data


@pytest.fixture
def data(installation: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="tests-") as folder:
        yield copy_data(installation, Path(folder))


@pytest.fixture
def foreign() -> Iterator[Path]:
    with TemporaryDirectory(prefix="tests-") as folder:
        yield Path(folder)


def below_another_folder(foreign: Path) -> Path:
    return Path(mkdtemp(prefix="tasks-", dir=foreign))


def with_another_name(foreign: Path) -> Path:
    return foreign


def open_to_others(foreign: Path) -> Path:
    directory = foreign.with_name(foreign.name.replace("tests-", "tasks-"))
    directory.mkdir(mode=0o755)
    return directory


def of_another_user(foreign: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("Only root can give a directory to another user.")
    directory = closed_to_others(foreign)
    os.chown(directory, 12345, 12345)
    return directory


def closed_to_others(foreign: Path) -> Path:
    directory = open_to_others(foreign)
    directory.chmod(0o700)
    return directory


def with_something_else_in_it(foreign: Path) -> Path:
    directory = closed_to_others(foreign)
    (directory / "mine").touch()
    return directory


@pytest.mark.parametrize(
    "made",
    [below_another_folder, with_another_name, open_to_others, of_another_user, with_something_else_in_it],
)
def test_no_directory_is_removed_that_is_not_ours(data: Path, foreign: Path, made: Callable[[Path], Path]) -> None:
    directory = made(foreign)
    (data / "socket").symlink_to(directory)

    with embedded.postgres(data):
        pass

    assert directory.is_dir()
    shutil.rmtree(directory)


def test_a_copy_leaves_the_socket_to_the_server_that_has_it(data: Path, foreign: Path) -> None:
    with embedded.postgres(data) as socket_directory:
        copied = copy_data(data, foreign)

        with embedded.postgres(copied):
            pass

        assert (socket_directory / embedded.SOCKET).is_socket()
