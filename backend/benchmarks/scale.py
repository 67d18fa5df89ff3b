"""How our server copes with many connections and many rows."""

import asyncio
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import NamedTuple
from urllib.parse import urlsplit

from backend.errors import Refusal
from benchmarks import data, duel, servers, workloads
from benchmarks.load import Measured, send
from benchmarks.servers import OURS, Running
from benchmarks.workloads import Request

CONNECTIONS = 1_000
REQUESTS_PER_SECOND = 500

# Requests that are timed. Few of them are creates, since each adds to its user's tasks.
REQUESTS, CREATES = 400, 60
WARM_UP = 20


class Latency(NamedTuple):
    p50_ms: float
    p95_ms: float


class Point(NamedTuple):
    """How long a request takes on an idle server."""

    rows: int  # in the table
    tasks: int  # of the user
    latency: dict[str, Latency]  # by kind of request


class Growth(NamedTuple):
    of_table: list[Point]  # for users with about a hundred tasks
    of_user: list[Point]  # in a table of a million


def crowd(server: data.Server, *, seconds: float) -> Measured:
    """The mixed workload at a steady rate, from many connections that pause between requests."""
    loaded = asyncio.run(data.load(server, duel.TASKS))
    requests = workloads.draw("mixed", duel.draw_people(loaded), duel.REQUESTS)
    # Slightly less, since the first pause falls into the measurement.
    pause = 0.95 * CONNECTIONS / REQUESTS_PER_SECOND
    with servers.running(OURS, loaded) as ours:
        send(ours, requests, connections=CONNECTIONS, seconds=5, pause=pause)
        asyncio.run(data.tidy(loaded))
        measured = send(ours, requests, connections=CONNECTIONS, seconds=seconds, pause=pause)
    asyncio.run(data.tidy(loaded))
    return measured


def growth(server: data.Server, largest: int) -> Growth:
    sizes = []
    size = 10_000
    while size <= largest:
        sizes.append(size)
        size *= 10
    return Growth(
        [_point(server, rows, None) for rows in sizes],
        [_point(server, duel.TASKS, tasks) for tasks in data.SIZES],
    )


def _point(server: data.Server, rows: int, tasks: int | None) -> Point:
    """The user with this many tasks; if None, many users with the usual number."""
    print(f"{tasks or data.TASKS_PER_USER:,} tasks of a user among {rows:,}", flush=True)
    loaded = asyncio.run(data.load(server, rows))
    people = duel.draw_people(loaded, None if tasks is None else [data.user_with(tasks)])
    latency = {}
    asyncio.run(data.tidy(loaded))
    with servers.running(OURS, loaded) as ours:
        for kind in workloads.GROWING:
            number = CREATES if kind == "create" else REQUESTS
            times = _times(ours, workloads.draw(kind, people, WARM_UP + number))[WARM_UP:]
            latency[kind] = Latency(median(times), quantiles(times, n=20)[-1])
    asyncio.run(data.tidy(loaded))
    return Point(rows, tasks or data.TASKS_PER_USER, latency)


def _times(server: Running, requests: Sequence[Request]) -> list[float]:
    """Milliseconds of each request, sent in sequence on one connection. Raises Refusal if one fails."""
    address = urlsplit(server.url)
    connection = HTTPConnection(str(address.hostname), address.port)
    times = []
    for request in requests:
        head, _, content = request.encoded().partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        started = time.perf_counter()
        connection.request(request.method, request.path, content or None, headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - started) * 1000)
        if answer.status not in {200, 201}:
            raise Refusal(f"{request.method} {request.path} was answered with {answer.status}.")
    connection.close()
    return times
