"""Public keys: which of them verify which tokens, and when the set is fetched."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from backend.auth import Authenticator, InvalidCredentials, KeySourceUnavailable, NoCredentials, Principal, Sources
from backend.auth.jwks import KeyVerifier, from_database
from backend.auth.keys import JWK, KeySet, algorithm_of, usable
from backend.auth.secret import SecretVerifier
from backend.auth.tokens import parse
from signing import ALGORITHMS, KeyPair, jwk_of, new_key_pair
from support import SECRET, Json, claims_of, sign
from unit.forging import RULES, bearer, forge

COOLDOWN = 0.02
FETCH_TIMEOUT = 0.6


class Issuer:
    """Lists keys, and records each request."""

    def __init__(self, *keys: KeyPair) -> None:
        self.keys = list(keys)
        self.now = time.monotonic
        self.asked: list[float] = []
        self.running = 0
        self.most_running = 0
        self.failure: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def fetch(self) -> list[JWK]:
        self.asked.append(self.now())
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            listed = [pair.public_jwk for pair in self.keys]  # as they are when it is asked
            await self.answers.wait()
            if self.failure:
                raise self.failure
            return listed
        finally:
            self.running -= 1


class Clock:
    """The clock that key sets use: the real one, which tests can advance."""

    ahead = 0.0
    seen = 0.0

    def __call__(self) -> float:
        self.seen = time.monotonic() + self.ahead
        return self.seen

    def last_seen(self) -> float:
        """The time that the key set read last, which is when it began the fetch that it is asking for."""
        return self.seen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("backend.auth.keys.monotonic", clock)
    monkeypatch.setattr("backend.auth.keys.COOLDOWN", COOLDOWN)
    monkeypatch.setattr("backend.auth.keys.FETCH_TIMEOUT", FETCH_TIMEOUT)
    return clock


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(pair_of("EdDSA"))


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> KeySet:
    assert clock.ahead == 0
    issuer.now = clock.last_seen
    return KeySet(issuer.fetch)


@cache
def pair_of(algorithm: str) -> KeyPair:
    """One pair of each kind for all tests, since generating RSA keys is slow."""
    return new_key_pair(algorithm, f"the-{algorithm}-key")


async def outcome(keys: KeySet, key_id: str) -> str:
    try:
        return (await keys.find(key_id)).algorithm
    except (InvalidCredentials, KeySourceUnavailable) as error:
        return type(error).__name__


# Fetching


async def test_a_key_is_fetched_when_it_is_first_asked_for(keys: KeySet, issuer: Issuer) -> None:
    before = len(issuer.asked)

    found = [await keys.find("the-EdDSA-key") for _ in range(3)]

    assert before == 0
    assert {key.algorithm for key in found} == {"EdDSA"}
    assert len(issuer.asked) == 1


async def test_a_key_that_was_just_rotated_in_is_found_at_once(keys: KeySet, issuer: Issuer) -> None:
    """Within the cooldown, the request waits for the next fetch instead of being refused."""
    await keys.find("the-EdDSA-key")
    issuer.keys.append(pair_of("ES256"))

    key = await keys.find("the-ES256-key")

    assert key.algorithm == "ES256"
    assert issuer.asked[1] - issuer.asked[0] >= COOLDOWN


async def test_a_key_that_was_rotated_in_during_a_fetch_is_found(keys: KeySet, issuer: Issuer) -> None:
    """The running fetch has already read the set, so a second one is needed."""
    issuer.answers.clear()
    first = asyncio.create_task(keys.find("the-EdDSA-key"))
    await until(lambda: issuer.running)
    issuer.keys.append(pair_of("ES256"))

    second = asyncio.create_task(keys.find("the-ES256-key"))
    await asyncio.sleep(0)
    issuer.answers.set()

    assert (await first).algorithm == "EdDSA"
    assert (await second).algorithm == "ES256"
    assert len(issuer.asked) == 2


async def test_a_key_that_the_issuer_does_not_list_is_refused(keys: KeySet) -> None:
    with pytest.raises(InvalidCredentials, match="does not list"):
        await keys.find("another")


async def test_a_key_that_the_issuer_no_longer_lists_is_refused(
    keys: KeySet, issuer: Issuer, clock: Clock
) -> None:
    await keys.find("the-EdDSA-key")
    issuer.keys = [pair_of("ES256")]
    clock.ahead += 301

    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"  # which starts a fetch in the background
    await until(lambda: len(issuer.asked) == 2 and not issuer.running)

    assert await outcome(keys, "the-EdDSA-key") == "InvalidCredentials"


@pytest.mark.parametrize("key_id", [None, 5, True, ["a"], {}, b"a"], ids=repr)
async def test_a_key_id_that_is_not_a_string_costs_no_fetch(keys: KeySet, issuer: Issuer, key_id: object) -> None:
    with pytest.raises(InvalidCredentials, match="no key id"):
        await keys.find(key_id)

    assert not issuer.asked


async def test_many_requests_for_a_known_key_cost_one_fetch(keys: KeySet, issuer: Issuer) -> None:
    found = await asyncio.gather(*(outcome(keys, "the-EdDSA-key") for _ in range(200)))

    assert set(found) == {"EdDSA"}
    assert len(issuer.asked) == 1


async def test_a_flood_of_unknown_key_ids_costs_a_bounded_number_of_fetches(keys: KeySet, issuer: Issuer) -> None:
    began = time.monotonic()

    async def keep_asking(number: int) -> set[str]:
        found = set()
        while time.monotonic() < began + 10 * COOLDOWN:
            found.add(await outcome(keys, f"unknown-{number}-{time.monotonic()}"))
        return found

    found = await asyncio.gather(*(keep_asking(number) for number in range(200)))

    assert set().union(*found) == {"InvalidCredentials"}
    assert_bounded(issuer, time.monotonic() - began)


async def test_a_flood_costs_no_more_while_the_issuer_fails(keys: KeySet, issuer: Issuer) -> None:
    issuer.failure = KeySourceUnavailable("down")
    began = time.monotonic()

    for _ in range(5):
        found = await asyncio.gather(*(outcome(keys, f"unknown-{number}") for number in range(100)))
        assert set(found) == {"KeySourceUnavailable"}

    assert_bounded(issuer, time.monotonic() - began)


def assert_bounded(issuer: Issuer, seconds: float) -> None:
    """One fetch at a time, and one in each cooldown."""
    assert issuer.most_running == 1
    assert all(
        later - earlier >= COOLDOWN * 0.95 for earlier, later in zip(issuer.asked, issuer.asked[1:], strict=False)
    )
    assert len(issuer.asked) <= seconds / COOLDOWN + 1


async def test_a_request_that_is_cancelled_does_not_cancel_the_fetch_of_the_others(
    keys: KeySet, issuer: Issuer
) -> None:
    issuer.answers.clear()
    waiting = [asyncio.create_task(keys.find("the-EdDSA-key")) for _ in range(3)]
    await until(lambda: issuer.running)

    waiting[0].cancel()
    await asyncio.sleep(0)
    issuer.answers.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert all(not isinstance(key, BaseException) for key in found[1:])
    assert len(issuer.asked) == 1


# An issuer that is down


async def test_known_keys_keep_working_while_the_issuer_is_down(
    keys: KeySet, issuer: Issuer, clock: Clock
) -> None:
    await keys.find("the-EdDSA-key")
    issuer.failure = KeySourceUnavailable("down")

    clock.ahead += 3590
    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"
    assert await outcome(keys, "unknown") == "KeySourceUnavailable"
    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"

    clock.ahead += 20
    assert await outcome(keys, "the-EdDSA-key") == "KeySourceUnavailable"

    issuer.failure = None
    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"


async def test_known_keys_are_refreshed_in_the_background(keys: KeySet, issuer: Issuer, clock: Clock) -> None:
    """No request waits for it, however long the issuer takes."""
    await keys.find("the-EdDSA-key")
    issuer.answers.clear()

    clock.ahead += 299
    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"
    await asyncio.sleep(2 * COOLDOWN)
    assert len(issuer.asked) == 1

    clock.ahead += 2
    assert [await outcome(keys, "the-EdDSA-key") for _ in range(50)] == ["EdDSA"] * 50
    await until(lambda: issuer.running)
    assert [await outcome(keys, "the-EdDSA-key") for _ in range(50)] == ["EdDSA"] * 50
    assert len(issuer.asked) == 2
    await keys.close()


@pytest.mark.parametrize(
    "failure",
    [
        KeySourceUnavailable("down"),
        OSError("refused"),
        ValueError("no JSON"),
        TimeoutError(),
        RuntimeError("closed"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_any_exception_of_a_fetch_makes_the_keys_unavailable(
    keys: KeySet, issuer: Issuer, failure: Exception
) -> None:
    issuer.failure = failure

    with pytest.raises(KeySourceUnavailable, match=str(failure) or type(failure).__name__):
        await keys.find("the-EdDSA-key")
    with pytest.raises(KeySourceUnavailable):
        await keys.check()

    issuer.failure = None
    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"
    await keys.check()


async def test_no_request_waits_longer_than_the_timeout(keys: KeySet, issuer: Issuer) -> None:
    issuer.answers.clear()
    began = time.monotonic()

    found = await asyncio.gather(*(outcome(keys, f"unknown-{number}") for number in range(20)))

    assert set(found) == {"KeySourceUnavailable"}
    assert FETCH_TIMEOUT * 0.95 <= time.monotonic() - began < FETCH_TIMEOUT + 1


async def test_a_fetch_that_never_ends_times_out(keys: KeySet, issuer: Issuer) -> None:
    """Otherwise all later requests would wait for it forever."""
    issuer.answers.clear()
    assert await outcome(keys, "the-EdDSA-key") == "KeySourceUnavailable"
    await until(lambda: not issuer.running)

    issuer.answers.set()

    assert await outcome(keys, "the-EdDSA-key") == "EdDSA"


async def test_failures_do_not_pile_up_in_memory(keys: KeySet, issuer: Issuer) -> None:
    """Raising the same exception again extends its traceback, which keeps its frames' objects alive."""
    issuer.failure = KeySourceUnavailable("down")
    raised = []

    for _ in range(3):
        with pytest.raises(KeySourceUnavailable) as refusal:
            await keys.find("the-EdDSA-key")
        raised.append(refusal.value)

    assert len(set(map(id, raised))) == 3


# Readiness


async def test_a_set_that_can_be_fetched_is_ready(keys: KeySet, issuer: Issuer) -> None:
    await keys.check()
    await keys.check()

    assert len(issuer.asked) == 1


async def test_an_issuer_without_a_key_yet_is_ready(keys: KeySet, issuer: Issuer) -> None:
    issuer.keys = []

    await keys.check()

    assert await outcome(keys, "the-EdDSA-key") == "InvalidCredentials"


async def test_a_set_is_ready_as_long_as_its_keys_serve(keys: KeySet, issuer: Issuer, clock: Clock) -> None:
    await keys.check()
    issuer.failure = KeySourceUnavailable("down")

    clock.ahead += 3590
    await keys.check()

    clock.ahead += 20
    with pytest.raises(KeySourceUnavailable, match="down"):
        await keys.check()


async def test_an_issuer_that_hangs_is_not_ready(keys: KeySet, issuer: Issuer) -> None:
    issuer.answers.clear()

    with pytest.raises(KeySourceUnavailable, match="too long"):
        await keys.check()


async def test_a_secret_is_always_ready() -> None:
    await Authenticator(Sources(secret=SecretVerifier(SECRET, RULES))).check()


# Shutdown


async def test_waiting_for_a_fetch_ends_when_the_service_stops(keys: KeySet, issuer: Issuer) -> None:
    issuer.answers.clear()
    waiting = asyncio.create_task(outcome(keys, "the-EdDSA-key"))
    await until(lambda: issuer.running)

    await keys.close()

    assert await waiting == "KeySourceUnavailable"
    assert issuer.running == 0
    assert await outcome(keys, "the-EdDSA-key") == "KeySourceUnavailable"
    assert len(issuer.asked) == 1


async def test_a_set_that_was_never_used_can_be_closed(keys: KeySet) -> None:
    await keys.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110 - the fake issuer says nothing when it is asked
            await asyncio.sleep(0.001)


# Which keys


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_kind_of_key_that_better_auth_makes_is_usable(algorithm: str) -> None:
    pair = pair_of(algorithm)

    found = usable([pair.public_jwk])

    assert found[pair.id].algorithm == algorithm
    assert found[pair.id].has_signed(parse(pair.sign(claims_of("ada"))))


@pytest.mark.parametrize(
    ("algorithm", "usual"), [("EdDSA", "EdDSA"), ("ES256", "ES256"), ("ES512", "ES512"), ("RS256", None)]
)
def test_a_key_that_names_no_algorithm_is_for_the_one_of_its_curve(algorithm: str, usual: str | None) -> None:
    """An RSA key could be for two algorithms."""
    jwk = pair_of(algorithm).public_jwk
    del jwk["alg"]

    assert algorithm_of(jwk) == usual
    assert algorithm_of({**jwk, "alg": None}) == usual


def test_the_newer_name_of_eddsa_is_understood() -> None:
    assert algorithm_of({**pair_of("EdDSA").public_jwk, "alg": "Ed25519"}) == "EdDSA"


@pytest.mark.parametrize("members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"key_ops": ["sign", "verify"]}])
def test_a_key_may_say_that_it_is_for_signatures(members: dict[str, object]) -> None:
    assert algorithm_of({**pair_of("ES256").public_jwk, **members}) == "ES256"


def number(value: int, length: int) -> str:
    return urlsafe_b64encode(value.to_bytes(length, "little")).decode().rstrip("=")


def rsa_jwk(bits: int) -> Json:
    return {**jwk_of("RS256", rsa.generate_private_key(65537, bits).public_key()), "alg": "RS256", "kid": "x"}


P = 2**255 - 19
Y_OF_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [
        pytest.param("EdDSA", {"use": "enc"}, id="use: enc"),
        pytest.param("EdDSA", {"use": None}, id="use: null"),
        pytest.param("EdDSA", {"use": ["sig"]}, id="use: list"),
        pytest.param("ES256", {"key_ops": []}, id="no key_ops"),
        pytest.param("ES256", {"key_ops": ["sign"]}, id="key_ops: sign"),
        pytest.param("ES256", {"key_ops": ["deriveKey", "wrapKey"]}, id="key_ops: others"),
        pytest.param("ES256", {"key_ops": "verify"}, id="key_ops: string"),
        pytest.param("ES256", {"key_ops": None}, id="key_ops: null"),
        pytest.param("ES256", {"key_ops": 5}, id="key_ops: number"),
        pytest.param("EdDSA", {"kid": None}, id="kid: null"),
        pytest.param("EdDSA", {"kid": 5}, id="kid: number"),
        pytest.param("EdDSA", {"kid": ["a"]}, id="kid: list"),
        pytest.param("EdDSA", {"crv": "X25519"}, id="X25519"),
        pytest.param("EdDSA", {"crv": "Ed448"}, id="Ed448"),
        pytest.param("EdDSA", {"crv": None}, id="Ed25519 without crv"),
        pytest.param("EdDSA", {"alg": "ES256"}, id="Ed25519 for ES256"),
        pytest.param("EdDSA", {"alg": "HS256"}, id="Ed25519 for HS256"),
        pytest.param("EdDSA", {"kty": "oct", "k": "AAAA"}, id="Ed25519 as oct"),
        pytest.param("EdDSA", {"kty": ["OKP"]}, id="kty: list"),
        pytest.param("EdDSA", {"x": None}, id="x: null"),
        pytest.param("EdDSA", {"x": ""}, id="x: empty"),
        pytest.param("EdDSA", {"x": "AAAAA"}, id="x: no base64"),
        pytest.param("EdDSA", {"x": "é"}, id="x: not ASCII"),
        pytest.param("EdDSA", {"x": number(5, 31)}, id="x: 31 bytes"),
        pytest.param("EdDSA", {"x": number(5, 33)}, id="x: 33 bytes"),
        pytest.param("ES256", {"crv": "P-521"}, id="P-256 as P-521"),
        pytest.param("ES256", {"crv": "P-521", "alg": "ES512"}, id="P-256 as P-521 for ES512"),
        pytest.param("ES512", {"crv": "P-256"}, id="P-521 as P-256"),
        pytest.param("ES512", {"crv": "P-256", "alg": "ES256"}, id="P-521 as P-256 for ES256"),
        pytest.param("ES256", {"alg": "ES512"}, id="P-256 for ES512"),
        pytest.param("ES512", {"alg": "ES256"}, id="P-521 for ES256"),
        pytest.param("ES256", {"crv": "secp256k1"}, id="secp256k1"),
        pytest.param("ES256", {"crv": "secp256k1", "alg": "ES256K"}, id="secp256k1 for ES256K"),
        pytest.param("ES256", {"alg": "ECDH-ES"}, id="P-256 for ECDH-ES"),
        pytest.param("ES256", {"alg": "none"}, id="P-256 for none"),
        pytest.param("ES256", {"y": number(5, 32)}, id="a point off the curve"),
        pytest.param("ES256", {"x": number(0, 32), "y": number(0, 32)}, id="zero"),
        pytest.param("ES256", {"y": None}, id="half a point"),
        pytest.param("RS256", {"alg": "HS256"}, id="RSA for HS256"),
        pytest.param("RS256", {"alg": "RS384"}, id="RSA for RS384"),
        pytest.param("RS256", {"alg": "RSA-OAEP"}, id="RSA for encryption"),
        pytest.param("RS256", {"alg": ["RS256"]}, id="alg: list"),
        pytest.param("RS256", {"crv": "P-256"}, id="RSA with a curve"),
        pytest.param("RS256", {"e": "AQ"}, id="exponent 1"),
        pytest.param("RS256", {"e": "Ag"}, id="exponent 2"),
        pytest.param("RS256", {"e": ""}, id="no exponent"),
        pytest.param("RS256", {"n": 5}, id="n: number"),
        pytest.param("RS256", {"n": "A"}, id="n: no base64"),
    ],
)
def test_a_key_for_another_purpose_or_of_another_kind_is_left_out(
    algorithm: str, changes: dict[str, object]
) -> None:
    other = new_key_pair()

    found = usable([{**pair_of(algorithm).public_jwk, **changes}, other.public_jwk])

    assert found.keys() == {other.id}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_private_key_that_was_published_is_left_out(algorithm: str) -> None:
    """Anybody could sign with it."""
    pair = pair_of(algorithm)

    assert not usable([{**jwk_of(algorithm, pair.private), "alg": algorithm, "kid": pair.id}])


@pytest.mark.parametrize(("bits", "usable_keys"), [(1024, 0), (2047, 0), (2048, 1)])
def test_an_rsa_key_has_at_least_2048_bits(bits: int, usable_keys: int) -> None:
    assert len(usable([rsa_jwk(bits)])) == usable_keys


def test_a_shared_secret_among_the_public_keys_is_left_out() -> None:
    """Anybody who can read the set could sign with it."""
    for algorithm in (None, "HS256", "EdDSA"):
        assert not usable([{"kty": "oct", "k": number(5, 32), "kid": "a", "alg": algorithm}])


@pytest.mark.parametrize("sign_bit", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, Y_OF_ORDER_8, P - Y_OF_ORDER_8])
def test_an_ed25519_key_of_small_order_is_left_out(y: int, sign_bit: int) -> None:
    """With such a key, one signature is valid for almost any message."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a", "x": number(y | sign_bit, 32)}

    assert not usable([jwk])


def test_of_keys_with_the_same_id_none_is_used() -> None:
    one, two = new_key_pair("EdDSA", "same"), new_key_pair("ES256", "same")

    found = usable([one.public_jwk, two.public_jwk, pair_of("EdDSA").public_jwk])

    assert found.keys() == {pair_of("EdDSA").id}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_MEMBERS = {
    "kty": st.sampled_from(["OKP", "EC", "RSA", "oct"]),
    "crv": st.sampled_from(["Ed25519", "P-256", "P-521", "X25519"]),
    "alg": st.sampled_from(["EdDSA", "ES256", "ES512", "RS256", "PS256", "HS256"]),
    "kid": st.text(max_size=2),
    "use": st.just("sig"),
    "key_ops": st.lists(st.sampled_from(["verify", "sign"])),
    "x": st.text(st.sampled_from("AQ_-=+é"), max_size=45),
    "y": st.text(st.sampled_from("AQ_-=+é"), max_size=45),
    "n": st.text(st.sampled_from("AQ_-=+é"), min_size=340, max_size=345),
    "e": st.sampled_from(["AQAB", "AQ", ""]),
    "k": st.text(max_size=5),
    "d": st.text(max_size=5),
}
_KEYS = st.fixed_dictionaries({}, optional={name: value | _JSON for name, value in _MEMBERS.items()})


@given(keys=st.lists(_KEYS | st.dictionaries(st.text(max_size=3), _JSON, max_size=3), max_size=4))
def test_arbitrary_key_sets_yield_only_supported_algorithms(keys: list[dict[str, object]]) -> None:
    for key in usable(keys).values():
        assert key.algorithm in ALGORITHMS


# Rows of the table


async def test_keys_are_read_from_rows() -> None:
    pairs = [pair_of("EdDSA"), pair_of("RS256")]

    listed = await read_rows(*({"id": p.id, "publicKey": json.dumps(p.public_jwk), "alg": None} for p in pairs))

    assert {key_id: key.algorithm for key_id, key in usable(listed).items()} == {
        "the-EdDSA-key": "EdDSA",
        "the-RS256-key": "RS256",
    }


async def test_a_row_names_the_key_and_its_algorithm() -> None:
    """Better Auth stores only the numbers in one column, and their id and algorithm in others."""
    numbers = jwk_of("PS256", pair_of("PS256").private.public_key())

    listed = await read_rows({"id": "row", "publicKey": json.dumps({**numbers, "kid": "no"}), "alg": "PS256"})

    assert usable(listed)["row"].algorithm == "PS256"


@pytest.mark.parametrize(
    "public_key", [None, "", "{", "[]", "null", '"key"', "5", "[" * 100_000], ids=lambda v: str(v)[:9]
)
async def test_a_row_without_a_key_is_skipped(public_key: str | None) -> None:
    good = {"id": "row", "publicKey": json.dumps(pair_of("EdDSA").public_jwk), "alg": None}

    listed = await read_rows({"id": "broken", "publicKey": public_key, "alg": "EdDSA"}, good)

    assert usable(listed).keys() == {"row"}


async def read_rows(*rows: Mapping[str, object]) -> list[JWK]:
    async def fetch(sql: str) -> list[Mapping[str, object]]:
        assert "privateKey" not in sql
        return list(rows)

    return await from_database(fetch)()


# Tokens


def authenticator_of(*pairs: KeyPair, secret: str | None = None) -> Authenticator:
    return Authenticator(
        Sources(
            keys=KeyVerifier(KeySet(Issuer(*pairs).fetch), RULES),
            secret=SecretVerifier(secret, RULES) if secret else None,
        )
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_signed_with_a_listed_key_is_accepted(algorithm: str) -> None:
    pair = pair_of(algorithm)

    principal = await authenticator_of(pair).authenticate("GET", bearer(pair.sign(claims_of("ada"))))

    assert principal.user_id == "ada"


async def test_each_token_goes_to_its_own_source() -> None:
    pair = pair_of("EdDSA")
    authenticator = authenticator_of(pair, secret=SECRET)

    for token in (pair.sign(claims_of("ada")), sign(claims_of("ada"))):
        assert (await authenticator.authenticate("GET", bearer(token))).user_id == "ada"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_another_key_under_a_listed_id_is_refused(algorithm: str) -> None:
    pair = pair_of(algorithm)
    forged = new_key_pair(algorithm, pair.id).sign(claims_of("ada"))

    with pytest.raises(InvalidCredentials, match="wrong signature"):
        await authenticator_of(pair).authenticate("GET", bearer(forged))


@pytest.mark.parametrize(
    ("listed", "signed"),
    [("RS256", "PS256"), ("PS256", "RS256"), ("ES256", "ES512"), ("EdDSA", "ES256"), ("RS256", "EdDSA")],
)
async def test_the_algorithm_is_the_keys_and_not_the_tokens(listed: str, signed: str) -> None:
    pair = pair_of(listed)
    private = pair.private if {listed, signed} == {"RS256", "PS256"} else pair_of(signed).private
    token = KeyPair(signed, pair.id, private).sign(claims_of("ada"))

    with pytest.raises(InvalidCredentials, match="algorithm of the key"):
        await authenticator_of(pair).authenticate("GET", bearer(token))


async def test_a_p256_key_does_not_verify_under_the_header_of_es512() -> None:
    pair = pair_of("ES256")
    token = pair.sign(claims_of("ada"))
    header = urlsafe_b64encode(json.dumps({"alg": "ES512", "kid": pair.id}).encode()).decode().rstrip("=")

    with pytest.raises(InvalidCredentials, match="algorithm of the key"):
        await authenticator_of(pair).authenticate("GET", bearer(".".join([header, *token.split(".")[1:]])))


def encodings_of(pair: KeyPair) -> dict[str, bytes]:
    """Each encoding of a public key that a verifier could mistake for a secret."""
    public = pair.private.public_key()
    encodings = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "SSH": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "JWK": json.dumps(pair.public_jwk).encode(),
        "compact JWK": json.dumps(pair.public_jwk, separators=(",", ":")).encode(),
    }
    encodings["PEM without line break"] = encodings["PEM"].strip()
    for name in ("x", "n"):
        if name in pair.public_jwk:
            encodings["base64url"] = pair.public_jwk[name].encode()
            encodings["number"] = jwt.utils.base64url_decode(pair.public_jwk[name])
    if isinstance(public, rsa.RSAPublicKey):
        encodings["PKCS #1"] = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    if isinstance(public, ec.EllipticCurvePublicKey):
        encodings["point"] = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if pair.algorithm == "EdDSA":
        encodings["raw"] = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return encodings


@pytest.mark.parametrize("name", ["HS256", "key's own"])
@pytest.mark.parametrize("secret", [None, SECRET], ids=["keys alone", "keys and secret"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_public_key_is_no_secret_in_any_encoding(algorithm: str, secret: str | None, name: str) -> None:
    """A verifier that takes the algorithm from the token would check HS256 with a key that is public."""
    pair = pair_of(algorithm)
    authenticator = authenticator_of(pair, secret=secret)
    header = {"alg": algorithm if name == "key's own" else name, "kid": pair.id}

    for key in encodings_of(pair).values():
        with pytest.raises(InvalidCredentials, match=r"not switched on|wrong signature|cannot be checked"):
            await authenticator.authenticate("GET", bearer(forge(claims_of("ada"), header, secret=key)))


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
async def test_a_key_inside_a_token_is_ignored(member: str) -> None:
    stranger = new_key_pair()
    value = {"jwk": stranger.public_jwk, "x5c": ["AAAA"]}.get(member, "https://attacker.example/jwks")

    with pytest.raises(InvalidCredentials, match="header member"):
        await authenticator_of(pair_of("EdDSA")).authenticate(
            "GET", bearer(stranger.sign(claims_of("ada"), **{member: value}))
        )


async def test_an_hs256_token_is_refused_where_only_keys_are_switched_on() -> None:
    with pytest.raises(InvalidCredentials, match="not switched on"):
        await authenticator_of(pair_of("EdDSA")).authenticate("GET", bearer(sign(claims_of("ada"))))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "RS384", "ES256K", "", None, ["EdDSA"], {}], ids=repr)
async def test_an_unsupported_algorithm_costs_no_fetch(algorithm: object) -> None:
    issuer = Issuer(pair_of("EdDSA"))
    authenticator = Authenticator(Sources(keys=KeyVerifier(KeySet(issuer.fetch), RULES)))

    with pytest.raises(InvalidCredentials, match="algorithm"):
        await authenticator.authenticate("GET", bearer(forge(claims_of("ada"), {"alg": algorithm, "kid": "new"})))

    assert not issuer.asked


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 1},
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"sub": "not/a/user/id"},
        {"exp": int(time.time()) + 90_000},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_token_that_any_key_would_refuse_costs_no_fetch(changes: dict[str, object]) -> None:
    """Old clients return with old tokens. While the issuer is down, they should sign in and not wait."""
    issuer = Issuer()
    issuer.failure = KeySourceUnavailable("down")
    authenticator = Authenticator(Sources(keys=KeyVerifier(KeySet(issuer.fetch), RULES)))

    with pytest.raises(InvalidCredentials):
        await authenticator.authenticate("GET", bearer(new_key_pair().sign(claims_of("ada", **changes))))

    assert not issuer.asked


# Arbitrary input

_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from([*ALGORITHMS, "HS256", "none"]) | _JSON,
        "kid": st.sampled_from([f"the-{algorithm}-key" for algorithm in ALGORITHMS]) | _JSON,
        "typ": st.just("JWT") | _JSON,
        "jwk": _JSON,
    },
)
_CLAIMS = st.dictionaries(
    st.sampled_from(["sub", "iat", "exp", "nbf", "iss", "aud", "sid"]), _JSON | st.integers(0, 2**40), max_size=2
)


@given(
    algorithm=st.sampled_from(ALGORITHMS), header=_HEADERS, claims=_CLAIMS, signed=st.booleans(), up=st.booleans()
)
async def test_anything_gives_a_principal_a_refusal_or_an_outage(
    algorithm: str, header: dict[str, object], claims: dict[str, object], signed: bool, up: bool
) -> None:
    pair = pair_of(algorithm)
    issuer = Issuer(*(pair_of(name) for name in ALGORITHMS))
    issuer.failure = None if up else OSError("down")
    authenticator = Authenticator(
        Sources(keys=KeyVerifier(KeySet(issuer.fetch), RULES), secret=SecretVerifier(SECRET, RULES))
    )
    all_claims = {**claims_of("ada"), **claims}
    full_header = {"alg": algorithm, "kid": pair.id, **header}
    token = forge(all_claims, full_header)
    if signed:
        content = token.rpartition(".")[0]
        signature = jwt.get_algorithm_by_name(algorithm).sign(content.encode(), pair.private)
        token = f"{content}.{urlsafe_b64encode(signature).decode().rstrip('=')}"

    try:
        principal = await authenticator.authenticate("GET", bearer(token))
    except (InvalidCredentials, NoCredentials, KeySourceUnavailable):
        return

    assert isinstance(principal, Principal)
    assert principal.user_id == all_claims["sub"]
    if full_header["alg"] != "HS256":
        assert signed
        assert up
        assert (full_header["alg"], full_header["kid"]) == (algorithm, pair.id)
