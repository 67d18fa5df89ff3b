"""Users who write all the time, each one thing after the other, and repeat what was not acknowledged."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from uuid import uuid4

import httpx2

from chaos.ledger import Json, Ledger, Task, task_of

TASKS = 4  # about; so few that a write that comes too late meets a newer one
PAUSE_SECONDS = 0.2  # before a repetition, on average


class Client:
    """One user. Every request goes to one of the service's processes by chance, as through a load balancer."""

    def __init__(self, user: str, token: str, urls: list[str], ledger: Ledger, dice: random.Random) -> None:
        self._user = user
        self._urls = urls
        self._ledger = ledger
        self._dice = dice
        self._http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=15, trust_env=False)
        self._tasks = ledger.tasks.setdefault(user, {})
        self._titles = ledger.titles.setdefault(user, set())

    async def live(self, is_over: Callable[[], bool]) -> None:
        async with self._http:
            while not is_over():
                await self._dice.choice(self._kinds())()

    def _kinds(self) -> list[Callable[[], Awaitable[None]]]:
        if not self._tasks:
            return [self._create]
        grow_or_shrink = self._create if len(self._tasks) < self._dice.randrange(2 * TASKS) else self._delete
        return [grow_or_shrink, self._rename, self._rename, self._rename, self._complete, self._list]

    async def _create(self) -> None:
        title = self._title()
        key = {"Idempotency-Key": f'"{uuid4()}"'}
        answer = await self._until_acknowledged("POST", "tasks", {"title": title}, accept={201}, headers=key)
        task_id, task = task_of(answer)
        if task != Task(title, completed=False):
            self._ledger.complain(f"{task_id} was created as {task}, and not with the title {title}")
        self._tasks[task_id] = task

    async def _rename(self) -> None:
        await self._change("tasks/{}", {"title": self._title()})

    async def _complete(self) -> None:
        await self._change("tasks/{}/complete", {"completed": self._dice.random() < 0.5})

    async def _change(self, path: str, changes: Json) -> None:
        task_id = self._dice.choice(list(self._tasks))
        answer = await self._until_acknowledged("PATCH", path.format(task_id), changes, accept={200})
        _, task = task_of(answer)
        expected = self._tasks[task_id]._replace(**changes)
        if task != expected:
            self._ledger.complain(f"{task_id} was answered as {task}, and not as {expected}")
        self._tasks[task_id] = task

    async def _delete(self) -> None:
        task_id = self._dice.choice(list(self._tasks))
        # An attempt whose answer was lost may have deleted it.
        await self._until_acknowledged("DELETE", f"tasks/{task_id}", None, accept={204}, if_repeated={404})
        del self._tasks[task_id]

    async def _list(self) -> None:
        found = await self._until_acknowledged("GET", "tasks", None, accept={200})
        self._ledger.compare(self._user, dict(map(task_of, found)), (task["userId"] for task in found))

    def _title(self) -> str:
        title = uuid4().hex
        self._titles.add(title)
        return title

    async def _until_acknowledged(
        self,
        method: str,
        path: str,
        content: Json,
        *,
        accept: Collection[int],
        if_repeated: Collection[int] = (),
        headers: dict[str, str] | None = None,
    ) -> Json:
        """Send it until the answer is one of those. Another answer than a 503 is a complaint, and repeated too."""
        attempts = 0
        while True:
            url = f"{self._dice.choice(self._urls)}/api/{self._user}/{path}"
            started = time.monotonic()
            try:
                answer = await self._http.request(method, url, json=content, headers=headers)
            except httpx2.TransportError:
                answer = None
            status = answer.status_code if answer is not None else None
            self._ledger.answer(time.monotonic() - started, status)
            if answer is not None and (status in accept or (attempts and status in if_repeated)):
                self._ledger.acknowledge()
                return answer.json() if answer.content else None
            if status not in {None, 500, 503}:
                self._ledger.complain(f"{method} {path} was answered with {status}")
            attempts += 1
            self._ledger.repeated += 1
            await asyncio.sleep(self._dice.uniform(0, 2 * PAUSE_SECONDS))
