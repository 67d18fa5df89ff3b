"""JSON that PostgreSQL writes. Decision 0005 says why."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
from pydantic import BaseModel
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Enum,
    FromClause,
    Integer,
    Select,
    String,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

type Sql = ColumnElement[Any]
"""An expression of any type."""

type Pieces = Sequence[Sql | str]
"""A JSON value in parts that are concatenated. A string is a constant."""

DAY: Sql = literal_column(r"""'\"YYYY-MM-DD\"'""")
"""A form for `utc`: `"2026-01-05"`."""

INSTANT: Sql = literal_column(r"""'\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"'""")
"""A form for `utc`: `"2026-01-05T17:00:00.000000Z"`. Six decimals, so that texts sort as times do."""


def utc(time: Sql, form: Sql = INSTANT) -> Sql:
    return func.to_char(func.timezone(literal_column("'UTC'"), time), form)


def boolean(condition: Sql) -> Sql:
    return cast(condition, Text)  # concat alone would write `t`


def or_null(value: Sql) -> Sql:
    return func.coalesce(cast(value, Text), literal_column("'null'"))


def value_of(column: Column[Any]) -> Pieces:  # a column of any type
    """The column's value as JSON. Raises TypeError for a type that has no form here."""
    match column.type:
        case Enum() | Uuid() if not column.nullable:
            return '"', column, '"'  # their values need no escaping
        case Enum() | Uuid():
            value: Sql = func.to_json(cast(column, Text))
        case String():
            value = func.to_json(column)
        case Integer():
            value = column
        case Boolean():
            value = boolean(column)
        case DateTime(timezone=True):
            value = utc(column)
        case _:
            raise TypeError(
                f"The column {column} has the type {column.type}, which postgres/json.py cannot write."
            )
    return (or_null(value) if column.nullable else value,)


def row(table: FromClause, schema: type[BaseModel], **computed: Sql) -> Sql:
    """A row of the table, or of a query with its columns, as the JSON object that the schema describes.

    The members come in the order of the schema's fields. A field is the column of its name, unless `computed`
    gives another expression, whose text is JSON. Raises TypeError for a field that is neither. The object is one
    call of `concat`, whose 100 arguments are enough for about 50 members.
    """
    members = {}
    for name, field in schema.model_fields.items():
        if name not in computed and name not in table.columns:
            raise TypeError(f"{schema.__name__}.{name} is no column of {table.description}, and is not computed.")
        members[field.alias or name] = (computed[name],) if name in computed else value_of(_column(table, name))
    return _object(members)


MAX_PAGE_BYTES = 1024 * 1024

# Inside the JSON that PostgreSQL writes, a line break is escaped.
_SEPARATOR = ",\n"


def page(query: Select[tuple[Any]]) -> Select[tuple[Any, Any, Any]]:
    """The first values of a query of one value of JSON, called `json`, as one row. `read_page` reads it.

    Each row that is sent by itself would cost the driver and Python a few microseconds, and a window function, to
    tell the last value from the others, PostgreSQL half a microsecond.
    """
    limit = bindparam("limit", type_=Integer)
    values = query.limit(limit + 1).subquery("page")
    items = func.string_agg(values.c.json, literal_column(f"E{_SEPARATOR!r}"))
    size = func.octet_length(items)
    return select(
        case((size <= literal_column(str(MAX_PAGE_BYTES - len("[]"))), items)).label("items"),
        size.label("size"),
        (func.count() > limit).label("has_more"),
    )


async def read_page(read: Callable[[int], Awaitable[list[asyncpg.Record]]], limit: int) -> tuple[str, str | None]:
    """An array of up to `limit` values, of at most MAX_PAGE_BYTES, and the last of them if there are more.

    `read` executes a `page` with a limit. It is called again with smaller ones, about six times at most, if the
    values are too large. Two must always fit.
    """
    while True:
        ((items, size, has_more),) = await read(limit)
        if items:
            break
        if not size:
            return "[]", None
        limit = max(1, min(limit // 2, limit * MAX_PAGE_BYTES // size))
    if not has_more:
        return f"[{items}]", None
    items, _, _ = items.rpartition(_SEPARATOR)  # one value is of the next page
    return f"[{items}]", items.rpartition(_SEPARATOR)[2]


def _column(table: FromClause, name: str) -> Column[Any]:
    column = table.columns[name]
    assert isinstance(column, Column)
    return column


def _object(members: Mapping[str, Pieces]) -> Sql:
    parts: list[Sql] = []
    text = "{"  # the constant text before the next expression
    for position, (name, pieces) in enumerate(members.items()):
        text += f"""{"," if position else ""}"{name}":"""
        for piece in pieces:
            if isinstance(piece, str):
                text += piece
            else:
                parts += [literal_column(f"'{text}'"), piece]
                text = ""
    return func.concat(*parts, literal_column(f"'{text}}}'"))
