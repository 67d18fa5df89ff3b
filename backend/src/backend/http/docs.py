"""The front door: `/`, and the page that shows the API's description. Its assets ship with a package."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from backend.http import responses
from backend.http.pages import prefers_html

_ASSETS = Path(fastapi_offline.__file__).parent / "static"

# Swagger UI starts from an inline script, and styles its elements one by one.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


def install(api: FastAPI) -> None:
    api.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    @api.get("/", include_in_schema=False)
    async def door(request: Request) -> Response:
        """For a browser the documentation, for a program the addresses that it can go on from."""
        root = request.scope.get("root_path", "")
        vary = {"Vary": "Accept"}
        if prefers_html(request):
            return RedirectResponse(f"{root}/docs", status_code=302, headers=vary)
        addresses = {
            "docs": f"{root}/docs",
            "openapi": f"{root}{api.openapi_url}",
            "errors": f"{root}/errors",
            "health": f"{root}/health/ready",
        }
        return responses.document({"name": api.title, "version": api.version, **addresses}, vary)

    @api.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        answer = get_swagger_ui_html(
            openapi_url=f"{root}{api.openapi_url}",
            title=f"{api.title} - API",
            swagger_js_url=f"{root}/docs/assets/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs/assets/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/assets/favicon.png",
            swagger_ui_parameters={"tryItOutEnabled": True},
        )
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer
