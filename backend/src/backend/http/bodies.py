"""JSON bodies of fast routes: read within a bound, strictly as JSON (RFC 8259), then validated by their model."""

import json
from asyncio import CancelledError
from collections import Counter
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from backend.errors import ContentTooLarge, MalformedRequest, UnsupportedContentCoding, UnsupportedMediaType
from backend.http.problems import shown
from backend.http.suggestions import add_suggestions, by_plain_form

MAX_BODY_BYTES = 128 * 1024

JSON = "application/json"


class BodyReader:
    """Reads a body as FastAPI declares one: `Annotated[Model, Body()]`, or `Model | None` if there may be none.

    A media type that is based on JSON, such as `application/merge-patch+json`, is taken beside `application/json`.
    """

    def __init__(self, name: str, field: FieldInfo) -> None:
        """Raises TypeError unless the parameter is one model."""
        self.name = name
        self._model, self._optional = _model_of(field)
        self._names = by_plain_form([member.alias or name for name, member in self._model.model_fields.items()])
        self._default = field.default
        self._media_types = dict.fromkeys([getattr(field, "media_type", JSON), JSON])

    async def read(self, request: Request, errors: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - an instance of the model
        """Adds what the model finds wrong to the errors.

        Raises MalformedRequest, ContentTooLarge, UnsupportedMediaType or UnsupportedContentCoding.
        """
        _require_no_coding(request.headers)
        content = await _read(request)
        if self._optional and not content:
            return self._default
        self._require_media_type(request.headers)
        try:
            return self._model.model_validate(_parse(content))
        except ValidationError as error:
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
            add_suggestions(faults, self._names)
            errors += faults
            return None

    def _require_media_type(self, headers: Headers) -> None:
        media_type, *parameters = headers.get("content-type", "").lower().split(";")
        named = (parameter.strip().partition("=") for parameter in parameters)
        charsets = {value.strip('"') for name, _, value in named if name == "charset"}
        if media_type.strip() not in self._media_types or not charsets <= {"utf-8"}:
            raise UnsupportedMediaType(
                f"Send the body as `Content-Type: {' or '.join(self._media_types)}`, in UTF-8."
            )


def _model_of(field: FieldInfo) -> tuple[type[BaseModel], bool]:
    """The model, and whether the body may be missing."""
    kinds = [field.annotation]
    if get_origin(field.annotation) in {Union, UnionType}:
        kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType]
    (model, *others) = kinds
    if others or not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError("a body that is not one model")
    return model, not field.is_required()


def _require_no_coding(headers: Headers) -> None:
    codings = ",".join(headers.getlist("content-encoding")).lower().split(",")
    if not {coding.strip() for coding in codings} <= {"", "identity"}:
        raise UnsupportedContentCoding


async def _read(request: Request) -> bytes:
    # FastAPI's own `max_body_size` answers in plain text where the client announced the length.
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise ContentTooLarge
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                raise ContentTooLarge
    except ClientDisconnect as error:
        # Nobody is left to read the answer, but the log should say what happened.
        raise MalformedRequest("The request ended before its body did.") from error
    except CancelledError as error:
        # The server is stopping and has waited long enough.
        raise MalformedRequest("The body did not arrive in time.") from error
    return bytes(content)


def _parse(content: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return _JSON.decode(content.decode())
    except UnicodeDecodeError as error:
        raise MalformedRequest("The body is not valid UTF-8.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not valid JSON: {error.msg} at {place}.") from error
    except (RecursionError, ValueError) as error:
        raise MalformedRequest("The body is JSON that is nested too deeply or has too long a number.") from error


def _refuse_constant(name: str) -> None:
    raise MalformedRequest(f"The body is not valid JSON: it has {name} as a value.")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:  # JSON
    """Parsers differ in which of two members with one name they take (RFC 8259, section 4)."""
    found = dict(members)
    if len(found) != len(members):
        counts = Counter(name for name, _ in members)
        twice = next(name for name in counts if counts[name] > 1)
        raise MalformedRequest(f'The body has more than one member "{shown(twice)}" in one object.')
    return found


_JSON = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
