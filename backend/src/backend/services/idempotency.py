"""Inserts that a client may repeat: the first answer is kept in the same statement, and given again for a day.

Decision 0020 says how, and why the answer is kept instead of being made again.
"""

import asyncpg
from sqlalchemy import delete, select

from backend.database import Tenant, Transaction
from backend.errors import DatabaseUnavailable, IdempotencyKeyReused
from backend.models.idempotency import idempotency_keys
from backend.postgres.statements import HAS_EXPIRED, KEY, Statement, of_tenant
from backend.schemas.idempotency import Inserted, Key

column = idempotency_keys.c

_FIND = Statement.read(
    select(column.fingerprint, column.answer, column.version, HAS_EXPIRED.label("has_expired")).where(
        of_tenant(idempotency_keys), column.key == KEY
    )
)
_FORGET = Statement.change(
    delete(idempotency_keys).where(column.key == KEY, HAS_EXPIRED), lambda rows: [rows.c.key]
)

# A second attempt follows when an expired key was in the way, a third when somebody else was faster at that.
_ATTEMPTS = 3


async def insert(
    tenant: Tenant, plain: Statement, keyed: Statement, key: Key | None, /, **values: object
) -> Inserted | None:
    """What `plain` inserts or, with a key, `keyed`; then once only. None if it inserts nothing.

    The two are one `Statement.insert` in both forms. Raises IdempotencyKeyReused if the key was sent with another
    request.
    """
    if key is None:
        rows = await tenant.write(plain, **values)
        return Inserted(*rows[0]) if rows else None
    if type(tenant) is Transaction:
        raise RuntimeError("A transaction takes no idempotency key: it would not survive that the key is taken.")
    for _ in range(_ATTEMPTS):
        rows, is_taken = await _try(tenant, keyed, key, values)
        if rows:
            return Inserted(*rows[0])
        # A statement of its own: that one did not see what was committed while it waited.
        found = await tenant.read(_FIND, key=key.key)
        if found and not found[0]["has_expired"]:
            return _replay(found[0], key)
        if found:
            await tenant.write(_FORGET, key=key.key)
        elif not is_taken:
            return None
    raise DatabaseUnavailable


async def _try(
    tenant: Tenant, keyed: Statement, key: Key, values: dict[str, object]
) -> tuple[list[asyncpg.Record], bool]:
    """What was inserted, and whether that failed because somebody else has just taken the key."""
    try:
        return await tenant.write(keyed, **key._asdict(), **values), False
    except asyncpg.UniqueViolationError as error:
        # Citus gives the name in the message alone.
        if str(idempotency_keys.primary_key.name) not in str(error):
            raise
        return [], True


def _replay(kept: asyncpg.Record, key: Key) -> Inserted:
    if kept["fingerprint"] != key.fingerprint:
        raise IdempotencyKeyReused
    return Inserted(kept["answer"], kept["version"], is_replayed=True)
