"""Session tokens of a real Better Auth server: which are accepted, and what ends a session at the next request."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers

from backend.auth import Authenticator, InvalidCredentials, NoCredentials, Principal, Sources
from backend.auth.keys import COOLDOWN
from backend.auth.sessions import Sessions
from backend.commands import development
from backend.config import AuthSource, DatabaseSettings, Environment, Settings
from backend.main import create_app
from backend.migrations import MigrationError
from backend.postgres.migrate import migrate, reads_of
from databases import connected, scratch, scratch_role
from issuer import PASSWORD, Issuers, browser_at
from processes import UNMEASURED, workplace
from support import ORIGIN, SECRET, Connection, Json, assert_problem, captured_logs, claims_of, running, sign

COOKIE = "better-auth.session_token"
SECURE_COOKIE = "__Secure-better-auth.session_token"

SESSION = AuthSource.SESSION

# Reasons in the log.
NO_SESSION = "no such session, or it has ended, or its user is banned"
NO_TOKEN = "not a session token"
BAD_SIGNATURE = "a session token with a wrong signature"


class Place(NamedTuple):
    """A migrated database of the test's own, and a role for the service."""

    owner: Connection
    owner_url: str
    service_url: str
    role: str

    async def migrate(self, *reads: AuthSource) -> None:
        await migrate(owner_url=self.owner_url, service_url=self.service_url, reads=reads)


@asynccontextmanager
async def new_place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with (
        scratch_role(server) as role,
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        urls = [development.database_url(user, socket_directory, name) for user in ("postgres", role)]
        yield Place(owner, urls[0], urls[1], role)


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[Place]:
    async with new_place(server, socket_directory) as place:
        yield place


@asynccontextmanager
async def api_of(settings: Settings, place: Place, **changes: object) -> AsyncIterator[httpx2.AsyncClient]:
    """Our API on that place, in production; its log is read here."""
    own = {
        "database_url": SecretStr(place.service_url),
        "environment": Environment.PRODUCTION,
        "log_level": "info",
    }
    changed = settings.model_copy(update={**own, **changes})
    async with running(create_app(changed)) as client:
        yield client


class World(NamedTuple):
    """Better Auth with its bearer and admin plugins, and our API beside it in several configurations."""

    owner: Connection
    better_auth: str
    sessions: httpx2.AsyncClient
    """With AUTH_SOURCES=session,secret."""
    signed: httpx2.AsyncClient
    """The same, with SESSION_REQUIRE_SIGNATURE."""
    checking: httpx2.AsyncClient
    """With AUTH_SOURCES=secret and JWT_CHECK_SESSION."""
    default: httpx2.AsyncClient
    """With nothing of the kind."""


@pytest.fixture(scope="module")
async def world(
    issuers: Issuers, server: Connection, socket_directory: Path, settings: Settings
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(new_place(server, socket_directory))
        better_auth = stack.enter_context(issuers.serving(place.owner_url, plugins=["jwt", "bearer", "admin"]))
        await place.migrate(SESSION)
        both = {"auth_sources": (SESSION, AuthSource.SECRET)}
        variants: tuple[Json, ...] = (
            both,
            {**both, "session_require_signature": True},
            {"jwt_check_session": True},
            {},
        )
        apis = [await stack.enter_async_context(api_of(settings, place, **variant)) for variant in variants]
        yield World(place.owner, better_auth, *apis)


@dataclass
class Session:
    """Somebody who is signed in at Better Auth."""

    user_id: str
    email: str
    token: str = field(repr=False)  # as the bearer plugin takes it, and as the table has it
    cookie: str = field(repr=False)  # as the browser sends it
    browser: httpx2.AsyncClient

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def cookies(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookie}"}


async def sign_up(better_auth: str) -> Session:
    browser = browser_at(better_auth)
    email = f"{uuid4().hex}@example.com"
    answer = await browser.post(
        "/api/auth/sign-up/email", json={"name": "Somebody", "email": email, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return Session(body["user"]["id"], email, body["token"], str(browser.cookies[COOKIE]), browser)


@pytest.fixture
async def session(world: World) -> AsyncIterator[Session]:
    session = await sign_up(world.better_auth)
    yield session
    await session.browser.aclose()


@pytest.fixture(scope="module")
async def lasting(world: World) -> AsyncIterator[Session]:
    """A session that no test ends."""
    session = await sign_up(world.better_auth)
    yield session
    await session.browser.aclose()


async def tasks(api: httpx2.AsyncClient, headers: dict[str, str]) -> httpx2.Response:
    return await api.get("/api/me/tasks", headers=headers)


async def assert_refused(api: httpx2.AsyncClient, headers: dict[str, str]) -> str:
    """Assert a refusal that does not say why, and return the reason in the log."""
    with captured_logs() as logs:
        answer = await tasks(api, headers)
    problem = assert_problem(answer, 401, "invalid-token")
    [reason] = [entry["reason"] for entry in logs if entry["event"] == "token refused"]
    assert problem["detail"] == "The token is not valid or has expired; sign in again or fetch a new one."
    return str(reason)


def signed(token: str, secret: str = SECRET) -> str:
    return f"{token}.{b64encode(hmac.digest(secret.encode(), token.encode(), 'sha256')).decode()}"


# How it may come


@pytest.mark.parametrize("name", [COOKIE, SECURE_COOKIE])
async def test_the_session_cookie_lets_in(world: World, lasting: Session, name: str) -> None:
    answer = await tasks(world.sessions, {"Cookie": f"theme=dark; {name}={lasting.cookie}; other=1"})

    assert answer.status_code == 200
    assert unquote(lasting.cookie) == signed(lasting.token)


@pytest.mark.parametrize("form", ["{token}", "{signed}", "{encoded}"])
async def test_the_bearer_plugins_forms_let_in(world: World, lasting: Session, form: str) -> None:
    parts = {"token": lasting.token, "signed": unquote(lasting.cookie), "encoded": lasting.cookie}
    headers = {"Authorization": f"Bearer {form.format(**parts)}"}
    at_better_auth = await lasting.browser.get("/api/auth/get-session", headers=headers)

    answer = await tasks(world.sessions, headers)

    assert at_better_auth.json()["user"]["id"] == lasting.user_id
    assert answer.status_code == 200


async def test_a_session_leads_to_its_own_user(world: World, session: Session, lasting: Session) -> None:
    created = await world.sessions.post("/api/me/tasks", json={"title": "Mine"}, headers=session.bearer)

    assert created.json()["userId"] == session.user_id
    assert len((await tasks(world.sessions, session.cookies)).json()) == 1
    assert (await tasks(world.sessions, lasting.cookies)).json() == []
    answer = await world.sessions.get(f"/api/{session.user_id}/tasks", headers=lasting.cookies)
    assert_problem(answer, 403, "not-the-caller")


async def test_the_secure_cookie_goes_before_the_other(world: World, session: Session, lasting: Session) -> None:
    await world.sessions.post("/api/me/tasks", json={"title": "Mine"}, headers=session.bearer)

    answer = await tasks(
        world.sessions, {"Cookie": f"{COOKIE}={lasting.cookie}; {SECURE_COOKIE}={session.cookie}"}
    )

    assert len(answer.json()) == 1


async def test_jwts_are_good_beside_sessions(world: World, lasting: Session) -> None:
    answer = await tasks(world.sessions, {"Authorization": f"Bearer {sign(claims_of(lasting.user_id))}"})

    assert answer.status_code == 200


# What ends it


async def test_sign_out_ends_it(world: World, session: Session) -> None:
    before = await tasks(world.sessions, session.cookies)

    await session.browser.post("/api/auth/sign-out")

    assert before.status_code == 200
    assert await assert_refused(world.sessions, session.cookies) == NO_SESSION
    await assert_refused(world.sessions, session.bearer)


async def test_expiry_ends_it(world: World, session: Session) -> None:
    before = await tasks(world.sessions, session.cookies)

    await world.owner.execute('UPDATE session SET "expiresAt" = now() WHERE token = $1', session.token)

    assert before.status_code == 200
    await assert_refused(world.sessions, session.cookies)
    await assert_refused(world.sessions, session.bearer)


async def test_revoking_all_sessions_ends_it(world: World, session: Session) -> None:
    before = await tasks(world.sessions, session.bearer)

    answer = await session.browser.post("/api/auth/revoke-sessions", json={})

    assert (before.status_code, answer.status_code) == (200, 200)
    await assert_refused(world.sessions, session.bearer)


async def test_a_ban_ends_it(world: World, session: Session) -> None:
    admin = await sign_up(world.better_auth)
    await world.owner.execute("""UPDATE "user" SET role = 'admin' WHERE id = $1""", admin.user_id)
    before = await tasks(world.sessions, session.bearer)

    answer = await admin.browser.post("/api/auth/admin/ban-user", json={"userId": session.user_id})
    await admin.browser.aclose()

    assert (before.status_code, answer.status_code) == (200, 200)
    await assert_refused(world.sessions, session.bearer)


BANS = {
    "banned = true": 401,
    """banned = true, "banExpires" = now() + interval '1 hour'""": 401,
    """banned = true, "banExpires" = now() - interval '1 hour'""": 200,
    """banned = false, "banExpires" = now() + interval '1 hour'""": 200,
    """banned = NULL, "banExpires" = NULL""": 200,
}


async def test_a_ban_written_into_the_table_counts_while_it_lasts(world: World, session: Session) -> None:
    """Better Auth itself checks it only at the next sign-in."""
    found = {}
    for ban in BANS:
        await world.owner.execute(f'UPDATE "user" SET {ban} WHERE id = $1', session.user_id)
        found[ban] = {(await tasks(world.sessions, way)).status_code for way in (session.bearer, session.cookies)}

    assert found == {ban: {status} for ban, status in BANS.items()}


async def test_deleting_the_user_ends_it(world: World, session: Session) -> None:
    before = await tasks(world.sessions, session.bearer)

    answer = await session.browser.post("/api/auth/delete-user", json={"password": PASSWORD})

    assert (before.status_code, answer.status_code) == (200, 200)
    await assert_refused(world.sessions, session.bearer)
    await assert_refused(world.sessions, session.cookies)


# What is no session token

FORGED = [
    pytest.param("{token}.", BAD_SIGNATURE, id="no signature"),
    pytest.param("{token}.x", BAD_SIGNATURE, id="nonsense for a signature"),
    pytest.param("{other_secret}", BAD_SIGNATURE, id="another secret"),
    pytest.param("{signed}x", BAD_SIGNATURE, id="something behind it"),
    pytest.param("x{signed}", BAD_SIGNATURE, id="something before it"),
    pytest.param("{truncated}", BAD_SIGNATURE, id="truncated"),
    pytest.param("{unpadded}", BAD_SIGNATURE, id="without padding"),
    pytest.param("{token}.\xe4", BAD_SIGNATURE, id="not ASCII"),
    pytest.param("%00{signed}", BAD_SIGNATURE, id="NUL before it"),
    pytest.param("{unknown}", NO_SESSION, id="signed but unknown"),
    pytest.param("{empty}", NO_TOKEN, id="an empty token, signed"),
    pytest.param("{nul}", NO_TOKEN, id="NUL, signed"),
    pytest.param("{long}", NO_TOKEN, id="very long, signed"),
    pytest.param("{wildcard}", NO_TOKEN, id="a wildcard, signed"),
]


def forged(form: str, session: Session) -> str:
    return form.format(
        token=session.token,
        signed=signed(session.token),
        other_secret=signed(session.token, "another-secret-of-sufficient-length-0123"),
        truncated=signed(session.token)[:-8],
        unpadded=signed(session.token).rstrip("="),
        unknown=signed("A" * 32),
        empty=signed(""),
        nul=quote(signed(f"{session.token}\0")),
        long=signed("A" * 20_000),
        wildcard=quote(signed("%" * 32)),
    )


@pytest.mark.parametrize(("form", "reason"), FORGED)
async def test_a_forged_cookie_is_refused(world: World, lasting: Session, form: str, reason: str) -> None:
    cookie = f"{COOKIE}={forged(form, lasting)}".encode("latin-1")
    headers: Json = {"Cookie": cookie}

    assert await assert_refused(world.sessions, headers) == reason


@pytest.mark.parametrize(("form", "reason"), FORGED)
async def test_a_forged_bearer_token_is_refused(world: World, lasting: Session, form: str, reason: str) -> None:
    headers: Json = {"Authorization": f"Bearer {forged(form, lasting)}".encode("latin-1")}

    assert await assert_refused(world.sessions, headers) == reason


async def test_a_cookie_without_a_signature_is_refused(world: World, lasting: Session) -> None:
    assert await assert_refused(world.sessions, {"Cookie": f"{COOKIE}={lasting.token}"}) == BAD_SIGNATURE


@pytest.mark.parametrize("token", ["A" * 32, "short", "%00" * 16, "x" * 20_000, "a b", "'; DROP TABLE tasks; --"])
async def test_a_bare_token_that_is_unknown_is_refused(world: World, token: str) -> None:
    reason = await assert_refused(world.sessions, {"Authorization": f"Bearer {token}"})

    assert reason in {NO_TOKEN, NO_SESSION}


async def test_where_signatures_are_required_a_bare_token_is_refused(world: World, lasting: Session) -> None:
    """Then a copy of the table is not enough to impersonate its users."""
    reason = await assert_refused(world.signed, lasting.bearer)
    with_signature = {"Authorization": f"Bearer {lasting.cookie}"}

    assert reason == "a session token without its signature"
    assert (await tasks(world.signed, with_signature)).status_code == 200
    assert (await tasks(world.signed, lasting.cookies)).status_code == 200


# Pages of other origins

WRITES = [
    ("POST", "tasks", {"title": "Written"}),
    ("PUT", "tasks/{id}", {"title": "Written"}),
    ("PATCH", "tasks/{id}", {"title": "Written"}),
    ("PATCH", "tasks/{id}/complete", None),
    ("DELETE", "tasks/{id}", None),
]


async def test_a_write_by_cookie_needs_an_origin_of_ours(world: World, session: Session) -> None:
    path = "/api/me/tasks"
    task = (await world.sessions.post(path, json={"title": "As it was"}, headers=session.bearer)).json()
    foreign = ["https://evil.example", "null", f"{ORIGIN}.evil.example", f"{ORIGIN}/", ORIGIN.upper(), ""]

    for origin in ({}, *({"Origin": origin} for origin in foreign)):
        for method, below, body in WRITES:
            url = f"/api/me/{below.format(**task)}"
            headers = session.cookies | origin
            answer = await world.sessions.request(method, url, json=body, headers=headers)
            assert_problem(answer, 403, "origin-not-allowed")

    assert (await tasks(world.sessions, session.cookies)).json() == [task]


async def test_a_page_of_ours_writes_by_cookie(world: World, session: Session) -> None:
    headers = {**session.cookies, "Origin": ORIGIN}
    task = (await world.sessions.post("/api/me/tasks", json={"title": "x"}, headers=headers)).json()

    answers = [
        await world.sessions.request(method, f"/api/me/{below.format(**task)}", json=body, headers=headers)
        for method, below, body in WRITES
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 204]
    assert answers[0].headers["access-control-allow-credentials"] == "true"


async def test_a_foreign_page_can_read_no_answer(world: World, lasting: Session) -> None:
    answer = await tasks(world.sessions, {**lasting.cookies, "Origin": "https://evil.example"})

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_a_bearer_token_needs_no_origin(world: World, session: Session) -> None:
    """A browser sends it only if a page that knows it sets the header."""
    headers = {**session.bearer, "Origin": "https://evil.example"}

    answer = await world.sessions.post("/api/me/tasks", json={"title": "x"}, headers=headers)

    assert answer.status_code == 201


async def test_after_a_bad_bearer_token_the_cookie_is_ignored(world: World, lasting: Session) -> None:
    await assert_refused(world.sessions, {**lasting.cookies, "Authorization": f"Bearer {'A' * 32}"})
    await assert_refused(world.sessions, {**lasting.cookies, "Authorization": "Basic dXNlcjpwYXNz"})
    await assert_refused(world.sessions, {**lasting.cookies, "Authorization": ""})


# Off unless it is switched on


async def test_without_the_source_a_cookie_is_no_token(world: World, lasting: Session) -> None:
    assert_problem(await tasks(world.default, lasting.cookies), 401, "missing-token")


@pytest.mark.parametrize("form", ["{token}", "{signed}"])
async def test_without_the_source_a_session_token_is_refused(world: World, lasting: Session, form: str) -> None:
    token = form.format(token=lasting.token, signed=signed(lasting.token))

    assert (
        await assert_refused(world.default, {"Authorization": f"Bearer {token}"}) == "not three parts of base64url"
    )


async def test_without_the_admin_plugin_it_works_as_well(
    issuers: Issuers, place: Place, settings: Settings
) -> None:
    with issuers.serving(place.owner_url) as better_auth:
        await place.migrate(SESSION)
        session = await sign_up(better_auth)
        async with api_of(settings, place, auth_sources=(SESSION,)) as api:
            before = [(await tasks(api, headers)).status_code for headers in (session.bearer, session.cookies)]
            await session.browser.post("/api/auth/sign-out")
            after = [(await tasks(api, headers)).status_code for headers in (session.bearer, session.cookies)]
        await session.browser.aclose()

    assert (before, after) == ([200, 200], [401, 401])


# JWTs that name their session


async def jwt_of(world: World, session: Session, **claims: object) -> dict[str, str]:
    session_id = await world.owner.fetchval("SELECT id FROM session WHERE token = $1", session.token)
    return {"Authorization": f"Bearer {sign(claims_of(session.user_id, **{'sid': session_id, **claims}))}"}


async def test_a_jwt_ends_with_the_session_that_it_names(world: World, session: Session) -> None:
    headers = await jwt_of(world, session)
    before = [await tasks(api, headers) for api in (world.checking, world.default)]

    await session.browser.post("/api/auth/sign-out")

    assert [answer.status_code for answer in before] == [200, 200]
    assert await assert_refused(world.checking, headers) == "its session has ended"
    assert (await tasks(world.default, headers)).status_code == 200  # without the setting, until its `exp`


async def test_a_jwt_ends_with_the_ban_of_its_user(world: World, session: Session) -> None:
    headers = await jwt_of(world, session)
    before = await tasks(world.checking, headers)

    await world.owner.execute('UPDATE "user" SET banned = true WHERE id = $1', session.user_id)

    assert before.status_code == 200
    await assert_refused(world.checking, headers)


async def test_a_jwt_cannot_name_another_users_session(world: World, session: Session, lasting: Session) -> None:
    headers = await jwt_of(world, lasting, sub=session.user_id)

    assert await assert_refused(world.checking, headers) == "its session has ended"


@pytest.mark.parametrize("sid", ["", "A" * 32, "x" * 5000, "\0" * 32, 1, True, ["x"], {"id": "x"}, "' OR true --"])
async def test_a_jwt_with_a_strange_session_is_refused(world: World, lasting: Session, sid: Json) -> None:
    await assert_refused(world.checking, await jwt_of(world, lasting, sid=sid))


async def test_a_jwt_that_names_no_session_is_good_until_it_expires(world: World, session: Session) -> None:
    headers = await jwt_of(world, session, sid=None)

    await session.browser.post("/api/auth/sign-out")

    assert (await tasks(world.checking, headers)).status_code == 200


# The rights of the service's role


async def rights(place: Place) -> set[str]:
    """What the role may do with Better Auth's tables, by `table.column` and the right's first letter."""
    rows = await place.owner.fetch(
        """
        SELECT DISTINCT concat(relname, '.', attname, ' ', kind) FROM pg_attribute
          JOIN pg_class ON pg_class.oid = attrelid, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) AS kind
         WHERE relname IN ('user', 'session', 'jwks', 'account') AND attnum > 0 AND NOT attisdropped
           AND has_column_privilege($1, attrelid, attnum, kind)
        """,
        place.role,
    )
    return {row[0] for row in rows}


OF_SESSIONS = {
    "session.id SELECT",
    "session.token SELECT",
    "session.userId SELECT",
    "session.expiresAt SELECT",
    "user.id SELECT",
}
OF_KEYS = {f"jwks.{column} SELECT" for column in ("id", "publicKey", "alg", "createdAt", "expiresAt")}


async def test_the_role_may_read_what_its_sources_need_and_no_more(place: Place) -> None:
    granted = []
    for sources in ([], [SESSION], [SESSION, AuthSource.JWKS_DATABASE], [AuthSource.JWKS_DATABASE], []):
        await place.migrate(*sources)
        granted.append(await rights(place))

    assert granted == [set(), OF_SESSIONS, OF_SESSIONS | OF_KEYS, OF_KEYS, set()]


async def test_the_role_may_read_bans_where_there_are_bans(place: Place) -> None:
    await place.owner.execute('ALTER TABLE "user" ADD banned boolean, ADD "banExpires" timestamptz, ADD role text')

    await place.migrate(SESSION)

    assert await rights(place) == OF_SESSIONS | {"user.banned SELECT", "user.banExpires SELECT"}


@pytest.mark.parametrize(
    ("variables", "reads"),
    [
        ({}, set()),
        ({"AUTH_SOURCES": "secret,jwks"}, set()),
        ({"AUTH_SOURCES": "secret,session"}, {SESSION}),
        ({"AUTH_SOURCES": "jwks-database"}, {AuthSource.JWKS_DATABASE}),
        ({"JWT_CHECK_SESSION": "true"}, {SESSION}),
    ],
)
def test_the_settings_say_what_is_read(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reads: set[AuthSource]
) -> None:
    for name, value in {"DATABASE_URL": "postgresql://role@host/database", **variables}.items():
        monkeypatch.setenv(name, value)

    assert reads_of(DatabaseSettings(_env_file=None)) == reads


async def test_the_command_grants_what_its_environment_names(place: Place) -> None:
    urls = {"MIGRATION_DATABASE_URL": place.owner_url, "DATABASE_URL": place.service_url}
    with workplace(**UNMEASURED) as here:
        command = here.start("migrate", **urls, AUTH_SOURCES="jwks-database", JWT_CHECK_SESSION="true")
        assert command.status() == 0, command.stderr

    assert await rights(place) == OF_SESSIONS | OF_KEYS


@pytest.mark.parametrize(
    ("change", "source", "complaint"),
    [
        ("DROP TABLE session", SESSION, 'table "session" is missing'),
        ("DROP TABLE jwks", AuthSource.JWKS_DATABASE, 'table "jwks" is missing'),
        ("ALTER TABLE jwks DROP alg", AuthSource.JWKS_DATABASE, 'column alg of the table "jwks" is missing'),
    ],
)
async def test_migrating_needs_the_tables_that_are_to_be_read(
    place: Place, change: str, source: AuthSource, complaint: str
) -> None:
    await place.migrate()
    await place.owner.execute(change)

    with pytest.raises(MigrationError, match=complaint) as refusal:
        await place.migrate(source)

    assert "npx auth@latest migrate" in str(refusal.value)
    assert await rights(place) == set()


async def test_a_right_that_is_missing_later_is_503_until_migrated(place: Place, settings: Settings) -> None:
    """The admin plugin adds columns; the service sees them at once and may not read them yet."""
    await place.migrate(SESSION)
    token = "A" * 32
    await place.owner.execute(
        f"""
        INSERT INTO session (id, token, "userId", "expiresAt", "updatedAt")
        VALUES ('{token}', '{token}', 'developer', now() + interval '1 hour', now())
        """
    )
    bearer = {"Authorization": f"Bearer {token}"}
    async with api_of(settings, place, auth_sources=(SESSION,)) as api:
        before = await tasks(api, bearer)

        await place.owner.execute('ALTER TABLE "user" ADD banned boolean, ADD "banExpires" timestamptz')
        with captured_logs() as logs:
            without = [await tasks(api, bearer), await api.get("/health/ready")]
        await place.migrate(SESSION)
        after = [await tasks(api, bearer), await api.get("/health/ready")]

    assert before.status_code == 200
    for answer in without:
        assert_problem(answer, 503, "not-ready")
        assert answer.headers["retry-after"]
    assert [entry["event"] for entry in logs if entry["level"] == "error"] == [
        "Better Auth's tables cannot be read; run `tasks migrate`"
    ] * 2
    assert [answer.status_code for answer in after] == [200, 200]


async def test_a_right_on_the_keys_that_is_missing_is_503_until_migrated(place: Place, settings: Settings) -> None:
    await place.migrate()
    async with api_of(settings, place, auth_sources=(AuthSource.JWKS_DATABASE,)) as api:
        with captured_logs() as logs:
            without = await api.get("/health/ready")
        await place.migrate(AuthSource.JWKS_DATABASE)
        await asyncio.sleep(COOLDOWN)
        after = await api.get("/health/ready")

    assert_problem(without, 503, "keys-unavailable")
    assert "Better Auth's tables cannot be read; run `tasks migrate`" in [entry["event"] for entry in logs]
    assert after.status_code == 200


# Arbitrary input


async def nobody(sql: str, *arguments: object) -> Sequence[Json]:
    """A table without sessions, which refuses the same values as the driver."""
    for argument in arguments:
        assert isinstance(argument, str)
        assert "\0" not in argument
        argument.encode()
    assert sql
    return []


ANYTHING = st.one_of(
    st.text(st.characters(codec="latin-1")),
    st.text("%.=A0+/", max_size=60),
    st.binary(max_size=40).map(lambda data: quote(signed(data.decode("latin-1")))),
)


@given(ANYTHING, ANYTHING, st.booleans(), st.sampled_from(["GET", "POST"]))
async def test_arbitrary_input_gives_nobody_access(
    bearer: str,
    cookie: str,
    require_signature: bool,
    method: str,
) -> None:
    authenticator = Authenticator(
        Sources(sessions=Sessions(nobody, secret=SECRET, require_signature=require_signature)),
        cookie_origins=[ORIGIN],
    )
    fields = (("authorization", f"Bearer {bearer}"), ("cookie", f"{COOKIE}={cookie}"), ("cookie", cookie))

    for name, value in fields:
        headers = Headers(raw=[(name.encode(), value.encode("latin-1")), (b"origin", ORIGIN.encode())])
        with pytest.raises((InvalidCredentials, NoCredentials)):
            await authenticator.authenticate(method, headers)


@given(st.text(st.sampled_from("ABCxyz019-_"), min_size=16, max_size=128))
async def test_a_well_formed_token_is_found_in_every_form(token: str) -> None:
    async def somebody(_: str, *arguments: object) -> Sequence[Json]:
        return [{"userId": "somebody"}] if arguments == (token,) else []

    authenticator = Authenticator(Sources(sessions=Sessions(somebody, secret=SECRET, require_signature=False)))

    for value in (token, signed(token), quote(signed(token))):
        found = await authenticator.authenticate("GET", Headers({"Authorization": f"Bearer {value}"}))
        assert found == Principal("somebody")
