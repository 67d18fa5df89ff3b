"""The OpenAPI document. FastAPI generates most of it from the routes; this module adds what it cannot see."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from backend import errors
from backend.http.problems import render
from backend.schemas.problems import ProblemDetails

DESCRIPTION = """\
Tasks of users who sign in with Better Auth. Send the user's token as `Authorization: Bearer <token>`;
`{user_id}` is the user's own id, or `me`.

Errors are problem details (RFC 9457), each with a stable `code`. Their `type` opens an explanation;
`/errors` lists them all. Every response carries an `X-Request-Id`, which finds the request in the log.
"""

_AUTHORIZATION = """\
The token of a user, without the word Bearer.

- With `make run`: what `make token` prints, or `make token USER_ID=you@example.com` if you signed up in the app.
- From an app with Better Auth: the `token` of its `GET /api/auth/token`, for whoever is signed in there.
"""

REPLAYED = "`true` if this is the answer to an earlier request with the same `Idempotency-Key`."
"""What the header `Idempotent-Replayed` of an answer says."""

type Json = dict[str, Any]

_OF_EVERY_TENANT_ROUTE = (
    errors.MalformedRequest,
    errors.Unauthenticated,
    errors.NotTheCaller,
    errors.URITooLong,
    errors.InvalidValues,
    errors.HeadersTooLarge,
    errors.InternalError,
    errors.UnsupportedTransferCoding,
    errors.Unavailable,
)


def problems(*kinds: type[errors.Problem]) -> dict[int | str, Json]:
    """The `responses` of a route: the problems that it can answer with."""
    statuses = dict.fromkeys(kind.status for kind in kinds)
    return {status: _response(*(kind for kind in kinds if kind.status == status)) for status in statuses}


def _response(*kinds: type[errors.Problem]) -> Json:
    examples = {kind.code: {"$ref": f"#/components/examples/{kind.code}"} for kind in kinds}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": " or ".join(kind.title for kind in kinds),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }


def _examples() -> Json:
    """One example of each kind of problem, by code."""
    # For kinds that stand for several, and for the one that needs arguments.
    typical: dict[type[errors.Problem], errors.Problem] = {
        errors.Unauthenticated: errors.InvalidToken(),
        errors.InvalidValues: errors.InvalidValues(errors.Fault("/title", "is required.")),
        errors.Unavailable: errors.DatabaseUnavailable(),
    }
    examples = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.Problem) and kind is not errors.Problem:
            problem = typical.get(kind) or kind()
            examples[kind.code] = {"value": json.loads(bytes(render(problem, "d4daa096bf3dcd81").body))}
    return examples


def tenant_problems(*kinds: type[errors.Problem]) -> dict[int | str, Json]:
    return problems(*sorted((*_OF_EVERY_TENANT_ROUTE, *kinds), key=_status))


def _status(kind: type[errors.Problem]) -> int:
    return kind.status


def response_headers(**descriptions: str) -> Json:
    return {
        "headers": {
            name.replace("_", "-"): {"description": description, "schema": {"type": "string"}}
            for name, description in descriptions.items()
        }
    }


def install(api: FastAPI) -> None:
    def describe() -> Json:
        if api.openapi_schema is None:
            api.openapi_schema = _description(api)
        return api.openapi_schema

    api.openapi = describe  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _description(api: FastAPI) -> Json:
    document = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
    components = document["components"]
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": _AUTHORIZATION,
        }
    }
    _, definitions = models_json_schema(
        [(ProblemDetails, "validation")], ref_template="#/components/schemas/{model}"
    )
    schemas = components["schemas"] | definitions["$defs"]
    schemas["Problem"] = schemas.pop(ProblemDetails.__name__)
    components["schemas"] = dict(sorted(schemas.items()))
    components["examples"] = _examples()
    for path, operations in document["paths"].items():
        if path.startswith("/api/"):
            for operation in operations.values():
                operation["security"] = [{"token": []}]
                for parameter in operation["parameters"]:
                    if parameter["name"] == "user_id":
                        parameter["example"] = "me"  # which "Try it out" starts from
    _remove_unused(document)
    _remove_noise(document)
    _add_json(document)
    return document


def _remove_unused(document: Json) -> None:
    """Drop what nothing refers to: schemas of FastAPI's own form of errors, types behind a validator."""
    text = ""
    while text != (text := json.dumps(document)):
        for kind in ("schemas", "examples"):
            components = document["components"][kind]
            for name in [name for name in components if f'"#/components/{kind}/{name}"' not in text]:
                del components[name]


def _remove_noise(document: Json) -> None:
    """Drop titles that only repeat a name, and null where it means that a parameter or body may be omitted."""
    for schema in document["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            member.pop("title", None)
    for operation in _operations(document):
        for place in (*operation.get("parameters", []), *_contents(operation).values()):
            schema = place["schema"]
            schema.pop("title", None)
            alternatives = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
            if len(alternatives) == 1:
                schema |= alternatives[0]
            elif alternatives:
                schema["anyOf"] = alternatives


def _add_json(document: Json) -> None:
    """List plain JSON beside each media type that is based on it, since `BodyReader` accepts both."""
    for operation in _operations(document):
        contents = _contents(operation)
        if any(media_type.endswith("+json") for media_type in contents):
            contents["application/json"] = next(iter(contents.values()))


def _operations(document: Json) -> Iterator[Json]:
    for operations in document["paths"].values():
        yield from operations.values()


def _contents(operation: Json) -> Json:
    """The request body's content, by media type."""
    contents: Json = operation.get("requestBody", {}).get("content", {})
    return contents
