"""Settings as they come from the environment."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from backend.config import AuthSource, DatabaseSettings, Environment, Settings, origin_of

DATABASE_URL = "postgresql://service:a-pass-phrase@db.example.com/tasks"
SECRET = "Zu7ChuYeer3aing0ohXae9Soh4Eew1ee"  # 32 bytes
REQUIRED = {"DATABASE_URL": DATABASE_URL, "BETTER_AUTH_SECRET": SECRET}

type Load = Callable[..., Settings]


def secret_of(settings: Settings) -> str | None:
    return settings.better_auth_secret.get_secret_value() if settings.better_auth_secret else None


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Settings from these variables, plus a valid value for each other required one."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def load(**variables: str) -> Settings:
        for name, value in {**REQUIRED, **variables}.items():
            monkeypatch.setenv(name, value)
        return Settings(_env_file=None)

    return load


@pytest.fixture
def production(load: Load) -> Load:
    """The same in production, which requires more."""
    return lambda **variables: load(
        **{"ENVIRONMENT": "production", "BETTER_AUTH_URL": "https://app.example.com", **variables}
    )


def test_a_database_and_a_secret_are_enough(load: Load) -> None:
    settings = load()

    assert settings.database_url.get_secret_value() == DATABASE_URL
    assert secret_of(settings) == SECRET


def test_everything_else_has_a_default(load: Load) -> None:
    settings = load()

    assert settings.model_dump(exclude={"database_url", "better_auth_secret"}) == {
        "environment": Environment.DEVELOPMENT,
        "migration_database_url": None,
        "database_pool_size": 10,
        "auth_sources": (),
        "jwt_check_session": False,
        "better_auth_url": "http://localhost:3000",
        "jwt_issuer": "",
        "jwt_audience": "",
        "jwks_url": "",
        "session_require_signature": False,
        "jwt_max_lifetime": timedelta(hours=24),
        "cors_origins": (),
        "max_tasks_per_user": 10_000,
        "api_host": "127.0.0.1",
        "api_port": 8000,
        "log_level": "info",
        "log_format": None,
    }


def test_the_database_may_not_be_missing(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(ValidationError, match="database_url"):
        Settings(_env_file=None)


def test_the_database_may_not_be_empty(load: Load) -> None:
    with pytest.raises(ValidationError, match="database_url"):
        load(DATABASE_URL="")


def test_an_empty_variable_counts_as_unset(load: Load) -> None:
    """Compose files and dashboards pass on variables that nobody has filled in."""
    optional = [name.upper() for name in Settings.model_fields if name.upper() not in REQUIRED]

    settings = load(**dict.fromkeys(optional, ""))

    assert settings.model_fields_set == {"database_url", "better_auth_secret"}


def test_settings_do_not_change(load: Load) -> None:
    settings = load()

    with pytest.raises(ValidationError, match="frozen"):
        settings.api_port = 1  # type: ignore[misc] # as the test says


def test_a_migration_needs_nothing_but_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", DATABASE_URL)

    settings = DatabaseSettings(_env_file=None)

    assert settings.migration_database_url is None


@pytest.mark.parametrize("value", ["prod", "Production", "PRODUCTION", "staging", "0"])
def test_a_misspelt_environment_is_refused(load: Load, value: str) -> None:
    with pytest.raises(ValidationError, match="environment"):
        load(ENVIRONMENT=value)


# The database


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@h/db",
        "postgresql://u:p@h:5432/db?sslmode=require&channel_binding=require",
        "postgresql+asyncpg://u:p@h/db",
        "postgresql://u:p%40ss%2Fw%23r%3Fd%5B%5D@h/db",
        "postgresql://u:!$&'()*+,;=-._~:%25@h/db",
        "postgresql://u@h1:5432,h2:5433/db",
        "postgresql://u:p@[::1]:5432/db",
        "postgresql://role@/db?host=/run/postgresql",
        "postgresql:///db",
    ],
)
def test_a_database_is_named_by_any_postgresql_url(load: Load, name: str, url: str) -> None:
    settings = load(**{name: url})

    value = {"DATABASE_URL": settings.database_url, "MIGRATION_DATABASE_URL": settings.migration_database_url}[
        name
    ]
    assert value is not None
    assert value.get_secret_value() == url


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:p@h/db",
        "sqlite:///tasks.db",
        "postgresql+psycopg://u:p@h/db",
        "POSTGRESQL://u:p@h/db",
        "jdbc:postgresql://h/db",
        "postgresql:/h/db",
        "host=h dbname=db",
        "psql 'postgresql://u:p@h/db'",
        " postgresql://u:p@h/db",
        "h/db",
    ],
)
def test_any_other_database_is_refused(load: Load, name: str, url: str) -> None:
    with pytest.raises(ValidationError, match="must start with"):
        load(**{name: url})


@pytest.mark.parametrize("character", "/?#[]@")
@pytest.mark.parametrize("place", ["hunter{}2", "{}hunter2", "hunter2{}"])
def test_a_character_that_must_be_encoded_is_refused_without_showing_the_password(
    load: Load, character: str, place: str
) -> None:
    """The driver would take half the password for a host name, and log it."""
    url = f"postgresql://u:{place.format(character)}@h/db"

    with pytest.raises(ValidationError, match="percent-encoded") as refusal:
        load(DATABASE_URL=url)

    assert "hunter" not in str(refusal.value)


# The secret


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(SECRET, id="32 bytes"),
        pytest.param("é" * 8 + SECRET[:16], id="32 bytes in 24 characters"),
        pytest.param(SECRET * 30, id="960 bytes"),
    ],
)
def test_a_secret_has_at_least_32_bytes(load: Load, secret: str) -> None:
    assert secret_of(load(BETTER_AUTH_SECRET=secret)) == secret


@pytest.mark.parametrize(
    "secret", ["x", SECRET[:31], "é" + SECRET[:29]], ids=["1 byte", "31 bytes", "31 with an umlaut"]
)
def test_a_shorter_secret_is_refused(load: Load, secret: str) -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes"):
        load(BETTER_AUTH_SECRET=secret)


PLACEHOLDERS = [
    "better-auth-secret-12345678901234567890",
    "better-auth-secret-123456789012345678901234567890",
    "BETTER_AUTH_SECRET_OF_MY_OWN_1234567890",
    "my-super-secret-key-for-signing-tokens!",
    "your-256-bit-secret-goes-here-0123456789",
    "change-me-change-me-change-me-change-me",
    "CHANGEME-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "please_change_this_before_going_to_production",
    "placeholder-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "example-9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "correct-password-battery-staple-0123456789",
    "qwertyqwertyqwertyqwertyqwertyqwerty",
    "a" * 32,
    "ab" * 16,
    "0" * 64,
    "secretsecretsecretsecretsecretsecret",
    "12345678901234567890123456789012",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz012345",
    "zyxwvutsrqponmlkjihgfedcba987654",
    "-" * 32,
]


@pytest.mark.parametrize("secret", PLACEHOLDERS)
def test_production_refuses_a_secret_that_others_could_guess(production: Load, secret: str) -> None:
    with pytest.raises(ValidationError, match="placeholder"):
        production(BETTER_AUTH_SECRET=secret)


@pytest.mark.parametrize("secret", PLACEHOLDERS)
def test_development_accepts_a_guessable_secret(load: Load, secret: str) -> None:
    assert secret_of(load(BETTER_AUTH_SECRET=secret)) == secret


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("q8Vv0m4Jb1nX7yTzEo2cRkWfHs5dLgAuPi6tNwYhKjM=", id="openssl rand -base64 32"),
        pytest.param("9f8e41c2b07a6d3355e0f1c84d7ba2960c8e5f13", id="openssl rand -hex 20"),
        pytest.param("4b3c0e5f9a7d21886c40be57f93a1d02", id="openssl rand -hex 16"),
        pytest.param("83920174652839104756102938475610", id="32 digits"),
    ],
)
def test_production_accepts_a_random_secret(production: Load, secret: str) -> None:
    assert secret_of(production(BETTER_AUTH_SECRET=secret)) == secret


# Where tokens come from


def test_without_a_secret_or_a_url_nobody_could_sign_in(load: Load) -> None:
    with pytest.raises(ValidationError) as refusal:
        load(BETTER_AUTH_SECRET="")

    [error] = refusal.value.errors()
    assert error["msg"] == (
        "Value error, set BETTER_AUTH_SECRET for HS256 tokens, or BETTER_AUTH_URL for those of Better Auth's keys"
    )


@pytest.mark.parametrize(
    ("variables", "sources"),
    [
        pytest.param({}, (AuthSource.SECRET,), id="secret"),
        pytest.param({"BETTER_AUTH_URL": "https://a.example"}, (AuthSource.SECRET,), id="secret and URL"),
        pytest.param(
            {"BETTER_AUTH_URL": "https://a.example", "BETTER_AUTH_SECRET": ""}, (AuthSource.JWKS,), id="URL"
        ),
    ],
)
def test_the_source_is_the_secret_if_there_is_one_and_else_the_keys(
    load: Load, variables: dict[str, str], sources: tuple[AuthSource, ...]
) -> None:
    assert load(**variables).sources == sources


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        pytest.param("secret", (AuthSource.SECRET,), id="secret"),
        pytest.param("jwks", (AuthSource.JWKS,), id="jwks"),
        pytest.param("jwks-database", (AuthSource.JWKS_DATABASE,), id="jwks-database"),
        pytest.param("session", (AuthSource.SESSION,), id="session"),
        pytest.param(" jwks , secret,", (AuthSource.JWKS, AuthSource.SECRET), id="two"),
        pytest.param(
            "session,jwks-database,secret",
            (AuthSource.SESSION, AuthSource.JWKS_DATABASE, AuthSource.SECRET),
            id="three",
        ),
        pytest.param(" , ", (AuthSource.SECRET,), id="none"),
    ],
)
def test_sources_are_chosen_by_name(load: Load, text: str, sources: tuple[AuthSource, ...]) -> None:
    assert load(AUTH_SOURCES=text).sources == sources


@pytest.mark.parametrize("text", ["JWKS", "keys", "jwks_database", "jwks;secret", "secret jwks", "*"])
def test_an_unknown_source_is_refused(load: Load, text: str) -> None:
    with pytest.raises(ValidationError, match="auth_sources"):
        load(AUTH_SOURCES=text)


@pytest.mark.parametrize("text", ["jwks,jwks-database", "jwks-database,secret,jwks"])
def test_keys_come_from_one_place(load: Load, text: str) -> None:
    with pytest.raises(ValidationError, match="one of the two"):
        load(AUTH_SOURCES=text)


@pytest.mark.parametrize("text", ["secret", "session", "jwks,session", "jwks-database,secret"])
def test_sources_that_need_the_secret_are_refused_without_it(load: Load, text: str) -> None:
    with pytest.raises(ValidationError, match="BETTER_AUTH_SECRET must be set"):
        load(AUTH_SOURCES=text, BETTER_AUTH_SECRET="", BETTER_AUTH_URL="https://a.example")


@pytest.mark.parametrize("text", ["jwks", "jwks-database"])
def test_keys_need_no_secret(load: Load, text: str) -> None:
    settings = load(AUTH_SOURCES=text, BETTER_AUTH_SECRET="")

    assert settings.better_auth_secret is None


def test_production_with_keys_needs_no_secret(production: Load) -> None:
    settings = production(BETTER_AUTH_SECRET="")

    assert settings.sources == (AuthSource.JWKS,)
    assert settings.keys_url == "https://app.example.com/api/auth/jwks"


@pytest.mark.parametrize(
    ("url", "keys_url"),
    [
        pytest.param("https://a.example", "https://a.example/api/auth/jwks", id="origin"),
        pytest.param("https://a.example/", "https://a.example/api/auth/jwks", id="trailing slash"),
        pytest.param("http://localhost:3000", "http://localhost:3000/api/auth/jwks", id="port"),
        pytest.param("https://a.example/base", "https://a.example/base/jwks", id="path"),
        pytest.param("https://a.example/base/", "https://a.example/base/jwks", id="path with a slash"),
        pytest.param("https://a.example/api/auth", "https://a.example/api/auth/jwks", id="the usual path"),
        pytest.param("https://a.example/base?x=1#y", "https://a.example/base/jwks", id="query"),
        pytest.param("https://user:word@a.example", "https://a.example/api/auth/jwks", id="user"),
    ],
)
def test_keys_are_where_better_auth_publishes_them(load: Load, url: str, keys_url: str) -> None:
    """A path in Better Auth's URL replaces the default; issuer and audience are still the origin."""
    settings = load(BETTER_AUTH_URL=url)

    assert settings.keys_url == keys_url
    assert settings.issuer == settings.audience == origin_of(url)


def test_the_url_of_the_keys_can_be_set(load: Load) -> None:
    settings = load(BETTER_AUTH_URL="https://a.example", JWKS_URL="http://auth.internal:3000/api/auth/jwks")

    assert settings.keys_url == "http://auth.internal:3000/api/auth/jwks"
    assert settings.issuer == "https://a.example"


@pytest.mark.parametrize("url", ["/api/auth/jwks", "a.example/jwks", "file:///jwks.json", "https://"])
def test_a_jwks_url_that_is_not_a_url_is_refused(load: Load, url: str) -> None:
    with pytest.raises(ValidationError, match="http or https"):
        load(JWKS_URL=url)


# What is never shown


def test_no_secret_is_in_the_representation(load: Load) -> None:
    settings = load(MIGRATION_DATABASE_URL="postgresql://owner:the-owners-own@h/db")

    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert SECRET not in shown
        assert "a-pass-phrase" not in shown
        assert "the-owners-own" not in shown


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"BETTER_AUTH_SECRET": "hunter2"}, id="secret too short"),
        pytest.param({"DATABASE_URL": "mysql://u:hunter2@h/db"}, id="another database"),
        pytest.param({"DATABASE_URL": "postgresql://u:[hunter2]@h/db"}, id="brackets"),
        pytest.param({"MIGRATION_DATABASE_URL": "hunter2"}, id="owner's database"),
        pytest.param({"BETTER_AUTH_SECRET": "hunter2-example-hunter2-example-hunter2"}, id="placeholder"),
        pytest.param({"BETTER_AUTH_SECRET": "hunter2" * 9, "BETTER_AUTH_URL": ""}, id="no URL"),
        pytest.param({"BETTER_AUTH_SECRET": "hunter2" * 9, "API_PORT": "x"}, id="another setting"),
    ],
)
def test_no_secret_is_in_an_error(production: Load, variables: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        production(**variables)

    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)
    assert "a-pass-phrase" not in str(refusal.value)


# Origins


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        pytest.param("https://app.example.com", ("https://app.example.com",), id="one"),
        pytest.param("https://a.example, http://b.example", ("https://a.example", "http://b.example"), id="two"),
        pytest.param(" https://a.example ,, ", ("https://a.example",), id="gaps"),
        pytest.param("https://app.example.com/", ("https://app.example.com",), id="trailing slash"),
        pytest.param("http://localhost:3000", ("http://localhost:3000",), id="port"),
        pytest.param("http://127.0.0.1:3000", ("http://127.0.0.1:3000",), id="address"),
        pytest.param("http://[::1]:3000", ("http://[::1]:3000",), id="IPv6"),
        pytest.param("https://xn--bcher-kva.example", ("https://xn--bcher-kva.example",), id="IDN"),
        pytest.param("http://front_end:3000", ("http://front_end:3000",), id="underscore"),
        pytest.param(" , ", (), id="none"),
    ],
)
def test_origins_are_separated_by_commas(load: Load, text: str, origins: tuple[str, ...]) -> None:
    assert load(CORS_ORIGINS=text).cors_origins == origins


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("text", ["*", "https://*.example.com", "https://app.example.com,*", "http://localhost:*"])
def test_a_wildcard_is_refused_everywhere(production: Load, environment: Environment, text: str) -> None:
    with pytest.raises(ValidationError, match="wildcard"):
        production(ENVIRONMENT=environment, CORS_ORIGINS=text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("https://app.example.com/path", "'https://app.example.com'", id="path"),
        pytest.param("https://app.example.com?x=1", "'https://app.example.com'", id="query"),
        pytest.param("https://app.example.com#x", "'https://app.example.com'", id="fragment"),
        pytest.param("https://user@app.example.com", "'https://app.example.com'", id="user"),
        pytest.param("https://APP.example.com", "'https://app.example.com'", id="upper case"),
        pytest.param("HTTPS://app.example.com", "'https://app.example.com'", id="upper-case scheme"),
        pytest.param("https://app.example.com:443", "'https://app.example.com'", id="default port"),
        pytest.param("http://app.example.com:80", "'http://app.example.com'", id="default port of http"),
        pytest.param("http://app.example.com:0443", "'http://app.example.com:443'", id="leading zero"),
        pytest.param("app.example.com", "http or https", id="no scheme"),
        pytest.param("//app.example.com", "http or https", id="half a scheme"),
        pytest.param("localhost:3000", "http or https", id="host and port"),
        pytest.param("ftp://app.example.com", "http or https", id="another scheme"),
        pytest.param("javascript:alert(1)", "http or https", id="script"),
        pytest.param("null", "http or https", id="null"),
        pytest.param("https://", "http or https", id="no host"),
        pytest.param("https://bücher.example", "ASCII", id="not ASCII"),
        pytest.param("https://a.example https://b.example", "ASCII", id="separated by a space"),
        pytest.param("https://a.example;https://b.example", "ASCII", id="separated by a semicolon"),
        pytest.param("https://app.example.com:99999", "[Pp]ort", id="impossible port"),
        pytest.param("http://[::1", "IPv6", id="broken IPv6"),
    ],
)
def test_what_a_browser_would_not_send_as_an_origin_is_refused(load: Load, text: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        load(CORS_ORIGINS=text)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        pytest.param("https://app.example.com", "https://app.example.com", id="as it is"),
        pytest.param("https://app.example.com/", "https://app.example.com", id="trailing slash"),
        pytest.param("https://app.example.com/api/auth", "https://app.example.com", id="path"),
        pytest.param("https://app.example.com/a?b=c#d", "https://app.example.com", id="query"),
        pytest.param("https://App.Example.COM", "https://app.example.com", id="upper case"),
        pytest.param("HTTPS://app.example.com", "https://app.example.com", id="upper-case scheme"),
        pytest.param("https://app.example.com:443/x", "https://app.example.com", id="default port"),
        pytest.param("http://app.example.com:80", "http://app.example.com", id="default port of http"),
        pytest.param("http://app.example.com:443", "http://app.example.com:443", id="the other default port"),
        pytest.param("https://app.example.com:8443", "https://app.example.com:8443", id="port"),
        pytest.param("https://app.example.com:", "https://app.example.com", id="empty port"),
        pytest.param("http://[2001:DB8::1]:3000/", "http://[2001:db8::1]:3000", id="IPv6"),
        pytest.param("https://user:word@app.example.com/", "https://app.example.com", id="user"),
        pytest.param("  https://app.example.com\n", "https://app.example.com", id="white space around"),
    ],
)
def test_issuer_and_audience_are_the_origin_of_better_auths_url(load: Load, url: str, origin: str) -> None:
    settings = load(BETTER_AUTH_URL=url)

    assert settings.issuer == origin
    assert settings.audience == origin


def test_issuer_and_audience_can_be_set(load: Load) -> None:
    settings = load(JWT_ISSUER="https://issuer.example/path/", JWT_AUDIENCE="tasks")

    assert settings.issuer == "https://issuer.example/path/"
    assert settings.audience == "tasks"


@pytest.mark.parametrize("name", ["JWT_ISSUER", "JWT_AUDIENCE"])
def test_each_can_be_set_alone(load: Load, name: str) -> None:
    settings = load(**{name: "custom"})

    assert {settings.issuer, settings.audience} == {"custom", "http://localhost:3000"}


@pytest.mark.parametrize(
    "url",
    ["app.example.com", "localhost:3000", "ftp://a.example", "https://", "/api/auth", "https://bücher.example"],
)
def test_a_better_auth_url_without_an_origin_is_refused(load: Load, url: str) -> None:
    with pytest.raises(ValidationError, match="http or https"):
        load(BETTER_AUTH_URL=url)


@pytest.mark.parametrize(
    "url", ["http://a b.example", "http://a%2eb.example", "http://<a>", "http://a,b", "http://ä"]
)
def test_a_host_that_browsers_write_differently_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be an http or https URL"):
        origin_of(url)


@pytest.mark.parametrize("variables", [{"BETTER_AUTH_URL": ""}, {"BETTER_AUTH_URL": "", "JWT_ISSUER": "x"}])
def test_production_needs_to_know_better_auths_url(production: Load, variables: dict[str, str]) -> None:
    """The default is anybody's laptop, and tokens for it are not meant for this service."""
    with pytest.raises(ValidationError, match="BETTER_AUTH_URL"):
        production(**variables)


def test_production_with_all_it_needs_is_accepted(production: Load) -> None:
    settings = production()

    assert settings.environment is Environment.PRODUCTION
    assert settings.issuer == "https://app.example.com"


# Durations, numbers and choices


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        pytest.param("1", timedelta(seconds=1), id="a second"),
        pytest.param("900", timedelta(minutes=15), id="seconds"),
        pytest.param("PT15M", timedelta(minutes=15), id="ISO 8601"),
        pytest.param("P7D", timedelta(days=7), id="ISO 8601, days"),
        pytest.param("01:30:00", timedelta(minutes=90), id="clock"),
    ],
)
def test_a_lifetime_is_seconds_or_iso_8601(load: Load, text: str, lifetime: timedelta) -> None:
    assert load(JWT_MAX_LIFETIME=text).jwt_max_lifetime == lifetime


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "-PT1M",
        "PT0S",
        "soon",
        "15m",
        "1e3s",
        "nan",
        "inf",
        "9" * 30,
        "9" * 5000,
        "\N{SUPERSCRIPT TWO}",
        "\N{FULLWIDTH DIGIT NINE}",
    ],
)
def test_any_other_lifetime_is_refused(load: Load, text: str) -> None:
    with pytest.raises(ValidationError, match="jwt_max_lifetime"):
        load(JWT_MAX_LIFETIME=text)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("DATABASE_POOL_SIZE", 1, 200), ("API_PORT", 0, 65535), ("MAX_TASKS_PER_USER", 1, 10**9)],
)
def test_a_number_may_be_at_its_bounds(load: Load, name: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest):
        assert getattr(load(**{name: str(value)}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "201"),
        ("DATABASE_POOL_SIZE", "many"),
        ("API_PORT", "-1"),
        ("API_PORT", "65536"),
        ("API_PORT", "8000.5"),
        ("MAX_TASKS_PER_USER", "0"),
        ("MAX_TASKS_PER_USER", "1000000001"),
        ("MAX_TASKS_PER_USER", "-1"),
        ("LOG_LEVEL", "verbose"),
        ("LOG_LEVEL", "critical"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_beyond_its_bounds_or_choices_a_setting_is_refused(load: Load, name: str, text: str) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        load(**{name: text})


@pytest.mark.parametrize("text", ["debug", "DEBUG", "Warning", "error"])
def test_a_log_level_is_written_in_any_case(load: Load, text: str) -> None:
    assert load(LOG_LEVEL=text).log_level == text.lower()


@pytest.mark.parametrize(
    ("variables", "as_json"),
    [
        ({}, True),
        ({"LOG_FORMAT": "json"}, True),
        ({"LOG_FORMAT": "console"}, False),
        ({"ENVIRONMENT": "development"}, False),
        ({"ENVIRONMENT": "development", "LOG_FORMAT": "json"}, True),
    ],
    ids=str,
)
def test_logs_are_json_in_production_unless_chosen_otherwise(
    production: Load, variables: dict[str, str], as_json: bool
) -> None:
    assert production(**variables).logs_json is as_json
