from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.http import responses
from backend.http.openapi import tenant_problems
from backend.http.requests import CurrentTenant
from backend.http.routing import FastRoute
from backend.schemas.stats import Stats, StatsQuery
from backend.services import stats

router = APIRouter(prefix="/api/{user_id}", tags=["tasks"], route_class=FastRoute)


@router.get(
    "/stats",
    summary="Count tasks",
    response_description="The counts",
    response_model=Stats,
    responses=tenant_problems(),
)
async def get_stats(tenant: CurrentTenant, query: Annotated[StatsQuery, Query()]) -> Response:
    """Count your tasks."""
    return responses.document(await stats.count(tenant, today=query.today))
