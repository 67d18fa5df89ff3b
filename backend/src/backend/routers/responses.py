"""How routes answer about tasks."""

import json
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from backend.services.tasks import StoredTask

# A browser may keep an answer, and must ask each time whether it is still good.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


def entity_tag(version: int) -> str:
    return f'"{version}"'


def one(task: StoredTask, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    tags = {"ETag": entity_tag(task.version)}
    return Response(task.json, status, {**_CACHING, **tags, **(headers or {})}, "application/json")


def not_modified(version: int) -> Response:
    return Response(status_code=304, headers={**_CACHING, "ETag": entity_tag(version)})


def many(tasks: Sequence[str], headers: Mapping[str, str]) -> Response:
    return Response(f"[{','.join(tasks)}]", headers={**_CACHING, **headers}, media_type="application/json")


def document(members: Mapping[str, object]) -> Response:
    return Response(json.dumps(members, separators=(",", ":")), media_type="application/json")
