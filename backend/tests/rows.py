"""Rows for any table of ours, made from its model, so that a new table is tested as soon as it is there."""

from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Table

from backend.postgres.rights import our_tables
from support import Connection

_numbers = count(1)


async def add_row(owner: Connection, table: Table, user_id: str) -> dict[str, Any]:
    """One more row of this user's. Gives its values by column, without the defaults."""
    values = await new_values(owner, table, user_id)
    await insert(owner, table, values)
    return values


async def insert(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await connection.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', *values.values())


async def new_values(owner: Connection, table: Table, user_id: str) -> dict[str, Any]:
    """Of a row to insert. The rows that it must refer to are inserted here."""
    required = [column for column in table.c if not column.nullable and column.server_default is None]
    values = {column.name: user_id if column.name == "userId" else value_for(column) for column in required}
    for key in table.foreign_key_constraints:
        if key.referred_table in our_tables() and {column.name for column in key.columns} <= values.keys():
            parent = await add_row(owner, key.referred_table, user_id)
            values |= {element.parent.name: parent[element.column.name] for element in key.elements}
    return values


def value_for(column: Column[Any]) -> object:
    """Different each time, as far as the type allows, and short."""
    kind = column.type.python_type
    if issubclass(kind, StrEnum):
        return next(iter(kind))
    values: dict[type, Any] = {
        UUID: uuid4(),
        str: f"x{next(_numbers)}",
        int: next(_numbers),
        bool: False,
        datetime: datetime.now(UTC),
        dict: "{}",
        bytes: uuid4().bytes,
    }
    return values[kind]
