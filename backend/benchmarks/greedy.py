"""What a user notices of another one who sends as many slow requests as the service takes."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import nullcontext
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from benchmarks import data, duel, servers, workloads
from benchmarks.load import sending
from benchmarks.servers import BEFORE, OURS, Running
from benchmarks.workloads import Person, Request

TASKS = 10_000  # in the table, besides the greedy user's
LONG_TASKS = 10_000
CONNECTIONS = (0, 10, 20, 100)  # of the greedy user
SECONDS = 8.0
PAUSE_SECONDS = 0.02


class Share(NamedTuple):
    """How the other user's lists were answered."""

    server: str
    greedy_connections: int
    requests: int
    refused: int
    p50_ms: float
    p95_ms: float


def run(server: data.Server, before: Path | None) -> list[Share]:
    loaded = asyncio.run(data.load(server, TASKS))
    greedy = asyncio.run(data.add_long_tasks(loaded, LONG_TASKS))
    person, hog = duel.draw_people(loaded, [data.user_id(1), greedy])
    found = []
    checkouts = {OURS: servers.HERE.parents[1]} | ({BEFORE: before} if before else {})
    for name, checkout in checkouts.items():
        with servers.running(name, loaded, checkout=checkout) as running:
            _lists(running, person, seconds=2)
            for connections in CONNECTIONS:
                found.append(_beside(running, person, hog, connections))
                print(f"{name}: {connections} greedy connections", flush=True)
    return found


def _beside(server: Running, person: Person, hog: Person, connections: int) -> Share:
    load = sending(server, [_search(hog)], connections=connections, seconds=SECONDS + 4) if connections else None
    with load or nullcontext():
        time.sleep(2)  # until the greedy user has all that they can get
        times, refused = _lists(server, person, seconds=SECONDS)
    times = times or [float("nan")]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return Share(server.name, connections, len(times) + refused, refused, median(times), p95)


def _search(hog: Person) -> Request:
    """Ten words of one letter, in tasks so long that each takes its time."""
    query = urlencode({"search": " ".join("abcdefghij"), "limit": 1, "sort_by": "title"})
    return Request("GET", f"/api/{quote(hog.user_id)}/tasks?{query}", hog.token)


def _lists(server: Running, person: Person, *, seconds: float) -> tuple[Sequence[float], int]:
    """The milliseconds of each list that was answered, one after the other, and how many were refused."""
    address = urlsplit(server.url)
    connection = HTTPConnection(str(address.hostname), address.port)
    request = workloads.list_(person, random.Random(0))  # noqa: S311 - it draws nothing
    times, refused = [], 0
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        connection.request("GET", request.path, headers={"Authorization": f"Bearer {person.token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            times.append((time.perf_counter() - started) * 1000)
        else:
            refused += 1
        time.sleep(PAUSE_SECONDS)
    connection.close()
    return times, refused
