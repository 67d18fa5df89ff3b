"""A Citus cluster for a run: one of its databases, migrated and distributed."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import asyncpg

from backend.postgres.migrate import migrate

if TYPE_CHECKING:
    from support import Connection

BETTER_AUTH = files("backend.commands").joinpath("better_auth.sql")

COORDINATOR = os.environ.get("CITUS_URL", "")
"""A database that has the extension and knows its nodes, as a superuser. Every node takes that user's password."""


class Node(NamedTuple):
    host: str
    port: int
    is_coordinator: bool

    def url(self, database: str, role: str | None = None) -> str:
        """Of a database there, as the superuser or as a role without a password."""
        credentials = role or urlsplit(COORDINATOR).netloc.rpartition("@")[0]
        return f"postgresql://{credentials}@{self.host}:{self.port}/{database}"


class Cluster(NamedTuple):
    nodes: list[Node]
    database: str
    service_role: str

    @property
    def coordinator(self) -> Node:
        (node,) = (node for node in self.nodes if node.is_coordinator)
        return node

    @property
    def owner_url(self) -> str:
        return self.coordinator.url(self.database)

    @property
    def service_url(self) -> str:
        return self.coordinator.url(self.database, self.service_role)


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    name = f"tasks_{token_hex(4)}"
    administrator = await asyncpg.connect(COORDINATOR)
    nodes = [
        Node(row["nodename"], row["nodeport"], is_coordinator=row["groupid"] == 0)
        for row in await administrator.fetch("SELECT * FROM pg_dist_node WHERE noderole = 'primary'")
    ]
    await administrator.execute("SET citus.enable_create_database_propagation = on")
    await administrator.execute(f"CREATE DATABASE {name}")
    here = Cluster(nodes, name, f"{name}_service")
    try:
        await _prepare(here)
        yield here
        await _execute(
            here.coordinator.url(name), f"DROP OWNED BY {here.service_role}; DROP ROLE {here.service_role}"
        )
    finally:
        await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await administrator.close()


async def _prepare(here: Cluster) -> None:
    for node in here.nodes:
        await _execute(node.url(here.database), "CREATE EXTENSION citus")
    coordinator = here.coordinator
    await _execute(here.owner_url, f"SELECT citus_set_coordinator_host('{coordinator.host}', {coordinator.port})")
    for node in here.nodes:
        if not node.is_coordinator:
            await _execute(here.owner_url, f"SELECT citus_add_node('{node.host}', {node.port})")
    await _execute(here.owner_url, BETTER_AUTH.read_text())
    await migrate(owner_url=here.owner_url, service_url=here.service_url, distribute=True)


async def _execute(url: str, sql: str) -> None:
    connection: Connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
