"""Settings, read once from the environment. docs/configuration.md describes each; a test compares the two."""

import re
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_BYTES = 32

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_ENCODED = re.compile(r"([^/?#\[\]@]*@)?[^@]*")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class AuthSource(StrEnum):
    """What Better Auth's tokens and sessions are checked against."""

    SECRET = "secret"  # noqa: S105 - the name of a source
    JWKS = "jwks"
    JWKS_DATABASE = "jwks-database"
    SESSION = "session"


def origin_of(url: str) -> str:
    """The origin of an http(s) URL as browsers send it (RFC 6454): without a path and without the default port.

    Raises ValueError for any other URL.
    """
    parts = urlsplit(url.strip())
    hostname = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(hostname):
        raise ValueError("must be an http or https URL, with its host in ASCII (xn--...) as browsers send it")
    host = f"[{hostname}]" if ":" in hostname else hostname
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default_port} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _seconds(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _comma_separated(value: object) -> object:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _origins(value: object) -> object:
    items = _comma_separated(value)
    if not isinstance(value, str) or not isinstance(items, tuple):
        return value
    for item in items:
        if "*" in item:
            raise ValueError("must name each origin; a wildcard cannot be combined with credentials")
        if item.rstrip("/") != origin_of(item):
            raise ValueError(f"{item!r} is not an origin; write it as {origin_of(item)!r}")
    return tuple(item.rstrip("/") for item in items)


def _is_postgres(url: SecretStr) -> SecretStr:
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError("must start with postgresql:// or postgres://")
    if not _ENCODED.fullmatch(rest):
        # The driver would take part of the password for the host, and print it in an error.
        raise ValueError("must have / ? # [ ] and @ percent-encoded in its user name and password")
    return url


type PostgresURL = Annotated[SecretStr, AfterValidator(_is_postgres)]

type CorsOrigins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]


class Deployment(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Environment = Environment.DEVELOPMENT


class DatabaseSettings(Deployment):
    """What `tasks migrate` and the service share. The sources of tokens determine the rights of its role."""

    auth_sources: Annotated[tuple[AuthSource, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    jwt_check_session: bool = False

    database_url: PostgresURL
    migration_database_url: PostgresURL | None = None


class MigrationSettings(DatabaseSettings):
    """All that `tasks migrate` needs."""

    worker_database_url: PostgresURL | None = None


class WorkerSettings(Deployment):
    """What a worker needs. `Settings` does not hold it, so no request can get at it."""

    worker_database_url: PostgresURL


class Settings(DatabaseSettings):
    """What the service needs. In development all of it is optional: `tasks dev` fills in what is missing."""

    database_pool_size: int = Field(default=10, ge=1, le=200)

    better_auth_secret: SecretStr | None = None
    better_auth_url: str = "http://localhost:3000"
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwks_url: str = ""
    session_require_signature: bool = False
    jwt_max_lifetime: Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0))] = timedelta(hours=24)

    cors_origins: CorsOrigins = ()

    max_tasks_per_user: int = Field(default=10_000, ge=1, le=1_000_000_000)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=0, le=65535)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] | None = None

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @field_validator("better_auth_secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        # RFC 7518, section 3.2, requires a key as long as the hash; a shorter one is open to offline guessing.
        if secret and len(secret.get_secret_value().encode()) < SECRET_BYTES:
            raise ValueError(f"must be at least {SECRET_BYTES} bytes; `openssl rand -base64 32` makes one")
        return secret

    @field_validator("better_auth_url")
    @classmethod
    def _has_an_origin(cls, url: str) -> str:
        origin_of(url)
        return url

    @field_validator("jwks_url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if url:
            origin_of(url)
        return url

    @model_validator(mode="after")
    def _has_what_its_sources_need(self) -> Self:
        if not self.sources:
            raise ValueError(
                "set BETTER_AUTH_SECRET for HS256 tokens, or BETTER_AUTH_URL for those of Better Auth's keys"
            )
        if {AuthSource.JWKS, AuthSource.JWKS_DATABASE} <= set(self.sources):
            raise ValueError("AUTH_SOURCES names jwks and jwks-database; keys come from one of the two")
        for source in (AuthSource.SECRET, AuthSource.SESSION):
            if source in self.sources and not self.better_auth_secret:
                raise ValueError(f"BETTER_AUTH_SECRET must be set: AUTH_SOURCES names {source}")
        return self

    @model_validator(mode="after")
    def _is_fit_for_production(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            if self.better_auth_secret and _is_guessable(self.better_auth_secret.get_secret_value()):
                raise ValueError(
                    "BETTER_AUTH_SECRET looks like a placeholder; `openssl rand -base64 32` makes a real one"
                )
            if "better_auth_url" not in self.model_fields_set:
                raise ValueError("BETTER_AUTH_URL must be set in production: tokens are checked against it")
        return self

    @property
    def sources(self) -> tuple[AuthSource, ...]:
        """The sources in AUTH_SOURCES; by default the secret if it is set, or else JWKS if the URL is set."""
        if self.auth_sources:
            return self.auth_sources
        if self.better_auth_secret:
            return (AuthSource.SECRET,)
        return (AuthSource.JWKS,) if "better_auth_url" in self.model_fields_set else ()

    @property
    def keys_url(self) -> str:
        """Where Better Auth publishes its keys. A path in BETTER_AUTH_URL replaces the default, /api/auth."""
        path = urlsplit(self.better_auth_url.strip()).path.rstrip("/") or "/api/auth"
        return self.jwks_url or f"{origin_of(self.better_auth_url)}{path}/jwks"

    @property
    def issuer(self) -> str:
        """The `iss` that a token must carry. Better Auth's default is the origin of its base URL."""
        return self.jwt_issuer or origin_of(self.better_auth_url)

    @property
    def audience(self) -> str:
        return self.jwt_audience or origin_of(self.better_auth_url)

    @property
    def logs_json(self) -> bool:
        if self.log_format is None:
            return self.environment is Environment.PRODUCTION
        return self.log_format == "json"


def _is_guessable(secret: str) -> bool:
    """Whether a secret, though long enough, looks like a placeholder: copied from an example, or a pattern."""
    if re.search(r"secret|password|placeholder|example|change.?(me|this)", secret, re.IGNORECASE):
        return True
    neighbours = sum(abs(ord(one) - ord(next_)) <= 1 for one, next_ in pairwise(secret))
    return len(set(secret)) < 10 or neighbours > len(secret) / 2
