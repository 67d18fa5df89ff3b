"""The rows of every user, for work that no request waits for. Nothing that serves requests imports this module."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from backend.config import Environment, WorkerSettings
from backend.postgres.admission import examine_worker
from backend.postgres.connections import Connections
from backend.postgres.statements import Statement


class Worker:
    """What the policies and rights for workers allow, on tables of all users. Made by `open_worker` alone.

    With connections of another role it would find nothing: the policies name the role, and no setting counts.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def read(self, statement: Statement, /, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL values
        """One round trip. A connection that turns out to be dead is replaced. Raises DatabaseUnavailable."""
        return await self._connections.read(statement.sql, *statement.arguments(values))


@asynccontextmanager
async def open_worker(settings: WorkerSettings, *, pool_size: int = 2) -> AsyncGenerator[Worker]:
    """Connect as the role of WORKER_DATABASE_URL.

    Raises NotReady or DatabaseUnavailable; where the role is not exactly a worker's, the log says why.
    """
    connections = Connections(
        settings.worker_database_url.get_secret_value(),
        size=pool_size,
        examine=partial(examine_worker, production=settings.environment is Environment.PRODUCTION),
    )
    try:
        await connections.check()
        yield Worker(connections)
    finally:
        await connections.close()
