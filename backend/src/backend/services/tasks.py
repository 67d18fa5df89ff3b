"""What can be done with tasks. Each function is one statement of `tasks_sql`, and so one transaction."""

import json
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic import MISSING

from backend.database import Tenant
from backend.errors import AccountGone, Fault, InvalidValues, PreconditionFailed, TaskNotFound, TooManyTasks
from backend.models.ids import uuid7
from backend.models.tasks import Status
from backend.postgres.json import read_page
from backend.postgres.statements import Statement
from backend.schemas.idempotency import Inserted, Key
from backend.schemas.tasks import TaskCreate, TaskPatch, TaskPut, TaskQuery
from backend.schemas.versions import Versions
from backend.services import idempotency
from backend.services import tasks_sql as sql
from backend.services.cursors import Cursor


class StoredTask(NamedTuple):
    json: str
    version: int


class Page(NamedTuple):
    tasks: str  # a JSON array
    next: Cursor | None


async def find(tenant: Tenant, query: TaskQuery) -> Page:
    """One page of the tenant's tasks, in the order that the query names.

    Raises InvalidValues for a cursor of another list or order.
    """
    values: dict[str, Any] = {name: getattr(query, name) for name in sql.FILTERS}  # SQL values
    values = {name: value for name, value in values.items() if value is not None}
    filters = {*values, query.status} if query.status else {*values}
    words = (query.search or "").split()
    values |= {f"word{number}": word for number, word in enumerate(words)}
    if query.cursor is not None:
        try:
            cursor = Cursor.decode(query.cursor, query.sort_by, query.sort_order)
        except ValueError as error:
            raise InvalidValues(Fault("/cursor", f"{error}.")) from error
        values |= {"after": cursor.key(), "after_id": cursor.id}
    statement = sql.find(
        frozenset(filters), len(words), query.sort_by, query.sort_order, paged=query.cursor is not None
    )
    found, last = await read_page(lambda limit: tenant.read(statement, limit=limit, **values), query.limit)
    return Page(found, Cursor.after(json.loads(last), query.sort_by, query.sort_order) if last else None)


async def get(tenant: Tenant, task_id: UUID) -> StoredTask:
    """Raises TaskNotFound."""
    rows = await tenant.read(sql.GET, id=task_id)
    if not rows:
        raise TaskNotFound
    return StoredTask(*rows[0])


async def create(
    tenant: Tenant, new: TaskCreate, *, max_tasks: int, key: Key | None = None
) -> tuple[UUID, Inserted]:
    """The task's id, and the task; that of the first time, as it was then, if the key was sent before.

    Raises TooManyTasks if the tenant already has `max_tasks` tasks, AccountGone if the user has been deleted, and
    IdempotencyKeyReused. The limit is approximate: two creates at once can both find the last place free. The cost
    grows with the number of the tenant's tasks, which are counted in the same statement.
    """
    task_id = uuid7()
    values = {"id": task_id, "max_tasks": max_tasks, **sql.new_values(_columns(dict(new)))}
    try:
        created = await idempotency.insert(tenant, sql.CREATE, sql.CREATE_KEYED, key, **values)
    except asyncpg.ForeignKeyViolationError as error:
        raise AccountGone from error
    if created is None:
        raise TooManyTasks(f"The account holds {max_tasks} tasks, as many as it may; delete some to make room.")
    if created.is_replayed:
        task_id = UUID(json.loads(created.json)["id"])
    return task_id, created


async def change(
    tenant: Tenant, task_id: UUID, changes: TaskPut | TaskPatch, *, versions: Versions | None = None
) -> StoredTask:
    """Set the fields that were sent. The version moves only if that makes a difference.

    Raises TaskNotFound, or PreconditionFailed if the task is at none of the `versions`.
    """
    columns = _columns({name: value for name, value in changes if value is not MISSING})
    if columns:
        return await _set(tenant, task_id, columns, versions)
    task = await get(tenant, task_id)
    if versions is not None and task.version not in versions:
        raise PreconditionFailed
    return task


async def complete(
    tenant: Tenant, task_id: UUID, *, completed: bool, versions: Versions | None = None
) -> StoredTask:
    """Safe to repeat. Raises TaskNotFound or PreconditionFailed."""
    status = Status.COMPLETED if completed else Status.PENDING
    return await _set(tenant, task_id, {"status": status}, versions)


async def toggle(tenant: Tenant, task_id: UUID, *, versions: Versions | None = None) -> StoredTask:
    """Complete a pending task, or reopen a completed one. Two toggles at once cancel each other out.

    Raises TaskNotFound or PreconditionFailed.
    """
    return await _write(tenant, sql.TOGGLE if versions is None else sql.TOGGLE_IF, task_id, versions)


async def remove(tenant: Tenant, task_id: UUID, *, versions: Versions | None = None) -> None:
    """Raises TaskNotFound or PreconditionFailed."""
    await _write(tenant, sql.REMOVE if versions is None else sql.REMOVE_IF, task_id, versions)


async def _set(
    tenant: Tenant, task_id: UUID, columns: dict[str, Any], versions: Versions | None
) -> StoredTask:  # SQL values
    statement = sql.change(frozenset(columns), conditional=versions is not None)
    return await _write(tenant, statement, task_id, versions, **sql.new_values(columns))


async def _write(
    tenant: Tenant, statement: Statement, task_id: UUID, versions: Versions | None, /, **values: object
) -> StoredTask:
    if versions is not None:
        values |= {"versions": list(versions.numbers), "excluded": versions.excluded}
    rows = await tenant.write(statement, id=task_id, **values)
    if not rows:
        await get(tenant, task_id)  # raises TaskNotFound, unless the task is at another version
        raise PreconditionFailed
    return StoredTask(*rows[0])


def _columns(fields: dict[str, Any]) -> dict[str, Any]:  # SQL values
    """Fields as columns: they have the same names, and only a due date is stored in two of them."""
    if "due_date" not in fields:
        return fields
    due = fields["due_date"]
    return {**fields, "due_date": due and due.at, "due_all_day": bool(due and due.all_day)}
