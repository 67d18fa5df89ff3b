"""The API's description as a page of Markdown."""

import json
from collections.abc import Iterable, Iterator

from tooling.schemas import Json

METHODS = ("get", "post", "put", "patch", "delete")
INTRODUCTION = """\
This page is written from [openapi.json](openapi.json), from which you can also generate a client. A running API
serves the same description at `/openapi.json`, and a page to try it out at `/docs`.
"""


def page(document: Json) -> str:
    """Operations by their tags, then the schemas, which the operations refer to."""
    lines = ["# API reference", "", document["info"]["description"], INTRODUCTION]
    tag = None
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                if operation["tags"][0] != tag:
                    tag = operation["tags"][0]
                    lines += [f"## {tag.capitalize()}", ""]
                lines += _operation(f"{method.upper()} {path}", operation)
    lines += ["## Schemas", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


def _operation(request: str, operation: Json) -> Iterator[str]:
    yield from (f"### {operation['summary']}", "", f"```http\n{request}\n```", "", operation["description"], "")
    yield from _table(
        ("Parameter", "In", "Type", "Meaning"),
        (
            (f"`{each['name']}`", each["in"], _type(each["schema"]), _meaning(each["schema"] | each))
            for each in operation.get("parameters", [])
        ),
    )
    if body := operation.get("requestBody"):
        optional = "" if body.get("required") else ", which may be left out"
        yield from (f"**Body**{optional}: {_content(body)}.", "")
    answers = {status: each for status, each in operation["responses"].items() if not _is_problem(each)}
    yield from _table(
        ("Status", "Body", "Headers", "Meaning"),
        (
            (
                f"`{status}`",
                _content(each),
                ", ".join(f"`{name}`" for name in each.get("headers", {})),
                _meaning(each),
            )
            for status, each in answers.items()
        ),
    )
    problems = [
        f"`{status}` {code}"
        for status, each in operation["responses"].items()
        if _is_problem(each)
        for code in each["content"]["application/problem+json"]["examples"]
    ]
    if problems:
        yield from (f"**[Errors](errors.md)**, each a [Problem](#problem): {', '.join(problems)}.", "")


def _is_problem(response: Json) -> bool:
    return "application/problem+json" in response.get("content", {})


def _content(message: Json) -> str:
    """The schema of a body, which is the same in every media type."""
    content = message.get("content", {})
    schemas = list(dict.fromkeys(_type(each.get("schema", {})) for each in content.values()))
    return f"{' or '.join(schemas)} as {' or '.join(f'`{each}`' for each in content)}" if content else ""


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield from (f"### {name}", "")
    if "description" in schema:
        yield from (schema["description"], "")
    if "properties" not in schema:
        yield from (f"{_type(schema).capitalize()}.", "")
    required = schema.get("required", [])
    yield from _table(
        ("Member", "Type", "Required", "Meaning"),
        (
            (f"`{member}`", _type(each), "yes" if member in required else "", _meaning(each))
            for member, each in schema.get("properties", {}).items()
        ),
    )
    if "example" in schema:
        yield from (f"```json\n{json.dumps(schema['example'], indent=2)}\n```", "")


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Nothing at all without rows, and no column that is empty in each."""
    rows = list(rows)
    used = [column for column in range(len(titles)) if any(row[column] for row in rows)]
    for row in (titles, ("---",) * len(titles), *rows) if rows else ():
        yield "| " + " | ".join(" ".join(row[column].replace("|", r"\|").split()) for column in used) + " |"
    if rows:
        yield ""


def _meaning(part: Json) -> str:
    default = part.get("default")
    return f"{part.get('description', '')} {f'Default: `{default}`.' if default not in (None, []) else ''}".strip()


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", maxsplit=1)[1]
        return f"[{name}](#{name.lower()})"
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return " or ".join(map(_type, schema[keyword]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any value") + _bounds(schema)


def _bounds(schema: Json) -> str:
    for low, high, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters")):
        match schema.get(low), schema.get(high):
            case None, None:
                continue
            case None, most:
                return f", at most {most}{unit}"
            case least, None:
                return f", at least {least}{unit}"
            case least, most:
                return f", {least} to {most}{unit}"
    return ""
