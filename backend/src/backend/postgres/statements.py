"""SQL, built from the models by SQLAlchemy and executed by asyncpg."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
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
    func,
    insert,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

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
    ) -> Self:
        """One row of the tenant's, for `Tenant.write`; none if the tenant has `most` rows already."""
        query = select(_TENANT, *values.values()).where(_IS_SET)
        if most is not None:
            count = select(func.count()).select_from(table).where(table.c.user_id == _TENANT)
            query = query.where(count.scalar_subquery() < most)
        return cls._write(
            insert(table).from_select(["user_id", *values], query, include_defaults=False), table, returned
        )

    @classmethod
    def change(cls, clause: Update | Delete, returned: Returned) -> Self:
        """A statement on rows of the tenant, for `Tenant.write`."""
        table = clause.table
        assert isinstance(table, Table)
        return cls._write(clause.where(table.c.user_id == _TENANT, _IS_SET), table, returned)

    @classmethod
    def _write(cls, clause: Insert | Update | Delete, table: Table, returned: Returned) -> Self:
        # Citus takes nothing but columns in RETURNING.
        written = clause.returning(*table.c).cte("written")
        return cls._of(select(*returned(written)))

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
