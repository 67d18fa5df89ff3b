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
from backend.config import SECRET_BYTES, AuthSource, CorsOrigins, Deployment, Environment, Settings
from backend.errors import Refusal

DATABASE = "tasks"
WORKER_ROLE = "tasks_worker"
TOKEN_LIFETIME = timedelta(hours=12)


class FrontEndSettings(Deployment):
    """What only `tasks dev` needs, and `tasks token`, because it is part of the issuer."""

    frontend_port: int = Field(default=3000, ge=1, le=65535)


def refuse_production() -> None:
    """Raises Refusal."""
    if Deployment().environment is Environment.PRODUCTION:
        raise Refusal("ENVIRONMENT is production, and this command is for development only.")


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Create the folder, and keep other runs of `tasks dev` out of it. Raises Refusal and OSError."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refusal(f"Another `make run` (or `tasks dev`) is using {data}; stop that one first.") from error
        yield


def settings(data: Path) -> Settings:
    """The settings of the environment, with a default for each that is missing. Raises Refusal."""
    port = FrontEndSettings().frontend_port

    class DevelopmentSettings(Settings):
        database_url: SecretStr = SecretStr("postgresql://set-later")
        better_auth_secret: SecretStr = Field(default_factory=lambda: SecretStr(_secret(data)))
        better_auth_url: str = f"http://localhost:{port}"
        cors_origins: CorsOrigins = (f"http://localhost:{port}", f"http://127.0.0.1:{port}")

    return DevelopmentSettings()


def _secret(data: Path) -> str:
    """A secret of this installation's own, so that tokens made elsewhere are refused."""
    path = data / "better-auth-secret"
    path.touch(mode=0o600)
    if not path.stat().st_size:
        path.write_text(secrets.token_urlsafe(32))
    secret = path.read_text().strip()
    if len(secret.encode()) < SECRET_BYTES:
        raise Refusal(
            f"The secret in {path} has fewer than {SECRET_BYTES} bytes. Delete the file, and the next start makes "
            "a new one."
        )
    return secret


def database_url(role: str, socket_directory: Path, database: str = DATABASE) -> str:
    # Everything that the shell could set otherwise is explicit: PGPORT, PGSSLMODE.
    return f"postgresql://{role}@/{database}?host={quote(str(socket_directory))}&port={PORT}&sslmode=disable"


async def create_database(socket_directory: Path) -> None:
    """Do nothing if it exists."""
    server = await asyncpg.connect(database_url(SUPERUSER, socket_directory, "postgres"))
    try:
        if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await server.execute(f"CREATE DATABASE {DATABASE}")
        # A service with ENVIRONMENT=production recognises by it that it is in the wrong place.
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


async def find_user(data: Path, who: str) -> str:
    """The id of the user with this id or e-mail address. An id that is new is signed up.

    Raises Refusal where no `tasks dev` is running on `data`, and where nobody has the address.
    """
    try:
        owner = await asyncpg.connect(database_url(SUPERUSER, (data / "socket").readlink()))
        try:
            if "@" not in who:
                await _add_user(owner, who)
                return who
            found: str | None = await owner.fetchval('SELECT id FROM "user" WHERE lower(email) = lower($1)', who)
        finally:
            await owner.close()
    except (FileNotFoundError, ConnectionError, asyncpg.PostgresError) as error:
        raise Refusal(f"Nothing is running on {data} yet; start `make run` first.") from error
    if found is None:
        raise Refusal(f"Nobody has signed up as {who} yet; do that in the app first.")
    return found


async def _add_user(owner: "asyncpg.Connection[asyncpg.Record]", user_id: str) -> None:
    """Sign somebody up as Better Auth would, unless they have an account already."""
    await owner.execute(
        """
        INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES ($1, $1, $1 || '@example.com', true)
        ON CONFLICT ("id") DO NOTHING
        """,
        user_id,
    )


def signs(settings: Settings) -> bool:
    """Whether the API accepts what `token` makes."""
    return AuthSource.SECRET in settings.sources


def token(settings: Settings, user_id: str) -> str:
    """What the front end's Better Auth would issue for this user with HS256."""
    now = int(time.time())
    lifetime = min(TOKEN_LIFETIME, settings.jwt_max_lifetime)
    claims = {
        "sub": user_id,
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
        "iss": settings.issuer,
        "aud": settings.audience,
    }
    assert settings.better_auth_secret is not None  # development has one
    return jwt.encode(claims, settings.better_auth_secret.get_secret_value(), "HS256")
