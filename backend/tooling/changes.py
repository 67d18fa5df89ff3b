"""What breaks a client when the API's description changes from one to another."""

import re
from collections.abc import Iterator

from tooling.schemas import Comparison, Direction, Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(old: Json, new: Json) -> list[str]:
    """A sentence for each. What they leave to the reader: whether the server does what its description says."""
    findings = []
    news = {key: operation for key, _, operation in _operations(new)}
    for key, title, operation in _operations(old):
        if key not in news:
            findings.append(f"{title}: is gone")
        else:
            findings += [f"{title}: {finding}" for finding in _Operation(old, new).breaks(operation, news[key])]
    return list(dict.fromkeys(findings))


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each by a key and a title. No client sends the name of a path parameter, so it is no part of the key."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                names = re.findall(r"{([^}]+)}", path)
                anonymous = [_anonymous(parameter, names) for parameter in parameters]
                key, title = f"{method} {re.sub(r'{[^}]+}', '{}', path)}", f"{method.upper()} {path}"
                yield key, title, item[method] | {"parameters": anonymous}


def _anonymous(parameter: Json, names: list[str]) -> Json:
    if parameter["in"] != "path":
        return parameter
    return parameter | {"name": str(names.index(parameter["name"]) + 1)}


class _Operation:
    def __init__(self, old: Json, new: Json) -> None:
        self._documents = old, new

    def breaks(self, old: Json, new: Json) -> Iterator[str]:
        yield from self._security(old, new)
        yield from self._parameters(old, new)
        yield from self._body(old.get("requestBody"), new.get("requestBody"))
        yield from self._responses(old["responses"], new["responses"])

    def _security(self, old: Json, new: Json) -> Iterator[str]:
        before, after = (
            operation.get("security", document.get("security", [])) or [{}]
            for operation, document in zip((old, new), self._documents, strict=True)
        )
        if any(way not in after for way in before):
            yield "security: a request without new credentials is refused"

    def _parameters(self, old: Json, new: Json) -> Iterator[str]:
        before, after = (
            {(parameter["in"], parameter["name"].lower()): parameter for parameter in operation["parameters"]}
            for operation in (old, new)
        )
        for key in before | after:
            place = "{} parameter {}".format(*key)
            if key not in after:
                yield f"{place}: is gone"
                continue
            if after[key].get("required") and not before.get(key, {}).get("required"):
                yield f"{place}: is required now"
            if key in before:
                yield from self._schema(Direction.REQUEST, before[key], after[key], place)

    def _body(self, old: Json | None, new: Json | None) -> Iterator[str]:
        place = "request body"
        if new is None:
            if old is not None:
                yield f"{place}: is gone"
            return
        if new.get("required") and not (old or {}).get("required"):
            yield f"{place}: is required now"
        if old is not None:
            yield from self._contents(Direction.REQUEST, old, new, place)

    def _responses(self, old: Json, new: Json) -> Iterator[str]:
        for status, response in old.items():
            place = f"response {status}"
            if status in new:
                yield from self._contents(Direction.RESPONSE, response, new[status], place)
                for header in response.get("headers", {}):
                    if header not in new[status].get("headers", {}):
                        yield f"{place} header {header}: is gone"
            elif status < "400":
                yield f"{place}: is gone"

    def _contents(self, direction: Direction, old: Json, new: Json, place: str) -> Iterator[str]:
        before, after = old.get("content", {}), new.get("content", {})
        for media_type in before:
            if media_type not in after:
                yield f"{place}: {media_type} is gone"
            else:
                yield from self._schema(direction, before[media_type], after[media_type], place)

    def _schema(self, direction: Direction, old: Json, new: Json, place: str) -> Iterator[str]:
        comparison = Comparison(*self._documents, direction)
        yield from comparison.breaks(old.get("schema", {}), new.get("schema", {}), place)
