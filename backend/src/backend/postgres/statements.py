"""SQL, built from the models by SQLAlchemy and executed by asyncpg."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Delete,
    Select,
    Text,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert

_ZERO: ColumnElement[int] = literal_column("0")
_DIALECT = asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

WRITER = bindparam("tenant", type_=Text)
"""The tenant inside a statement for `Statement.change`."""

# One statement sets the tenant and uses it, which saves a round trip. The setting ends with the transaction.
_SET = select(func.set_config(literal_column("'app.user_id'"), WRITER, literal_column("true")).label("user_id"))

# A query that uses the result of a subquery runs after it. OFFSET 0 keeps the planner from flattening it.
_SCOPE = _SET.offset(_ZERO).subquery("scope")

READER = _SCOPE.c.user_id
"""The tenant inside a query for `Statement.read` or `Statement.insert`."""

# PostgreSQL evaluates a condition on no column before it looks for rows (a "one-time filter"). The policy may
# become part of the same filter, and then it comes after this condition.
_IS_SET = _SET.scalar_subquery() == WRITER


@dataclass(frozen=True)
class Statement:
    """SQL with positional parameters, and their names in order."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]  # SQL values of any type that the statement was built with

    @classmethod
    def read(cls, query: Select[*tuple[Any, ...]]) -> Self:  # rows of any shape
        """A query that names its tenant as READER, for `Tenant.read`.

        Its own OFFSET 0 keeps it a subquery, so that it cannot run before the tenant is set.
        """
        rows = query.offset(_ZERO).lateral("rows")
        return cls._of(select(rows).select_from(_SCOPE.join(rows, true())))

    @classmethod
    def insert(cls, clause: ReturningInsert[*tuple[Any, ...]]) -> Self:
        """Rows from a query that names its tenant as READER, for `Tenant.write`."""
        return cls._of(clause)

    @classmethod
    def change(cls, clause: Update | Delete, *returned: ColumnElement[Any]) -> Self:
        """A statement that names its tenant as WRITER, for `Tenant.write`."""
        return cls._of(clause.where(_IS_SET).returning(*returned))

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
