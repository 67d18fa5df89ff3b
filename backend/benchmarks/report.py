"""The results for people and programs: tables, results.json, docs/performance.md and its picture."""

import json
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.conditions import Conditions
from benchmarks.duel import POSTGRESQL, Outcome, Spread
from benchmarks.greedy import Share
from benchmarks.load import Measured
from benchmarks.scale import CONNECTIONS, REQUESTS_PER_SECOND, Growth, Point
from benchmarks.servers import BEFORE, OURS, PEERS, WITH_OUR_SQL
from benchmarks.workloads import GROWING

RESULTS = "backend/benchmarks/results.json"
PAGE = "docs/performance.md"
PLOT = "docs/performance.svg"
PICTURE = "![Latency by rows in the table and by tasks of the user](performance.svg)"

type Json = dict[str, Any]
"""An object of results.json. It is only written here, never interpreted."""


@dataclass
class Results:
    """The results of a run. None for each part that did not run."""

    conditions: Conditions
    duel: Outcome | None = None
    crowd: Measured | None = None
    greedy: Sequence[Share] = ()
    growth: Growth | None = None


def of_duel(outcome: Outcome) -> list[str]:
    """A table in Markdown: what each server does, and the processor time that it takes."""
    lines = [
        "| Workload | Server | Requests/s | Ours | Service µs | PostgreSQL µs | By CPU |",
        "|---|---|--:|---|--:|--:|--:|",
    ]
    for workload, servers in outcome.measured.items():
        for name in _named(servers):
            one = _middle(servers[name])
            times = thrift = ""
            if name != OURS:
                times = _times(outcome.ratio(workload, OURS, name))
                thrift = f"{outcome.total_thrift(workload, name).median:.2f}x"
            usage = f"{one.cpu_us:.0f} | {one.database_us:.0f}"
            lines.append(f"| {workload} | {name} | {one.per_second:,.0f} | {times} | {usage} | {thrift} |")
        alone, ratio = median(outcome.alone[workload]), outcome.ratio(workload, OURS, POSTGRESQL)
        lines.append(f"| {workload} | {POSTGRESQL} | {alone:,.0f} | {_times(ratio)} | | | |")
    return lines


def of_latency(outcome: Outcome) -> list[str]:
    """A table in Markdown: how long the same requests took, and the memory."""
    lines = ["| Workload | Server | p50 ms | p95 ms | p99 ms | MB |", "|---|---|--:|--:|--:|--:|"]
    for workload, servers in outcome.measured.items():
        for name in _named(servers):
            one = _middle(servers[name])
            latency = f"{one.p50_ms:.1f} | {one.p95_ms:.1f} | {one.p99_ms:.1f}"
            lines.append(f"| {workload} | {name} | {latency} | {one.resident_mb:.0f} |")
    return lines


def of_sql(outcome: Outcome) -> list[str]:
    """A table in Markdown: what ours owes to its SQL and its indexes. Empty if no peer ran with our SQL."""
    rows = []
    for workload, servers in outcome.measured.items():
        for peer, with_our_sql in WITH_OUR_SQL.items():
            if with_our_sql in servers:
                pairs = ((OURS, peer), (with_our_sql, peer), (OURS, with_our_sql))
                cells = (_times(outcome.ratio(workload, one, other)) for one, other in pairs)
                rows.append(f"| {workload} | {peer} | {' | '.join(cells)} |")
    head = ["| Workload | Peer | Ours to the peer | Our SQL alone | The rest |", "|---|---|---|---|---|"]
    return [*head, *rows] if rows else []


def _named(servers: Container[str]) -> list[str]:
    """Those that were measured, in the order of the tables."""
    peers = (name for peer in PEERS for name in (peer, WITH_OUR_SQL[peer]))
    return [name for name in (OURS, BEFORE, *peers) if name in servers]


def _middle(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure on its own."""
    columns = zip(*rounds, strict=True)
    return Measured(*(median(column) for column in columns))


def _times(ratio: Spread) -> str:
    return f"{ratio.median:.2f}x ({ratio.least:.2f}-{ratio.greatest:.2f})"


def of_crowd(one: Measured) -> list[str]:
    rate = f"{one.per_second:,.0f} (of {REQUESTS_PER_SECOND})"
    latency = f"{one.p50_ms:.1f} | {one.p95_ms:.1f} | {one.p99_ms:.1f}"
    return [
        "| Connections | Requests/s | p50 ms | p95 ms | p99 ms | Errors | Memory MB |",
        "|--:|--:|--:|--:|--:|--:|--:|",
        f"| {CONNECTIONS:,} | {rate} | {latency} | 0 | {one.resident_mb:.0f} |",
    ]


def of_greedy(shares: Sequence[Share]) -> list[str]:
    lines = ["| Server | Greedy connections | Requests | Refused | p50 ms | p95 ms |", "|---|--:|--:|--:|--:|--:|"]
    for one in shares:
        counts = f"{one.greedy_connections} | {one.requests} | {one.refused}"
        lines.append(f"| {one.server} | {counts} | {one.p50_ms:.1f} | {one.p95_ms:.1f} |")
    return lines


def of_growth(growth: Growth) -> list[str]:
    kinds = list(GROWING)
    lines = [f"| Rows | Tasks of the user | {' | '.join(kinds)} |", "|--:|--:|" + "--:|" * len(kinds)]
    for point in (*growth.of_table, *growth.of_user):
        cells = (f"{point.latency[kind].p50_ms:.1f} ({point.latency[kind].p95_ms:.1f})" for kind in kinds)
        lines.append(f"| {point.rows:,} | {point.tasks:,} | {' | '.join(cells)} |")
    return lines


def publish(root: Path, results: Results) -> None:
    """Write the results into results.json and the page. Parts that did not run keep their old figures."""
    path = root / RESULTS
    known: Json = json.loads(path.read_text()) if path.exists() else {}
    known |= {name: value for name, value in _as_json(results).items() if value is not None}
    path.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    page = root / PAGE
    text = page.read_text()
    text = _replaced(text, "conditions", _conditions(results.conditions))
    if results.duel:
        text = _replaced(text, "duel", of_duel(results.duel))
        text = _replaced(text, "latency", of_latency(results.duel))
        if table := of_sql(results.duel):
            text = _replaced(text, "sql", table)
    if results.crowd:
        text = _replaced(text, "crowd", of_crowd(results.crowd))
    if results.growth:
        from benchmarks import plots  # only this part needs matplotlib

        text = _replaced(text, "growth", [*of_growth(results.growth), "", PICTURE])
        plots.draw(results.growth, root / PLOT)
    page.write_text(text)
    print(f"Wrote {RESULTS} and {PAGE}.")


def _replaced(text: str, name: str, lines: Sequence[str]) -> str:
    block = "\n".join((f"<!-- {name} -->", "", *lines, "", f"<!-- end of {name} -->"))
    replaced, found = re.subn(rf"<!-- {name} -->.*?<!-- end of {name} -->", lambda _: block, text, flags=re.DOTALL)
    assert found == 1, f"{PAGE} has no place for {name}"
    return replaced


def _conditions(found: Conditions) -> list[str]:
    machine = found.machine
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return [
        f"- Commit {found.commit}, {found.date}; {found.rounds} rounds, {found.seconds:g} s for each measurement",
        *(f"- {sentence}" for sentence in found.setup),
        f"- {machine['processors']} processors ({machine['processor']}), {machine['memory']}, {machine['system']}",
        f"- {versions}",
    ]


def _as_json(results: Results) -> Json:
    duel, crowd, growth = results.duel, results.crowd, results.growth
    found: Json = {**results.conditions._asdict()}
    if duel:
        peers = {workload: [name for name in _named(of) if name != OURS] for workload, of in duel.measured.items()}
        spreads = {
            workload: {peer: duel.ratio(workload, OURS, peer) for peer in (*of, POSTGRESQL)}
            for workload, of in peers.items()
        }
        middles = {
            workload: {name: _middle(rounds) for name, rounds in servers.items()}
            for workload, servers in duel.measured.items()
        }
        found["ratios"] = {
            workload: {peer: round(spread.median, 3) for peer, spread in spreads[workload].items()}
            for workload in spreads
        }
        found["spreads"] = {
            workload: {peer: [round(spread.least, 3), round(spread.greatest, 3)] for peer, spread in of.items()}
            for workload, of in spreads.items()
        }
        found["cpu_ratios"] = {
            workload: {peer: round(duel.thrift(workload, peer).median, 3) for peer in of}
            for workload, of in peers.items()
        }
        found["total_cpu_ratios"] = {
            workload: {peer: round(duel.total_thrift(workload, peer).median, 3) for peer in of}
            for workload, of in peers.items()
        }
        found["p95_ms"] = {workload: round(of[OURS].p95_ms, 2) for workload, of in middles.items()}
        found["memory_mb"] = round(max(of[OURS].resident_mb for of in middles.values()))
        found["servers"] = {
            workload: {
                name: {
                    "per_second": round(one.per_second),
                    **{figure: round(value, 2) for figure, value in one._asdict().items() if "_" in figure},
                }
                for name, one in of.items()
            }
            for workload, of in middles.items()
        }
        found["postgresql_per_second"] = {name: round(median(of)) for name, of in duel.alone.items()}
    if crowd:
        found["crowd"] = {
            "connections": CONNECTIONS,
            "per_second": round(crowd.per_second),
            **{figure: round(value, 2) for figure, value in crowd._asdict().items() if "_" in figure},
        }
    if results.greedy:
        found["greedy"] = [one._asdict() for one in results.greedy]
    if growth:
        found["growth"] = {name: [_of_point(point) for point in of] for name, of in growth._asdict().items()}
    return found


def _of_point(point: Point) -> Json:
    latency = {
        kind: {name: round(ms, 3) for name, ms in of._asdict().items()} for kind, of in point.latency.items()
    }
    return {"rows": point.rows, "tasks": point.tasks, "latency": latency}
