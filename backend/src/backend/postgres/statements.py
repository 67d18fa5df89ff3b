"""SQL, built from the models by SQLAlchemy and executed by asyncpg."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
    CTE,
    ClauseElement,
    ColumnElement,
    DateTime,
    Delete,
    FromClause,
    Insert,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from backend.models.idempotency import LIFETIME, idempotency_keys

type Returned = Callable[[FromClause], Sequence[ColumnElement[Any]]]
"""What a write gives of the rows it wrote, as expressions over their columns."""

_ZERO: ColumnElement[int] = literal_column("0")
_DIALECT = asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

_TENANT = bindparam("tenant", type_=Text)
_DEADLINE = bindparam("deadline", type_=DateTime(timezone=True))

# One statement sets the tenant and uses it, which saves a round trip. The setting ends with the transaction.
# A query that uses the result of a subquery runs after it. OFFSET 0 keeps the planner from flattening it.
SCOPE = (
    select(func.set_config(literal_column("'app.user_id'"), _TENANT, literal_column("true")).label("user_id"))
    .offset(_ZERO)
    .subquery("scope")
)
"""The tenant, once it is set. A subquery inside a query for `Statement.read` correlates to it."""

# PostgreSQL evaluates a condition on no column before it looks for rows (a "one-time filter"). The policy becomes
# part of the same filter, and comes after this condition. The function is `set_config`, except on Citus, where it
# reaches the server that has the rows (`citus.py`).
_IS_SET = select(func.tasks_tenant(_TENANT, _DEADLINE)).scalar_subquery() == _TENANT


def of_tenant(table: Table) -> ColumnElement[bool]:
    """The tenant's rows of a table, in a query for `Statement.read`.

    The parameter tells a distributed PostgreSQL which server has them; the scope, that the tenant is set before.
    """
    return and_(table.c.user_id == _TENANT, table.c.user_id == SCOPE.c.user_id)


def once(value: ColumnElement[Any]) -> ColumnElement[Any]:  # of any type
    """A value that PostgreSQL computes once, before a write. Citus takes no other inside of CASE."""
    return select(value).scalar_subquery()


def _count(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows of a table the tenant has, inside a write that sets the tenant before it asks."""
    query = select(func.count()).select_from(table).where(table.c.user_id == _TENANT, *conditions)
    return query.scalar_subquery()


_KEYS = idempotency_keys.c

KEY = bindparam("key", type_=Text)

HAS_EXPIRED: ColumnElement[bool] = _KEYS.created_at < func.statement_timestamp() - literal_column(
    f"interval '{LIFETIME}'"
)

# How many expired keys a new one takes away. More than one, so that they become fewer.
_FORGOTTEN_AT_ONCE = 10


def _keep(answer: CTE) -> Select[*tuple[Any, ...]]:
    """The answer to a write, after it is kept; expired keys are deleted.

    The write is undone if the key turns out to be taken: that violates the primary key. It depends on the write
    alone, so either both are done or neither.
    """
    fingerprint = bindparam("fingerprint", type_=_KEYS.fingerprint.type)
    row = select(_TENANT, KEY, fingerprint, answer.c.json, answer.c.version)
    names = ["user_id", "key", "fingerprint", "answer", "version"]
    kept = insert(idempotency_keys).from_select(names, row, include_defaults=False).returning(_KEYS.key)
    is_theirs = _KEYS.user_id == _TENANT
    expired = select(_KEYS.key).where(is_theirs, HAS_EXPIRED).order_by(_KEYS.created_at).limit(_FORGOTTEN_AT_ONCE)
    forgotten = delete(idempotency_keys).where(is_theirs, _KEYS.key.in_(expired), _IS_SET).returning(_KEYS.key)
    return select(answer).add_cte(kept.cte("kept"), forgotten.cte("forgotten"))


@dataclass(frozen=True)
class Statement:
    """SQL with positional parameters, and their names in order."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]  # SQL values of any type that the statement was built with

    @classmethod
    def read(cls, query: Select[*tuple[Any, ...]]) -> Self:  # rows of any shape
        """A query over rows `of_tenant`, for `Tenant.read`.

        Its own OFFSET 0 keeps it a subquery, so that it cannot run before the tenant is set.
        """
        rows = query.offset(_ZERO).lateral("rows")
        return cls._of(select(rows).select_from(SCOPE.join(rows, true())))

    @classmethod
    def insert(
        cls,
        table: Table,
        values: Mapping[str, ColumnElement[Any]],  # SQL values
        returned: Returned,
        *,
        most: ColumnElement[int] | None = None,
        keyed: bool = False,
    ) -> Self:
        """One row of the tenant's, for `Tenant.write`; none if the tenant has `most` rows already.

        With `keyed` it is for `services/idempotency.py`: what it returns, `json` and `version`, is kept under the
        parameter `key`, and it inserts nothing while that key is valid.
        """
        query = select(_TENANT, *values.values()).where(_IS_SET)
        if most is not None:
            query = query.where(_count(table) < most)
        if keyed:
            # A count, because PostgreSQL would test NOT EXISTS before it sets the tenant.
            query = query.where(_count(idempotency_keys, _KEYS.key == KEY, ~HAS_EXPIRED) == _ZERO)
        clause = insert(table).from_select(["user_id", *values], query, include_defaults=False)
        return cls._write(clause, table, returned, keyed=keyed)

    @classmethod
    def change(cls, clause: Update | Delete, returned: Returned) -> Self:
        """A statement on rows of the tenant, for `Tenant.write`."""
        table = clause.table
        assert isinstance(table, Table)
        return cls._write(clause.where(table.c.user_id == _TENANT, _IS_SET), table, returned)

    @classmethod
    def _write(
        cls, clause: Insert | Update | Delete, table: Table, returned: Returned, *, keyed: bool = False
    ) -> Self:
        # Citus takes nothing but columns in RETURNING.
        written = clause.returning(*table.c).cte("written")
        answer = select(*returned(written))
        return cls._of(_keep(answer.cte("answer")) if keyed else answer)

    @classmethod
    def across(cls, query: Select[*tuple[Any, ...]]) -> Self:  # rows of any shape
        """A query over the rows of every user, for `Worker.read`. A tenant's connection finds nothing by it."""
        return cls._of(query)

    @classmethod
    def _of(cls, clause: ClauseElement) -> Self:
        compiled = clause.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)  # DDL, the other kind, takes no parameters
        constants = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
        return cls(str(compiled), tuple(compiled.positiontup or ()), constants)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] if name in values else self.constants[name] for name in self.names]
