"""SQL, built from the models by SQLAlchemy and executed by asyncpg."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ClauseElement, ColumnElement, Select, Text, bindparam, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

_ZERO: ColumnElement[int] = literal_column("0")
_DIALECT = asyncpg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

# The tenant of a read, set and used in one statement and so in one round trip. The setting is gone when the
# statement ends. OFFSET 0 keeps the planner from folding the subquery into the query that depends on it.
_SCOPE = (
    select(
        func.set_config(
            literal_column("'app.user_id'"), bindparam("tenant", type_=Text), literal_column("true")
        ).label("user_id")
    )
    .offset(_ZERO)
    .subquery("scope")
)

READER = _SCOPE.c.user_id
"""The tenant inside a query for `Statement.read`."""

WRITER = bindparam("tenant", type_=Text)
"""The tenant inside a statement for `Statement.write`."""


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
        return cls.write(select(rows).select_from(_SCOPE.join(rows, true())))

    @classmethod
    def write(cls, clause: ClauseElement) -> Self:
        """A statement that names its tenant as WRITER, for `Transaction.execute`."""
        compiled = clause.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)  # DDL, the other kind, takes no parameters
        return cls(str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params))

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] if name in values else self.constants[name] for name in self.names]
