from fastapi import APIRouter, Request, Response

from backend import auth
from backend.auth import Authenticator
from backend.database import Database
from backend.errors import KeysUnavailable, Unavailable
from backend.http import responses
from backend.http.openapi import problems
from backend.http.routing import FastRoute

router = APIRouter(prefix="/health", tags=["health"], route_class=FastRoute)


@router.get("/live", summary="Liveness", response_description="The process is up", response_model=dict[str, str])
async def live() -> Response:
    """The process is up."""
    return responses.document({"status": "ok"})


@router.get(
    "/ready",
    summary="Readiness",
    response_description="Requests can be served",
    response_model=dict[str, str],
    responses=problems(Unavailable),
)
async def ready(request: Request) -> Response:
    """Requests can be served: the database has this release's schema, and tokens and sessions can be verified."""
    database: Database = request.state.database
    authenticator: Authenticator = request.state.authenticator
    await database.check()
    try:
        await authenticator.check()
    except auth.KeySourceUnavailable as error:
        raise KeysUnavailable from error
    return responses.document({"status": "ok"})
