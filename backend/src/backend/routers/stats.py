from fastapi import APIRouter

from backend.openapi import task_problems
from backend.routers.requests import CurrentTenant
from backend.schemas.tasks import Stats
from backend.services import stats

router = APIRouter(prefix="/api/{user_id}", tags=["tasks"])


@router.get("/stats", summary="Count tasks", response_description="The counts", responses=task_problems())
async def get_stats(tenant: CurrentTenant) -> Stats:
    """Count your tasks."""
    return Stats.model_validate(await stats.count(tenant))
