"""What breaks. Each fault lasts a while, and is mended by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from signal import SIGKILL
from typing import NamedTuple

import psutil

from backend.commands.development import DATABASE
from chaos.world import World


class Fault(NamedTuple):
    name: str
    befall: Callable[[World], Awaitable[None]]


@asynccontextmanager
async def _frozen(processes: Sequence[psutil.Process]) -> AsyncIterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def freeze_postgres(world: World) -> None:
    postmaster = world.postmaster()
    async with _frozen([postmaster, *postmaster.children()]):
        await asyncio.sleep(8)


async def freeze_connections(world: World) -> None:
    """Those of one service, also the ones that it opens in the first second, while the other service goes on."""
    async with AsyncExitStack() as stack:
        frozen: set[psutil.Process] = set()
        for _ in range(10):
            new = set(await world.connections_of(world.services[0])) - frozen
            await stack.enter_async_context(_frozen(list(new)))
            frozen |= new
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)


async def crash_postgres(world: World) -> None:
    """The kernel ends one of its processes, as it does when memory is short; all others restart."""
    (victim, *_) = await world.connections_of(world.services[0])
    victim.send_signal(SIGKILL)


async def restart_postgres(world: World) -> None:
    await asyncio.to_thread(world.stop_postgres)
    await asyncio.sleep(2)
    await asyncio.to_thread(world.start_postgres)


async def refuse_connections(world: World) -> None:
    async with world.owner() as owner:
        await owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
        await _end_connections(world)
        await asyncio.sleep(5)
        await owner.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


async def become_read_only(world: World) -> None:
    """As after a failover to a standby that is not promoted yet."""
    async with world.owner() as owner:
        await owner.execute(f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = on")
        await _end_connections(world)
        await asyncio.sleep(5)
        await owner.execute(f"ALTER DATABASE {DATABASE} RESET default_transaction_read_only")
        await _end_connections(world)


async def kill_service(world: World) -> None:
    service = world.services[0]
    service.kill()
    await asyncio.sleep(2)
    service.start()
    await service.until_ready()


async def roll_services(world: World) -> None:
    """A deployment: one after the other is told to end, and started again."""
    for service in world.services:
        await asyncio.to_thread(service.stop)
        service.start()
        await service.until_ready()


async def restart_pooler(world: World) -> None:
    if world.pooler:
        world.pooler.kill()
        await asyncio.sleep(1)
        world.pooler.start()


async def _end_connections(world: World) -> None:
    async with world.owner() as owner:
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", DATABASE)


FAULTS = [
    Fault("one service killed, and started again", kill_service),
    Fault("the connections of one service frozen for 6 s", freeze_connections),
    Fault("PostgreSQL crashed", crash_postgres),
    Fault("PostgreSQL read-only for 5 s", become_read_only),
    Fault("PostgreSQL frozen for 8 s", freeze_postgres),
    Fault("PostgreSQL restarted", restart_postgres),
    Fault("connections refused for 5 s", refuse_connections),
    Fault("both services restarted in turn", roll_services),
    Fault("PgBouncer killed, and started again", restart_pooler),
]
SHORT = FAULTS[:4]
