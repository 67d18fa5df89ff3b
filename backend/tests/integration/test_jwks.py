"""Tokens signed with Better Auth's own keys: a real server that signs them, and key servers that misbehave."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import httpx2
import jwt
import pytest
from pydantic import SecretStr

from backend.auth import keys as key_sets
from backend.commands import development
from backend.config import AuthSource, Environment, Settings
from backend.errors import InvalidToken
from backend.main import create_app
from backend.postgres.migrate import SERVICE_ROLE, migrate
from databases import connected, scratch
from issuer import Issuers, browser_at, fetch_token, sign_up
from processes import free_port
from signing import ALGORITHMS, KeyPair, new_key_pair
from support import ISSUER, SECRET, Connection, Json, assert_problem, captured_logs, claims_of, running, sign
from unit.forging import forge

BOTH = (AuthSource.JWKS, AuthSource.JWKS_DATABASE)

EXPIRED_KEY = """
    INSERT INTO jwks (id, "publicKey", "privateKey", alg, "createdAt", "expiresAt")
    VALUES ($1, $2, 'not for us', $3, now() - interval '90 days', now() - $4 * interval '1 day')
"""


class Place(NamedTuple):
    """A migrated database of the test's own, in which the service may read public keys."""

    owner: Connection
    owner_url: str
    service_url: str


@asynccontextmanager
async def new_place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with (
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        urls = [development.database_url(role, socket_directory, name) for role in ("postgres", SERVICE_ROLE)]
        await migrate(owner_url=urls[0], service_url=urls[1], reads=[AuthSource.JWKS_DATABASE])
        yield Place(owner, *urls)


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with new_place(server, socket_directory) as place:
        yield place


@asynccontextmanager
async def api_of(
    settings: Settings, *sources: AuthSource, place: Place | None = None, **changes: object
) -> AsyncIterator[httpx2.AsyncClient]:
    """Our API with these sources, in production. It logs as it does by default, which tests read."""
    changes["environment"] = Environment.PRODUCTION
    if place:
        changes["database_url"] = SecretStr(place.service_url)
    changed = settings.model_copy(update={"auth_sources": sources, "log_level": "info", **changes})
    async with running(create_app(changed)) as client:
        yield client


async def ask(api: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await api.get("/api/me/tasks", headers={"Authorization": f"Bearer {token}"})


async def assert_refused(api: httpx2.AsyncClient, token: str, reason: str) -> None:
    """Refused with a 401. The reason is in the log, but not in the response."""
    with captured_logs() as logs:
        answer = await ask(api, token)

    assert_problem(answer, 401, "invalid-token")
    assert [entry["reason"] for entry in logs if entry["event"] == "token refused"] == [reason]
    assert answer.json()["detail"] == InvalidToken().detail


def assert_unavailable(answer: httpx2.Response) -> None:
    assert_problem(answer, 503, "keys-unavailable")
    assert int(answer.headers["retry-after"]) > 0


# A real Better Auth


class World(NamedTuple):
    """Better Auth with keys of one kind, and our API with each way to get at them."""

    algorithm: str
    place: Place
    better_auth: str
    by_url: httpx2.AsyncClient
    by_database: httpx2.AsyncClient

    @property
    def apis(self) -> tuple[httpx2.AsyncClient, ...]:
        return self.by_url, self.by_database

    async def key_pair(self) -> KeyPair:
        """The real one, where the server was started with `plainPrivateKeys`."""
        async with browser_at(self.better_auth) as browser:
            await sign_up(browser)
            await fetch_token(browser)  # it is made when it is first needed
        row = await self.place.owner.fetchrow('SELECT id, "privateKey" FROM jwks')
        assert row
        return KeyPair(self.algorithm, row["id"], jwt.PyJWK(json.loads(row["privateKey"]), self.algorithm).key)


@asynccontextmanager
async def new_world(
    issuers: Issuers,
    server: Connection,
    socket_directory: Path,
    settings: Settings,
    algorithm: str,
    **configuration: Json,
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(new_place(server, socket_directory))
        url = stack.enter_context(issuers.serving(place.owner_url, algorithm=algorithm, **configuration))
        apis = [
            await stack.enter_async_context(api_of(settings, source, place=place, better_auth_url=url))
            for source in BOTH
        ]
        yield World(algorithm, place, url, *apis)


@pytest.fixture
async def new(
    issuers: Issuers, server: Connection, socket_directory: Path, settings: Settings
) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    async with AsyncExitStack() as stack:
        yield lambda algorithm="EdDSA", **configuration: stack.enter_async_context(
            new_world(issuers, server, socket_directory, settings, algorithm, **configuration)
        )


type NewWorld = Callable[..., Awaitable[World]]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_each_algorithm_is_accepted(new: NewWorld, algorithm: str) -> None:
    world = await new(algorithm)

    async with browser_at(world.better_auth) as browser:
        user_id = await sign_up(browser)
        token = await fetch_token(browser)

    header = jwt.get_unverified_header(token)
    assert (header["alg"], set(header)) == (algorithm, {"alg", "kid"})
    for api in world.apis:
        answer = await ask(api, token)
        assert (answer.status_code, answer.json()) == (200, [])
        assert (await api.get(f"/api/{user_id}/tasks", headers=answer.request.headers)).status_code == 200
        forged = token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8)
        await assert_refused(api, forged, "wrong signature")


async def test_while_keys_rotate_no_fresh_token_is_refused(new: NewWorld) -> None:
    """Better Auth signs with a new key before anybody has seen it."""
    world = await new(rotationSeconds=1)
    seen: set[str] = set()
    answers: list[int] = []
    deadline = time.monotonic() + 60

    async def use(api: httpx2.AsyncClient) -> None:
        async with browser_at(world.better_auth) as browser:
            await sign_up(browser)
            while len(seen) < 3 or len(answers) <= 8:
                assert time.monotonic() < deadline, f"{len(answers)} answers and {len(seen)} keys in a minute"
                token = await fetch_token(browser)
                seen.add(jwt.get_unverified_header(token)["kid"])
                answers.append((await ask(api, token)).status_code)

    await asyncio.gather(*(use(api) for api in world.apis for _ in range(2)))

    assert set(answers) == {200}


async def test_known_keys_outlast_an_issuer_that_is_down_and_it_may_come_back(
    issuers: Issuers, place: Place, settings: Settings
) -> None:
    port = free_port()
    configuration: Json = {"algorithm": "EdDSA", "port": port, "plainPrivateKeys": True}
    url = f"http://127.0.0.1:{port}"
    async with api_of(settings, AuthSource.JWKS, place=place, better_auth_url=url) as api:
        world = World("EdDSA", place, url, api, api)
        assert_problem(await api.get("/health/ready"), 503, "keys-unavailable")

        with issuers.serving(place.owner_url, **configuration):
            assert (await api.get("/health/ready")).status_code == 200  # although there is no key yet
            pair = await world.key_pair()
            assert (await ask(api, pair.sign(claims_of("ada", iss=url, aud=url)))).status_code == 200

        unknown = new_key_pair().sign(claims_of("ada", iss=url, aud=url))
        assert (await ask(api, pair.sign(claims_of("grace", iss=url, aud=url)))).status_code == 200
        assert_unavailable(await ask(api, unknown))
        assert (await ask(api, pair.sign(claims_of("hedy", iss=url, aud=url)))).status_code == 200
        assert (await api.get("/health/ready")).status_code == 200

        await place.owner.execute("DELETE FROM jwks")
        with issuers.serving(place.owner_url, **configuration):
            await assert_refused(api, unknown, "signed with a key that the issuer does not list")
            successor = await world.key_pair()
            assert successor.id != pair.id
            assert (await ask(api, successor.sign(claims_of("ada", iss=url, aud=url)))).status_code == 200


@pytest.fixture(scope="module")
async def plain(
    issuers: Issuers, server: Connection, socket_directory: Path, settings: Settings
) -> AsyncIterator[tuple[World, KeyPair]]:
    """A Better Auth whose real private key the test holds."""
    async with new_world(issuers, server, socket_directory, settings, "EdDSA", plainPrivateKeys=True) as world:
        yield world, await world.key_pair()


async def test_what_the_real_key_signs_for_this_service_is_accepted(plain: tuple[World, KeyPair]) -> None:
    """Shows that the refusals below are due to the tokens' purpose, not to the key."""
    world, pair = plain
    url = world.better_auth

    for api in world.apis:
        assert (await ask(api, pair.sign(claims_of("ada", iss=url, aud=url)))).status_code == 200


@pytest.mark.parametrize(
    ("claims", "header", "reason"),
    [
        pytest.param({}, {"typ": "at+jwt"}, "another type of token", id="OAuth access token by its type"),
        pytest.param(
            {"iss": "{url}/api/auth", "aud": "https://mcp.example", "scope": "openid", "client_id": "c"},
            {"typ": "at+jwt"},
            "another type of token",
            id="OAuth access token",
        ),
        pytest.param(
            {"iss": "{url}/api/auth", "scope": "openid", "client_id": "c"},
            {},
            "another issuer",
            id="OAuth access token without its type",
        ),
        pytest.param({"iss": "{url}/api/auth", "aud": "client-id"}, {}, "another issuer", id="id token"),
        pytest.param({"aud": "client-id"}, {}, "another audience", id="id token of our issuer"),
        pytest.param({"aud": ["client-id", "other"]}, {}, "another audience", id="id token of two audiences"),
        pytest.param(
            {"aud": "better-auth:session-cache"},
            {"typ": "better-auth.session-cache+jwt"},
            "another type of token",
            id="cookie cache",
        ),
        pytest.param(
            {"aud": "better-auth:session-cache"}, {}, "another audience", id="cookie cache without its type"
        ),
        pytest.param({"iss": "https://staging.example"}, {}, "another issuer", id="another installation"),
        pytest.param({"sub": None, "email": "a@example.com"}, {}, "no sub", id="no subject"),
        pytest.param({"exp": None}, {}, "no exp", id="no end"),
        pytest.param({"iat": 1, "exp": 2}, {}, "expired", id="expired"),
        pytest.param({}, {"kid": "\0"}, "signed with a key that the issuer does not list", id="unknown key"),
        pytest.param({}, {"crit": ["exp"]}, "unexpected header member", id="crit"),
        pytest.param({}, {"jku": "http://127.0.0.1:9/jwks"}, "unexpected header member", id="jku"),
    ],
)
async def test_what_the_real_key_signs_for_another_purpose_is_refused(
    plain: tuple[World, KeyPair], claims: dict[str, object], header: dict[str, object], reason: str
) -> None:
    world, pair = plain
    url = world.better_auth
    filled = {name: value.format(url=url) if isinstance(value, str) else value for name, value in claims.items()}
    token = pair.sign(claims_of("ada", **{"iss": url, "aud": url, **filled}), **header)

    for api in world.apis:
        await assert_refused(api, token, reason)


async def test_a_token_without_a_key_id_is_refused(plain: tuple[World, KeyPair]) -> None:
    world, pair = plain
    url = world.better_auth

    await assert_refused(world.by_url, pair.sign(claims_of("ada", iss=url, aud=url), kid=None), "no key id")


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("jwt", "no iss"),
        ("compact", "not three parts of base64url"),
        ("jwe", "not three parts of base64url"),
        ("jwks", "another type of token"),
    ],
)
async def test_a_cookie_cache_is_no_token(
    issuers: Issuers, plain: tuple[World, KeyPair], settings: Settings, strategy: str, reason: str
) -> None:
    """It outlives the session, and Better Auth itself does not take it for a token either."""
    database_url = plain[0].place.owner_url
    configuration: Json = {"algorithm": "EdDSA", "plainPrivateKeys": True, "cookieCache": strategy}
    with issuers.serving(database_url, **configuration) as url:
        async with browser_at(url) as browser:
            await sign_up(browser)
            cookie = unquote(browser.cookies["better-auth.session_data"])

        async with api_of(settings, AuthSource.JWKS, AuthSource.SECRET, better_auth_url=url) as api:
            await assert_refused(api, cookie, reason)


@pytest.mark.parametrize(
    "claims",
    [{"email": "ada@example.com"}, {"email": "ada@example.com", "userId": "Kq3zXw0dYb8RtLm5"}],
    ids=["sign-up", "change"],
)
async def test_the_token_that_verifies_an_address_is_refused(
    settings: Settings, claims: dict[str, object]
) -> None:
    """Better Auth mails it on request, signed with the same secret."""
    now = int(time.time())

    async with api_of(settings, AuthSource.SECRET) as api:
        await assert_refused(api, sign({**claims, "iat": now, "exp": now + 3600}), "no iss")


async def test_with_another_secret_at_the_issuer_its_tokens_are_refused(
    issuers: Issuers, plain: tuple[World, KeyPair], settings: Settings
) -> None:
    secret = "another-secret-of-more-than-32-characters"
    with issuers.serving(plain[0].place.owner_url, secret=secret) as url:
        async with browser_at(url) as browser:
            await sign_up(browser)
            token = await fetch_token(browser)

        async with api_of(settings, AuthSource.SECRET, better_auth_url=url) as api:
            await assert_refused(api, token, "wrong signature")


async def test_a_public_key_is_no_secret(plain: tuple[World, KeyPair], settings: Settings) -> None:
    world, pair = plain
    url = world.better_auth
    async with browser_at(url) as browser:
        published = (await browser.get("/api/auth/jwks")).json()["keys"][0]
    header = {"alg": "HS256", "kid": pair.id}
    forged = [
        forge(claims_of("ada", iss=url, aud=url), header, secret=secret)
        for secret in (published["x"], json.dumps(published), json.dumps({"keys": [published]}))
    ]

    for token in forged:
        await assert_refused(world.by_url, token, "signed in a way that is not switched on")
    async with api_of(settings, AuthSource.JWKS, AuthSource.SECRET, better_auth_url=url) as api:
        for token in forged:
            await assert_refused(api, token, "wrong signature")


# The table


async def test_an_expired_key_serves_as_long_as_better_auth_lists_it(place: Place, settings: Settings) -> None:
    """Tokens that it has signed stay valid until they expire."""
    recent, old = new_key_pair(), new_key_pair("ES256")
    for pair, days in ((recent, 29), (old, 31)):
        await place.owner.execute(EXPIRED_KEY, pair.id, json.dumps(pair.public_jwk), pair.algorithm, days)

    async with api_of(settings, AuthSource.JWKS_DATABASE, place=place) as api:
        assert (await ask(api, recent.sign(claims_of("ada")))).status_code == 200
        await assert_refused(api, old.sign(claims_of("ada")), "signed with a key that the issuer does not list")


async def test_private_keys_cannot_be_read(place: Place) -> None:
    may_read = await place.owner.fetchval(
        f"SELECT has_column_privilege('{SERVICE_ROLE}', 'jwks', 'privateKey', 'SELECT')"
    )

    assert may_read is False


@pytest.mark.parametrize("change", ["DROP TABLE jwks", f"REVOKE ALL ON jwks FROM {SERVICE_ROLE}"])
async def test_a_table_that_cannot_be_read_is_an_outage(place: Place, settings: Settings, change: str) -> None:
    columns = await place.owner.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'jwks'"
    )
    if change.startswith("REVOKE"):
        names = ", ".join(f'"{row["column_name"]}"' for row in columns)
        change = f"REVOKE SELECT ({names}) ON jwks FROM {SERVICE_ROLE}"
    await place.owner.execute(change)

    async with api_of(settings, AuthSource.JWKS_DATABASE, place=place) as api:
        assert_unavailable(await ask(api, new_key_pair().sign(claims_of("ada"))))
        assert_problem(await api.get("/health/ready"), 503, "keys-unavailable")


# Key servers that misbehave


@dataclass
class KeyServer:
    """Answers each request with `answer`, sent in pieces; counts the requests."""

    url: str = ""
    answer: tuple[bytes, ...] = ()
    pause: float = 0  # seconds between the pieces
    asked: list[float] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked.append(time.monotonic())
            for piece in self.answer:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self.pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    key_server = KeyServer()
    server = await asyncio.start_server(key_server.serve, "127.0.0.1")
    key_server.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield key_server
    server.close()
    server.close_clients()
    await server.wait_closed()


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


PAIR = new_key_pair("EdDSA", "the-key")
KEY_SET: Json = {"keys": [PAIR.public_jwk]}
GOOD = json.dumps(KEY_SET).encode()


@pytest.fixture
async def by_key_server(settings: Settings, key_server: KeyServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Our API, with that server's keys. Issuer and audience are the tests' usual ones."""
    async with api_of(settings, AuthSource.JWKS, jwks_url=f"{key_server.url}/jwks") as api:
        yield api


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, for tests of what happens after them."""
    monkeypatch.setattr(key_sets, "FETCH_TIMEOUT", 1.0)
    monkeypatch.setattr(key_sets, "COOLDOWN", 0.05)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(b" " * 65_536 + GOOD), id="more than 64 KiB"),
        pytest.param(
            http(gzip.compress(b" " * 10_000_000 + GOOD), "200 OK", "Content-Encoding: gzip"), id="gzip bomb"
        ),
        pytest.param(http(gzip.compress(GOOD), "200 OK", "Content-Encoding: gzip"), id="compressed all the same"),
        pytest.param(http(json.dumps({"keys": [PAIR.public_jwk] * 101}).encode()), id="more than 100 keys"),
        pytest.param(http(b"<!doctype html><title>Sign in</title>"), id="HTML"),
        pytest.param(http(b""), id="nothing"),
        pytest.param(http(b"[" * 60_000), id="deep"),
        pytest.param(http(b'{"keys": [\xff]}'), id="not UTF-8"),
        pytest.param(http(json.dumps([PAIR.public_jwk]).encode()), id="a list"),
        pytest.param(http(json.dumps({"keys": PAIR.public_jwk}).encode()), id="one key"),
        pytest.param(http(b'{"keys": null}'), id="null"),
        pytest.param(http(GOOD, "500 Internal Server Error"), id="500"),
        pytest.param(http(GOOD, "404 Not Found"), id="404"),
        pytest.param(http(GOOD, "201 Created"), id="201"),
        pytest.param(http(GOOD, "302 Found", "Location: /elsewhere"), id="302"),
        pytest.param(http(GOOD, "301 Moved Permanently", "Location: /elsewhere"), id="301"),
        pytest.param(http(GOOD)[:-5], id="cut off"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"", id="hangs up"),
    ],
)
async def test_an_answer_that_is_no_key_set_is_an_outage(
    key_server: KeyServer, by_key_server: httpx2.AsyncClient, answer: bytes
) -> None:
    token = PAIR.sign(claims_of("ada"))
    key_server.answer = (answer,)

    assert_unavailable(await ask(by_key_server, token))
    assert_problem(await by_key_server.get("/health/ready"), 503, "keys-unavailable")
    assert len(key_server.asked) == 2

    key_server.answer = (http(GOOD),)
    assert (await ask(by_key_server, token)).status_code == 200


async def test_a_set_of_100_keys_in_64_kib_is_read(
    key_server: KeyServer, by_key_server: httpx2.AsyncClient
) -> None:
    others = [{"kty": "OKP", "kid": str(number)} for number in range(98)]
    body = json.dumps({"keys": [*others, "no object", PAIR.public_jwk]}).encode().ljust(65_536)
    key_server.answer = tuple(http(body)[start : start + 10_000] for start in range(0, 70_000, 10_000))

    assert (await ask(by_key_server, PAIR.sign(claims_of("ada")))).status_code == 200


@pytest.mark.usefixtures("hasty")
async def test_a_server_that_sends_too_slowly_times_out(
    key_server: KeyServer, by_key_server: httpx2.AsyncClient
) -> None:
    """Each byte arrives in time, but all of them would take forever."""
    key_server.answer, key_server.pause = tuple(bytes([byte]) for byte in http(GOOD)), 0.02

    began = time.monotonic()
    assert_unavailable(await ask(by_key_server, PAIR.sign(claims_of("ada"))))
    assert time.monotonic() - began < 2.5
    await asyncio.sleep(0.1)

    key_server.pause = 0
    assert (await ask(by_key_server, PAIR.sign(claims_of("ada")))).status_code == 200


async def test_a_server_that_never_answers_blocks_nobody(
    key_server: KeyServer, by_key_server: httpx2.AsyncClient
) -> None:
    key_server.answer, key_server.pause = (b"", b""), 60
    began = time.monotonic()
    waiting = asyncio.create_task(ask(by_key_server, PAIR.sign(claims_of("ada"))))

    slowest = 0.0
    while not key_server.asked or time.monotonic() < began + 0.5:
        await asyncio.sleep(0.01)
        asked = time.monotonic()
        assert (await by_key_server.get("/health/live")).status_code == 200
        slowest = max(slowest, time.monotonic() - asked)

    assert not waiting.done()
    assert slowest < 1
    assert_unavailable(await waiting)
    assert 1.9 < time.monotonic() - began < 4


async def test_without_a_key_server_the_keys_are_unavailable(settings: Settings) -> None:
    url = f"http://127.0.0.1:{free_port()}/jwks"

    async with api_of(settings, AuthSource.JWKS, jwks_url=url) as api:
        with captured_logs() as logs:
            assert_unavailable(await ask(api, PAIR.sign(claims_of("ada"))))
        assert_problem(await api.get("/health/ready"), 503, "keys-unavailable")
        assert (await api.get("/health/live")).status_code == 200

    [reason] = [entry["reason"] for entry in logs if entry["event"] == "keys unavailable"]
    assert url in reason
    assert "ConnectError" in reason


async def test_a_password_in_the_keys_url_is_not_logged(settings: Settings) -> None:
    url = f"http://tasks:hunter2@127.0.0.1:{free_port()}/jwks"

    async with api_of(settings, AuthSource.JWKS, jwks_url=url) as api:
        with captured_logs() as logs:
            assert_unavailable(await ask(api, PAIR.sign(claims_of("ada"))))

    assert logs
    assert "hunter2" not in str(logs)


async def test_a_flood_of_unknown_keys_reaches_the_issuer_as_a_trickle(
    key_server: KeyServer, by_key_server: httpx2.AsyncClient
) -> None:
    key_server.answer = (http(GOOD),)
    stranger = new_key_pair()
    tokens = [stranger._replace(id=f"unknown-{number}").sign(claims_of("ada")) for number in range(200)]

    began = time.monotonic()
    answers = await asyncio.gather(*(ask(by_key_server, token) for token in tokens))
    seconds = time.monotonic() - began
    genuine = await ask(by_key_server, PAIR.sign(claims_of("ada")))

    assert {answer.status_code for answer in answers} == {401}
    assert genuine.status_code == 200
    assert len(key_server.asked) <= seconds + 2
    assert all(
        later - earlier > 0.95 for earlier, later in zip(key_server.asked, key_server.asked[1:], strict=False)
    )


async def test_hs256_needs_no_key_server(settings: Settings, key_server: KeyServer) -> None:
    async with api_of(settings, AuthSource.SECRET, AuthSource.JWKS, jwks_url=key_server.url) as api:
        assert (await ask(api, sign(claims_of("ada"), secret=SECRET))).status_code == 200

    assert not key_server.asked
    assert settings.issuer == ISSUER
