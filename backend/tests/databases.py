"""Databases and roles of a test's own, to break and to throw away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
from pydantic import SecretStr

from backend.commands import development
from backend.config import Settings
from backend.database import Database
from backend.postgres.urls import connect_arguments
from support import Connection


@asynccontextmanager
async def scratch(server: Connection, options: str = f"TEMPLATE {development.DATABASE}") -> AsyncIterator[str]:
    """The name of a new database; a copy of the migrated one unless `options` say otherwise."""
    name = f"scratch_{uuid4().hex}"
    await server.execute(f"CREATE DATABASE {name} {options}")
    try:
        yield name
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def scratch_role(server: Connection, options: str = "") -> AsyncIterator[str]:
    """The name of a new role. Roles belong to the whole server, which the other workers use as well."""
    name = f"role_{uuid4().hex}"
    await server.execute(f"CREATE ROLE {name} LOGIN {options}")
    try:
        yield name
    finally:
        await server.execute(f"DROP ROLE {name}")


class RolePlace(NamedTuple):
    """A migrated database of the test's own, and two roles."""

    owner: Connection
    database: str
    url: str
    role: str
    """What the URL names."""
    above: str
    """A role without rights."""

    async def execute(self, command: str) -> None:
        await self.owner.execute(command.format(**self._asdict()))


@asynccontextmanager
async def role_place(server: Connection, socket_directory: Path, *, group: str) -> AsyncIterator[RolePlace]:
    """With a role that is a member of `group`."""
    async with (
        scratch_role(server) as above,
        scratch_role(server, f"IN ROLE {group}") as role,
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        yield RolePlace(owner, name, development.database_url(role, socket_directory, name), role, above)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(**connect_arguments(url))
    try:
        yield connection
    finally:
        await connection.close()


def settings_for(settings: Settings, url: str, *, pool_size: int = 2) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url), "database_pool_size": pool_size})


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Database]:
    try:
        yield database
    finally:
        await database.close()


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = 10) -> None:
    """Wait until the condition gives something true."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it has not come about"
        await asyncio.sleep(0.02)
