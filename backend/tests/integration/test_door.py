"""`Database` runs SQL for a tenant, and a few fixed statements for the token check. It has no other way in."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from inspect import isawaitable

import pytest

from backend.auth import Principal
from backend.auth.jwks import PUBLIC_KEYS
from backend.auth.sessions import BY_ID, BY_TOKEN
from backend.database import Database
from backend.postgres.statements import Statement
from databases import opened
from support import Connection, Json, User

PROBE = "SELECT pg_advisory_lock(4711)"  # whoever runs it has the lock as long as the connection lives


async def probes_run(owner: Connection) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"))


def public_names(thing: object, prefix: str = "") -> Iterator[tuple[str, Json]]:
    """What can be reached without an underscore, at any depth within our own classes."""
    for name in dir(thing):
        if not name.startswith("_"):
            value = getattr(thing, name)
            yield f"{prefix}{name}", value
            if type(value).__module__.startswith("backend."):
                yield from public_names(value, f"{prefix}{name}.")


async def call(function: Json, *arguments: object) -> None:
    """As far as it goes; most do not even take these arguments."""
    with suppress(Exception):
        result = function(*arguments)
        if isinstance(result, AbstractAsyncContextManager):
            async with result:
                pass
        elif isawaitable(result):
            await result


async def test_no_public_name_runs_sql_of_the_callers_choice(
    service_url: str, owner: Connection, user: User
) -> None:
    async with opened(Database(service_url, pool_size=1, production=False)) as database:
        tenant = database.tenant(Principal(user.id))
        async with tenant.transaction() as tx:
            doors = {
                **dict(public_names(database, "database.")),
                **dict(public_names(tenant, "tenant.")),
                **dict(public_names(tx, "tx.")),
            }
        functions = {name: door for name, door in doors.items() if callable(door) and name != "database.close"}

        for function in functions.values():
            for arguments in ((PROBE,), (PROBE, "x"), (BY_TOKEN, PROBE), (user.id, PROBE)):
                await call(function, *arguments)
        run = await probes_run(owner)
        await tenant.read(Statement(PROBE, (), {}))
        run_by_the_tenant = await probes_run(owner)

    assert set(functions) == {
        "database.better_auth.fetch",
        "database.check",
        "database.tenant",
        "tenant.read",
        "tenant.transaction",
        "tenant.write",
        "tx.read",
        "tx.transaction",
        "tx.write",
    }
    assert (run, run_by_the_tenant) == (0, 1)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", f"{BY_TOKEN};", f"{BY_ID} ", PUBLIC_KEYS.lower(), 'SELECT "privateKey" FROM jwks', ""]
)
async def test_only_the_statements_of_the_token_check_reach_better_auths_tables(
    service_url: str, sql: str
) -> None:
    async with opened(Database(service_url, pool_size=1, production=False)) as database:
        with pytest.raises(ValueError, match="none of the statements"):
            await database.better_auth.fetch(sql)
