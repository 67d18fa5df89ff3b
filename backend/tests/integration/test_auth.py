"""Tokens over HTTP: which are let in, and how others are refused. Attacks are in tests/unit/test_tokens.py."""

import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from backend.config import Environment, Settings
from backend.main import create_app
from support import ISSUER, SECRET, User, assert_problem, claims_of, running, sign


async def get_tasks(client: httpx2.AsyncClient, authorization: str | None) -> httpx2.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return await client.get("/api/me/tasks", headers=headers)


async def test_a_good_token_lets_in(client: httpx2.AsyncClient, user: User) -> None:
    answer = await get_tasks(client, f"Bearer {sign(claims_of(user.id))}")

    assert answer.status_code == 200


async def test_a_request_without_a_token_gets_no_error_code(client: httpx2.AsyncClient) -> None:
    answer = await get_tasks(client, None)

    assert_problem(answer, 401, "missing-token")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.fixture(scope="module")
async def in_production(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(create_app(settings.model_copy(update={"environment": Environment.PRODUCTION}))) as client:
        yield client


REFUSED = [
    pytest.param("", "not a Bearer token; send `Authorization: Bearer <token>`", id="empty"),
    pytest.param("Bearer", "not three parts of base64url; send all of it", id="bare"),
    pytest.param("Bearer ", "not three parts of base64url; send all of it", id="blank"),
    pytest.param("Bearer nonsense", "not three parts of base64url; send all of it", id="nonsense"),
    pytest.param("Basic dXNlcjpwYXNzd29yZA==", "not a Bearer token; send", id="basic"),
    pytest.param(
        f"Bearer {sign(claims_of('somebody'), secret='another-secret-of-sufficient-length-0123')}",
        "wrong signature; it was not signed with BETTER_AUTH_SECRET",
        id="secret",
    ),
    pytest.param(
        f"Bearer {sign(claims_of('somebody', exp=int(time.time()) - 1))}", "expired; fetch a new one", id="expired"
    ),
    pytest.param(
        f"Bearer {sign(claims_of('somebody', iss='https://elsewhere.example'))}",
        "another issuer; correct BETTER_AUTH_URL or JWT_ISSUER",
        id="issuer",
    ),
    pytest.param(
        f"Bearer {sign(claims_of('somebody', aud='https://elsewhere.example'))}",
        "another audience; correct BETTER_AUTH_URL or JWT_AUDIENCE",
        id="audience",
    ),
    pytest.param(f"Bearer {sign(claims_of('somebody', aud=None))}", "no aud.", id="no audience"),
    pytest.param(
        f"Bearer {sign(claims_of('somebody'), headers={'typ': 'at+jwt'})}", "another type of token.", id="type"
    ),
    pytest.param(
        f"Bearer {sign({'email': 'a@example.com', 'iat': int(time.time()), 'exp': int(time.time()) + 60})}",
        "no iss.",
        id="email",
    ),
    pytest.param(
        f"Bearer {sign(claims_of('somebody', exp=int(time.time()) + 25 * 3600))}",
        "lives too long, or ends before it begins; shorten jwt.expirationTime",
        id="lifetime",
    ),
    pytest.param(
        f"Bearer {sign(claims_of('somebody'), secret='x' * 64, algorithm='HS512')}",
        "signed in a way that is not switched on; add its source to AUTH_SOURCES",
        id="algorithm",
    ),
]


@pytest.mark.parametrize(("authorization", "reason"), REFUSED)
async def test_in_development_a_bad_token_is_told_why(
    client: httpx2.AsyncClient, authorization: str, reason: str
) -> None:
    problem = assert_problem(await get_tasks(client, authorization), 401, "invalid-token")

    assert problem["detail"].startswith(f"The token was refused: {reason}")
    for private in (
        "somebody",
        "elsewhere",
        "at+jwt",
        "nonsense",
        SECRET,
        "another-secret",
        authorization[7:] or "-",
    ):
        assert private not in problem["detail"]


@pytest.mark.parametrize(("authorization", "_"), REFUSED)
async def test_in_production_a_bad_token_is_told_nothing_about_why(
    in_production: httpx2.AsyncClient, authorization: str, _: str
) -> None:
    answer = await get_tasks(in_production, authorization)

    problem = assert_problem(answer, 401, "invalid-token")
    assert problem["detail"] == "The token is not valid or has expired; sign in again or fetch a new one."
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.headers["cache-control"] == "no-store"


async def test_two_authorization_headers_are_refused(client: httpx2.AsyncClient, user: User) -> None:
    header = ("Authorization", f"Bearer {user.token}")

    answer = await client.get("/api/me/tasks", headers=[header, header])

    assert_problem(answer, 401, "invalid-token")


async def test_a_token_in_the_query_string_is_no_token(client: httpx2.AsyncClient, user: User) -> None:
    """Query strings end up in logs and histories (RFC 6750, section 5.3)."""
    answer = await client.get("/api/me/tasks", params={"access_token": user.token})

    assert_problem(answer, 401, "missing-token")


async def test_a_remembered_token_expires(client: httpx2.AsyncClient, user: User) -> None:
    now = time.time()
    token = sign(claims_of(user.id, iat=int(now), exp=now + 0.6))

    answers = [await get_tasks(client, f"Bearer {token}") for _ in range(2)]
    time.sleep(now + 0.6 - time.time())  # noqa: ASYNC251 - nothing else is to happen meanwhile
    late = await get_tasks(client, f"Bearer {token}")

    assert [answer.status_code for answer in answers] == [200, 200]
    assert_problem(late, 401, "invalid-token")


async def test_another_users_path_is_a_403(user: User, other: User) -> None:
    answer = await user.get(f"/api/{other.id}/tasks")

    assert_problem(answer, 403, "not-the-caller")


async def test_the_token_is_checked_before_anything_else(client: httpx2.AsyncClient) -> None:
    """An unauthenticated caller learns nothing about what is wrong with the request."""
    answer = await client.request(
        "PUT", "/api/me/tasks/no-id", content=b"{", headers={"Content-Type": "text/plain"}
    )

    assert_problem(answer, 401, "missing-token")


async def test_the_issuer_is_the_origin_of_better_auth(client: httpx2.AsyncClient, user: User) -> None:
    answer = await get_tasks(client, f"Bearer {sign(claims_of(user.id, iss=f'{ISSUER}/'))}")

    assert_problem(answer, 401, "invalid-token")
