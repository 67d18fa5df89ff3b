"""The whole way with a real Better Auth server: sign up there, use its token here."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import httpx2
import jwt
import pytest

import issuer
from backend.commands import development
from backend.config import Settings
from backend.main import create_app
from issuer import PASSWORD, Issuers, fetch_token
from support import Connection, Json, User, assert_problem, running


@pytest.fixture(scope="module")
def better_auth(issuers: Issuers, owner_url: str) -> Iterator[str]:
    with issuers.serving(owner_url) as url:
        yield url


@pytest.fixture(scope="module")
async def api(settings: Settings, better_auth: str) -> Json:
    """Our API, told where Better Auth is."""
    async with running(create_app(settings.model_copy(update={"better_auth_url": better_auth}))) as client:
        yield client


@pytest.fixture
async def browser(better_auth: str) -> Json:
    async with issuer.browser_at(better_auth) as client:
        yield client


async def sign_up(browser: httpx2.AsyncClient, api: httpx2.AsyncClient) -> User:
    return User(api, await issuer.sign_up(browser), await fetch_token(browser))


async def test_a_token_is_what_we_take_it_for(
    browser: httpx2.AsyncClient, api: httpx2.AsyncClient, better_auth: str
) -> None:
    user = await sign_up(browser, api)

    header = jwt.get_unverified_header(user.token)
    claims = jwt.decode(user.token, options={"verify_signature": False})

    assert header == {"typ": "JWT", "alg": "HS256"}
    assert claims["sub"] == user.id
    assert claims["iss"] == claims["aud"] == better_auth
    assert claims["exp"] - claims["iat"] == 900


async def test_who_signs_up_has_tasks_of_their_own(browser: httpx2.AsyncClient, api: httpx2.AsyncClient) -> None:
    user = await sign_up(browser, api)

    task = await user.add_task(title="Water the plants")

    assert task["userId"] == user.id
    assert (await user.get("/api/me/tasks")).json() == [task]


async def test_who_signs_in_again_finds_their_tasks(browser: httpx2.AsyncClient, api: httpx2.AsyncClient) -> None:
    user = await sign_up(browser, api)
    task = await user.add_task()
    email = jwt.decode(user.token, options={"verify_signature": False})["email"]

    await browser.post("/api/auth/sign-out")
    refused = await browser.get("/api/auth/token")
    await browser.post("/api/auth/sign-in/email", json={"email": email, "password": PASSWORD})
    again = User(api, user.id, await fetch_token(browser))

    assert refused.status_code == 401
    assert (await again.get("tasks")).json() == [task]


async def test_two_users_see_nothing_of_each_other(browser: httpx2.AsyncClient, api: httpx2.AsyncClient) -> None:
    first = await sign_up(browser, api)
    second = await sign_up(browser, api)
    task = await first.add_task()

    assert (await second.get("tasks")).json() == []
    assert_problem(await second.get(f"tasks/{task['id']}"), 404, "task-not-found")
    assert_problem(await second.get(f"/api/{first.id}/tasks"), 403, "not-the-caller")


async def test_with_an_account_its_tasks_are_deleted(
    browser: httpx2.AsyncClient, api: httpx2.AsyncClient, owner: Connection
) -> None:
    user = await sign_up(browser, api)
    await user.add_task()

    answer = await browser.post("/api/auth/delete-user", json={"password": PASSWORD})

    assert answer.json()["success"] is True
    assert await owner.fetchval('SELECT count(*) FROM tasks WHERE "userId" = $1', user.id) == 0
    assert (await user.get("tasks")).json() == []
    assert_problem(await user.post("tasks", json={"title": "x"}), 401, "account-gone")


async def test_a_token_of_another_installation_is_refused(
    client: httpx2.AsyncClient, browser: Json, api: Json
) -> None:
    """The same secret, but another issuer: for instance staging beside production."""
    user = await sign_up(browser, api)

    answer = await client.get("/api/me/tasks", headers={"Authorization": f"Bearer {user.token}"})

    assert_problem(answer, 401, "invalid-token")


async def test_our_copy_of_better_auths_tables_has_their_very_shape(
    issuers: Issuers, server: Connection, socket_directory: Path, worker_id: str
) -> None:
    ours, theirs = f"ours_{worker_id}", f"theirs_{worker_id}"
    urls = [development.database_url("postgres", socket_directory, name) for name in (ours, theirs)]
    for name in (ours, theirs):
        await server.execute(f"CREATE DATABASE {name}")
    connections = [await asyncpg.connect(url) for url in urls]
    await connections[0].execute(files("backend.commands").joinpath("better_auth.sql").read_text())

    missing, created = (issuers.migrate(url) for url in urls)
    shapes = [await shape(connection) for connection in connections]
    for connection in connections:
        await connection.close()
    for name in (ours, theirs):
        await server.execute(f"DROP DATABASE {name}")

    assert not any(missing.values())
    assert set(created["created"]) == {"user", "session", "account", "verification", "jwks"}
    assert shapes[0] == shapes[1]


async def shape(connection: Connection) -> list[tuple[object, ...]]:
    """Columns, constraints and indexes of everything in the schema."""
    rows = await connection.fetch(
        """
        SELECT table_name, ordinal_position::text, column_name, udt_name, is_nullable, column_default
          FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT conrelid::regclass::text, '', conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        UNION ALL
        SELECT tablename, '', indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
        ORDER BY 1, 2, 3
        """
    )
    return [tuple(row) for row in rows]
