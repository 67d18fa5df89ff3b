"""`make bench`: ours and its peers, many connections, many rows. ARGS="--help" shows how to measure less."""

import argparse
import sys
from pathlib import Path

from backend.errors import Refusal
from benchmarks import conditions, data, duel, greedy, report, scale, servers
from benchmarks.report import Results
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]

PARTS = ("duel", "crowd", "greedy", "growth")
ROUNDS = 5
SECONDS = 10
LARGEST = 7


def main() -> int:
    options = _parser().parse_args()
    found = Results(conditions.of_this_machine(ROOT, rounds=options.rounds, seconds=options.seconds))
    try:
        servers.require_tools()
        servers.leave_the_servers_cpu()
        with data.postgres(options.data.resolve()) as server:
            if "duel" in options.parts:
                found.duel = duel.run(server, _plan(options))
                for table in (report.of_duel, report.of_sql, report.of_latency):
                    print("\n".join(("", *table(found.duel))))  # a blank line between the tables
            if "crowd" in options.parts:
                found.crowd = scale.crowd(server, seconds=options.seconds * 3)
                print("\n".join(report.of_crowd(found.crowd)))
            if "greedy" in options.parts:
                found.greedy = greedy.run(server, options.before)
                print("\n".join(report.of_greedy(found.greedy)))
            if "growth" in options.parts:
                found.growth = scale.growth(server, 10**options.largest)
                print("\n".join(report.of_growth(found.growth)))
    except Refusal as refusal:
        print(f"benchmarks: {refusal}", file=sys.stderr)
        return 1
    if options.publish or _is_whole(options):
        report.publish(ROOT, found)
    return 0


def _plan(options: argparse.Namespace) -> duel.Plan:
    return duel.Plan(options.workloads, options.rounds, options.seconds, options.peers, options.before)


def _is_whole(options: argparse.Namespace) -> bool:
    everything = (
        set(options.parts) == set(PARTS)
        and set(options.workloads) == set(WORKLOADS)
        and set(options.peers) == set(servers.PEERS)
    )
    return everything and options.rounds >= ROUNDS and options.seconds >= SECONDS and options.largest >= LARGEST


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="duel: ours and its peers; crowd: 1,000 connections; greedy: one user who asks for too much; "
        "growth: more and more rows (default: all)",
    )
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), help="of the duel")
    parser.add_argument("--peers", nargs="*", choices=servers.PEERS, default=servers.PEERS, help="of the duel")
    parser.add_argument(
        "--before",
        type=ROOT.joinpath,  # make runs this in backend/
        metavar="CHECKOUT",
        help="another checkout of any release, installed: its service takes part in the duel, and in greedy",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the duel (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="of each measurement (default: %(default)s)"
    )
    parser.add_argument(
        "--largest",
        type=int,
        choices=range(4, 9),
        default=LARGEST,
        help="grow up to 10^LARGEST tasks (default: %(default)s)",
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".data/benchmark", help="where PostgreSQL keeps the tasks"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write results.json and docs/performance.md even if less than the default was measured; parts that "
        "did not run keep their old figures",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
