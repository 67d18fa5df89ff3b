"""What the front end is told when it starts, and when there is none."""

import fcntl
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.commands import development, frontend
from backend.commands.frontend import Absent, FrontEnd
from backend.config import AuthSource, Settings
from backend.errors import Refusal

SECRET, JWKS, JWKS_DATABASE, SESSION = AuthSource
HERE = FrontEnd(node="/bin/node", folder=Path("/app"), port=3001, watch=False)


def settings(**values: object) -> Settings:
    common = {"database_url": SecretStr("postgresql://x"), "better_auth_secret": SecretStr("s" * 32)}
    return Settings.model_validate(common | values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a build in it."""
    (tmp_path / ".next").mkdir()
    (tmp_path / ".next" / "BUILD_ID").touch()
    return tmp_path


def install_node(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "node").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))


@pytest.mark.parametrize(
    ("sources", "algorithm"),
    [
        ((SECRET,), "HS256"),
        ((JWKS,), "EdDSA"),
        ((JWKS_DATABASE, SESSION), "EdDSA"),
        ((JWKS, SECRET), "HS256"),
    ],
)
def test_it_signs_with_what_the_api_takes(sources: tuple[AuthSource, ...], algorithm: str) -> None:
    assert frontend.algorithm(sources) == algorithm


def test_an_api_that_takes_no_tokens_is_refused() -> None:
    with pytest.raises(Refusal, match="AUTH_SOURCES must name secret, jwks or jwks-database"):
        frontend.algorithm([SESSION])


def test_it_is_told_where_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXT_TELEMETRY_DISABLED", raising=False)  # make has set it

    told = frontend.environment(HERE, settings(), database_url="postgresql://db", api_url="http://api:8001")

    assert {name: value for name, value in told.items() if os.environ.get(name) != value} == {
        "DATABASE_URL": "postgresql://db",
        "BETTER_AUTH_SECRET": "s" * 32,
        "BETTER_AUTH_URL": "http://localhost:3001",
        "BETTER_AUTH_TRUSTED_ORIGINS": "http://127.0.0.1:3001",
        "NEXT_PUBLIC_BACKEND_URL": "http://api:8001",
        "JWT_ALGORITHM": "HS256",
        "NEXT_TELEMETRY_DISABLED": "1",
    }


@pytest.mark.parametrize("name", ["PGPORT", "PGOPTIONS", "BETTER_AUTH_API_KEY", "NODE_ENV", "NEXT_PUBLIC_URL"])
def test_what_the_shell_means_for_others_does_not_reach_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "odd")

    assert name not in frontend.environment(HERE, settings(), database_url="", api_url="")


def test_one_that_is_built_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_node(folder, monkeypatch, "echo v20.19.0")

    found = frontend.find(folder, settings(), port=3001, watch=False)

    assert found == FrontEnd(node=str(folder / "bin" / "node"), folder=folder, port=3001, watch=False)


@pytest.mark.parametrize(("watch", "state"), [(False, "built"), (True, "installed")])
def test_there_is_nothing_to_start_before_make_was_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, watch: bool, state: str
) -> None:
    """A Node without npm is not enough for it."""
    install_node(tmp_path, monkeypatch, "echo v22.0.0")

    with pytest.raises(Absent, match=rf"^The front end is not {state}, which make does with npm\.$"):
        frontend.find(tmp_path, settings(), port=3001, watch=watch)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo v20.18.3", r"^The front end needs Node 20\.19 or newer, and this is 20\.18\.3\.$"),
        ("echo v9.99.9", r", and this is 9\.99\.9\.$"),
        ("echo what?", r", and this is what\?\.$"),
        ("exit 1", r"^The front end needs Node 20\.19 or newer, and .*/bin/node does not start\.$"),
    ],
)
def test_another_node_does_not_do(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str) -> None:
    install_node(folder, monkeypatch, script)

    with pytest.raises(Absent, match=reason):
        frontend.find(folder, settings(), port=3001, watch=False)


@pytest.mark.parametrize("name", ["better_auth_url", "jwks_url", "jwt_issuer", "jwt_audience"])
def test_who_names_another_app_has_that_one(name: str, folder: Path) -> None:
    with pytest.raises(Absent, match=rf"^{name.upper()} is set, so users sign in to the app that it names\.$"):
        frontend.find(folder, settings(**{name: "http://localhost:3000"}), port=3001, watch=False)


def test_its_port_decides_who_issues_tokens_and_who_may_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTEND_PORT", "3001")

    chosen = development.settings(tmp_path)

    assert chosen.issuer == chosen.audience == "http://localhost:3001"
    assert chosen.keys_url == "http://localhost:3001/api/auth/jwks"
    assert chosen.cors_origins == ("http://localhost:3001", "http://127.0.0.1:3001")


def test_one_that_does_not_end_is_not_started_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "LEFTOVER_SECONDS", 0.1)

    with (tmp_path / "frontend.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(Refusal, match="The front end of an earlier run is still running"):
            frontend.require_free_port(HERE, tmp_path)
