"""Answers of routes whose JSON PostgreSQL has written, with their caching and entity tags."""

from collections.abc import Mapping
from json import dumps
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from backend.schemas.idempotency import Inserted

# A browser may keep an answer, and must ask before each use whether it is still current.
_CACHING = {"cache-control": "private, no-cache", "vary": "Authorization"}


_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"  # RFC 3986, section 3.3


def entity_tag(version: int) -> str:
    return f'"{version}"'


class _JSON(Response):
    """JSON that is text already, with headers whose names are in lower case."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        # Starlette would encode for each answer what is the same in all of them.
        own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), *_ALWAYS, *own]


_ALWAYS = [
    (b"content-type", b"application/json"),
    *((name.encode(), value.encode()) for name, value in _CACHING.items()),
]


def one(json: str, version: int, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An object that is JSON already, with its version as the entity tag."""
    return _JSON(json, status, {"etag": entity_tag(version), **(headers or {})})


def created(inserted: Inserted, *, location: str | None = None) -> Response:
    headers = {"location": location} if location else {}
    replayed = {"idempotent-replayed": "true"} if inserted.is_replayed else {}
    return one(inserted.json, inserted.version, status=201, headers=headers | replayed)


def not_modified(version: int) -> Response:
    return Response(status_code=304, headers={**_CACHING, "etag": entity_tag(version)})


def array(json: str, headers: Mapping[str, str] | None = None) -> Response:
    """An array that is JSON already."""
    return _JSON(json, headers=headers)


def next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """The `Link` header of a page (RFC 8288): the same request with the cursor of the next one, if any."""
    if cursor is None:
        return {}
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    # The path as the client has encoded it: once decoded, a `?` in an id looks like the start of the query.
    path = quote(request.scope["raw_path"], safe=_PATH_CHARACTERS)
    target = f"{path}?{urlencode([*parameters, ('cursor', cursor)])}"
    return {"link": f'<{target}>; rel="next"'}


def document(content: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(dumps(content, separators=(",", ":")), headers=headers, media_type="application/json")
