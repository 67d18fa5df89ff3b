from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Path, Query, Request, Response

from backend.errors import (
    ContentTooLarge,
    IdempotencyKeyReused,
    PreconditionFailed,
    TaskNotFound,
    TooManyTasks,
    UnsupportedMediaType,
)
from backend.http import responses
from backend.http.idempotency import Idempotency
from backend.http.openapi import REPLAYED, response_headers, tenant_problems
from backend.http.preconditions import ReadConditions, WriteConditions
from backend.http.requests import CanonicalUUID, CurrentSettings, CurrentTenant
from backend.http.routing import FastRoute
from backend.schemas.tasks import Completion, TaskCreate, TaskPatch, TaskPut, TaskQuery, TaskRead
from backend.services import tasks

router = APIRouter(prefix="/api/{user_id}/tasks", tags=["tasks"], route_class=FastRoute)

TaskId = Annotated[CanonicalUUID, Path(description="The task's id.")]

_TAGGED = response_headers(ETag="The task's version, for `If-Match` and `If-None-Match`.")
_PATCH = {"priority": "high", "dueDate": None}  # one of all members would contradict itself
_CONDITIONAL = (TaskNotFound, PreconditionFailed)
_BODY = (ContentTooLarge, UnsupportedMediaType)


@router.get(
    "",
    summary="List tasks",
    response_description="The tasks of the page",
    response_model=list[TaskRead],
    responses={200: response_headers(Link="The next page, if there is one."), **tenant_problems()},
)
async def find_tasks(request: Request, tenant: CurrentTenant, query: Annotated[TaskQuery, Query()]) -> Response:
    """List your tasks, a page at a time.

    While there are more, the `Link` header names the next page (`rel="next"`). Tasks without a due date come
    last in both orders.
    """
    page = await tasks.find(tenant, query)
    return responses.array(page.tasks, responses.next_page(request, page.next.encode() if page.next else None))


@router.post(
    "",
    summary="Create a task",
    status_code=201,
    response_description="The new task",
    response_model=TaskRead,
    responses={
        201: response_headers(
            ETag="The task's version.",
            Location="Where the task is.",
            Idempotent_Replayed=REPLAYED,
        ),
        **tenant_problems(TooManyTasks, IdempotencyKeyReused, *_BODY),
    },
)
async def create_task(
    tenant: CurrentTenant,
    new: Annotated[TaskCreate, Body()],
    settings: CurrentSettings,
    idempotency: Idempotency,
) -> Response:
    """Create a task.

    With an `Idempotency-Key` this is safe to repeat: one task is created, and the answer is the same each time.
    """
    key = idempotency(new)
    task_id, task = await tasks.create(tenant, new, max_tasks=settings.max_tasks_per_user, key=key)
    return responses.created(task, location=f"/api/{quote(tenant.user_id, safe='')}/tasks/{task_id}")


@router.get(
    "/{task_id}",
    summary="Get a task",
    response_description="The task",
    response_model=TaskRead,
    responses={200: _TAGGED, 304: {"description": "Not modified"}, **tenant_problems(*_CONDITIONAL)},
)
async def get_task(tenant: CurrentTenant, task_id: TaskId, conditions: ReadConditions) -> Response:
    """Get one task. With `If-None-Match` the answer is 304 while the task is unchanged."""
    task = await tasks.get(tenant, task_id)
    if conditions.is_not_modified(task.version):
        return responses.not_modified(task.version)
    return responses.one(*task)


@router.put(
    "/{task_id}",
    summary="Change a task",
    response_description="The task as it is now",
    response_model=TaskRead,
    responses={200: _TAGGED, **tenant_problems(*_CONDITIONAL, *_BODY)},
)
async def put_task(
    tenant: CurrentTenant,
    task_id: TaskId,
    changes: Annotated[TaskPut, Body()],
    versions: WriteConditions,
) -> Response:
    """Change the fields that are sent.

    A whole task may be sent back: members that only the server sets are ignored. To complete a task
    there is PATCH, here or at `/complete`. `null` or `""` clears the due date.
    """
    return responses.one(*await tasks.change(tenant, task_id, changes, versions=versions))


@router.patch(
    "/{task_id}",
    summary="Patch a task",
    response_description="The task as it is now",
    response_model=TaskRead,
    responses={200: _TAGGED, **tenant_problems(*_CONDITIONAL, *_BODY)},
)
async def patch_task(
    tenant: CurrentTenant,
    task_id: TaskId,
    changes: Annotated[TaskPatch, Body(media_type="application/merge-patch+json", examples=[_PATCH])],
    versions: WriteConditions,
) -> Response:
    """Change a task by a JSON merge patch (RFC 7396). Unknown and read-only members are refused."""
    return responses.one(*await tasks.change(tenant, task_id, changes, versions=versions))


@router.delete(
    "/{task_id}",
    summary="Delete a task",
    status_code=204,
    response_description="The task is gone",
    responses=tenant_problems(*_CONDITIONAL),
)
async def delete_task(tenant: CurrentTenant, task_id: TaskId, versions: WriteConditions) -> Response:
    """Delete a task."""
    await tasks.remove(tenant, task_id, versions=versions)
    return Response(status_code=204)


@router.patch(
    "/{task_id}/complete",
    summary="Complete or reopen a task",
    response_description="The task as it is now",
    response_model=TaskRead,
    responses={200: _TAGGED, **tenant_problems(*_CONDITIONAL, *_BODY)},
)
async def complete_task(
    tenant: CurrentTenant,
    task_id: TaskId,
    versions: WriteConditions,
    completion: Annotated[Completion | None, Body()] = None,
) -> Response:
    """Complete a task or reopen it.

    Without a body the state is toggled. `{"completed": true}` sets it, which is safe to repeat: a task that is
    already in that state stays as it is.
    """
    if completion is None:
        return responses.one(*await tasks.toggle(tenant, task_id, versions=versions))
    return responses.one(*await tasks.complete(tenant, task_id, completed=completion.completed, versions=versions))
