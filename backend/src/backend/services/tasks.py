"""What can be done with tasks."""

import json
import secrets
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Delete,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlmodel import SQLModel

from backend.database import Tenant
from backend.errors import AccountGone, Fault, InvalidValues, PreconditionFailed, TaskNotFound, TooManyTasks
from backend.models.tasks import DUE_ASCENDING, DUE_DESCENDING, PRIORITY, STATUS, Status
from backend.postgres.statements import READER, WRITER, Statement
from backend.schemas.tasks import SortBy, SortOrder, TaskCreate, TaskPatch, TaskPut, TaskQuery
from backend.services.cursors import Cursor

tasks = SQLModel.metadata.tables["tasks"]
column = tasks.c

type Versions = frozenset[int]
"""The versions a write may start from."""


class StoredTask(NamedTuple):
    json: str
    version: int


class Page(NamedTuple):
    tasks: Sequence[str]  # each as JSON
    next: Cursor | None


type Sql = ColumnElement[Any]
"""An expression of any type."""


def _or_null(json: Sql) -> Sql:
    return func.coalesce(cast(json, Text), literal_column("'null'"))


def _utc(time: Sql, form: Sql) -> Sql:
    return func.to_char(func.timezone(literal_column("'UTC'"), time), form)


_DAY: Sql = literal_column(r"""'\"YYYY-MM-DD\"'""")
_INSTANT: Sql = literal_column(r"""'\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"'""")
_PENDING: Sql = literal_column("'pending'::task_status")
_COMPLETED: Sql = literal_column("'completed'::task_status")

# PostgreSQL writes a task's JSON. What it returns was checked when it came in; to read each row into Python
# and write it out again would cost several times as much as the rest of a request. Each member is JSON, or in
# pieces, of which those that are strings here are taken as they are.
_MEMBERS: dict[str, tuple[Sql | str, ...]] = {
    "id": ('"', column.id, '"'),
    "userId": (func.to_json(column.userId),),
    "title": (func.to_json(column.title),),
    "description": (_or_null(func.to_json(column.description)),),
    "status": ('"', column.status, '"'),
    "completed": (cast(column.status == _COMPLETED, Text),),
    "completedAt": (_or_null(_utc(column.completedAt, _INSTANT)),),
    "priority": ('"', column.priority, '"'),
    "category": (func.to_json(column.category),),
    "dueDate": (_or_null(_utc(column.dueDate, case((column.dueAllDay, _DAY), else_=_INSTANT))),),
    "version": (column.version,),
    "createdAt": (_utc(column.createdAt, _INSTANT),),
    "updatedAt": (_utc(column.updatedAt, _INSTANT),),
}


def _json_object(members: dict[str, tuple[Sql | str, ...]]) -> Sql:
    parts: list[Sql] = []
    text = ""
    for name, pieces in members.items():
        text += f"""{"," if parts else "{"}"{name}":"""
        for piece in pieces:
            if isinstance(piece, str):
                text += piece
            else:
                parts += [literal_column(f"'{text}'"), piece]
                text = ""
    return func.concat(*parts, literal_column(f"'{text}}}'"))


_JSON = _json_object(_MEMBERS).label("json")

_NOW = func.statement_timestamp()

_ID = bindparam("id", type_=column.id.type)


async def find(tenant: Tenant, query: TaskQuery) -> Page:
    """A page of the tenant's tasks. Raises InvalidValues for a cursor that does not fit."""
    values: dict[str, Any] = {"limit": query.limit + 1}  # one more tells whether there is a next page
    given = {name: value for name in _FILTERS if (value := getattr(query, name, None)) is not None}
    values |= given
    filters = {*given, *([query.status] if query.status else [])}
    words = (query.search or "").split()
    values |= {f"word{number}": word for number, word in enumerate(words)}
    if query.cursor is not None:
        try:
            cursor = Cursor.decode(query.cursor, query.sort_by, query.sort_order)
        except ValueError as error:
            raise InvalidValues(Fault("/cursor", f"{error}.")) from error
        values |= {"after": cursor.key(), "after_id": cursor.id}
    statement = _find(
        frozenset(filters), len(words), query.sort_by, query.sort_order, paged=query.cursor is not None
    )
    found = [row["json"] for row in await tenant.read(statement, **values)]
    if len(found) <= query.limit:
        return Page(found, None)
    del found[query.limit :]
    return Page(found, Cursor.after(json.loads(found[-1]), query.sort_by, query.sort_order))


async def get(tenant: Tenant, task_id: UUID) -> StoredTask:
    """Raises TaskNotFound."""
    rows = await tenant.read(_GET, id=task_id)
    if not rows:
        raise TaskNotFound
    return StoredTask(*rows[0])


async def create(tenant: Tenant, new: TaskCreate, *, most: int) -> tuple[UUID, StoredTask]:
    """Raises TooManyTasks where the tenant has `most` tasks already, AccountGone where the user is deleted.

    Two requests at once may both find the last place free.
    """
    task_id = uuid7()
    values = {f"new_{name}": value for name, value in _columns(new.all()).items()}
    try:
        rows = await tenant.write(_CREATE, id=task_id, most=most, **values)
    except asyncpg.ForeignKeyViolationError as error:
        raise AccountGone from error
    if not rows:
        raise TooManyTasks(f"The account holds {most} tasks, as many as it may; delete some to make room.")
    return task_id, StoredTask(*rows[0])


async def change(
    tenant: Tenant, task_id: UUID, changes: TaskPut | TaskPatch, *, versions: Versions | None = None
) -> StoredTask:
    """Set the fields that were sent; what they are already does not count as a change.

    Raises TaskNotFound, or PreconditionFailed where the task is at none of the `versions`.
    """
    values = _columns(changes.sent())
    if not values:
        task = await get(tenant, task_id)
        if versions is not None and task.version not in versions:
            raise PreconditionFailed
        return task
    statement = _change(frozenset(values), conditional=versions is not None)
    return await _write(
        tenant, statement, task_id, versions, **{f"new_{name}": value for name, value in values.items()}
    )


async def complete(
    tenant: Tenant, task_id: UUID, *, completed: bool, versions: Versions | None = None
) -> StoredTask:
    """Raises TaskNotFound or PreconditionFailed."""
    patch = TaskPatch.model_validate({"completed": completed})
    return await change(tenant, task_id, patch, versions=versions)


async def toggle(tenant: Tenant, task_id: UUID, *, versions: Versions | None = None) -> StoredTask:
    """One statement, so that no two toggles start from the same state.

    Raises TaskNotFound or PreconditionFailed.
    """
    return await _write(tenant, _TOGGLE if versions is None else _TOGGLE_IF, task_id, versions)


async def remove(tenant: Tenant, task_id: UUID, *, versions: Versions | None = None) -> None:
    """Raises TaskNotFound or PreconditionFailed."""
    await _write(tenant, _REMOVE if versions is None else _REMOVE_IF, task_id, versions)


async def _write(
    tenant: Tenant, statement: Statement, task_id: UUID, versions: Versions | None, /, **values: object
) -> StoredTask:
    rows = await tenant.write(statement, id=task_id, versions=list(versions or ()), **values)
    if not rows:
        await get(tenant, task_id)  # if there is one
        raise PreconditionFailed
    return StoredTask(*rows[0])


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a schema as columns of the table."""
    columns = dict(fields)
    if "due_date" in columns:
        due = columns.pop("due_date")
        columns["dueDate"] = due and due.at
        columns["dueAllDay"] = bool(due and due.all_day)
    return columns


def uuid7() -> UUID:
    """A time-ordered id (RFC 9562, section 5.7), so that new rows land side by side in the indexes."""
    milliseconds = time.time_ns() // 1_000_000
    version, variant = 0x7 << 76, 0b10 << 62
    chance = secrets.randbits(74)
    return UUID(int=milliseconds << 80 | version | (chance >> 62) << 64 | variant | chance & (1 << 62) - 1)


# Statements. Each shape is built and compiled once. Enumerations travel as text, so that asyncpg need not ask
# the server about their types on every new connection.


def _bound(name: str) -> ColumnElement[Any]:
    """A new value for the column `name`."""
    kind = column[name].type
    if kind in (STATUS, PRIORITY):
        return cast(bindparam(f"new_{name}", type_=Text), kind)
    return bindparam(f"new_{name}", type_=kind)


_FILTERS: dict[str, ColumnElement[bool]] = {
    # What the CHECK on completedAt makes the same as the status, in a form that an index can serve: under
    # row-level security PostgreSQL compares no enumeration before the policy has been applied.
    Status.PENDING: column.completedAt.is_(None),
    Status.COMPLETED: column.completedAt.is_not(None),
    "priority": column.priority == cast(bindparam("priority", type_=Text), PRIORITY),
    "category": column.category == bindparam("category", type_=Text),
    "due_after": column.dueDate >= bindparam("due_after", type_=column.dueDate.type),
    "due_before": column.dueDate < bindparam("due_before", type_=column.dueDate.type),
}


def _contains(word: ColumnElement[str]) -> ColumnElement[bool]:
    # Unlike LIKE, strpos knows no wildcards that would have to be escaped.
    needle = func.lower(word.collate("pg_c_utf8"))
    return or_(*(func.strpos(func.lower(text), needle) > 0 for text in (column.title, column.description)))


def _sort_keys(sort_by: SortBy, sort_order: SortOrder) -> tuple[list[Any], list[Any]]:  # SQL expressions
    """The expressions that a list is sorted by, and the values of the task it continues after."""
    after_id = bindparam("after_id", type_=column.id.type)
    match sort_by:
        case SortBy.TITLE:
            title = bindparam("after", type_=Text).collate("pg_c_utf8")
            return [func.lower(column.title), column.title, column.id], [func.lower(title), title, after_id]
        case SortBy.PRIORITY:
            return [column.priority, column.id], [cast(bindparam("after", type_=Text), PRIORITY), after_id]
        case SortBy.DUE_DATE:
            due = bindparam("after", type_=column.dueDate.type)
            if sort_order is SortOrder.ASCENDING:
                key, after = DUE_ASCENDING, func.least(due, literal_column("'infinity'::timestamptz"))
            else:
                key, after = DUE_DESCENDING, func.greatest(due, literal_column("'-infinity'::timestamptz"))
            return [literal_column(key.text), column.id], [after, after_id]
        case _:
            return [column[sort_by], column.id], [bindparam("after", type_=column.createdAt.type), after_id]


@lru_cache(maxsize=1024)
def _find(
    filters: frozenset[str], words: int, sort_by: SortBy, sort_order: SortOrder, *, paged: bool
) -> Statement:
    keys, after = _sort_keys(sort_by, sort_order)
    ascending = sort_order is SortOrder.ASCENDING
    query = select(_JSON).where(column.userId == READER, *(_FILTERS[name] for name in sorted(filters)))
    query = query.where(*(_contains(bindparam(f"word{number}", type_=Text)) for number in range(words)))
    if paged:
        here, there = tuple_(*keys), tuple_(*after)
        query = query.where(here > there if ascending else here < there)
    query = query.order_by(*(key.asc() if ascending else key.desc() for key in keys))
    return Statement.read(query.limit(bindparam("limit", type_=Integer)))


_GET = Statement.read(select(_JSON, column.version).where(column.userId == READER, column.id == _ID))

_MINE = and_(column.userId == WRITER, column.id == _ID)
_AT_VERSION = column.version == func.any(bindparam("versions", type_=ARRAY(Integer)))

_NEW = ["title", "description", "priority", "category", "dueDate", "dueAllDay"]
_CREATE = Statement.insert(
    insert(tasks)
    .from_select(
        ["userId", "id", *_NEW, "createdAt", "updatedAt"],
        select(READER, _ID, *(_bound(name) for name in _NEW), _NOW, _NOW).where(
            select(func.count()).select_from(tasks).where(column.userId == READER).scalar_subquery()
            < bindparam("most", type_=Integer)
        ),
        include_defaults=False,
    )
    .returning(_JSON, column.version)
)


@lru_cache(maxsize=256)
def _change(names: frozenset[str], *, conditional: bool) -> Statement:
    new = {name: _bound(name) for name in sorted(names)}
    changed = or_(*(column[name].is_distinct_from(value) for name, value in new.items()))
    values = {
        **new,
        "version": column.version + case((changed, 1), else_=0),
        "updatedAt": case((changed, _NOW), else_=column.updatedAt),
    }
    if "status" in new:
        values["completedAt"] = case(
            (new["status"] == _COMPLETED, func.coalesce(column.completedAt, _NOW)), else_=null()
        )
    return _returning(update(tasks).values(values), conditional=conditional)


def _returning(statement: Update | Delete, *, conditional: bool) -> Statement:
    where = (_MINE, _AT_VERSION) if conditional else (_MINE,)
    return Statement.change(statement.where(*where), _JSON, column.version)


_toggled = update(tasks).values(
    status=case((column.status == _PENDING, _COMPLETED), else_=_PENDING),
    completedAt=case((column.status == _PENDING, _NOW), else_=null()),
    version=column.version + 1,
    updatedAt=_NOW,
)
_TOGGLE, _TOGGLE_IF = (_returning(_toggled, conditional=conditional) for conditional in (False, True))
_REMOVE, _REMOVE_IF = (_returning(delete(tasks), conditional=conditional) for conditional in (False, True))
