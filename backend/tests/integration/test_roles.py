"""The service refuses to serve where the policies would not bind it, and waits where the schema is not ready."""

import re
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table

import support
from backend.auth import Principal
from backend.config import Settings
from backend.database import Database
from backend.errors import DatabaseUnavailable, NotReady
from backend.main import create_app
from backend.migrations import SCHEMA_VERSION, VERSION_TABLE
from backend.postgres import rights
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.rights import WORKER_GROUP, our_tables
from backend.services import stats
from databases import RolePlace, opened, role_place, settings_for
from support import Connection, assert_problem, captured_logs


@pytest.fixture
async def place(server: Connection, socket_directory: Path) -> AsyncIterator[RolePlace]:
    """The role has the rights of the service's."""
    async with role_place(server, socket_directory, group=SERVICE_ROLE) as place:
        yield place


UNSAFE = [
    pytest.param("ALTER ROLE {role} SUPERUSER", "is, or can become, a superuser", id="superuser"),
    pytest.param("ALTER ROLE {role} BYPASSRLS", "or a role with BYPASSRLS", id="BYPASSRLS"),
    pytest.param(
        "ALTER ROLE {above} BYPASSRLS; GRANT {above} TO {role}", r"BYPASSRLS \(role_", id="member of BYPASSRLS"
    ),
    pytest.param(
        "ALTER ROLE {above} SUPERUSER; GRANT {above} TO {role} WITH INHERIT FALSE, SET TRUE",
        r"a superuser or a role with BYPASSRLS \(role_",
        id="can become superuser",
    ),
    pytest.param(
        "ALTER ROLE {above} BYPASSRLS; GRANT {above} TO {role} WITH INHERIT FALSE, SET FALSE, ADMIN TRUE",
        r"BYPASSRLS \(role_",
        id="can let itself become BYPASSRLS",
    ),
    pytest.param("ALTER TABLE tasks OWNER TO {role}", "owns the table tasks", id="owner"),
    pytest.param(
        "ALTER TABLE tasks OWNER TO {above}; GRANT {above} TO {role} WITH INHERIT FALSE",
        "owns the table tasks",
        id="can become owner",
    ),
    pytest.param("GRANT TRUNCATE ON tasks TO {role}", "or may truncate it", id="TRUNCATE"),
    pytest.param("GRANT TRUNCATE ON tasks TO PUBLIC", "or may truncate it", id="TRUNCATE by everybody"),
    pytest.param("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY", "is not forced on tasks", id="not forced"),
    pytest.param("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", "is not forced on tasks", id="disabled"),
    pytest.param(f"GRANT {WORKER_GROUP} TO {{role}}", "a worker's, which sees the rows of every", id="worker"),
    pytest.param(
        f"GRANT {WORKER_GROUP} TO {{role}} WITH INHERIT FALSE, SET TRUE",
        "or can become, a worker's",
        id="can become worker",
    ),
    pytest.param(
        f"GRANT {WORKER_GROUP} TO {{role}} WITH INHERIT FALSE, SET FALSE, ADMIN TRUE",
        "or can become, a worker's",
        id="can let itself become worker",
    ),
    pytest.param(
        f"GRANT {WORKER_GROUP} TO {{above}}; GRANT {{above}} TO {{role}}", "a worker's", id="member of a worker"
    ),
]

NOT_READY = [
    pytest.param("REVOKE SELECT ON tasks FROM {service}", "lacks its rights", id="no SELECT"),
    pytest.param("REVOKE INSERT ON tasks FROM {service}", "lacks its rights", id="no INSERT"),
    pytest.param("REVOKE UPDATE ON tasks FROM {service}", "lacks its rights", id="no UPDATE"),
    pytest.param("REVOKE DELETE ON tasks FROM {service}", "lacks its rights", id="no DELETE"),
    pytest.param("REVOKE SELECT ON {versions} FROM {service}", "lacks its rights", id="no version"),
    pytest.param("REVOKE USAGE ON SCHEMA public FROM {service}, PUBLIC", "no tables", id="no schema"),
    pytest.param("DROP TABLE tasks, {versions}", "no tables of this service yet", id="not migrated"),
    pytest.param("DROP TABLE {versions}", "no tables of this service yet", id="migrated otherwise"),
    pytest.param("DELETE FROM {versions}", "The schema is at None", id="undone"),
    pytest.param("UPDATE {versions} SET version_num = '0000'", "The schema is at 0000", id="older"),
]


@pytest.mark.parametrize(("change", "reason"), UNSAFE)
async def test_a_role_that_policies_do_not_bind_is_refused(place: RolePlace, change: str, reason: str) -> None:
    calls: list[str] = []
    await place.execute(change)

    with captured_logs() as logs:
        async with opened(
            Database(place.url, pool_size=1, production=False, on_unsafe_role=lambda: calls.append("refused"))
        ) as service:
            for request in (service.check(), stats.count(service.tenant(Principal("somebody", 0)))):
                with pytest.raises(DatabaseUnavailable):
                    await request

    assert calls == ["refused", "refused"]
    assert len(logs) == 2
    for event in logs:
        assert event["level"] == "critical"
        assert re.search(f"^Refusing to serve: .*{reason}.*\\.$", event["event"])


# A second table of ours, beside `tasks`, in the order of the alphabet and against it.
@pytest.fixture(params=["aaa", "zzz"])
async def second(request: pytest.FixtureRequest, place: RolePlace, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    tables = [*our_tables(), Table(name, MetaData())]
    monkeypatch.setattr(rights, "our_tables", lambda: tables)
    await place.execute(
        f"""
        CREATE TABLE {name} ("userId" text);
        ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {SERVICE_ROLE}
        """
    )
    return name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER TABLE {} OWNER TO {role}", "owns the table {}"),
        ("GRANT TRUNCATE ON {} TO {role}", "the table {} or may truncate it"),
        ("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", "is not forced on {}.*ALTER TABLE {} ENABLE"),
        (f"REVOKE UPDATE ON {{}} FROM {SERVICE_ROLE}", "lacks its rights on the table {}; run"),
        ("DROP TABLE {}", "has no table {}; run"),
    ],
)
async def test_every_table_of_ours_is_examined_and_the_one_at_fault_is_named(
    place: RolePlace, second: str, change: str, reason: str
) -> None:
    with captured_logs() as logs:
        async with opened(Database(place.url, pool_size=1, production=False)) as service:
            await service.check()
            await place.execute(change.replace("{}", second))

            with pytest.raises((DatabaseUnavailable, NotReady)) as refused:
                await service.check()

    said = f"{refused.value} {logs}"
    assert re.search(reason.replace("{}", second), said)


async def test_a_superuser_in_disguise_is_refused(owner_url: str) -> None:
    """What a connection string puts on, the connection can take off."""
    async with opened(Database(f"{owner_url}&role={SERVICE_ROLE}", pool_size=1, production=False)) as service:
        with pytest.raises(DatabaseUnavailable):
            await service.check()


@pytest.mark.parametrize("production", [False, True])
async def test_the_embedded_database_is_refused_in_production(place: RolePlace, production: bool) -> None:
    await place.execute("ALTER DATABASE {database} SET app.embedded = 'true'")

    with captured_logs() as logs:
        async with opened(Database(place.url, pool_size=1, production=production)) as service:
            with pytest.raises(DatabaseUnavailable) if production else nullcontext():
                await service.check()

    refusals = [event["event"] for event in logs if "embedded development database" in event["event"]]
    assert len(refusals) == (1 if production else 0)


async def test_a_role_that_becomes_unsafe_is_noticed_by_the_next_check(place: RolePlace) -> None:
    """Which the readiness probe makes; a connection in use is not looked at again."""
    calls: list[str] = []
    async with opened(
        Database(place.url, pool_size=1, production=False, on_unsafe_role=lambda: calls.append("refused"))
    ) as service:
        await service.check()
        await place.execute("ALTER ROLE {role} BYPASSRLS")

        with pytest.raises(DatabaseUnavailable):
            await service.check()

    assert calls == ["refused"]


@pytest.mark.parametrize(("change", "reason"), NOT_READY)
async def test_a_schema_that_is_not_ready_is_waited_for(place: RolePlace, change: str, reason: str) -> None:
    await place.execute(change.replace("{service}", SERVICE_ROLE).replace("{versions}", VERSION_TABLE))

    async with opened(Database(place.url, pool_size=1, production=False)) as service:
        for request in (service.check(), stats.count(service.tenant(Principal("somebody", 0)))):
            with pytest.raises(NotReady, match=f"{reason}.*; run `tasks migrate`"):
                await request


@pytest.mark.parametrize("version", [SCHEMA_VERSION, "9999"])
async def test_this_releases_schema_and_a_newer_one_are_served(place: RolePlace, version: str) -> None:
    await place.execute(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")

    async with opened(Database(place.url, pool_size=1, production=False)) as service:
        await service.check()


@pytest.mark.parametrize(
    ("change", "undo", "code"),
    [
        ("ALTER ROLE {role} BYPASSRLS", "ALTER ROLE {role} NOBYPASSRLS", "database-unavailable"),
        ("ALTER TABLE tasks RENAME TO later", "ALTER TABLE later RENAME TO tasks", "not-ready"),
    ],
)
async def test_requests_are_put_off_until_it_is_safe_to_serve(
    place: RolePlace, settings: Settings, change: str, undo: str, code: str
) -> None:
    await place.execute(change)
    app = create_app(settings_for(settings, place.url), on_unsafe_role=lambda: None)
    async with support.running(app) as client:
        user = await support.new_user(client, place.owner)

        refused = [
            await client.get("/health/ready"),
            await user.get("tasks"),
            await user.post("tasks", json={"title": "x"}),
        ]
        live = await client.get("/health/live")
        await place.execute(undo)
        served = [await client.get("/health/ready"), await user.get("tasks")]

    for answer in refused:
        assert_problem(answer, 503, code)
        assert answer.headers["retry-after"] == "1"
    assert live.status_code == 200
    assert [answer.status_code for answer in served] == [200, 200]
