"""Conditional requests (RFC 9110, section 13): what `If-Match` and `If-None-Match` demand of a version.

The description calls the headers plain strings, because few client generators know lists in headers. A header may
still come in several lines, which count as one list.
"""

import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from fastapi import Depends, Header, Request

from backend.errors import PreconditionFailed
from backend.schemas.versions import NO_VERSION, Versions

_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAGS = re.compile(_TAG)
_LIST = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|$))*")  # members may be empty (section 5.6.1.2)
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


class Conditions(NamedTuple):
    """What a read has to fulfil. None demands nothing."""

    if_match: Versions | None
    if_none_match: Versions | None

    def is_not_modified(self, version: int) -> bool:
        """Whether the caller has this version already. Raises PreconditionFailed if it asked for another one."""
        if self.if_match is not None and version not in self.if_match:
            raise PreconditionFailed
        return self.if_none_match is not None and version not in self.if_none_match


_NO_CONDITIONS = Conditions(None, None)


async def _of_read(
    request: Request,
    if_match: Annotated[
        str | None, Header(description='Answer only if the task is still at this version, such as `"3"`.')
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description='Answer 304 if the task is still at this version, such as `"3"`.')
    ] = None,
) -> Conditions:
    if if_match is None and if_none_match is None:
        return _NO_CONDITIONS
    try:
        has = _none_of(request) if if_none_match is not None else None
    except ValueError:
        has = None  # a client that has nothing is sent everything
    return Conditions(_one_of(request) if if_match is not None else None, has)


ReadConditions = Annotated[Conditions, Depends(_of_read)]


async def _of_write(
    request: Request,
    if_match: Annotated[
        str | None, Header(description='Go ahead only if the task is still at this version, such as `"3"`.')
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description="Go ahead only if the task is not at this version; never for `*`.")
    ] = None,
) -> Versions | None:
    wanted = _one_of(request) if if_match is not None else None
    if if_none_match is None:
        return wanted
    try:
        allowed = _none_of(request)
    except ValueError as error:
        raise PreconditionFailed('If-None-Match takes * or entity tags such as "3".') from error
    if wanted is None:
        return allowed
    return Versions(frozenset(version for version in wanted.numbers if version in allowed))


WriteConditions = Annotated[Versions | None, Depends(_of_write)]
"""The versions that a write may start from; None for any."""


def _one_of(request: Request) -> Versions | None:
    """`If-Match`. Its tags are compared strongly, so a weak one fits no version. Raises PreconditionFailed."""
    field = _join(request, "if-match")
    if field == "*":
        return None
    try:
        tags = _parse(field)
    except ValueError as error:
        raise PreconditionFailed('If-Match takes * or entity tags such as "3".') from error
    return Versions(_versions(opaque for weak, opaque in tags if not weak))


def _none_of(request: Request) -> Versions:
    """`If-None-Match`. Its tags are compared weakly. Raises ValueError."""
    field = _join(request, "if-none-match")
    if field == "*":
        return NO_VERSION
    return Versions(_versions(opaque for _, opaque in _parse(field)), excluded=True)


def _join(request: Request, name: str) -> str:
    return ",".join(request.headers.getlist(name)).strip(" \t")


def _parse(field: str) -> list[tuple[str, str]]:
    """Each tag as `W/` or nothing, and what is between its quotes. Raises ValueError."""
    if not _LIST.fullmatch(field):
        raise ValueError("not a list of entity tags")
    return _TAGS.findall(field)


def _versions(tags: Iterable[str]) -> frozenset[int]:
    return frozenset(int(tag) for tag in tags if _VERSION.fullmatch(tag))
