"""`tasks doctor` checks a deployment for its operator. Each finding is one line."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import asyncpg
import httpx2
from starlette.datastructures import Headers

from backend.auth import InvalidCredentials, KeySourceUnavailable
from backend.auth.jwks import TIMEOUT_SECONDS, from_database, from_url
from backend.auth.keys import usable
from backend.auth.sessions import BY_TOKEN, RunQuery
from backend.auth.tokens import parse
from backend.config import AuthSource, Environment, Settings, origin_of
from backend.errors import NotReady, Problem
from backend.http.authentication import authenticator_for
from backend.http.refusals import advice_on
from backend.postgres import citus
from backend.postgres.admission import UnsafeRole, examine
from backend.postgres.urls import connect_arguments

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

CONNECT_SECONDS = 10.0


class Finding(NamedTuple):
    healthy: bool
    subject: str
    message: str  # what was found, or what is wrong and what to change

    def __str__(self) -> str:
        return f"{'ok' if self.healthy else 'FAIL':4}  {self.subject:8}  {self.message}"


def good(subject: str, message: str) -> Finding:
    return Finding(healthy=True, subject=subject, message=message)


def bad(subject: str, message: str) -> Finding:
    return Finding(healthy=False, subject=subject, message=message)


async def findings(settings: Settings, token: str | None) -> AsyncGenerator[Finding]:
    """In the order in which to fix them. None of them shows a password or the secret."""
    confidential = _confidential(settings)
    async with aclosing(_findings(settings, token)) as found:
        async for finding in found:
            message = " ".join(finding.message.split())
            for text in confidential:
                message = message.replace(text, "***")
            yield finding._replace(message=message)


async def _findings(settings: Settings, token: str | None) -> AsyncGenerator[Finding]:
    production = settings.environment is Environment.PRODUCTION
    yield good("settings", f"valid for {settings.environment}; AUTH_SOURCES is {','.join(settings.sources)}")
    yield _origins(settings, production=production)
    try:
        connection = await _connect(settings)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        yield bad("database", _unreachable(settings, error))
        connection = None
    try:
        if connection:
            yield good("database", f"PostgreSQL {connection.get_server_version().major} answers")
            role_and_schema = await _role_and_schema(connection, production=production)
            for finding in role_and_schema:
                yield finding
            if all(finding.healthy for finding in role_and_schema) and await connection.fetchval(
                citus.IS_INSTALLED
            ):
                yield await _cluster(connection)
            if AuthSource.SESSION in settings.sources or settings.jwt_check_session:
                yield await _sessions(connection)
        if AuthSource.JWKS in settings.sources:
            yield await _keys_of_url(settings)
        if connection and AuthSource.JWKS_DATABASE in settings.sources:
            yield await _keys_of_table(connection)
        if token is not None:
            yield await _token(settings, connection.fetch if connection else _no_database, token)
    finally:
        if connection:
            await connection.close()


def _confidential(settings: Settings) -> list[str]:
    texts = [settings.better_auth_secret.get_secret_value()] if settings.better_auth_secret else []
    for url in (settings.database_url.get_secret_value(), settings.better_auth_url, settings.jwks_url):
        password = urlsplit(url).password or ""
        texts += [password, unquote(password)]
    return [text for text in texts if text]


def _origins(settings: Settings, *, production: bool) -> Finding:
    if not settings.cors_origins:
        front_end = origin_of(settings.better_auth_url)
        return bad("origins", f"no page may call the API; set CORS_ORIGINS, for instance to {front_end}")
    plain = [origin for origin in settings.cors_origins if origin.startswith("http://")]
    if plain and production:
        return bad("origins", f"CORS_ORIGINS names {plain[0]}, which is not encrypted; name its https origin")
    return good("origins", f"pages of {', '.join(settings.cors_origins)} may call the API")


async def _connect(settings: Settings) -> "Connection":
    arguments = connect_arguments(settings.database_url.get_secret_value())
    return await asyncpg.connect(**arguments, timeout=CONNECT_SECONDS)


def _unreachable(settings: Settings, error: Exception) -> str:
    host = urlsplit(settings.database_url.get_secret_value()).hostname
    reason = getattr(error, "strerror", None) or str(error) or "no answer"
    return f"cannot be reached{f' at {host}' if host else ''}: {reason}; start it, or correct DATABASE_URL"


async def _role_and_schema(connection: Any, *, production: bool) -> list[Finding]:  # noqa: ANN401 - asyncpg's two kinds
    role = good("role", "bound by row-level security")
    try:
        await examine(connection, production=production)
    except UnsafeRole as unsafe:
        return [bad("role", str(unsafe).removeprefix("Refusing to serve: "))]
    except NotReady as problem:
        return [role, bad("schema", problem.detail)]
    return [role, good("schema", "that of this release")]


async def _cluster(connection: "Connection") -> Finding:
    found = {row["name"]: row["distributed"] for row in await connection.fetch(citus.STATE, [*citus.expected()])}
    if not any(found.values()):
        return good("citus", "installed and not used; `tasks migrate --citus` distributes the tables")
    wrong = [name for name, kind in citus.expected().items() if found[name] != kind]
    if wrong:
        return bad("citus", f"the table {wrong[0]} is not distributed as it should be; run `tasks migrate`")
    name, needed = citus.ROLE_SETTING
    setting = await connection.fetchval("SELECT current_setting($1)", name)
    if setting != needed:
        return bad(
            "citus",
            f"the role's setting {name} is {setting!r} and not {needed!r}, so no write finds its rows; run "
            "`tasks migrate`",
        )
    servers = await connection.fetchval(citus.SERVERS)
    return good("citus", f"the tasks are distributed by their user; {servers} servers hold them")


async def _sessions(connection: "Connection") -> Finding:
    try:
        await connection.fetch(BY_TOKEN, "")
    except asyncpg.PostgresError as error:
        return bad("sessions", _unreadable(error))
    return good("sessions", "can be looked up")


async def _keys_of_url(settings: Settings) -> Finding:
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        try:
            return _keys(list(await from_url(client, settings.keys_url)()))
        except KeySourceUnavailable as error:
            message = f"cannot be fetched from {re.sub(r"URL\('([^']*)'\)", r'\1', str(error))}"
    if "404" in message:
        advice = "set JWKS_URL to where Better Auth's keys are, or AUTH_SOURCES=secret if it signs with HS256"
    else:
        advice = "start Better Auth, or correct BETTER_AUTH_URL or JWKS_URL"
    return bad("keys", f"{message}; {advice}")


async def _keys_of_table(connection: "Connection") -> Finding:
    try:
        return _keys(list(await from_database(connection.fetch)()))
    except asyncpg.PostgresError as error:
        return bad("keys", _unreadable(error))


def _keys(listed: Sequence[Any]) -> Finding:
    keys = usable(listed)
    if not listed:
        return good("keys", "none yet; Better Auth makes the first when it signs its first token")
    if not keys:
        return bad(
            "keys",
            f"none of the {len(listed)} listed is of a kind that can be used; let Better Auth sign with EdDSA, "
            "ES256, ES512, RS256 or PS256",
        )
    return good(
        "keys", f"{len(keys)} to verify with ({', '.join(sorted({key.algorithm for key in keys.values()}))})"
    )


def _unreadable(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return f"{error}; run `npx auth@latest migrate` in Better Auth's app, then `tasks migrate`"
    return f"{error}; run `tasks migrate` with the same AUTH_SOURCES and JWT_CHECK_SESSION as here"


async def _no_database(*_: object) -> Sequence[Any]:
    raise ConnectionError("the database cannot be reached")


async def _token(settings: Settings, run_query: RunQuery, token: str) -> Finding:
    async with authenticator_for(settings, run_query) as authenticator:
        try:
            principal = await authenticator.authenticate("GET", Headers({"Authorization": f"Bearer {token}"}))
        except InvalidCredentials as error:
            return bad("token", "; ".join([f"refused: {error}", *_advice(settings, token, str(error))]))
        except (KeySourceUnavailable, Problem, asyncpg.PostgresError, OSError) as error:
            return bad("token", f"cannot be checked: {error}")
    return good("token", f"accepted, of the user {principal.user_id}")


def _advice(settings: Settings, token: str, reason: str) -> list[str]:
    """What to change where the token and the settings disagree. The operator owns both, so values are shown."""
    try:
        parsed = parse(token)
    except InvalidCredentials:
        return _advice_on_a_session_token(settings, token)
    algorithm = parsed.header.get("alg")
    source = AuthSource.SECRET if algorithm == "HS256" else AuthSource.JWKS
    if "not switched on" in reason:
        return [f"it is signed with {algorithm!r}: add {source} to AUTH_SOURCES"]
    advice = []
    for claim, expected, variable in (
        ("iss", settings.issuer, "JWT_ISSUER"),
        ("aud", settings.audience, "JWT_AUDIENCE"),
    ):
        found = parsed.claims.get(claim)
        if found != expected and not (isinstance(found, list) and expected in found):
            advice.append(f"its {claim} is {found!r} and not {expected!r}: correct BETTER_AUTH_URL or {variable}")
    if advice:
        return advice
    if "ignature" in reason and source is AuthSource.SECRET:
        return ["BETTER_AUTH_SECRET is not the secret that it was signed with"]
    general = advice_on(reason)
    return [general] if general else []


def _advice_on_a_session_token(settings: Settings, token: str) -> list[str]:
    if token.count(".") > 1:
        return []
    if AuthSource.SESSION not in settings.sources:
        return ["if it is a session token, add session to AUTH_SOURCES"]
    if "." in unquote(token):
        return ["if its signature is wrong, BETTER_AUTH_SECRET is not Better Auth's"]
    return (
        ["send it with its signature, or unset SESSION_REQUIRE_SIGNATURE"]
        if settings.session_require_signature
        else []
    )
