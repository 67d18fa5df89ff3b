"""Compares schemas with their table when they are imported, so that a disagreement stops the program at start.

A field has the name of its column's key (`due_date`), and its member in JSON that of the column (`dueDate`).
"""

import json
import re
from collections.abc import Collection, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import MISSING, BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import CheckConstraint, Column, DefaultClause, Enum, Integer, String, Table


class Disagreement(TypeError):
    """A schema does not match its table. The message says in one sentence what differs."""


def check_bodies(table: Table, *schemas: type[BaseModel], computed: Collection[str] = frozenset()) -> None:
    """Compare each field with its column: name, type, null, default, and the bounds with those of the CHECK.

    Every schema must have the fields of the first. `computed` names fields that are not columns
    themselves. Raises Disagreement.
    """
    first = schemas[0]
    for schema in schemas:
        for name in first.model_fields:
            if name not in schema.model_fields:
                raise Disagreement(f"{schema.__name__} has no field {name}, which {first.__name__} has.")
        for name, field in schema.model_fields.items():
            if name not in computed:
                column = _column_of(table, schema, name)
                _check_type(column, schema, name)
                _check_default(column, schema, name, field)
                _check_bounds(column, schema, name)


def check_answer(
    table: Table,
    schema: type[BaseModel],
    *,
    computed: Collection[str] = frozenset(),
    hidden: Collection[str] = frozenset(),
) -> None:
    """Compare each field with its column: name, type and null. The example must have the same members.

    Every column must have a field unless `hidden` names it. `computed` names fields that are not columns
    themselves. Raises Disagreement.
    """
    for name in schema.model_fields.keys() - computed:
        _check_type(_column_of(table, schema, name), schema, name)
    for column in table.columns:
        if column.key not in {*schema.model_fields, *hidden}:
            raise Disagreement(f"{schema.__name__} has no field {column.key}, which is a column of {table.name}.")
    members = [field.alias or name for name, field in schema.model_fields.items()]
    extra = schema.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and isinstance(example := extra.get("example", {}), dict):
        for member in set(members) ^ set(example):
            raise Disagreement(
                f"{member} is in the example of {schema.__name__} or in its fields, but not in both."
            )


def _column_of(table: Table, schema: type[BaseModel], name: str) -> Column[Any]:  # of any type
    column = table.columns.get(name)
    if column is None:
        raise Disagreement(f"{schema.__name__}.{name} has no column in the table {table.name}.")
    member = schema.model_fields[name].alias or name
    if member != column.name:
        raise Disagreement(
            f"{schema.__name__}.{name} is {member} in JSON, but its column's name is {column.name}."
        )
    return column


def _check_type(column: Column[Any], schema: type[BaseModel], name: str) -> None:
    types = set(_alternatives(schema.model_fields[name].annotation)) - {MISSING}
    may_be_null = NoneType in types
    if may_be_null != column.nullable:
        verb = "may" if may_be_null else "may not"
        raise Disagreement(f"{schema.__name__}.{name} {verb} be null, unlike the column {column}.")
    if types - {NoneType} != {column.type.python_type}:
        kind = column.type.python_type.__name__
        raise Disagreement(f"{schema.__name__}.{name} is not of the type {kind}, as the column {column} is.")


def _alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - annotations are of any type
    match get_origin(annotation):
        case origin if origin is Annotated:
            yield from _alternatives(get_args(annotation)[0])
        case origin if origin in {Union, UnionType}:
            for alternative in get_args(annotation):
                yield from _alternatives(alternative)
        case _:
            yield annotation


def _check_default(column: Column[Any], schema: type[BaseModel], name: str, field: FieldInfo) -> None:
    if field.is_required() or field.default is MISSING:
        return
    value = field.default
    text = value if isinstance(value, str) or value is None else json.dumps(value)
    stored = str(column.server_default.arg) if isinstance(column.server_default, DefaultClause) else None
    if text != stored:
        raise Disagreement(
            f"{schema.__name__}.{name} is {value!r} by default, but the column {column} is {stored!r}."
        )


def _check_bounds(column: Column[Any], schema: type[BaseModel], name: str) -> None:
    """Every length and limit in the JSON schema must be a number in the column's CHECK."""
    if isinstance(column.type, Enum) or not isinstance(column.type, (String, Integer)):
        return
    check = f"ck_{column.table.name}_{column.name}"
    rules = [
        str(constraint.sqltext)
        for constraint in column.table.constraints
        if isinstance(constraint, CheckConstraint) and constraint.name == check
    ]
    if not rules:
        raise Disagreement(f"The column {column} is set by {schema.__name__}, but has no CHECK named {check}.")
    allowed = {int(number) for number in re.findall(r"\d+", rules[0])}
    for rule, bound in _bounds(schema, column.name):
        if bound not in allowed:
            raise Disagreement(f"{schema.__name__}.{name} has {rule} {bound}, which is not in {check}.")


def _bounds(schema: type[BaseModel], member: str) -> Iterator[tuple[str, int]]:
    description = schema.model_json_schema()["properties"][member]
    for alternative in (description, *description.get("anyOf", [])):
        for rule in ("minLength", "maxLength", "minimum", "maximum"):
            if rule in alternative:
                yield rule, alternative[rule]
