"""Which requests the parsers of the application should not see."""

import re
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from backend.errors import (
    HeadersTooLarge,
    MalformedRequest,
    NotFound,
    Problem,
    UnsupportedTransferCoding,
    URITooLong,
)

MAX_HEADER_BYTES = 32 * 1024
MAX_PATH_BYTES = 2 * 1024
MAX_QUERY_BYTES = 8 * 1024

# RFC 3986, section 3.2.2: a name or an IPv4 address, an IPv6 address, or an address of a later version.
_HOST = re.compile(
    rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){1,255}"
    rb"|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]"
    rb"|\[[Vv][0-9A-Fa-f]{1,9}\.[A-Za-z0-9._~!$&'()*+,;=:-]{1,255}\])"
    rb"(?::[0-9]{0,5})?"
)


def find_protocol_error(scope: Scope, hosts: list[bytes], transfer_codings: bytes | None) -> Problem | None:
    """What is wrong by HTTP itself (RFC 9112, sections 3.2 and 6.1). The arguments are values of headers."""
    if len(hosts) == 1:
        if not _is_host(hosts[0]):
            return MalformedRequest("The header Host is not a name or address with an optional port.")
    elif hosts:
        return MalformedRequest("The header Host is there more than once.")
    elif scope["http_version"] == "1.1":
        return MalformedRequest("The header Host is missing.")
    if transfer_codings is not None and transfer_codings.strip().lower() != b"chunked":
        return UnsupportedTransferCoding()
    return None


def find_problem(scope: Scope, *, header_bytes: int) -> Problem | None:
    """`header_bytes` is the size of all names and values."""
    if scope["path"].endswith("\n"):
        return NotFound()  # Starlette's patterns would ignore it, because `$` also matches before a final newline
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    if len(path) > MAX_PATH_BYTES:
        return URITooLong("The path is longer than 2 KiB.")
    if len(query) > MAX_QUERY_BYTES:
        return URITooLong("The query string is longer than 8 KiB.")
    if header_bytes > MAX_HEADER_BYTES:
        return HeadersTooLarge()
    # Later decoders would replace invalid UTF-8 with replacement characters.
    if _is_utf8(path) and _is_utf8(query):
        return None
    return MalformedRequest("The path or the query string is not valid UTF-8.")


@lru_cache(maxsize=64)  # a service has few names
def _is_host(value: bytes) -> bool:
    match = _HOST.fullmatch(value.rstrip(b" \t"))  # llhttp leaves white space at the end
    if not match or not match["ipv6"]:
        return bool(match)
    try:
        IPv6Address(match["ipv6"].decode())
    except ValueError:
        return False
    return True


def _is_utf8(part: bytes) -> bool:
    if b"%" not in part and part.isascii():
        return True
    try:
        unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return False
    return True
