"""Rounds in which each server gets the same load in turn, so that noise on the machine affects all of them."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import agree, data, pgbench, servers, workloads
from benchmarks.load import Measured, send
from benchmarks.servers import BEFORE, OURS, WITH_OUR_SQL, Running
from benchmarks.workloads import OWED_TO_SQL

TASKS = 1_000_000
PEOPLE = 2_000
REQUESTS = 20_000
CONNECTIONS = 32
WARM_UP_SECONDS = 2

POSTGRESQL = "postgresql"


class Plan(NamedTuple):
    workloads: Sequence[str]
    rounds: int
    seconds: float
    peers: Sequence[str]
    before: Path | None  # another checkout, which takes part too


class Spread(NamedTuple):
    """A ratio between ours and a peer: median, minimum and maximum of the rounds."""

    median: float
    least: float
    greatest: float


class Outcome(NamedTuple):
    measured: dict[str, dict[str, list[Measured]]]  # by workload and server, one per round
    alone: dict[str, list[float]]  # requests a second of PostgreSQL alone, by workload

    def ratio(self, workload: str, one: str, other: str) -> Spread:
        """One server's requests per second relative to another's, compared round by round, seconds apart."""
        return _spread(self._rates(workload, one), self._rates(workload, other))

    def thrift(self, workload: str, peer: str) -> Spread:
        """The peer's processor time per request relative to ours, without PostgreSQL's."""
        of = self.measured[workload]
        return _spread([one.cpu_us for one in of[peer]], [one.cpu_us for one in of[OURS]])

    def total_thrift(self, workload: str, peer: str) -> Spread:
        """The same with PostgreSQL's."""
        of = self.measured[workload]
        return _spread([one.total_us for one in of[peer]], [one.total_us for one in of[OURS]])

    def _rates(self, workload: str, name: str) -> list[float]:
        if name == POSTGRESQL:
            return self.alone[workload]
        return [one.per_second for one in self.measured[workload][name]]


def _spread(ones: Sequence[float], others: Sequence[float]) -> Spread:
    """The spread of the ratios, computed round by round."""
    ratios = [one / other for one, other in zip(ones, others, strict=True)]
    return Spread(median(ratios), min(ratios), max(ratios))


def draw_people(loaded: data.Loaded, users: list[str] | None = None) -> list[workloads.Person]:
    """These users, or by default many from all over the table, with some of their tasks."""
    users = users or [data.user_id(number) for number in range(0, loaded.users, max(1, loaded.users // PEOPLE))]
    return workloads.people(data.settings(loaded), asyncio.run(data.task_ids(loaded, users, 20)))


def run(server: data.Server, plan: Plan) -> Outcome:
    """Raises Refusal if the servers do not agree, or one of them refuses a request."""
    loaded = asyncio.run(data.load(server, TASKS))
    people = draw_people(loaded)
    outcome = Outcome({name: {} for name in plan.workloads}, {name: [] for name in plan.workloads})
    with ExitStack() as stack:
        # Idle servers do nothing, so they take no time from the one that is measured.
        every = [stack.enter_context(servers.running(name, loaded)) for name in (OURS, *_peers(plan))]
        if plan.before:
            every.append(stack.enter_context(servers.running(BEFORE, loaded, checkout=plan.before)))
        agree.check(every, people)
        requests = {name: workloads.draw(name, people, REQUESTS) for name in plan.workloads}
        for name in plan.workloads:
            for one in _in(name, every):
                send(one, requests[name], connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
        for number in range(plan.rounds):
            for name in plan.workloads:
                for one in _in_turn(_in(name, every), number):
                    asyncio.run(data.tidy(loaded))
                    measured = send(one, requests[name], connections=CONNECTIONS, seconds=plan.seconds)
                    outcome.measured[name].setdefault(one.name, []).append(measured)
                asyncio.run(data.tidy(loaded))
                outcome.alone[name].append(pgbench.per_second(loaded, people, name, seconds=plan.seconds))
                print(f"round {number + 1} of {plan.rounds}: {name}", flush=True)
    asyncio.run(data.tidy(loaded))
    return outcome


def _in_turn(every: Sequence[Running], number: int) -> Sequence[Running]:
    """The servers in another order each round: the one after PostgreSQL alone was up to a tenth slower."""
    first = number // 2 % len(every)
    turns = [*every[first:], *every[:first]]
    return turns[::-1] if number % 2 else turns


def _peers(plan: Plan) -> list[str]:
    if set(OWED_TO_SQL).isdisjoint(plan.workloads):
        return list(plan.peers)
    return [*plan.peers, *(WITH_OUR_SQL[peer] for peer in plan.peers)]


def _in(workload: str, every: Sequence[Running]) -> list[Running]:
    """The servers that take part in this workload."""
    return [one for one in every if workload in OWED_TO_SQL or one.name not in WITH_OUR_SQL.values()]
