"""From what the function of a route asks for to code that calls it, worked out once.

FastAPI reads signatures into a `Dependant` and walks through it for every request. Here the walk is done when the
application is put together. `Dependant` is not documented, so this module takes nothing for granted: each of its
members is either handled or must be at its default, and so must those that a later FastAPI adds. Anything else is
a TypeError at the start, never a request that goes wrong.

Known are path, query and header parameters, alone or as one model of the whole query string; one JSON body; the
request; and `async` dependencies that ask for the same. FastAPI's validators check the values. One thing differs
from FastAPI: the body is read after the dependencies have run, so that nobody without a valid token can make us
read one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, fields
from inspect import iscoroutinefunction, signature
from typing import Any, NamedTuple

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant

from backend.errors import InvalidValues
from backend.http.bodies import BodyReader
from backend.http.parameters import Errors, Reader, header_reader, path_reader, query_reader
from backend.http.problems import faults_of

type Endpoint = Callable[[Request], Awaitable[Response]]

_HANDLED = {
    *("name", "call", "path", "use_cache", "dependencies", "request_param_name"),
    "scope",  # which only matters to a dependency that yields
    *("path_params", "query_params", "header_params", "body_params"),
}

_UNKNOWN = {
    "cookie_params": "a cookie",
    "response_param_name": "the Response to set headers on",
    "background_tasks_param_name": "BackgroundTasks; give the Response a `background` instead",
    "security_scopes_param_name": "SecurityScopes",
    "own_oauth_scopes": "security scopes",
    "parent_oauth_scopes": "security scopes",
    "http_connection_param_name": "an HTTPConnection; take the Request",
    "websocket_param_name": "a WebSocket",
}
"""Members of a Dependant that are refused, in the words of FastAPI's documentation."""


class _Step(NamedTuple):
    """A call of a dependency or of the route's own function."""

    call: Callable[..., Awaitable[Any]]
    needs: list[tuple[str, int]]
    """Arguments that earlier steps have given, by the numbers of these steps."""
    readers: list[tuple[str, Reader]]
    """Arguments that come from the request."""


_NOT_CALLED = object()
"""Stands for the result of a dependency that was not called, because something that it asks for is not valid."""


def compile_endpoint(dependant: Dependant, *, name: str) -> Endpoint:
    """What answers a request to the route `name`. Raises TypeError for whatever is not known here.

    The endpoint raises InvalidValues with all that is wrong with a request, and what the functions raise.
    """
    compiler = _Compiler(name)
    returned = signature(compiler.function_of(dependant), eval_str=True).return_annotation
    if not (isinstance(returned, type) and issubclass(returned, Response)):
        raise compiler.refusal("it must be declared to return a Response")
    body = compiler.body_of(dependant)
    last = compiler.step_of(dependant)
    steps = compiler.steps

    async def answer(request: Request) -> Response:
        errors: Errors = []
        results: list[Any] = []
        for call, needs, readers in steps:
            before = len(errors)
            arguments = {argument: results[number] for argument, number in needs}
            for argument, read in readers:
                arguments[argument] = read(request, errors)
            # Nothing is called that would get something invalid.
            if errors and (len(errors) > before or any(value is _NOT_CALLED for value in arguments.values())):
                results.append(_NOT_CALLED)
            else:
                results.append(await call(**arguments))
        arguments = {argument: results[number] for argument, number in last.needs}
        for argument, read in last.readers:
            arguments[argument] = read(request, errors)
        if body:
            arguments[body.name] = await body.read(request, errors)
        if errors:
            raise InvalidValues(*faults_of(errors))
        response: Response = await last.call(**arguments)
        return response

    return answer


class _Compiler:
    def __init__(self, name: str) -> None:
        self.steps: list[_Step] = []
        self._name = name
        self._numbers: dict[Callable[..., Any], int] = {}

    def refusal(self, complaint: str) -> TypeError:
        return TypeError(
            f"{self._name}: {complaint}. Change that, or declare the route on a router without FastRoute."
        )

    def function_of(self, dependant: Dependant) -> Callable[..., Awaitable[Any]]:
        if not iscoroutinefunction(dependant.call):
            raise self.refusal(f"{_name_of(dependant)} must be an `async def` that returns its result")
        return dependant.call

    def step_of(self, dependant: Dependant) -> _Step:
        """The step, after steps for what it needs."""
        self._refuse_unknown(dependant)
        function = self.function_of(dependant)
        needs = []
        for dependency in dependant.dependencies:
            if dependency.body_params:
                raise self.refusal(
                    f"the dependency {_name_of(dependency)} takes a body, which only the route itself can"
                )
            number = self._number_of(dependency)
            if dependency.name is not None:  # one of a router or decorator is called for its effect alone
                needs.append((dependency.name, number))
        return _Step(function, needs, self._readers_of(dependant))

    def _number_of(self, dependency: Dependant) -> int:
        """Of the step that calls the dependency. One that others share is called once a request."""
        function = self.function_of(dependency)
        if dependency.use_cache and function in self._numbers:
            return self._numbers[function]
        step = self.step_of(dependency)
        self.steps.append(step)
        self._numbers.setdefault(function, len(self.steps) - 1)
        return len(self.steps) - 1

    def _refuse_unknown(self, dependant: Dependant) -> None:
        for member in fields(dependant):
            default = member.default_factory() if member.default_factory is not MISSING else member.default
            value = getattr(dependant, member.name)
            if member.name not in _HANDLED and value not in (default, None, []):
                what = _UNKNOWN.get(member.name, member.name)
                raise self.refusal(f"{_name_of(dependant)} asks for {what}")

    def _readers_of(self, dependant: Dependant) -> list[tuple[str, Reader]]:
        kinds: Mapping[str, Callable[[Any], Reader]] = {
            "path_params": path_reader,
            "query_params": query_reader,
            "header_params": header_reader,
        }
        readers: list[tuple[str, Reader]] = []
        for kind, reader in kinds.items():
            for field in getattr(dependant, kind):
                try:
                    readers.append((field.name, reader(field)))
                except TypeError as error:
                    raise self.refusal(f"{field.name} is {error}") from error
        if dependant.request_param_name:
            readers.append((dependant.request_param_name, lambda request, _: request))
        return readers

    def body_of(self, dependant: Dependant) -> BodyReader | None:
        if not dependant.body_params:
            return None
        field, *others = dependant.body_params
        if others or isinstance(field.field_info, params.Form) or getattr(field.field_info, "embed", None):
            raise self.refusal("its body must be one JSON model, and no form, file or embedded member")
        try:
            return BodyReader(field.name, field.field_info)
        except TypeError as error:
            raise self.refusal(f"{field.name} is {error}") from error


def _name_of(dependant: Dependant) -> str:
    return getattr(dependant.call, "__qualname__", repr(dependant.call))
