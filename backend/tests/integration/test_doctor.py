"""`tasks doctor`: each way in which a deployment can be wrong is one line that says what to change."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from pydantic import SecretStr

from backend.commands import development
from backend.commands.doctor import Finding, findings
from backend.config import AuthSource, Environment, Settings
from backend.postgres.migrate import SERVICE_ROLE, migrate
from databases import connected, scratch, scratch_role
from in_process import run
from support import ISSUER, ORIGIN, SECRET, Connection, Json, claims_of, sign

PASSWORD = "pass%2Fword-of-the-service"

KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()


def jwk(key: Ed25519PrivateKey, kid: str) -> Json:
    return {**OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "alg": "EdDSA", "kid": kid}


def signed_with(key: Ed25519PrivateKey, kid: str, **claims: object) -> str:
    signed: str = sign(claims_of("developer", **claims), secret=key, algorithm="EdDSA", headers={"kid": kid})  # type: ignore[arg-type]  # PyJWT takes a key there
    return signed


async def examined(settings: Settings, token: str | None = None, **changes: object) -> dict[str, Finding]:
    """The findings by their subjects, all of which are fit to be shown."""
    found = [finding async for finding in findings(settings.model_copy(update=changes), token)]
    for finding in found:
        assert "\n" not in str(finding)
        assert SECRET not in str(finding)
        assert "word-of-the-service" not in str(finding)
        assert token is None or token not in str(finding)
    assert len({finding.subject for finding in found}) == len(found)
    return {finding.subject: finding for finding in found}


def failures(found: dict[str, Finding]) -> dict[str, str]:
    return {subject: finding.message for subject, finding in found.items() if not finding.healthy}


@asynccontextmanager
async def issuer(body: object, status: str = "200 OK") -> AsyncIterator[str]:
    """A server that gives the same answer to everything; gives its URL."""
    content = json.dumps(body).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


JWKS: Json = {"auth_sources": (AuthSource.JWKS,)}
SESSIONS: Json = {"auth_sources": (AuthSource.SESSION,)}
KEYS_OF_TABLE: Json = {"auth_sources": (AuthSource.JWKS_DATABASE,)}


# As a command


def test_a_healthy_deployment_is_a_column_of_ok(tmp_path: Path, settings: Settings) -> None:
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "BETTER_AUTH_SECRET": SECRET,
        "BETTER_AUTH_URL": ISSUER,
        "CORS_ORIGINS": ORIGIN,
    }

    doctor = run(tmp_path, "doctor", "--token", sign(claims_of("developer")), **environment)

    assert doctor.status == 0, doctor.stdout + doctor.stderr
    assert doctor.stderr == ""
    lines = doctor.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok    citus")] == [
        "ok    settings  valid for development; AUTH_SOURCES is secret",
        f"ok    origins   pages of {ORIGIN} may call the API",
        "ok    database  PostgreSQL 18 answers",
        "ok    role      bound by row-level security",
        "ok    schema    that of this release",
        "ok    token     accepted, of the user developer",
    ]


def test_anything_wrong_is_the_exit_status_1(tmp_path: Path) -> None:
    url = f"postgresql://service:{PASSWORD}@127.0.0.1:1/app"

    doctor = run(tmp_path, "doctor", DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)

    assert doctor.status == 1
    assert doctor.stderr == ""
    lines = doctor.stdout.splitlines()
    assert [line[:14].split() for line in lines] == [["ok", "settings"], ["FAIL", "origins"], ["FAIL", "database"]]
    assert all(re.match(r"(ok  |FAIL)  [a-z]{4,8} {2,6}\S", line) for line in lines)
    assert "word-of-the-service" not in doctor.stdout


def test_settings_that_are_not_valid_are_said_as_by_serve(tmp_path: Path) -> None:
    environment = {
        "AUTH_SOURCES": "jkws",
        "BETTER_AUTH_SECRET": "short-secret",
        "CORS_ORIGINS": "*",
        "API_PORT": "http",
    }

    doctor = run(tmp_path, "doctor", **environment)
    serve = run(tmp_path, "serve", **environment)

    assert (doctor.status, serve.status) == (1, 1)
    assert doctor.stdout == ""
    assert doctor.stderr == serve.stderr
    assert [line.split()[1] for line in doctor.stderr.splitlines()] == [
        "AUTH_SOURCES",
        "DATABASE_URL",
        "BETTER_AUTH_SECRET",
        "CORS_ORIGINS",
        "API_PORT",
    ]
    assert "short-secret" not in doctor.stderr


# The database


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://service:{PASSWORD}@127.0.0.1:1/app",
        f"postgresql://service:{PASSWORD}@no-such-host.invalid/app",
        f"postgresql://service:{PASSWORD}@127.0.0.1:port/app",
        f"postgresql://service:{PASSWORD}@127.0.0.1/app?sslmode=perhaps",
    ],
)
async def test_a_database_that_cannot_be_reached(settings: Settings, url: str) -> None:
    found = await examined(settings, sign(claims_of("developer")), database_url=SecretStr(url))

    assert failures(found).keys() == {"database"}
    assert re.match(r"cannot be reached at (127\.0\.0\.1|no-such-host\.invalid): .", found["database"].message)
    assert found["database"].message.endswith("; start it, or correct DATABASE_URL")
    assert found["token"].healthy


async def test_whatever_an_error_quotes_no_password_is_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of libraries may come to say more than they do today, or to say it on several lines."""
    url = f"postgresql://service:{PASSWORD}@127.0.0.1/app"

    async def fail(**_: object) -> None:
        raise OSError(f"Cannot use {url}\nnor {unquote(url)} with {SECRET}")

    monkeypatch.setattr(asyncpg, "connect", fail)
    found = await examined(settings, database_url=SecretStr(url))

    assert found["database"].message == (
        "cannot be reached at 127.0.0.1: Cannot use postgresql://service:***@127.0.0.1/app "
        "nor postgresql://service:***@127.0.0.1/app with ***; start it, or correct DATABASE_URL"
    )


async def test_a_role_above_the_policies(settings: Settings, owner_url: str) -> None:
    found = await examined(settings, database_url=SecretStr(owner_url))

    assert failures(found).keys() == {"role"}
    assert "row-level security does not bind the role postgres" in found["role"].message
    assert "put the owner's URL into MIGRATION_DATABASE_URL, run `tasks migrate`" in found["role"].message


async def test_a_database_without_our_tables(
    settings: Settings, server: Connection, socket_directory: Path
) -> None:
    async with scratch(server, "") as name:
        url = SecretStr(development.database_url(SERVICE_ROLE, socket_directory, name))
        found = await examined(settings, database_url=url, **SESSIONS)

    assert failures(found).keys() == {"schema", "sessions"}
    assert "run `tasks migrate`" in found["schema"].message
    assert 'relation "session" does not exist; run `npx auth@latest migrate`' in found["sessions"].message


@pytest.mark.parametrize(
    ("changes", "subject", "table"),
    [
        (SESSIONS, "sessions", "session"),
        ({"jwt_check_session": True}, "sessions", "session"),
        (KEYS_OF_TABLE, "keys", "jwks"),
    ],
)
async def test_rights_that_were_not_granted(settings: Settings, changes: Json, subject: str, table: str) -> None:
    found = await examined(settings, **changes)

    assert failures(found) == {
        subject: f"permission denied for table {table}; "
        "run `tasks migrate` with the same AUTH_SOURCES and JWT_CHECK_SESSION as here"
    }


async def test_rights_that_were_granted(settings: Settings, server: Connection, socket_directory: Path) -> None:
    async with scratch_role(server) as role, scratch(server) as name:
        owner_url, url = (development.database_url(user, socket_directory, name) for user in ("postgres", role))
        reads = (AuthSource.SESSION, AuthSource.JWKS_DATABASE)
        await migrate(owner_url=owner_url, service_url=url, reads=reads)
        async with connected(owner_url) as owner:
            before = await examined(settings, database_url=SecretStr(url), auth_sources=reads)
            await owner.execute(
                """INSERT INTO jwks (id, "publicKey", "privateKey", "createdAt") VALUES ('k', $1, '', now())""",
                json.dumps(jwk(KEY, "k")),
            )
            after = await examined(
                settings, signed_with(KEY, "k"), database_url=SecretStr(url), auth_sources=reads
            )

    assert failures(before) == failures(after) == {}
    assert before["sessions"].message == "can be looked up"
    assert before["keys"].message == "none yet; Better Auth makes the first when it signs its first token"
    assert after["keys"].message == "1 to verify with (EdDSA)"
    assert after["token"].healthy


# Who may call


async def test_no_origin(settings: Settings) -> None:
    found = await examined(settings, cors_origins=())

    assert failures(found) == {"origins": f"no page may call the API; set CORS_ORIGINS, for instance to {ISSUER}"}


async def test_an_unencrypted_origin_in_production(settings: Settings) -> None:
    origins = ("https://app.example.com", "http://www.example.com")

    in_production = await examined(settings, cors_origins=origins, environment=Environment.PRODUCTION)
    elsewhere = await examined(settings, cors_origins=origins)

    assert in_production["origins"].message == (
        "CORS_ORIGINS names http://www.example.com, which is not encrypted; name its https origin"
    )
    assert elsewhere["origins"].healthy


# Keys


async def test_keys_that_are_there(settings: Settings) -> None:
    async with issuer({"keys": [jwk(KEY, "k"), {"kty": "oct", "k": "AAAA", "kid": "o"}]}) as url:
        found = await examined(settings, signed_with(KEY, "k"), jwks_url=url, **JWKS)

    assert failures(found) == {}
    assert found["keys"].message == "1 to verify with (EdDSA)"
    assert found["token"].message == "accepted, of the user developer"


async def test_no_keys_yet(settings: Settings) -> None:
    async with issuer({"keys": []}) as url:
        found = await examined(settings, jwks_url=url, **JWKS)

    assert found["keys"].healthy
    assert found["keys"].message == "none yet; Better Auth makes the first when it signs its first token"


async def test_no_key_that_can_be_used(settings: Settings) -> None:
    async with issuer({"keys": [{"kty": "oct", "k": "AAAA", "kid": "o"}]}) as url:
        found = await examined(settings, jwks_url=url, **JWKS)

    assert "none of the 1 listed is of a kind that can be used" in failures(found)["keys"]


async def test_an_issuer_that_is_down(settings: Settings) -> None:
    url = f"http://somebody:{PASSWORD}@127.0.0.1:1/keys"

    found = await examined(settings, signed_with(KEY, "k"), jwks_url=url, **JWKS)

    assert failures(found).keys() == {"keys", "token"}
    assert re.match(r"cannot be fetched from http://\S+127\.0\.0\.1:1/keys: .", found["keys"].message)
    assert found["keys"].message.endswith("; start Better Auth, or correct BETTER_AUTH_URL or JWKS_URL")
    assert found["token"].message.startswith("cannot be checked: ")


async def test_an_issuer_without_keys_of_its_own(settings: Settings) -> None:
    """As Better Auth answers where a function of the app signs."""
    async with issuer({}, "404 Not Found") as url:
        found = await examined(settings, jwks_url=url, **JWKS)

    assert failures(found)["keys"].endswith(
        "; set JWKS_URL to where Better Auth's keys are, or AUTH_SOURCES=secret if it signs with HS256"
    )


# Tokens


def past(seconds: int) -> dict[str, object]:
    now = int(time.time())
    return {"iat": now - seconds - 900, "exp": now - seconds}


@pytest.mark.parametrize(
    ("token", "advice"),
    [
        pytest.param(
            sign(claims_of("x", iss="https://elsewhere.example")),
            f"its iss is 'https://elsewhere.example' and not '{ISSUER}': correct BETTER_AUTH_URL or JWT_ISSUER",
            id="issuer",
        ),
        pytest.param(
            sign(claims_of("x", aud=["https://elsewhere.example"])),
            f"its aud is ['https://elsewhere.example'] and not '{ISSUER}': "
            "correct BETTER_AUTH_URL or JWT_AUDIENCE",
            id="audience",
        ),
        pytest.param(
            sign(claims_of("x"), secret="another-secret-of-sufficient-length-0123"),
            "BETTER_AUTH_SECRET is not the secret that it was signed with",
            id="secret",
        ),
        pytest.param(
            sign(claims_of("x", **past(60))),
            "fetch a new one; if that has expired too, a clock is wrong",
            id="expired",
        ),
        pytest.param(
            sign(claims_of("x", exp=int(time.time()) + 25 * 3600)),
            "shorten jwt.expirationTime of Better Auth, or raise JWT_MAX_LIFETIME",
            id="lifetime",
        ),
        pytest.param(
            signed_with(KEY, "k"),
            "it is signed with 'EdDSA': add jwks to AUTH_SOURCES",
            id="algorithm",
        ),
        pytest.param("A" * 32, "if it is a session token, add session to AUTH_SOURCES", id="session token"),
    ],
)
async def test_a_token_that_is_refused(settings: Settings, token: str, advice: str) -> None:
    found = await examined(settings, token)

    assert failures(found).keys() == {"token"}
    assert found["token"].message.startswith("refused: ")
    assert found["token"].message.endswith(f"; {advice}")


async def test_a_token_of_another_issuers_key(settings: Settings) -> None:
    async with issuer({"keys": [jwk(KEY, "k")]}) as url:
        found = await examined(settings, signed_with(OTHER_KEY, "other"), jwks_url=url, **JWKS)
        shared = await examined(settings, sign(claims_of("x")), jwks_url=url, **JWKS)

    assert found["token"].message.endswith(
        "; it comes from another Better Auth: correct BETTER_AUTH_URL or JWKS_URL"
    )
    assert shared["token"].message.endswith("; it is signed with 'HS256': add secret to AUTH_SOURCES")


async def test_nonsense_for_a_token(settings: Settings) -> None:
    found = await examined(settings, "a.b.c.d")

    assert failures(found) == {"token": "refused: not three parts of base64url"}
