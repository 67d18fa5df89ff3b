"""Which tokens are accepted. Unless a test says otherwise, they are signed with the right secret."""

import json
import time
from collections.abc import Mapping

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from backend.auth import InvalidCredentials, NoCredentials, Principal
from backend.auth.secret import SecretVerifier
from backend.auth.tokens import CLOCK_SKEW, MAX_TOKEN_BYTES, SUBJECT, Key, parse, verify
from support import ISSUER, SECRET, claims_of, sign
from unit.forging import HS256, RULES, authenticate, encoded, forge

USER = "Kq3zXw0dYb8RtLm5"


def good(**changes: object) -> dict[str, object]:
    return claims_of(USER, **changes)


def without(name: str) -> dict[str, object]:
    return claims_of(USER, **{name: None})


async def test_a_good_token_names_its_user_and_its_expiry() -> None:
    claims = good()

    principal = await authenticate(forge(claims))

    assert principal == Principal(USER, expires_at=float(str(claims["exp"])))


async def test_a_session_that_a_token_names_is_passed_on() -> None:
    principal = await authenticate(forge(good(sid="Zb4kT0qLr9XwYv2n")))

    assert principal.session_id == "Zb4kT0qLr9XwYv2n"


async def test_a_token_as_better_auth_signs_it_is_accepted() -> None:
    user = {"name": "Ada", "email": "ada@example.com", "emailVerified": True, "image": None}

    principal = await authenticate(forge(good(**user), {"typ": "JWT", "alg": "HS256"}))

    assert principal.user_id == USER


async def test_a_token_signed_by_pyjwt_is_accepted() -> None:
    principal = await authenticate(sign(good(), headers={"kid": "any"}))

    assert principal.user_id == USER


# The signature and its algorithm


@pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param("none", id="none"),
        pytest.param("None", id="None"),
        pytest.param("NONE", id="NONE"),
        pytest.param("", id="empty"),
        pytest.param("hs256", id="lower case"),
        pytest.param("HS256 ", id="trailing space"),
        pytest.param("HS384", id="HS384"),
        pytest.param("HS512", id="HS512"),
        pytest.param("RS256", id="RS256"),
        pytest.param("ES256", id="ES256"),
        pytest.param("PS256", id="PS256"),
        pytest.param("EdDSA", id="EdDSA"),
        pytest.param("dir", id="an encryption's"),
        pytest.param(["HS256"], id="list"),
        pytest.param(["none", "HS256"], id="list with none"),
        pytest.param({"HS256": True}, id="object"),
        pytest.param(None, id="null"),
        pytest.param(True, id="true"),
        pytest.param(256, id="number"),
    ],
)
async def test_an_algorithm_other_than_the_keys_is_refused(algorithm: object) -> None:
    """The signature is a valid HS256 signature, so only the name is wrong."""
    await assert_refused_for_its_algorithm(forge(good(), {"alg": algorithm}))


async def test_a_token_that_names_no_algorithm_is_refused() -> None:
    await assert_refused_for_its_algorithm(forge(good(), {"typ": "JWT"}))


async def assert_refused_for_its_algorithm(token: str) -> None:
    """By the authenticator that chooses the verifier, and by the verifier itself."""
    with pytest.raises(InvalidCredentials, match="not switched on"):
        await authenticate(token)
    with pytest.raises(InvalidCredentials, match="not signed with the algorithm of the key"):
        await SecretVerifier(SECRET, RULES).verify(parse(token))


@pytest.mark.parametrize("signature", ["", "AA"], ids=["empty", "any"])
async def test_an_unsigned_token_is_refused(signature: str) -> None:
    token = f"{encoded({'alg': 'none'})}.{encoded(good())}.{signature}"

    with pytest.raises(InvalidCredentials):
        await authenticate(token)


@pytest.mark.parametrize(("algorithm", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
async def test_a_longer_hash_with_the_same_secret_is_refused(algorithm: str, digest: str) -> None:
    await assert_refused_for_its_algorithm(forge(good(), {"alg": algorithm}, digest=digest))


async def test_a_longer_hash_under_the_name_hs256_is_refused() -> None:
    token = forge(good(), digest="sha512")

    with pytest.raises(InvalidCredentials, match="wrong signature"):
        await authenticate(token)


async def test_a_token_signed_with_a_private_key_is_refused() -> None:
    rsa_token = jwt.encode(good(), rsa.generate_private_key(65537, 2048), "RS256")
    eddsa_token = jwt.encode(good(), Ed25519PrivateKey.generate(), "EdDSA")

    for token in (rsa_token, eddsa_token):
        await assert_refused_for_its_algorithm(token)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("", id="empty"),
        pytest.param("another-secret-of-more-than-32-characters", id="another"),
        pytest.param(SECRET + "0", id="one character longer"),
        pytest.param(SECRET[:-1], id="one character shorter"),
        pytest.param(SECRET.upper(), id="another case"),
    ],
)
async def test_another_secret_is_refused(secret: str) -> None:
    token = forge(good(), secret=secret)

    with pytest.raises(InvalidCredentials, match="wrong signature"):
        await authenticate(token)


async def test_claims_of_one_token_with_the_signature_of_another_are_refused() -> None:
    header, _, signature = forge(good()).split(".")
    token = f"{header}.{encoded(claims_of('somebody-else'))}.{signature}"

    with pytest.raises(InvalidCredentials, match="wrong signature"):
        await authenticate(token)


def test_a_secret_of_fewer_than_32_bytes_verifies_nothing() -> None:
    """Settings already refuse such a secret; this is the second line of defence."""
    with pytest.raises(jwt.InvalidKeyError, match="32 bytes"):
        SecretVerifier(SECRET[:31], RULES)


async def test_a_secret_is_its_utf8_bytes() -> None:
    secret = "ключ-" * 8
    verifier = SecretVerifier(secret, RULES)

    principal = await verifier.verify(parse(forge(good(), secret=secret)))

    assert principal.user_id == USER


# The form


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("a", id="one part"),
        pytest.param("..", id="three empty parts"),
        pytest.param(f"{encoded(HS256)}.{encoded(good())}", id="two parts"),
        pytest.param(f"{encoded(HS256)}..{encoded('x')}", id="no claims"),
        pytest.param(f".{encoded(good())}.{encoded('x')}", id="no header"),
        pytest.param(forge(good()) + ".", id="fourth part, empty"),
        pytest.param(forge(good()) + ".AA", id="fourth part"),
        pytest.param("." + forge(good()), id="leading dot"),
        pytest.param(forge(good(), {"alg": "dir", "enc": "A256GCM"}) + ".AA.AA", id="five parts, as in JWE"),
    ],
)
async def test_anything_but_three_parts_is_refused(token: str) -> None:
    with pytest.raises(InvalidCredentials, match="three parts"):
        await authenticate(token)


@pytest.mark.parametrize("character", ["=", "==", "+", "/", "~", "%3D", "é", "\N{NO-BREAK SPACE}", "\0"])
@pytest.mark.parametrize("place", [0, 1, 2], ids=["header", "claims", "signature"])
async def test_any_character_outside_the_base64url_alphabet_is_refused(character: str, place: int) -> None:
    """Decoders that skip such characters would accept many spellings of one token."""
    parts = forge(good()).split(".")
    parts[place] += character

    with pytest.raises(InvalidCredentials, match="base64url"):
        await authenticate(".".join(parts))


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r\n", "\v", "\x1c", "\x85"], ids=repr)
async def test_white_space_within_a_token_is_refused(space: str) -> None:
    header, claims, signature = forge(good()).split(".")

    with pytest.raises(InvalidCredentials, match="base64url"):
        await authenticate(f"{header}.{space}{claims}.{signature}")


async def test_a_part_of_impossible_length_is_refused() -> None:
    """No number of bytes encodes to a single character of base64."""
    header, _, signature = forge(good()).split(".")

    with pytest.raises(InvalidCredentials, match="not base64url"):
        await authenticate(f"{header}.A.{signature}")


def token_of_length(length: int) -> str:
    """A good token of this length, filled up with insignificant white space in its JSON."""
    header = '{"alg":"HS256"}'
    room = length - len(forge("", header))
    return forge(json.dumps(good()).ljust(room * 3 // 4), header)


@pytest.mark.parametrize("length", [8191, 8192])
async def test_a_token_of_up_to_8_kib_is_accepted(length: int) -> None:
    token = token_of_length(length)
    assert len(token) == length

    principal = await authenticate(token)

    assert principal.user_id == USER


async def test_a_longer_token_is_refused() -> None:
    token = token_of_length(8193)
    assert len(token) == MAX_TOKEN_BYTES + 1

    with pytest.raises(InvalidCredentials, match="too long"):
        await authenticate(token)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"", id="empty"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="list"),
        pytest.param('"HS256"', id="string"),
        pytest.param("1", id="number"),
        pytest.param("{", id="half"),
        pytest.param("{'alg': 'HS256'}", id="Python"),
        pytest.param('{"alg": "HS256"} {}', id="two objects"),
        pytest.param(b"\xff\xfe\xff", id="no text"),
        pytest.param('\N{ZERO WIDTH NO-BREAK SPACE}{"alg": "HS256"}', id="byte order mark"),
        pytest.param('{"alg": "HS256"}'.encode("utf-16-le"), id="UTF-16"),
        pytest.param('{"alg": "HS256"}'.encode("utf-32-be"), id="UTF-32"),
        pytest.param(b'{"alg": "HS256", "kid": "\xed\xa0\x80"}', id="half a surrogate pair"),
        pytest.param(b'{"alg": "HS256", "kid": "\xc0\xaf"}', id="overlong UTF-8"),
    ],
)
@pytest.mark.parametrize("place", ["header", "claims"])
async def test_a_part_that_is_not_a_json_object_in_utf8_is_refused(part: str | bytes, place: str) -> None:
    token = forge(good(), part) if place == "header" else forge(part)

    with pytest.raises(InvalidCredentials, match=r"JSON|three parts"):
        await authenticate(token)


@pytest.mark.parametrize(
    "claims", ["[" * 5000, '{"a":' * 1200, '{"sub":' + "[" * 5000], ids=["list", "object", "sub"]
)
async def test_json_nested_too_deeply_is_refused(claims: str) -> None:
    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge(claims))


async def test_json_nested_beyond_what_python_reads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """That depth depends on the platform; on some it fits into 8 KiB."""
    monkeypatch.setattr("backend.auth.tokens.MAX_TOKEN_BYTES", 1_000_000)

    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge("[" * 100_000))


async def test_a_number_longer_than_python_reads_is_refused() -> None:
    claims = json.dumps(good()).replace("}", f', "n": {"1" * 4301}}}')

    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge(claims))


@pytest.mark.parametrize("name", ["sub", "exp", "iat", "iss", "aud", "email"])
async def test_a_duplicate_claim_is_refused(name: str) -> None:
    """The first and the last could name different users."""
    claims = json.dumps(good(email="ada@example.com"))
    value = json.dumps(json.loads(claims)[name])

    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge(f'{claims[:-1]}, "{name}": {value}}}'))


@pytest.mark.parametrize("header", ['{"alg":"none","alg":"HS256"}', '{"alg":"HS256","alg":"HS256"}'])
async def test_a_duplicate_header_member_is_refused(header: str) -> None:
    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge(good(), header))


async def test_a_duplicate_nested_member_is_refused() -> None:
    claims = json.dumps(good()).replace("}", ', "user": {"id": "a", "id": "b"}}')

    with pytest.raises(InvalidCredentials, match="not JSON"):
        await authenticate(forge(claims))


# The header


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"crit": ["exp"]}, id="crit"),
        pytest.param({"crit": []}, id="crit, empty"),
        pytest.param({"crit": ["b64"], "b64": True}, id="crit that the library knows"),
        pytest.param({"b64": True}, id="b64"),
        pytest.param({"b64": False}, id="b64 false"),
        pytest.param({"jwk": {"kty": "oct", "k": "AAAA"}}, id="jwk"),
        pytest.param({"jku": "https://attacker.example/jwks"}, id="jku"),
        pytest.param({"x5u": "https://attacker.example/cert"}, id="x5u"),
        pytest.param({"x5c": []}, id="x5c"),
        pytest.param({"x5t": "AA"}, id="x5t"),
        pytest.param({"zip": "DEF"}, id="zip"),
        pytest.param({"enc": "A256GCM"}, id="enc"),
        pytest.param({"cty": "JWT"}, id="cty"),
        pytest.param({"ALG": "none"}, id="another case"),
        pytest.param({"": ""}, id="nameless"),
    ],
)
async def test_a_header_member_that_changes_the_meaning_is_refused(members: dict[str, object]) -> None:
    token = forge(good(), {**HS256, **members})

    with pytest.raises(InvalidCredentials, match="header member"):
        await authenticate(token)


@pytest.mark.parametrize("kid", [None, 5, True, ["a"], {}], ids=repr)
async def test_a_key_id_that_is_not_a_string_is_refused(kid: object) -> None:
    with pytest.raises(InvalidCredentials, match="kid"):
        await authenticate(forge(good(), {**HS256, "kid": kid}))


@pytest.mark.parametrize(
    "kind",
    [
        "at+jwt",
        "better-auth.session-cache+jwt",
        "jwt",
        "JWT ",
        "JOSE",
        "application/jwt",
        "",
        5,
        None,
        True,
        ["JWT"],
    ],
    ids=repr,
)
async def test_another_type_of_token_is_refused(kind: object) -> None:
    """Better Auth signs tokens for other purposes with the same keys, each with its own type."""
    with pytest.raises(InvalidCredentials, match="type"):
        await authenticate(forge(good(), {**HS256, "typ": kind}))


# Other things that Better Auth signs with this secret


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"email": "ada@example.com"}, id="email verification"),
        pytest.param({"email": "ada@example.com", "userId": USER}, id="change of email"),
        pytest.param(
            {"session": {"userId": USER}, "user": {"id": USER}, "updatedAt": 1_767_225_600_000, "version": "1"},
            id="cookie cache",
        ),
        pytest.param({"sub": USER, "iss": ISSUER, "aud": "better-auth:session-cache"}, id="session cache"),
        pytest.param(
            {"sub": USER, "iss": f"{ISSUER}/api/auth", "aud": ISSUER, "scope": "openid"}, id="OAuth access token"
        ),
        pytest.param({"sub": USER, "iss": f"{ISSUER}/api/auth", "aud": "client-id"}, id="id token"),
    ],
)
async def test_what_was_signed_for_another_purpose_is_refused(claims: dict[str, object]) -> None:
    now = int(time.time())

    with pytest.raises(InvalidCredentials, match=r"no (iss|sub|aud)|audience|issuer"):
        await authenticate(forge({**claims, "iat": now, "exp": now + 300}, {"typ": "JWT", "alg": "HS256"}))


# Issuer and audience


@pytest.mark.parametrize("name", ["sub", "exp", "iat", "iss", "aud"])
@pytest.mark.parametrize("how", ["missing", "null"])
async def test_a_token_without_a_necessary_claim_is_refused(name: str, how: str) -> None:
    claims = without(name) if how == "missing" else {**good(), name: None}

    with pytest.raises(InvalidCredentials, match=f"no {name}"):
        await authenticate(forge(claims))


@pytest.mark.parametrize("name", ["iss", "aud"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://elsewhere.example",
        f"{ISSUER}/",
        f"{ISSUER}/api/auth",
        ISSUER.upper(),
        ISSUER[:-1],
        f" {ISSUER}",
        f"{ISSUER}\0",
        5,
        True,
        [],
        {},
        {ISSUER: True},
    ],
    ids=repr,
)
async def test_another_issuer_or_audience_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidCredentials, match=r"another (issuer|audience)"):
        await authenticate(forge(good(**{name: value})))


async def test_a_list_with_our_audience_is_accepted() -> None:
    principal = await authenticate(forge(good(aud=["https://elsewhere.example", ISSUER])))

    assert principal.user_id == USER


@pytest.mark.parametrize(
    "audience",
    [["https://elsewhere.example"], [[ISSUER]], [ISSUER, 5], [None]],
    ids=["others", "nested", "mixed", "null"],
)
async def test_a_list_without_our_audience_or_of_other_things_is_refused(audience: list[object]) -> None:
    with pytest.raises(InvalidCredentials, match="another audience"):
        await authenticate(forge(good(aud=audience)))


async def test_a_list_of_issuers_is_refused() -> None:
    with pytest.raises(InvalidCredentials, match="another issuer"):
        await authenticate(forge(good(iss=[ISSUER])))


# Times


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("soon", id="word"),
        pytest.param(str(int(time.time())), id="number as a string"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(float("inf"), id="Infinity"),
        pytest.param(float("-inf"), id="-Infinity"),
        pytest.param(1e30, id="1e30"),
        pytest.param(10**30, id="10**30"),
        pytest.param(int("1" * 4000), id="4,000 digits"),
        pytest.param(2**53 + 1, id="inexact"),
        pytest.param(-1, id="negative"),
        pytest.param(-(10**12), id="far in the past"),
        pytest.param([int(time.time())], id="list"),
        pytest.param({}, id="object"),
    ],
)
async def test_what_is_not_a_time_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidCredentials):
        await authenticate(forge(good(**{name: value})))


async def test_an_expiry_too_large_for_a_float_is_refused() -> None:
    """Converting an integer of that size to a float overflows."""
    with pytest.raises(InvalidCredentials, match="exp is not a time"):
        await authenticate(forge(good(iat=time.time() - 0.5, exp=10**400)))


async def test_a_null_not_before_is_refused() -> None:
    with pytest.raises(InvalidCredentials):
        await authenticate(forge({**good(), "nbf": None}))


async def test_a_time_may_have_a_fraction() -> None:
    now = time.time()

    principal = await authenticate(forge(good(iat=now - 0.5, exp=now + 60.25)))

    assert principal.expires_at == now + 60.25


async def test_a_token_that_expired_a_second_ago_is_refused() -> None:
    """The leeway for clock skew does not extend a token's lifetime."""
    now = time.time()

    with pytest.raises(InvalidCredentials, match="expired"):
        await authenticate(forge(good(iat=now - 60, exp=now - 1)))


@pytest.mark.parametrize(("seconds_left", "accepted"), [(0.001, True), (0, False), (-0.001, False)])
def test_a_token_is_good_until_the_moment_it_expires(seconds_left: float, accepted: bool) -> None:
    claims = good()
    now = float(str(claims["exp"])) - seconds_left
    key = Key("HS256", SECRET.encode())

    if accepted:
        assert verify(parse(forge(claims)), key, RULES, now).user_id == USER
    else:
        with pytest.raises(InvalidCredentials, match="expired"):
            verify(parse(forge(claims)), key, RULES, now)


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_from_a_clock_a_little_ahead_is_accepted(name: str) -> None:
    soon = time.time() + CLOCK_SKEW.total_seconds() - 5

    principal = await authenticate(forge(good(**{name: soon})))

    assert principal.user_id == USER


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_a_token_from_the_future_is_refused(name: str) -> None:
    later = time.time() + CLOCK_SKEW.total_seconds() + 5

    with pytest.raises(InvalidCredentials, match="not yet valid"):
        await authenticate(forge(good(**{name: later})))


async def test_a_token_issued_in_the_future_is_refused_whenever_it_begins() -> None:
    now = time.time()

    with pytest.raises(InvalidCredentials, match="not yet valid"):
        await authenticate(forge(good(iat=now + CLOCK_SKEW.total_seconds() + 5, nbf=now)))


async def test_a_token_of_the_longest_lifetime_is_accepted() -> None:
    now = int(time.time())

    principal = await authenticate(forge(good(iat=now, exp=now + 24 * 60 * 60)))

    assert principal.user_id == USER


@pytest.mark.parametrize("excess", [0.001, 1, 10**9])
async def test_a_token_that_lives_longer_is_refused(excess: float) -> None:
    now = int(time.time())

    with pytest.raises(InvalidCredentials, match="lives too long"):
        await authenticate(forge(good(iat=now, exp=now + 24 * 60 * 60 + excess)))


@pytest.mark.parametrize("lifetime", [0, -1])
async def test_a_token_that_ends_before_it_begins_is_refused(lifetime: int) -> None:
    """Its times are slightly ahead, as with clock skew, so it has not expired yet."""
    begin = int(time.time()) + 10

    with pytest.raises(InvalidCredentials, match="ends before it begins"):
        await authenticate(forge(good(iat=begin, exp=begin + lifetime)))


# The subject


@pytest.mark.parametrize("subject", ["a", "0", "-", "_", "a" * 128, "3fa85f64-5717-4562-b3fc-2c963f66afa6"])
async def test_a_user_id_is_accepted(subject: str) -> None:
    principal = await authenticate(forge(good(sub=subject)))

    assert principal.user_id == subject


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(f" {USER}", id="leading space"),
        pytest.param(f"{USER}\n", id="trailing line break"),
        pytest.param(f"{USER}\0", id="NUL"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(f"{USER}\N{ZERO WIDTH SPACE}", id="zero width space"),
        pytest.param(f"{USER}\N{RIGHT-TO-LEFT OVERRIDE}", id="right-to-left override"),
        pytest.param("\N{CYRILLIC SMALL LETTER A}dmin", id="look-alike"),
        pytest.param("\N{FULLWIDTH DIGIT ONE}", id="full-width digit"),
        pytest.param("a" * 129, id="129 characters"),
        pytest.param("a" * 5000, id="5,000 characters"),
        pytest.param("..", id="dots"),
        pytest.param("a/b", id="slash"),
        pytest.param("a.b", id="dot"),
        pytest.param("a%2Fb", id="percent"),
        pytest.param("ada@example.com", id="address"),
        pytest.param("' OR true --", id="SQL"),
        pytest.param("*", id="star"),
        pytest.param(5, id="number"),
        pytest.param(True, id="true"),
        pytest.param([USER], id="list"),
        pytest.param({"id": USER}, id="object"),
    ],
)
async def test_what_is_not_a_user_id_is_refused(subject: object) -> None:
    with pytest.raises(InvalidCredentials, match="sub"):
        await authenticate(forge(good(sub=subject)))


# Arbitrary input


@pytest.mark.parametrize("error", [TypeError, KeyError, OverflowError, RecursionError, MemoryError])
async def test_any_exception_of_the_library_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def has_signed(*_: object) -> None:
        raise error

    monkeypatch.setattr(Key, "has_signed", has_signed)

    with pytest.raises(InvalidCredentials, match=error.__name__):
        await authenticate(forge(good()))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_TIMES = st.integers(-100_000, 100_000).map(lambda seconds: int(time.time()) + seconds)


def _changes(**values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Only a few members, so that many of the tokens they are put into stay within the rules."""
    members = [st.tuples(st.just(name), value | _JSON) for name, value in values.items()]
    return st.lists(st.one_of(members), max_size=3).map(dict)


_HEADERS = _changes(alg=st.just("HS256"), typ=st.just("JWT"), kid=st.text(max_size=5), crit=_JSON, zip=_JSON)
_CLAIMS = _changes(
    sub=st.text(st.sampled_from("aZ0_-. /\0"), max_size=4),
    iat=_TIMES,
    exp=_TIMES,
    nbf=_TIMES,
    iss=st.just(ISSUER),
    aud=st.lists(st.just(ISSUER) | st.text(max_size=3), max_size=2),
    jti=_JSON,
    email=_JSON,
)


async def principal_or_none(token: str) -> Principal | None:
    """Any exception other than these two would be a failure of the service, not of the token."""
    try:
        return await authenticate(token)
    except (InvalidCredentials, NoCredentials):
        return None


def is_time(value: object) -> bool:
    return type(value) in {int, float}


def assert_may_be_trusted(header: Mapping[str, object], claims: Mapping[str, object]) -> None:
    """The rules once more, written differently than in the code."""
    issued, expires, begins = claims["iat"], claims["exp"], claims.get("nbf", 0)
    assert isinstance(issued, int | float)
    assert isinstance(expires, int | float)
    assert isinstance(begins, int | float)
    assert all(map(is_time, (issued, expires, begins)))
    assert time.time() - 1 < expires <= issued + 86_400
    assert 0 <= issued < expires
    assert max(issued, begins) < time.time() + 31
    assert claims["iss"] == ISSUER
    assert claims["aud"] == ISSUER or ISSUER in list(claims["aud"])  # type: ignore[call-overload] # a list, or a failure
    assert isinstance(claims["sub"], str)
    assert SUBJECT.fullmatch(claims["sub"])
    assert header["alg"] == "HS256"
    assert header.get("typ", "JWT") == "JWT"
    assert set(header) <= {"alg", "typ", "kid"}


@given(changes=_CLAIMS)
async def test_only_claims_within_the_rules_are_trusted(changes: dict[str, object]) -> None:
    claims = {**good(), **changes}

    principal = await principal_or_none(forge(claims))

    if principal:
        assert_may_be_trusted(HS256, claims)
        assert (principal.user_id, principal.expires_at) == (claims["sub"], claims["exp"])


@given(changes=_HEADERS)
async def test_only_headers_within_the_rules_are_trusted(changes: dict[str, object]) -> None:
    claims, header = good(), {**HS256, **changes}

    principal = await principal_or_none(forge(claims, header))

    if principal:
        assert_may_be_trusted(header, claims)


@given(
    header=_JSON.map(json.dumps) | st.binary(max_size=50), claims=_JSON.map(json.dumps) | st.binary(max_size=50)
)
async def test_arbitrary_bytes_instead_of_json_are_refused(header: str | bytes, claims: str | bytes) -> None:
    assert await principal_or_none(forge(claims, header)) is None
    assert await principal_or_none(forge(claims)) is None
    assert await principal_or_none(forge(good(), header)) is None


@given(
    token=st.text(st.sampled_from("eyJhbGciOi.=-_+/ \0é"), max_size=60) | st.text(st.characters(max_codepoint=255))
)
async def test_arbitrary_text_instead_of_a_token_is_refused(token: str) -> None:
    assert await principal_or_none(token) is None


@given(place=st.integers(0, 400), character=st.characters(codec="ascii"))
async def test_a_good_token_with_one_character_changed_is_refused(place: int, character: str) -> None:
    """Except the last character, whose lowest bits are not part of the signature."""
    token = forge(good())
    place %= len(token) - 1
    changed = token[:place] + character + token[place + 1 :]

    principal = await principal_or_none(changed)

    assert principal is None or changed == token


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("not-this.not-that.not-!", id="form"),
        pytest.param(forge(good(), secret="another-secret-of-more-than-32-characters"), id="signature"),
        pytest.param(forge(good(sub="not/a/user/id")), id="subject"),
        pytest.param(forge(good(iss="https://elsewhere.example")), id="issuer"),
        pytest.param(forge(good(exp="not-a-time")), id="time"),
        pytest.param(forge(good(), {"alg": "not-an-algorithm"}), id="algorithm"),
        pytest.param(forge(good(), {**HS256, "typ": "not-our-type"}), id="type"),
        pytest.param(forge(good(), {**HS256, "not-a-member": ""}), id="header"),
        pytest.param(forge('{"not-json": not-json}'), id="JSON"),
    ],
)
async def test_a_refusal_never_repeats_what_was_refused(token: str) -> None:
    """The message goes to the log, which must not contain tokens."""
    with pytest.raises(InvalidCredentials) as refusal:
        await authenticate(token)

    message = str(refusal.value)
    assert not any(part in message for part in token.split("."))
    assert not any(word in message for word in ("not-", "not/", "elsewhere"))
