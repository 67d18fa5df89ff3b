"""Whether ours and its peers give the same answers: else it would be no race."""

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
"""Whatever JSON decodes to; answers are only compared with one another."""

# Made anew by each write, so that no two servers could agree on them.
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
    """Requests to be sent to one server before the next one gets them, which leave things as they were."""
    dice = random.Random(1)  # noqa: S311 - nobody's secret
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
    """What was asked, the status, and the answer as far as it can be the same."""
    headers = {"Authorization": f"Bearer {request.token}"}
    answer = httpx2.request(request.method, server.url + request.path, json=request.body, headers=headers)
    content = _plain(answer.json())
    if answer.is_error:
        content = None  # each says it in words of its own
    elif request.method != "GET":
        content = {name: "new" if name in MADE_BY_WRITES else value for name, value in content.items()}
        # A time of completion is now, if there is one.
        content["completedAt"] = content["completedAt"] is not None
    return f"{request.method} {request.path}", answer.status_code, content


def _plain(answer: Json) -> Json:
    """Times in one form: one leaves decimals out that are zero, another does not."""
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    if isinstance(answer, str) and (match := _TIME.fullmatch(answer)) and not match[1]:
        return f"{answer[:-1]}.000000Z"
    return answer
