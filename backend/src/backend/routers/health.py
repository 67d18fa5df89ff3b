from fastapi import APIRouter, Request

from backend import auth
from backend.auth import Authenticator
from backend.database import Database, translated
from backend.errors import KeysUnavailable, Unavailable
from backend.openapi import problems

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Liveness", response_description="It is")
async def live() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/ready", summary="Readiness", response_description="They can", responses=problems(Unavailable))
async def ready(request: Request) -> dict[str, str]:
    """Requests can be served: the database has this release's schema, and the keys of tokens can be had."""
    database: Database = request.state.database
    authenticator: Authenticator = request.state.authenticator
    await database.check()
    try:
        async with translated():
            await authenticator.check()
    except auth.KeysUnavailable as error:
        raise KeysUnavailable from error
    return {"status": "ok"}
