"""Which requests the parsers of the application should not see."""

from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from backend.errors import HeadersTooLarge, MalformedRequest, NotFound, Problem, URITooLong

MAX_HEADER_BYTES = 32 * 1024
MAX_QUERY_BYTES = 8 * 1024


def find_problem(scope: Scope, *, header_bytes: int) -> Problem | None:
    """`header_bytes` is the size of all names and values."""
    if scope["path"].endswith("\n"):
        return NotFound()  # Starlette's patterns would ignore it, because `$` also matches before a final newline
    query: bytes = scope["query_string"]
    if len(query) > MAX_QUERY_BYTES:
        return URITooLong()
    if header_bytes > MAX_HEADER_BYTES:
        return HeadersTooLarge()
    # Later decoders would replace invalid UTF-8 with replacement characters.
    if _is_utf8(scope["raw_path"]) and _is_utf8(query):
        return None
    return MalformedRequest("The path or the query string is not valid UTF-8.")


def _is_utf8(part: bytes) -> bool:
    if b"%" not in part and part.isascii():
        return True
    try:
        unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return False
    return True
