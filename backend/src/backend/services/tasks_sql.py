"""The SQL of tasks. Each statement is built and compiled once; those that depend on the request are cached.

Enumerations are bound as text and cast in SQL: asyncpg would otherwise ask the server about their types on every
new connection.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Delete,
    Enum,
    FromClause,
    Integer,
    Text,
    Update,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)

from backend.models.tasks import DUE_ASCENDING, DUE_DESCENDING, PRIORITY, Status, tasks
from backend.postgres.json import DAY, INSTANT, Sql, boolean, or_null, page, row, utc
from backend.postgres.statements import Statement, of_tenant, once
from backend.schemas.tasks import SortBy, SortOrder, TaskCreate, TaskRead

column = tasks.c

_PENDING: Sql = literal_column("'pending'::task_status")
_COMPLETED: Sql = literal_column("'completed'::task_status")


def _json(rows: FromClause) -> Sql:
    """PostgreSQL writes a task's JSON, from the members that TaskRead names and the columns of the table."""
    return row(
        rows,
        TaskRead,
        completed=boolean(rows.c.status == _COMPLETED),
        due_date=or_null(utc(rows.c.due_date, case((rows.c.due_all_day, DAY), else_=INSTANT))),
    ).label("json")


def _with_version(rows: FromClause) -> Sequence[Sql]:
    return _json(rows), rows.c.version


_NOW = once(func.statement_timestamp())
# A write may wait for another one of the same task, which began after it. Its time is not before the other's.
_NOT_BEFORE: Sql = func.greatest(_NOW, column.updated_at)

_ID = bindparam("id", type_=column.id.type)


def new_values(columns: dict[str, Any]) -> dict[str, Any]:  # SQL values
    """Values for columns, by the names that CREATE and `change` bind them to."""
    return {f"new_{name}": value for name, value in columns.items()}


def _new(name: str) -> ColumnElement[Any]:
    """The new value for a column."""
    kind = column[name].type
    if isinstance(kind, Enum):
        return once(cast(bindparam(f"new_{name}", type_=Text), kind))
    return bindparam(f"new_{name}", type_=kind)


# Conditions by the name of the query parameter whose value they are given.
FILTERS: dict[str, ColumnElement[bool]] = {
    "priority": column.priority == cast(bindparam("priority", type_=Text), PRIORITY),
    "category": column.category == bindparam("category", type_=Text),
    "due_after": column.due_date >= bindparam("due_after", type_=column.due_date.type),
    "due_before": column.due_date < bindparam("due_before", type_=column.due_date.type),
}
# A task is completed exactly when completedAt is not null (a CHECK), and that is what an index can serve: under
# row-level security PostgreSQL compares no enumeration before it has applied the policy.
STATUS_FILTERS: dict[str, ColumnElement[bool]] = {
    Status.PENDING: column.completed_at.is_(None),
    Status.COMPLETED: column.completed_at.is_not(None),
}
_CONDITIONS = FILTERS | STATUS_FILTERS


def _contains(word: ColumnElement[str]) -> ColumnElement[bool]:
    # Not LIKE, whose wildcards would have to be escaped.
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
            due = bindparam("after", type_=column.due_date.type)
            if sort_order is SortOrder.ASCENDING:
                key, after = DUE_ASCENDING, func.least(due, literal_column("'infinity'::timestamptz"))
            else:
                key, after = DUE_DESCENDING, func.greatest(due, literal_column("'-infinity'::timestamptz"))
            return [literal_column(key.text), column.id], [after, after_id]
        case SortBy.CREATED_AT | SortBy.UPDATED_AT:
            time = column.created_at if sort_by is SortBy.CREATED_AT else column.updated_at
            return [time, column.id], [bindparam("after", type_=time.type), after_id]


@lru_cache(maxsize=1024)
def find(filters: frozenset[str], words: int, sort_by: SortBy, sort_order: SortOrder, *, paged: bool) -> Statement:
    """A `page` of tasks that pass the `filters` (keys of FILTERS and STATUS_FILTERS) and contain all words.

    `paged` starts it after the task that `after` and `after_id` name. A combination takes one or two milliseconds
    to compile, once.
    """
    keys, after = _sort_keys(sort_by, sort_order)
    ascending = sort_order is SortOrder.ASCENDING
    query = select(_json(tasks)).where(of_tenant(tasks), *(_CONDITIONS[name] for name in sorted(filters)))
    query = query.where(*(_contains(bindparam(f"word{number}", type_=Text)) for number in range(words)))
    if paged:
        here, there = tuple_(*keys), tuple_(*after)
        query = query.where(here > there if ascending else here < there)
    query = query.order_by(*(key.asc() if ascending else key.desc() for key in keys))
    return Statement.read(page(query))


GET = Statement.read(select(*_with_version(tasks)).where(of_tenant(tasks), column.id == _ID))

_NEW = [*TaskCreate.model_fields, "due_all_day"]
CREATE, CREATE_KEYED = (
    Statement.insert(
        tasks,
        {"id": _ID, **{name: _new(name) for name in _NEW}, "created_at": _NOW, "updated_at": _NOW},
        _with_version,
        most=bindparam("max_tasks", type_=Integer),
        keyed=keyed,
    )
    for keyed in (False, True)
)

_IS_NAMED = column.version == func.any(bindparam("versions", type_=ARRAY(Integer)))
_AT_VERSION = _IS_NAMED.is_distinct_from(bindparam("excluded", type_=Boolean))


@lru_cache(maxsize=256)
def change(names: frozenset[str], *, conditional: bool) -> Statement:
    """Set these columns. The version and the time move only if one of them becomes different.

    `conditional` changes nothing unless the task is at one of the `versions`, or with `excluded` at any other.
    """
    new = {name: _new(name) for name in sorted(names)}
    changed = or_(*(column[name].is_distinct_from(value) for name, value in new.items()))
    values = {
        **new,
        "version": column.version + case((changed, 1), else_=0),
        "updated_at": case((changed, _NOT_BEFORE), else_=column.updated_at),
    }
    if "status" in new:
        values["completed_at"] = case(
            (new["status"] == _COMPLETED, func.coalesce(column.completed_at, _NOT_BEFORE)), else_=null()
        )
    return _returning(update(tasks).values(values), conditional=conditional)


def _returning(statement: Update | Delete, *, conditional: bool) -> Statement:
    where = (column.id == _ID, _AT_VERSION) if conditional else (column.id == _ID,)
    return Statement.change(statement.where(*where), _with_version)


_toggled = update(tasks).values(
    status=case((column.status == _PENDING, _COMPLETED), else_=_PENDING),
    completed_at=case((column.status == _PENDING, _NOT_BEFORE), else_=null()),
    version=column.version + 1,
    updated_at=_NOT_BEFORE,
)
TOGGLE, TOGGLE_IF = (_returning(_toggled, conditional=conditional) for conditional in (False, True))
REMOVE, REMOVE_IF = (_returning(delete(tasks), conditional=conditional) for conditional in (False, True))
