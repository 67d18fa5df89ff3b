"""A whole installation on one machine for `tasks dev`: its folder, Better Auth's tables, a user, a token."""

import fcntl
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import asyncpg
import jwt
from pydantic import Field, SecretStr

from backend.commands.embedded import PORT, SUPERUSER
from backend.config import AuthSource, CorsOrigins, Deployment, Environment, Settings
from backend.errors import Refusal

DATABASE = "tasks"
WORKER_ROLE = "tasks_worker"
TOKEN_LIFETIME = timedelta(hours=12)


class FrontEndSettings(Deployment):
    """What only `tasks dev` needs, and `tasks token` for the issuer."""

    frontend_port: int = Field(default=3000, ge=1, le=65535)


def refuse_production() -> None:
    """Raises Refusal."""
    if Deployment().environment is Environment.PRODUCTION:
        raise Refusal("ENVIRONMENT is production, and this command is for development only.")


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Make the folder, and keep every other `tasks dev` away from it. Raises Refusal and OSError."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refusal(f"Another `tasks dev` is using {data}; stop that one first.") from error
        yield


def settings(data: Path) -> Settings:
    """The settings of the environment, with a default for each that is missing."""
    secret = SecretStr(_secret(data))
    port = FrontEndSettings().frontend_port

    class DevelopmentSettings(Settings):
        database_url: SecretStr = SecretStr("postgresql://set-later")
        better_auth_secret: SecretStr = secret
        better_auth_url: str = f"http://localhost:{port}"
        cors_origins: CorsOrigins = (f"http://localhost:{port}", f"http://127.0.0.1:{port}")

    return DevelopmentSettings()


def _secret(data: Path) -> str:
    """A secret of this installation alone, so that no token made elsewhere is good here."""
    path = data / "better-auth-secret"
    path.touch(mode=0o600)
    if not path.stat().st_size:
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


def database_url(role: str, socket_directory: Path, database: str = DATABASE) -> str:
    # Explicit where the shell could have another idea: PGPORT, PGSSLMODE.
    return f"postgresql://{role}@/{database}?host={quote(str(socket_directory))}&port={PORT}&sslmode=disable"


async def create_database(socket_directory: Path) -> None:
    """Unless it is there."""
    server = await asyncpg.connect(database_url(SUPERUSER, socket_directory, "postgres"))
    try:
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await server.execute(f"CREATE DATABASE {DATABASE}")
        # By this a service with ENVIRONMENT=production knows that it is in the wrong place.
        await server.execute(f"ALTER DATABASE {DATABASE} SET app.embedded = 'true'")
    finally:
        await server.close()


async def prepare(socket_directory: Path, user_id: str, *, reads: Collection[AuthSource] = frozenset()) -> None:
    """Create whatever is missing: the database, Better Auth's tables, ours, both roles, one user."""
    from backend.postgres.migrate import SERVICE_ROLE, migrate

    await create_database(socket_directory)
    owner_url = database_url(SUPERUSER, socket_directory)
    owner = await asyncpg.connect(owner_url)
    try:
        if not await owner.fetchval("""SELECT to_regclass('"user"') IS NOT NULL"""):
            await owner.execute(files("backend.commands").joinpath("better_auth.sql").read_text())
        await migrate(
            owner_url=owner_url,
            service_url=database_url(SERVICE_ROLE, socket_directory),
            worker_url=database_url(WORKER_ROLE, socket_directory),
            reads=reads,
        )
        await _add_user(owner, user_id)
    finally:
        await owner.close()


async def add_user_if_running(data: Path, user_id: str) -> None:
    """Raises Refusal where no `tasks dev` is running on `data`."""
    try:
        owner = await asyncpg.connect(database_url(SUPERUSER, (data / "socket").readlink()))
        try:
            await _add_user(owner, user_id)
        finally:
            await owner.close()
    except (FileNotFoundError, ConnectionError, asyncpg.PostgresError) as error:
        raise Refusal(f"Nothing is running on {data} yet; start `make run` first.") from error


async def _add_user(owner: "asyncpg.Connection[asyncpg.Record]", user_id: str) -> None:
    """Somebody as Better Auth would have signed them up, unless they are there already."""
    await owner.execute(
        """
        INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES ($1, $1, $1 || '@example.com', true)
        ON CONFLICT ("id") DO NOTHING
        """,
        user_id,
    )


def signs(settings: Settings) -> bool:
    """Whether the API takes what `token` makes."""
    return AuthSource.SECRET in settings.sources


def token(settings: Settings, user_id: str) -> str:
    """What Better Auth would issue for this user with HS256."""
    now = int(time.time())
    lifetime = min(TOKEN_LIFETIME, settings.jwt_max_lifetime)
    claims = {
        "sub": user_id,
        "name": user_id,
        "email": f"{user_id}@example.com",
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
        "iss": settings.issuer,
        "aud": settings.audience,
    }
    assert settings.better_auth_secret is not None  # `settings` has seen to it
    return jwt.encode(claims, settings.better_auth_secret.get_secret_value(), "HS256")
