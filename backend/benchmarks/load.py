"""Sends load with wrk."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from backend.errors import Refusal
from benchmarks.servers import Running
from benchmarks.workloads import Request

SCRIPT = Path(__file__).with_name("wrk.lua")


class Measured(NamedTuple):
    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us: float  # of the server, per request
    database_us: float  # of PostgreSQL, per request
    resident_mb: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def total_us(self) -> float:
        """Of the server and of PostgreSQL, per request."""
        return self.cpu_us + self.database_us


def send(
    server: Running, requests: Sequence[Request], *, connections: int, seconds: float, pause: float = 0.0
) -> Measured:
    """Send these requests in a loop for this many seconds. Raises Refusal if a single one fails.

    Each connection waits `pause` seconds on average before each request.
    """
    before = server.usage()
    with sending(server, requests, connections=connections, seconds=seconds, pause=pause) as wrk:
        output, _ = wrk.communicate()
    after = server.usage()
    found = json.loads(output.strip().splitlines()[-1])
    if found["refused"] or found["broken"] or not found["requests"]:
        raise Refusal(
            f"{server.name}: of {found['requests']} requests, {found['refused']} were refused and "
            f"{found['broken']} got no answer; a measurement of errors is worth nothing."
        )
    number = found["requests"]
    return Measured(
        requests=number,
        seconds=found["microseconds"] / 1e6,
        p50_ms=found["p50"] / 1e3,
        p95_ms=found["p95"] / 1e3,
        p99_ms=found["p99"] / 1e3,
        cpu_us=(after.server_seconds - before.server_seconds) / number * 1e6,
        database_us=(after.database_seconds - before.database_seconds) / number * 1e6,
        resident_mb=server.resident_mb(),
    )


@contextmanager
def sending(
    server: Running, requests: Sequence[Request], *, connections: int, seconds: float, pause: float = 0.0
) -> Iterator["subprocess.Popen[str]"]:
    """The same, in the background. It is ended with the block at the latest."""
    with NamedTemporaryFile("wb", prefix="tasks-benchmark-") as file:
        for request in requests:
            file.write(request.encoded() + b"\0")
        file.flush()
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:.0f}s"]
        command += ["--timeout", "10s", "--script", str(SCRIPT), server.url, "--", file.name, str(pause)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            try:
                yield wrk
            finally:
                wrk.terminate()
