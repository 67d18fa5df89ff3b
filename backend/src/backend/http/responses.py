"""How routes answer about tasks."""

import json
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from backend.services.tasks import StoredTask

# A browser may keep an answer, and must ask each time whether it is still good.
_CACHING = {"cache-control": "private, no-cache", "vary": "Authorization"}


def entity_tag(version: int) -> str:
    return f'"{version}"'


class _Json(Response):
    """JSON that is text already, with headers whose names are in lower case."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        # Starlette would write down anew for each answer what is the same in all of them.
        own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), *_ALWAYS, *own]


_ALWAYS = [
    (b"content-type", b"application/json"),
    *((name.encode(), value.encode()) for name, value in _CACHING.items()),
]


def one(task: StoredTask, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _Json(task.json, status, {"etag": entity_tag(task.version), **(headers or {})})


def not_modified(version: int) -> Response:
    return Response(status_code=304, headers={**_CACHING, "etag": entity_tag(version)})


def many(tasks: Sequence[str], headers: Mapping[str, str]) -> Response:
    return _Json(f"[{','.join(tasks)}]", headers=headers)


def document(members: Mapping[str, object]) -> Response:
    return Response(json.dumps(members, separators=(",", ":")), media_type="application/json")
