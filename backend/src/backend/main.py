"""The application, put together: a table of contents."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from signal import SIGTERM, raise_signal
from typing import TypedDict

from fastapi import FastAPI
from starlette.types import ASGIApp

from backend import __version__, logs
from backend.auth import Authenticator
from backend.config import Environment, Settings
from backend.database import Database
from backend.errors import Problem
from backend.http import docs, explanations, health, openapi, problems
from backend.http.authentication import authenticator_for
from backend.http.middleware import Envelope
from backend.http.routing import Application
from backend.logs import log
from backend.routers import stats, tasks


def _stop() -> None:
    raise_signal(SIGTERM)


def create_app(settings: Settings | None = None, *, on_unsafe_role: Callable[[], None] = _stop) -> ASGIApp:
    """The application that `tasks serve` runs. Other servers can use `backend.main:create_app` as a factory.

    `on_unsafe_role` is called when a connection has a role that row-level security does not bind.
    """
    settings = settings or Settings()
    logs.configure(level=settings.log_level, as_json=settings.logs_json)
    api = create_api(settings, on_unsafe_role)
    return Envelope(api, settings.cors_origins)


def create_api(settings: Settings, on_unsafe_role: Callable[[], None] = _stop) -> FastAPI:
    api = Application(
        title="Tasks",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=_lifespan(settings, on_unsafe_role),
        generate_unique_id_function=lambda route: route.name,  # generated clients name their functions after it
        redirect_slashes=False,  # a redirect would trust the Host header, which anybody can forge
        docs_url=None,  # `docs.install` adds it, with assets served from here
        redoc_url=None,
    )
    problems.install_handlers(api)
    api.include_router(tasks.router)
    api.include_router(stats.router)
    api.include_router(health.router)
    openapi.install(api)
    docs.install(api)
    explanations.install(api)
    return api


class State(TypedDict):
    """The members of `request.state`."""

    settings: Settings
    database: Database
    authenticator: Authenticator


def _lifespan(
    settings: Settings, on_unsafe_role: Callable[[], None]
) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        database = Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.database_pool_size,
            production=settings.environment is Environment.PRODUCTION,
            on_unsafe_role=on_unsafe_role,
        )
        try:
            async with authenticator_for(settings, database.better_auth.fetch) as authenticator:
                await _try_database(database)
                log.info("started", version=__version__, environment=settings.environment)
                yield State(settings=settings, database=database, authenticator=authenticator)
        finally:
            await database.close()
            log.info("stopped")
            log.flush()

    return lifespan


async def _try_database(database: Database) -> None:
    """Connect once. Without a database the service starts anyway, and each request tries to connect again."""
    try:
        await database.check()
    except Problem as problem:
        log.warning("not ready", reason=problem.detail)
