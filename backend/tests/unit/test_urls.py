"""Connection strings as providers hand them out, in the form the driver takes them."""

from ssl import CERT_REQUIRED, SSLContext
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest

from backend.postgres.urls import connect_arguments

NEON = "postgresql://u:p%40ss@ep-x-123.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"
NEON_POOLED = NEON.replace("ep-x-123.", "ep-x-123-pooler.")


def parameters(arguments: dict[str, Any]) -> dict[str, list[str]]:  # as asyncpg.connect takes them
    """What is left of the query, for the driver."""
    return parse_qs(urlsplit(arguments["dsn"]).query, keep_blank_values=True)


def verifies_the_server(arguments: dict[str, Any]) -> bool:  # as asyncpg.connect takes them
    context = arguments.get("ssl")
    return isinstance(context, SSLContext) and context.check_hostname and context.verify_mode == CERT_REQUIRED


def test_neons_string_verifies_the_server_in_the_place_of_channel_binding() -> None:
    arguments = connect_arguments(NEON)

    assert verifies_the_server(arguments)
    assert arguments["dsn"] == "postgresql://u:p%40ss@ep-x-123.eu-central-1.aws.neon.tech/neondb"
    assert "statement_cache_size" not in arguments


def test_neons_pooled_string_prepares_no_statements() -> None:
    arguments = connect_arguments(NEON_POOLED)

    assert arguments["statement_cache_size"] == 0
    assert verifies_the_server(arguments)


@pytest.mark.parametrize(
    ("url", "pooled"),
    [
        pytest.param("postgresql://u@ep-x-pooler.neon.tech/db", True, id="Neon's pooler"),
        pytest.param("postgresql://u@EP-X-POOLER.neon.tech/db", True, id="in upper case"),
        pytest.param("postgresql://u@h:6543/db?pgbouncer=true", True, id="pgbouncer=true"),
        pytest.param("postgresql://u@ep-x.neon.tech/db", False, id="direct"),
        pytest.param("postgresql://u@h/db?pgbouncer=false", False, id="pgbouncer=false"),
        pytest.param("postgresql://x-pooler.:p@h/db", False, id="a user of that name"),
        pytest.param("postgresql://u@h/x-pooler.db", False, id="a database of that name"),
        pytest.param("postgresql:///db", False, id="no host"),
    ],
)
def test_a_pooler_is_known_by_its_name_or_by_the_parameter(url: str, pooled: bool) -> None:
    arguments = connect_arguments(url)

    assert ("statement_cache_size" in arguments) == pooled
    assert "pgbouncer" not in parameters(arguments)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@h:5432/db",
        "postgresql://u:p@h:5432/db",
        "postgresql+asyncpg://u:p@h:5432/db",
    ],
)
def test_every_scheme_becomes_the_drivers(url: str) -> None:
    assert connect_arguments(url) == {"dsn": "postgresql://u:p@h:5432/db"}


@pytest.mark.parametrize(
    ("query", "verified"),
    [
        pytest.param("channel_binding=require", True, id="channel binding alone"),
        pytest.param("sslmode=verify-full&channel_binding=require", True, id="verify-full"),
        pytest.param("sslmode=require&sslrootcert=system", True, id="system"),
        pytest.param("sslrootcert=system", True, id="system alone"),
        pytest.param("sslmode=disable&channel_binding=require", False, id="disable"),
        pytest.param("sslmode=require&channel_binding=prefer", False, id="prefer"),
        pytest.param("sslmode=require&channel_binding=disable", False, id="no channel binding"),
        pytest.param("sslmode=require", False, id="require"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_the_server_is_verified_where_the_string_asks_for_as_much(query: str, verified: bool) -> None:
    arguments = connect_arguments(f"postgresql://u:p@h/db?{query}")

    assert verifies_the_server(arguments) == verified
    assert "channel_binding" not in parameters(arguments)
    assert "system" not in parameters(arguments).get("sslrootcert", [])


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
def test_any_other_wish_for_tls_is_left_to_the_driver(mode: str) -> None:
    arguments = connect_arguments(f"postgresql://u:p@h/db?sslmode={mode}&sslrootcert=/etc/ca.pem")

    assert parameters(arguments) == {"sslmode": [mode], "sslrootcert": ["/etc/ca.pem"]}
    assert "ssl" not in arguments


def test_what_only_libpq_knows_is_dropped() -> None:
    """The driver would send it to the server as a setting, and the server would refuse the connection."""
    query = "keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&gssencmode=disable"
    query += "&tcp_user_timeout=1000&load_balance_hosts=random&connect_timeout=10"

    assert connect_arguments(f"postgresql://u:p@h/db?{query}") == {"dsn": "postgresql://u:p@h/db"}


def test_settings_for_the_server_are_kept() -> None:
    query = "options=-c%20search_path%3Dapp%20-c%20geqo%3Doff&application_name=tasks%26more"

    arguments = connect_arguments(f"postgresql://u:p@h/db?{query}")

    assert parameters(arguments) == {
        "options": ["-c search_path=app -c geqo=off"],
        "application_name": ["tasks&more"],
    }


@pytest.mark.parametrize(
    "password", ["p@ss", "a/b", "a?b", "a#b", "a:b", "a%b", "a%40b", "a+b c", "ü🌹", "[]", "&=;"]
)
def test_a_password_survives_whatever_is_in_it(password: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in password.encode())

    dsn = connect_arguments(f"postgresql://u:{encoded}@h/db?channel_binding=require")["dsn"]

    assert unquote(urlsplit(dsn).password or "") == password


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://role@/db?host=%2Frun%2Fpostgresql", id="socket"),
        pytest.param("postgresql://u@h1:5432,h2:5433/db?target_session_attrs=read-write", id="two hosts"),
        pytest.param("postgresql://u:p@[::1]:5432/db", id="IPv6"),
    ],
)
def test_other_ways_to_name_a_server_are_kept(url: str) -> None:
    assert connect_arguments(url) == {"dsn": url}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_the_driver_connects_with_them(service_url: str, scheme: str) -> None:
    url = service_url.replace("postgresql", scheme, 1)
    url += (
        "&sslmode=disable&channel_binding=require&connect_timeout=5&pgbouncer=true&keepalives=1&gssencmode=disable"
    )
    url += "&application_name=a%20%26%20b&options=-c%20work_mem%3D7MB"

    connection = await asyncpg.connect(**connect_arguments(url))

    assert await connection.fetchval("SHOW application_name") == "a & b"
    assert await connection.fetchval("SHOW work_mem") == "7MB"
    await connection.close()
