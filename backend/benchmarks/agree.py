"""Checks that ours and its peers give the same answers; otherwise their speeds could not be compared."""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2

from backend.errors import Refusal
from benchmarks import workloads
from benchmarks.servers import Running
from benchmarks.workloads import Person, Request

type Json = Any
"""Any decoded JSON; answers are only compared with one another."""

# Set by each write, so no two servers can agree on them.
MADE_BY_WRITES = {"id", "version", "createdAt", "updatedAt"}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def check(servers: Sequence[Running], people: Sequence[Person]) -> None:
    """Raises Refusal with the first request that two of them answer differently."""
    for steps in _steps(people[:10]):
        first, *others = ([_ask(server, step) for step in steps] for server in servers)
        for server, other in zip(servers[1:], others, strict=True):
            if first != other:
                raise Refusal(
                    f"{servers[0].name} and {server.name} do not agree:\n{first}\n{other}\nNothing was measured."
                )


def _steps(people: Sequence[Person]) -> Iterator[list[Request]]:
    """Groups of requests, each sent as a whole to one server after the other. None changes later answers."""
    dice = random.Random(1)  # noqa: S311 - not a secret
    for person in people:
        for kind in (workloads.list_, workloads.search, workloads.get, workloads.stats):
            yield [kind(person, dice)]
        yield [workloads.create(person, dice)]
        yield [workloads.patch(person, dice)]
        yield [workloads.toggle(person, dice)] * 2
    me, other = people[0], people[1]
    yield [Request("GET", "/api/me/tasks?limit=3&sort_by=title&sort_order=asc", me.token)]
    yield [Request("GET", "/api/me/tasks?limit=9&category=work&priority=low", me.token)]
    yield [Request("GET", f"/api/{other.user_id}/tasks", me.token)]
    yield [Request("GET", f"/api/me/tasks/{other.tasks[0]}", me.token)]
    yield [Request("GET", "/api/me/tasks", me.token[:-6] + "forged")]


def _ask(server: Running, request: Request) -> tuple[str, int, Json]:
    """The request, the status, and the parts of the answer that servers can agree on."""
    headers = {"Authorization": f"Bearer {request.token}"}
    answer = httpx2.request(request.method, server.url + request.path, json=request.body, headers=headers)
    content = _plain(answer.json())
    if answer.is_error:
        content = None  # each server words its errors differently
    elif request.method != "GET":
        content = {name: "new" if name in MADE_BY_WRITES else value for name, value in content.items()}
        # Compare only whether there is a time of completion, not which.
        content["completedAt"] = content["completedAt"] is not None
    return f"{request.method} {request.path}", answer.status_code, content


def _plain(answer: Json) -> Json:
    """Times in one form, since some servers omit decimals that are zero."""
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    if isinstance(answer, str) and (match := _TIME.fullmatch(answer)) and not match[1]:
        return f"{answer[:-1]}.000000Z"
    return answer
