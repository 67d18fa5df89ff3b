"""Where a request's token is found, and how long a verified token is remembered."""

import asyncio
import pickle
import time
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from backend.auth import Authenticator, InvalidCredentials, NoCredentials, Principal, Sources
from backend.auth.secret import SecretVerifier
from backend.auth.tokens import UnverifiedToken
from support import SECRET, claims_of, sign
from unit.forging import RULES, bearer, new_authenticator

TOKEN = sign(claims_of("ada"))

# The header


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"Bearer {TOKEN}", id="as written in RFC 6750"),
        pytest.param(f"bearer {TOKEN}", id="lower case"),
        pytest.param(f"BEARER {TOKEN}", id="upper case"),
        pytest.param(f"bEaReR {TOKEN}", id="mixed case"),
        pytest.param(f"Bearer    {TOKEN}", id="several spaces"),
        pytest.param(f"Bearer {TOKEN} ", id="trailing space"),
    ],
)
async def test_the_scheme_is_written_in_any_case(value: str) -> None:
    principal = await new_authenticator().authenticate("GET", Headers({"Authorization": value}))

    assert principal.user_id == "ada"


async def test_a_request_without_the_header_carries_no_token() -> None:
    with pytest.raises(NoCredentials):
        await new_authenticator().authenticate("GET", Headers({"Cookie": f"Authorization=Bearer {TOKEN}"}))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("Bearer", id="scheme alone"),
        pytest.param("Bearer ", id="empty token"),
        pytest.param(TOKEN, id="no scheme"),
        pytest.param(f" Bearer {TOKEN}", id="leading space"),
        pytest.param(f"Bearer{TOKEN}", id="no space"),
        pytest.param(f"Bearer\t{TOKEN}", id="tab"),
        pytest.param(f"Bearer\N{NO-BREAK SPACE}{TOKEN}", id="no-break space"),
        pytest.param(f"Bearer: {TOKEN}", id="colon"),
        pytest.param(f"Bearer,{TOKEN}", id="comma"),
        pytest.param(f"Bearer \t{TOKEN}", id="space and tab"),
        pytest.param(f"Bearer {TOKEN}\n", id="line break"),
        pytest.param(f"Bearer Bearer {TOKEN}", id="scheme twice"),
        pytest.param(f"Bearer {TOKEN} {TOKEN}", id="two tokens"),
        pytest.param(f"Bearer {TOKEN}, Bearer {TOKEN}", id="list"),
        pytest.param(f'Bearer "{TOKEN}"', id="quoted"),
        pytest.param(f"Bearer token={TOKEN}", id="parameter"),
        pytest.param(f"Basic {TOKEN}", id="Basic"),
        pytest.param(f"Digest {TOKEN}", id="Digest"),
        pytest.param(f"DPoP {TOKEN}", id="DPoP"),
        pytest.param(f"Token {TOKEN}", id="Token"),
        pytest.param(f"BearerX {TOKEN}", id="longer scheme"),
        pytest.param(f"Beare {TOKEN}", id="shorter scheme"),
    ],
)
async def test_anything_but_one_bearer_token_is_refused(value: str) -> None:
    with pytest.raises(InvalidCredentials):
        await new_authenticator().authenticate("GET", Headers({"Authorization": value}))


@pytest.mark.parametrize(
    "second", [f"Bearer {TOKEN}", "Bearer x", "Basic YTpi", ""], ids=["the same", "another", "Basic", "empty"]
)
async def test_two_authorization_headers_are_refused(second: str) -> None:
    """A proxy may have checked one of them, and the service the other."""
    headers = Headers(raw=[(b"authorization", f"Bearer {TOKEN}".encode()), (b"authorization", second.encode())])

    with pytest.raises(InvalidCredentials, match="more than one"):
        await new_authenticator().authenticate("GET", headers)


@given(value=st.binary(max_size=100))
async def test_any_bytes_in_the_header_are_refused_and_nothing_worse(value: bytes) -> None:
    for prefix in (b"", b"Bearer "):
        with pytest.raises(InvalidCredentials):
            await new_authenticator().authenticate("GET", Headers(raw=[(b"authorization", prefix + value)]))


# What is remembered


class CountingVerifier(SecretVerifier):
    """Counts the tokens that it verifies."""

    asked = 0

    async def verify(self, token: UnverifiedToken) -> Principal:
        self.asked += 1
        return await super().verify(token)


@pytest.fixture
def verifier() -> CountingVerifier:
    return CountingVerifier(SECRET, RULES)


@pytest.fixture
def authenticator(verifier: CountingVerifier) -> Authenticator:
    return Authenticator(Sources(secret=verifier))


async def test_a_token_is_verified_once(authenticator: Authenticator, verifier: CountingVerifier) -> None:
    first = await authenticator.authenticate("GET", bearer(TOKEN))
    second = await authenticator.authenticate("GET", bearer(TOKEN))

    assert first == second
    assert verifier.asked == 1


async def test_each_token_is_remembered_as_its_own_user(authenticator: Authenticator) -> None:
    tokens = {user_id: sign(claims_of(user_id)) for user_id in ("ada", "grace", "hedy")}

    for _ in range(2):
        for user_id, token in tokens.items():
            assert (await authenticator.authenticate("GET", bearer(token))).user_id == user_id


async def test_requests_at_the_same_time_get_their_own_users(authenticator: Authenticator) -> None:
    users = [f"user-{number % 5}" for number in range(50)]

    principals = await asyncio.gather(
        *(authenticator.authenticate("GET", bearer(sign(claims_of(user_id)))) for user_id in users)
    )

    assert [principal.user_id for principal in principals] == users


async def test_a_remembered_token_is_good_until_the_moment_it_expires(
    authenticator: Authenticator, verifier: CountingVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires = int(time.time()) + 30
    token = sign(claims_of("ada", exp=expires))
    await authenticator.authenticate("GET", bearer(token))

    at(monkeypatch, expires - 0.001)
    assert (await authenticator.authenticate("GET", bearer(token))).user_id == "ada"
    assert verifier.asked == 1

    at(monkeypatch, expires)
    with pytest.raises(InvalidCredentials, match="expired"):
        await authenticator.authenticate("GET", bearer(token))


async def test_a_token_is_verified_again_after_a_minute(
    authenticator: Authenticator, verifier: CountingVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    at(monkeypatch, now)
    await authenticator.authenticate("GET", bearer(TOKEN))

    for seconds, asked in ((59.9, 1), (60, 2), (119.9, 2), (120, 3)):
        at(monkeypatch, now + seconds)
        await authenticator.authenticate("GET", bearer(TOKEN))
        assert verifier.asked == asked


async def test_the_memory_is_bounded_and_the_oldest_is_forgotten_first(
    authenticator: Authenticator, verifier: CountingVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.auth.authenticator.REMEMBERED_TOKENS", 2)
    tokens = [sign(claims_of(user_id)) for user_id in ("ada", "grace", "hedy")]

    for token in tokens:
        await authenticator.authenticate("GET", bearer(token))

    assert [remembers(authenticator, token) for token in tokens] == [False, True, True]
    await authenticator.authenticate("GET", bearer(tokens[0]))
    assert verifier.asked == 4


async def test_what_was_verified_again_is_not_the_oldest(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.auth.authenticator.REMEMBERED_TOKENS", 2)
    ada, grace, hedy = (sign(claims_of(user_id)) for user_id in ("ada", "grace", "hedy"))
    for token in (ada, grace):
        await authenticator.authenticate("GET", bearer(token))
    at(monkeypatch, time.time() + 61)

    for token in (ada, hedy):
        await authenticator.authenticate("GET", bearer(token))

    assert [remembers(authenticator, token) for token in (ada, grace, hedy)] == [True, False, True]


async def test_a_refused_token_is_not_remembered(authenticator: Authenticator, verifier: CountingVerifier) -> None:
    """Otherwise anybody could fill the memory and evict the good tokens."""
    forged = sign(claims_of("ada"), secret="another-secret-of-more-than-32-characters")

    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            await authenticator.authenticate("GET", bearer(forged))

    assert verifier.asked == 2
    assert not remembers(authenticator, forged)


async def test_a_token_with_one_more_character_is_not_the_remembered_one(authenticator: Authenticator) -> None:
    await authenticator.authenticate("GET", bearer(TOKEN))

    with pytest.raises(InvalidCredentials):
        await authenticator.authenticate("GET", bearer(f"{TOKEN}A"))


async def test_a_remembered_token_is_not_good_for_another_authenticator(authenticator: Authenticator) -> None:
    await authenticator.authenticate("GET", bearer(TOKEN))
    elsewhere = Authenticator(Sources(secret=SecretVerifier("another-secret-of-more-than-32-characters", RULES)))

    with pytest.raises(InvalidCredentials):
        await elsewhere.authenticate("GET", bearer(TOKEN))


async def test_tokens_are_remembered_by_their_digest_alone(authenticator: Authenticator) -> None:
    """Memory may end up in a dump, where a digest is useless to an attacker."""
    await authenticator.authenticate("GET", bearer(TOKEN))

    memory = pickle.dumps(authenticator)

    assert remembers(authenticator, TOKEN)
    assert not any(part.encode() in memory for part in TOKEN.split("."))


def at(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    for module in ("authenticator", "secret"):
        monkeypatch.setattr(f"backend.auth.{module}.time", lambda: now)


def remembers(authenticator: Authenticator, token: str) -> bool:
    return sha256(token.encode()).digest() in pickle.dumps(authenticator)
