"""Parameters of the path, the query string and the headers, taken from a request as FastAPI takes them.

FastAPI's own function takes any of them, in some microseconds each. The common forms have a shortcut here, and
test_parameters.py proves that the two agree. In one thing they differ: FastAPI takes the last of several query
parameters with one name, of which a proxy or a cache may take the first. Here they are refused.
"""

from collections import Counter
from collections.abc import Callable, Collection
from copy import deepcopy
from typing import Any

from fastapi import Request
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.utils import request_params_to_args
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams

from backend.http.suggestions import add_suggestions, by_plain_form

type Field = Any
"""FastAPI's ModelField, which it does not export."""

type Errors = list[dict[str, Any]]
"""As Pydantic gives them: `loc` begins with `path`, `query`, `header` or `body`."""

type Reader = Callable[[Request, Errors], Any]
"""Takes a value from the request. What is wrong with it is added to the errors."""


def path_reader(field: Field) -> Reader:
    name, validate = field.alias, field.validate

    def read(request: Request, errors: Errors) -> object:
        value, faults = validate(request.scope["path_params"][name], loc=("path", name))
        errors += faults
        return value

    return read


def query_reader(field: Field) -> Reader:
    once = _names_given_once(field)
    known = by_plain_form(once)
    is_flat = _is_flat_model(field.field_info)

    def read(request: Request, errors: Errors) -> object:
        parameters = request.query_params
        if len(parameters) != len(parameters.multi_items()):
            errors += _repeated(parameters, once)
        if not is_flat:
            return _by_fastapi(field, parameters, errors)
        value, faults = field.validate(dict(parameters), loc=("query",))
        if faults:
            add_suggestions(faults, known)
            errors += faults
        return value

    return read


def _names_given_once(field: Field) -> frozenset[str]:
    model = field.field_info.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return frozenset() if field_annotation_is_sequence(model) else frozenset({field.alias})
    members = model.model_fields.items()
    return frozenset(
        each
        for name, member in members
        if not field_annotation_is_sequence(member.annotation)
        for each in (name, member.alias or name)
    )


def _repeated(parameters: QueryParams, once: Collection[str]) -> Errors:
    times = Counter(name for name, _ in parameters.multi_items())
    return [
        {"type": "value_error", "loc": ("query", name), "ctx": {"error": "may be given only once"}}
        for name in times
        if times[name] > 1 and name in once
    ]


def header_reader(field: Field) -> Reader:
    name, info, default = field.alias, field.field_info, field.default
    optional = not info.is_required() and not info.validate_default and info.default_factory is None

    def read(request: Request, errors: Errors) -> object:
        if optional and name not in request.headers:
            return deepcopy(default)
        return _by_fastapi(field, request.headers, errors)

    return read


def _by_fastapi(field: Field, values: Any, errors: Errors) -> object:  # noqa: ANN401 - Starlette's multi-dicts
    taken, faults = request_params_to_args([field], values)
    errors += faults
    return taken.get(field.name)


def _is_flat_model(field: FieldInfo) -> bool:
    """Whether it is a model whose members are found by their own names and have one value each."""
    model = field.annotation
    return (
        isinstance(model, type)
        and issubclass(model, BaseModel)
        and model.model_config.get("extra") != "allow"
        and not model.model_config.get("validate_by_name")
        and not model.model_config.get("populate_by_name")
        and all(
            member.validation_alias is None and not field_annotation_is_sequence(member.annotation)
            for member in model.model_fields.values()
        )
    )
