import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from time import time as unix_time
from typing import Annotated, Any, Literal
from uuid import UUID

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, StringConstraints, computed_field, field_serializer
from pydantic import Field as Member
from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, literal, literal_column
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.models.ids import uuid7
from backend.models.tasks import DUE_ASCENDING, Priority, Status, Task

SECRET = os.environ["BETTER_AUTH_SECRET"]
ISSUER = os.environ["BETTER_AUTH_URL"]
MAX_TASKS_PER_USER = int(os.environ["MAX_TASKS_PER_USER"])
REMEMBERED_TOKENS = int(os.environ["REMEMBERED_TOKENS"])
REMEMBERED_FOR = float(os.environ["REMEMBERED_FOR"])  # seconds
OUR_SQL = "OUR_SQL" in os.environ

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=50)]


class Schema(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class TaskCreate(Schema):
    title: Title
    description: Description | None = None
    priority: Priority = Priority.MEDIUM
    category: Category = "other"
    due_date: date | datetime | None = None


class TaskPatch(Schema):
    title: Title | None = None
    description: Description | None = None
    priority: Priority | None = None
    category: Category | None = None
    due_date: date | datetime | None = None


class TaskRead(Schema):
    id: UUID
    user_id: str
    title: str
    description: str | None
    status: Status
    completed_at: datetime | None
    priority: Priority
    category: str
    due_date: datetime | None
    due_all_day: bool = Member(exclude=True)
    version: int
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator] # as in Pydantic's documentation
    @property
    def completed(self) -> bool:
        return self.status is Status.COMPLETED

    @field_serializer("due_date")
    def day_or_instant(self, due: datetime | None) -> date | datetime | None:
        return due.date() if due and self.due_all_day else due


class Stats(BaseModel):
    total: int
    pending: int
    completed: int
    overdue: int


class TaskQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    priority: Priority | None = None
    category: Category | None = None
    search: str | None = None
    sort_by: Literal["createdAt", "updatedAt", "dueDate", "priority", "title"] = "createdAt"
    sort_order: Literal["asc", "desc"] = "desc"
    limit: int = Member(1000, ge=1, le=1000)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, AsyncEngine]]:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://").replace("sslmode", "ssl")
    engine = create_async_engine(url, pool_size=10, max_overflow=0)
    yield {"engine": engine}
    await engine.dispose()


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(request.state.engine, expire_on_commit=False) as session:
        yield session


remembered: dict[bytes, tuple[str, float]] = {}  # subjects by their token's digest, with the time to forget them


def verify(token: str) -> str:
    """The subject of the token. Raises jwt.InvalidTokenError."""
    digest = sha256(token.encode()).digest()
    subject, until = remembered.get(digest, ("", 0.0))
    if until <= unix_time():
        claims = jwt.decode(token, SECRET, ["HS256"], issuer=ISSUER, audience=ISSUER)
        subject = claims["sub"]
        remembered.pop(digest, None)
        if len(remembered) >= REMEMBERED_TOKENS:
            del remembered[next(iter(remembered))]  # the oldest
        remembered[digest] = subject, min(claims["exp"], unix_time() + REMEMBERED_FOR)
    return subject


async def current_user(
    user_id: str, credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> str:
    try:
        subject = verify(credentials.credentials)
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "Not signed in") from error
    if user_id not in {"me", subject}:
        raise HTTPException(403, "Not the caller")
    return subject


CurrentSession = Annotated[AsyncSession, Depends(get_session)]
CurrentUser = Annotated[str, Depends(current_user)]

router = APIRouter(prefix="/api/{user_id}")


def set_due(task: Task, due: date | datetime | None) -> None:
    task.due_all_day = due is not None and not isinstance(due, datetime)
    task.due_date = due if due is None or isinstance(due, datetime) else datetime.combine(due, time(), UTC)


async def find(session: AsyncSession, user: str, task_id: UUID) -> Task:
    found = await session.exec(select(Task).where(Task.user_id == user, Task.id == task_id))
    task = found.one_or_none()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


def has_status(status: Status) -> ColumnElement[bool]:
    if OUR_SQL:  # the condition of an index
        completed_at = col(Task.completed_at)
        return completed_at.is_(None) if status is Status.PENDING else completed_at.is_not(None)
    return col(Task.status) == status


def contains(word: str) -> ColumnElement[bool]:
    texts = (col(Task.title), col(Task.description))
    if OUR_SQL:
        needle = func.lower(literal(word).collate("pg_c_utf8"))
        return or_(*(func.strpos(func.lower(text), needle) > 0 for text in texts))
    return or_(*(text.icontains(word, autoescape=True) for text in texts))


@router.get("/tasks", response_model=list[TaskRead])
async def list_tasks(
    session: CurrentSession, user: CurrentUser, query: Annotated[TaskQuery, Query()]
) -> list[Task]:
    statement = select(Task).where(Task.user_id == user)
    if query.status:
        statement = statement.where(has_status(query.status))
    if query.priority:
        statement = statement.where(Task.priority == query.priority)
    if query.category:
        statement = statement.where(Task.category == query.category)
    for word in (query.search or "").split():
        statement = statement.where(contains(word))
    by_index = OUR_SQL and query.sort_order == "asc"
    keys: dict[str, SQLColumnExpression[Any]] = {
        "createdAt": col(Task.created_at),
        "updatedAt": col(Task.updated_at),
        "dueDate": literal_column(DUE_ASCENDING.text) if by_index else col(Task.due_date),
        "priority": col(Task.priority),
        "title": func.lower(Task.title),
    }
    key, last = keys[query.sort_by], col(Task.id)
    first, second = (key.asc(), last.asc()) if query.sort_order == "asc" else (key.desc(), last.desc())
    if query.sort_by == "dueDate":
        first = first.nulls_last()  # for the other columns, it would keep PostgreSQL from using an index
    statement = statement.order_by(first, second).limit(query.limit)
    return list((await session.exec(statement)).all())


@router.post("/tasks", status_code=201, response_model=TaskRead)
async def create_task(session: CurrentSession, user: CurrentUser, new: TaskCreate, response: Response) -> Task:
    number = (await session.exec(select(func.count()).where(Task.user_id == user))).one()
    if number >= MAX_TASKS_PER_USER:
        raise HTTPException(409, "Too many tasks")
    now = datetime.now(UTC)
    task = Task(
        user_id=user,
        id=uuid7(),
        **new.model_dump(exclude={"due_date"}),
        status=Status.PENDING,
        completed_at=None,
        version=1,
        created_at=now,
        updated_at=now,
    )
    set_due(task, new.due_date)
    session.add(task)
    await session.commit()
    response.headers["Location"] = f"/api/{user}/tasks/{task.id}"
    return task


@router.get("/tasks/{task_id}", response_model=TaskRead)
async def get_task(session: CurrentSession, user: CurrentUser, task_id: UUID) -> Task:
    return await find(session, user, task_id)


@router.patch("/tasks/{task_id}", response_model=TaskRead)
async def patch_task(session: CurrentSession, user: CurrentUser, task_id: UUID, changes: TaskPatch) -> Task:
    task = await find(session, user, task_id)
    sent = changes.model_dump(exclude_unset=True)
    if "due_date" in sent:
        set_due(task, sent.pop("due_date"))
    task.sqlmodel_update(sent)
    return await save(session, task)


@router.patch("/tasks/{task_id}/complete", response_model=TaskRead)
async def complete_task(session: CurrentSession, user: CurrentUser, task_id: UUID) -> Task:
    task = await find(session, user, task_id)
    if task.status is Status.PENDING:
        task.status, task.completed_at = Status.COMPLETED, datetime.now(UTC)
    else:
        task.status, task.completed_at = Status.PENDING, None
    return await save(session, task)


async def save(session: AsyncSession, task: Task) -> Task:
    task.version += 1
    task.updated_at = datetime.now(UTC)
    session.add(task)
    await session.commit()
    return task


@router.get("/stats")
async def get_stats(session: CurrentSession, user: CurrentUser) -> Stats:
    pending = col(Task.status) == Status.PENDING
    day = case((col(Task.due_all_day), literal(timedelta(days=1))), else_=literal(timedelta(0)))
    overdue = and_(pending, col(Task.due_date) + day <= func.now())
    mine = col(Task.user_id) == user
    if OUR_SQL:  # two counts, each from an index alone
        every = select(func.count()).where(mine).scalar_subquery()
        today = datetime.combine(datetime.now(UTC).date(), time(), UTC)
        due = col(Task.due_date)
        overdue = case((col(Task.due_all_day), due < today), else_=due <= func.now())
        counts = select(every, func.count(), func.count().filter(overdue))
        counts = counts.where(mine, has_status(Status.PENDING))
        total, pending_, overdue_ = (await session.exec(counts)).one()
        return Stats(total=total, pending=pending_, completed=total - pending_, overdue=overdue_)
    statement = select(
        func.count(),
        func.count().filter(pending),
        func.count().filter(col(Task.status) == Status.COMPLETED),
        func.count().filter(overdue),
    ).where(mine)
    total, pending_, completed, overdue_ = (await session.exec(statement)).one()
    return Stats(total=total, pending=pending_, completed=completed, overdue=overdue_)


app = FastAPI(lifespan=lifespan)
app.include_router(router)
