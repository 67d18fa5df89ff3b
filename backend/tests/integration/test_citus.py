"""What holds on a Citus cluster beside everything that the other tests ask for."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Table

from backend.commands.doctor import findings
from backend.config import Settings
from backend.postgres.citus import expected
from backend.postgres.migrate import migrate
from backend.postgres.rights import our_tables
from cluster import Cluster
from databases import connected
from rows import add_row
from statements import AFTER, NOON, STATEMENTS, VALUES
from support import Connection, User

TABLES = [table.name for table in our_tables()]
every_table = pytest.mark.parametrize("table", our_tables(), ids=TABLES)


@pytest.fixture
async def service(citus: Cluster) -> AsyncIterator[Connection]:
    async with connected(citus.service_url) as connection:
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_is_a_task_for_one_server(service: Connection, user: User, name: str) -> None:
    """With the values at hand, and with any values, as it is after some uses."""
    statement = STATEMENTS[name]
    after = next((value for sort_by, value in AFTER.items() if f"by {sort_by}" in name), NOON)
    values = statement.arguments({**VALUES, "tenant": user.id, "after": after})
    for _ in range(7):
        plan = await service.fetchval(f"EXPLAIN (FORMAT JSON) {statement.sql}", *values)

    counts = re.findall(r'"Task Count": (\d+)', plan)
    assert counts
    assert set(counts) == {"1"}


@every_table
async def test_a_shard_shows_nobody_anything_without_a_tenant(
    citus: Cluster, owner: Connection, user: User, table: Table
) -> None:
    await add_row(owner, table, user.id)
    shards = await owner.fetch(
        "SELECT shard_name, nodeport, shard_size FROM citus_shards WHERE table_name = $1::regclass", table.name
    )

    seen = 0
    for node in citus.nodes:
        async with (
            connected(node.url(citus.database)) as superuser,
            connected(node.url(citus.database, citus.service_role)) as service,
        ):
            for shard in shards:
                if shard["nodeport"] == node.port:
                    seen += await superuser.fetchval(f"SELECT count(*) FROM {shard['shard_name']}")
                    assert await service.fetchval(f"SELECT count(*) FROM {shard['shard_name']}") == 0
    assert seen > 0


async def test_later_migrations_keep_it_distributed(citus: Cluster, owner: Connection) -> None:
    await owner.execute(f"ALTER ROLE {citus.service_role} RESET citus.propagate_set_commands")

    await migrate(owner_url=citus.owner_url, service_url=citus.service_url)

    configuration = await owner.fetchval("SELECT rolconfig FROM pg_roles WHERE rolname = $1", citus.service_role)
    assert "citus.propagate_set_commands=local" in configuration
    distributed = await owner.fetch("SELECT table_name::text AS name FROM citus_tables WHERE colocation_id > 0")
    assert {row["name"].strip('"') for row in distributed} == expected().keys()


@pytest.mark.usefixtures("citus")
async def test_the_doctor_knows_it(settings: Settings, owner: Connection) -> None:
    servers = await owner.fetchval(
        "SELECT count(DISTINCT nodeport) FROM citus_shards WHERE table_name::text = 'tasks'"
    )

    found = [str(finding) async for finding in findings(settings, None)]

    assert [line for line in found if "citus" in line] == [
        f"ok    citus     the tasks are distributed by their user; {servers} servers hold them"
    ]


async def test_the_doctor_misses_the_setting_of_the_role(
    settings: Settings, citus: Cluster, owner: Connection
) -> None:
    await owner.execute(f"ALTER ROLE {citus.service_role} RESET citus.propagate_set_commands")

    found = [str(finding) async for finding in findings(settings, None)]

    await migrate(owner_url=citus.owner_url, service_url=citus.service_url)
    (complaint,) = [line for line in found if line.startswith("FAIL")]
    assert complaint == (
        "FAIL  citus     the role's setting citus.propagate_set_commands is 'none' and not 'local', so no write "
        "finds its rows; run `tasks migrate`"
    )
