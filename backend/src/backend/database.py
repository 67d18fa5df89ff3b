"""The door to the data. A `Tenant` reaches one user's rows; nothing else here runs SQL of anybody's choice.

SQLAlchemy builds statements from the models and compiles them once; asyncpg executes them.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from backend.auth import Principal
from backend.auth.jwks import PUBLIC_KEYS
from backend.auth.sessions import BY_ID, BY_TOKEN
from backend.postgres.admission import examine
from backend.postgres.connections import Connections, Executor
from backend.postgres.statements import Statement


class Tenant:
    """One user's part of the database. PostgreSQL shows it no row of anybody else's."""

    def __init__(self, executor: Executor, principal: Principal) -> None:
        self._executor = executor
        self._principal = principal
        self._is_in_transaction = False
        self.user_id = principal.user_id

    async def read(self, statement: Statement, /, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL values
        """One round trip. A connection that turns out to be dead is replaced.

        Raises DatabaseUnavailable.
        """
        return await self._executor.read(statement, self._with_tenant(values))

    async def write(self, statement: Statement, /, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL values
        """One round trip and one transaction, repeated on another connection where it was certainly not done.

        Raises DatabaseUnavailable. If the connection was lost under way, nobody knows whether the write was done.
        """
        return await self._executor.write(statement, self._with_tenant(values))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["Transaction"]:
        """Several statements in one transaction, committed when the block ends and undone if it raises.

        Costs three round trips more than its statements: BEGIN, the tenant, COMMIT. A connection that turns out to
        be dead is replaced before the block begins; after that nothing is repeated.

        Raises DatabaseUnavailable. If the connection is lost at the COMMIT, nobody knows whether it was done.
        """
        if self._is_in_transaction:
            raise RuntimeError("Transactions do not nest; use the one that is open.")
        async with self._executor.transaction(self.user_id) as executor:
            self._is_in_transaction = True
            try:
                yield Transaction(executor, self._principal)
            finally:
                self._is_in_transaction = False

    def _with_tenant(self, values: dict[str, Any]) -> dict[str, Any]:
        if self._is_in_transaction:
            # It would be done on another connection, and not undone with the rest.
            raise RuntimeError("This tenant has a transaction open; run the statement in that.")
        return {**values, "tenant": self.user_id}


class Transaction(Tenant):
    """The same user's rows, with every statement in one transaction. Made by `Tenant.transaction` alone.

    Whatever takes a tenant takes this as well; whatever must not be done by halves asks for it by this type. One
    statement at a time. An error of the server ends it: catch one, and the block raises where it ends.
    """


# All that is asked of Better Auth's tables before there is a principal.
_ASKED_OF_BETTER_AUTH = frozenset({BY_TOKEN, BY_ID, PUBLIC_KEYS})


class BetterAuth:
    """Better Auth's tables, as far as tokens are checked against them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one of the three statements of `auth/`, and no other.

        Raises DatabaseUnavailable. A connection that turns out to be dead is replaced.
        """
        if sql not in _ASKED_OF_BETTER_AUTH:
            raise ValueError("This is none of the statements that read Better Auth's tables.")
        return await self._connections.read(sql, *arguments)


class Database:
    """The service's connections, each examined before it is used. Opening them does not connect."""

    def __init__(
        self, url: str, *, pool_size: int, production: bool, on_unsafe_role: Callable[[], None] = lambda: None
    ) -> None:
        self._connections = Connections(
            url,
            size=pool_size,
            examine=partial(examine, production=production),
            on_unsafe_role=on_unsafe_role,
        )
        self.better_auth = BetterAuth(self._connections)

    async def close(self) -> None:
        await self._connections.close()

    async def check(self) -> None:
        """Raises NotReady or DatabaseUnavailable unless requests can be served."""
        await self._connections.check()

    def tenant(self, principal: Principal) -> Tenant:
        return Tenant(self._connections.share(principal.user_id), principal)
