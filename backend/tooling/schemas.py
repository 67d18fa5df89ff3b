"""Comparing JSON Schemas: what a schema takes that another refuses."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

type Json = dict[str, Any]
type Schema = Json | bool

# What a schema says to people and to tools. A default is the server's choice.
ANNOTATIONS = frozenset(
    {"$comment", "default", "deprecated", "description", "discriminator", "example", "examples", "title"}
)
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
STRUCTURE = frozenset({"type", "enum", "const", "properties", "required", "additionalProperties", "items"})
COMPARED = ANNOTATIONS | STRUCTURE | {*LOWER_BOUNDS, *UPPER_BOUNDS}
# Other keywords, such as `format` and `pattern`, may go but not change. These hold schemas, and need more.
UNKNOWN = frozenset(
    {"allOf", "not", "if", "contains", "dependentSchemas", "patternProperties", "prefixItems", "propertyNames"}
)


class Direction(Enum):
    """Who has to understand whom: the new server the old client's request, or the old client the new response."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True)
class Comparison:
    """Compares schemas of two documents, `old` and `new`, into which their references point.

    A request breaks where the new schema refuses what the old one takes. A response breaks where the new one
    promises less: where the old schema refuses what the new one allows. `within` holds the pairs of references
    that are being compared, because a schema may contain itself.
    """

    old: Json
    new: Json
    direction: Direction
    within: frozenset[tuple[str, str]] = frozenset()

    def breaks(self, old: Json, new: Json, place: str) -> Iterator[str]:
        """One sentence for each way in which the new schema breaks what was built on the old one."""
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if names in self.within:
            return
        inner = replace(self, within=self.within | {names}) if all(names) else self
        olds, news = alternatives(self.old, old), alternatives(self.new, new)
        if self.direction is Direction.REQUEST:
            for alternative in olds:
                yield from inner.closest(alternative, [(alternative, each) for each in news], place)
        else:
            for alternative in news:
                yield from inner.closest(alternative, [(each, alternative) for each in olds], place)

    def closest(self, alternative: Json, pairs: list[tuple[Json, Json]], place: str) -> Iterator[str]:
        """What breaks in the pair that has the least of it. No pair may fit the type at all."""
        findings = [list(self._pair(old, new, place)) for old, new in pairs if self._fits(old, new)]
        if findings:
            yield from min(findings, key=len)
        elif self.direction is Direction.REQUEST:
            yield f"{place}: {name(alternative)} is no longer accepted"
        else:
            yield f"{place}: may now be {name(alternative)}"

    def _fits(self, old: Json, new: Json) -> bool:
        taken, given = (new, old) if self.direction is Direction.REQUEST else (old, new)
        types = taken.get("type"), given.get("type")
        return taken.get("type") is None or types[0] == types[1] or types == ("number", "integer")

    def _pair(self, old: Json, new: Json, place: str) -> Iterator[str]:
        yield from self._values(old, new, place)
        yield from self._bounds(old, new, place)
        yield from self._members(old, new, place)
        if "items" in old or "items" in new:
            yield from self.breaks(old.get("items", {}), new.get("items", {}), f"{place}/*")
        stricter, looser = (new, old) if self.direction is Direction.REQUEST else (old, new)
        for keyword in sorted(stricter.keys() - COMPARED):
            if stricter[keyword] != looser.get(keyword):
                yield f"{place}: {keyword} is {show(new, keyword)}, and was {show(old, keyword)}"

    def _values(self, old: Json, new: Json, place: str) -> Iterator[str]:
        before, after = values(old), values(new)
        if self.direction is Direction.REQUEST and after is not None:
            if before is None:
                yield f"{place}: only {listed(after)} is accepted"
            elif gone := [value for value in before if value not in after]:
                yield f"{place}: {listed(gone)} is no longer accepted"
        if self.direction is Direction.RESPONSE and before is not None:
            if after is None:
                yield f"{place}: may now be other than {listed(before)}"
            elif added := [value for value in after if value not in before]:
                yield f"{place}: may now be {listed(added)}"

    def _bounds(self, old: Json, new: Json, place: str) -> Iterator[str]:
        stricter, looser = (new, old) if self.direction is Direction.REQUEST else (old, new)
        for keyword in (*LOWER_BOUNDS, *UPPER_BOUNDS):
            if keyword not in stricter:
                continue
            strict, loose = stricter[keyword], looser.get(keyword)
            if loose is None or (strict > loose if keyword in LOWER_BOUNDS else strict < loose):
                yield f"{place}: {keyword} is {show(new, keyword)}, and was {show(old, keyword)}"

    def _members(self, old: Json, new: Json, place: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for member in before:
            if member not in after:
                yield f"{place}/{member}: is gone"
            else:
                yield from self.breaks(before[member], after[member], f"{place}/{member}")
        if self.direction is Direction.REQUEST:
            for member in new.get("required", []):
                if member not in old.get("required", []):
                    yield f"{place}/{member}: is required now"
        else:
            for member in old.get("required", []):
                if member in after and member not in new.get("required", []):
                    yield f"{place}/{member}: may be missing now"
        unnamed = "additionalProperties"
        yield from self._unnamed(old.get(unnamed, True), new.get(unnamed, True), place)

    def _unnamed(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Members that the description does not name. Clients ignore those of a response that have no schema."""
        if self.direction is Direction.RESPONSE:
            if isinstance(old, dict) and new is not False:
                yield from self.breaks(old, {} if new is True else new, f"{place}/*")
        elif new is False and old is not False:
            yield f"{place}: unknown members are no longer accepted"
        elif isinstance(new, dict) and old is not False:
            yield from self.breaks({} if old is True else old, new, f"{place}/*")


def alternatives(document: Json, schema: Json) -> list[Json]:
    """The schema without references, `anyOf`, `oneOf` and lists of types: one for each kind of value."""
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return alternatives(document, target | {key: value for key, value in schema.items() if key != "$ref"})
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            siblings = {key: value for key, value in schema.items() if key != keyword}
            return [each for choice in schema[keyword] for each in alternatives(document, siblings | choice)]
    if unknown := UNKNOWN & schema.keys():
        raise NotImplementedError(f"Schemas with {', '.join(sorted(unknown))} cannot be compared yet.")
    if isinstance(schema.get("type"), list):
        return [schema | {"type": each} for each in schema["type"]]
    return [schema]


def values(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def name(schema: Json) -> str:
    return str(schema.get("format") or schema.get("type") or "any value")


def show(schema: Json, keyword: str) -> str:
    return repr(schema[keyword]) if keyword in schema else "not set"


def listed(chosen: list[Any]) -> str:
    return ", ".join(map(repr, chosen))
