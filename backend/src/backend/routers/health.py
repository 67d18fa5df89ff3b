from fastapi import APIRouter, Request

from backend.database import Database
from backend.errors import Unavailable
from backend.openapi import problems

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Liveness", response_description="It is")
async def live() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/ready", summary="Readiness", response_description="They can", responses=problems(Unavailable))
async def ready(request: Request) -> dict[str, str]:
    """Requests can be served: the database answers and has this release's schema."""
    database: Database = request.state.database
    await database.check()
    return {"status": "ok"}
