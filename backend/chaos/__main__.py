"""`make chaos`: nothing acknowledged is lost, nothing is done twice, whatever breaks."""

import argparse
import asyncio
import random
import sys
from pathlib import Path

from chaos.clients import Client
from chaos.faults import FAULTS, SHORT, Fault
from chaos.ledger import Ledger, task_of
from chaos.world import World, world

ROOT = Path(__file__).parents[2]

USERS = 24
CALM_SECONDS = 4  # between the faults, so that everything recovers


async def run(world: World, faults: list[Fault], dice: random.Random) -> Ledger:
    await world.settle()
    ledger = Ledger()
    urls = [service.url for service in world.services]
    is_over = False
    clients = []
    for number in range(USERS):
        user = f"user{number}"
        clients.append(
            Client(user, await world.sign_up(user), urls, ledger, random.Random(dice.random()))  # noqa: S311
        )
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.live(lambda: is_over))
        for fault in faults:
            await asyncio.sleep(CALM_SECONDS)
            print(f"  {fault.name}", flush=True)
            await fault.befall(world)
        await asyncio.sleep(CALM_SECONDS)
        is_over = True
    await compare(world, ledger)
    return ledger


async def compare(world: World, ledger: Ledger) -> None:
    async with world.tasks() as owner:
        for user in ledger.tasks:
            rows = await owner.fetch('SELECT * FROM tasks WHERE "userId" = $1', user)
            ledger.compare(user, dict(task_of(dict(row)) for row in rows), (row["userId"] for row in rows))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=...", description=__doc__)
    parser.add_argument("--short", action="store_true", help="four of the faults, once")
    parser.add_argument("--rounds", type=int, default=2, help="of all faults (default: %(default)s)")
    parser.add_argument(
        "--before",
        type=ROOT.joinpath,  # make runs this in backend/
        metavar="CHECKOUT",
        help="try the service of another checkout, installed, instead of this one",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the clients' choices (default: %(default)s)")
    options = parser.parse_args()
    program = (options.before or ROOT) / "backend/.venv/bin/tasks"
    with world(program) as broken:
        dice = random.Random(options.seed)  # noqa: S311 - not a secret
        faults = SHORT if options.short else FAULTS * options.rounds
        ledger = asyncio.run(run(broken, faults, dice))
    print(f"\n{ledger.table()}")
    for complaint in ledger.complaints[:20]:
        print(f"  {complaint}", file=sys.stderr)
    return 0 if ledger.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
