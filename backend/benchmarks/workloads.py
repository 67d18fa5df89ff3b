"""The requests of each workload, encoded for the wire before they are sent."""

import json
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from backend.commands import development
from backend.config import Settings
from benchmarks.data import MARK

WORDS = ("plants", "rent", "bread", "report", "flight", "bike", "anna", "lamp")

SEARCH = {"status": "pending", "sort_by": "dueDate", "sort_order": "asc", "limit": "50"}


class Person(NamedTuple):
    """A user who sends requests, with the ids of some of their tasks."""

    user_id: str
    token: str
    tasks: Sequence[str]


class Request(NamedTuple):
    method: str
    path: str
    token: str
    body: dict[str, object] | None = None

    def encoded(self) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body).encode()
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            "Accept: application/json\r\n"
        )
        if self.body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        elif self.method != "GET":
            head += "Content-Length: 0\r\n"
        return head.encode() + b"\r\n" + content


def people(settings: Settings, tasks: dict[str, list[str]]) -> list[Person]:
    return [Person(user, development.token(settings, user), ids) for user, ids in tasks.items()]


def _path(person: Person, *parts: str) -> str:
    return "/".join((f"/api/{quote(person.user_id)}", *parts))


def list_(person: Person, _: random.Random) -> Request:
    return Request("GET", f"{_path(person, 'tasks')}?limit=50", person.token)


def search(person: Person, dice: random.Random) -> Request:
    query = urlencode({**SEARCH, "search": dice.choice(WORDS)})
    return Request("GET", f"{_path(person, 'tasks')}?{query}", person.token)


def vain(person: Person, _: random.Random) -> Request:
    """A search without matches: the database reads every task of the user and returns none."""
    return Request("GET", f"{_path(person, 'tasks')}?limit=50&search=zyzzyva", person.token)


def get(person: Person, dice: random.Random) -> Request:
    return Request("GET", _path(person, "tasks", dice.choice(person.tasks)), person.token)


def create(person: Person, dice: random.Random) -> Request:
    body: dict[str, object] = {
        "title": f"Water the plants of {dice.randrange(1000)}",
        "description": "All of them, also those on the balcony.",
        "priority": dice.choice(("low", "medium", "high")),
        "category": MARK,
        "dueDate": "2027-01-05",
    }
    return Request("POST", _path(person, "tasks"), person.token, body)


def patch(person: Person, dice: random.Random) -> Request:
    """Draws from so many titles that a change hardly ever repeats the current one."""
    body: dict[str, object] = {"title": f"Pay the rent of {dice.randrange(10**6)}", "priority": "high"}
    return Request("PATCH", _path(person, "tasks", dice.choice(person.tasks)), person.token, body)


def toggle(person: Person, dice: random.Random) -> Request:
    return Request("PATCH", _path(person, "tasks", dice.choice(person.tasks), "complete"), person.token)


def stats(person: Person, _: random.Random) -> Request:
    return Request("GET", _path(person, "stats"), person.token)


type Kind = Callable[[Person, random.Random], Request]

WORKLOADS: dict[str, dict[Kind, int]] = {  # kinds of requests, and their shares in percent
    "list": {list_: 100},
    "search": {search: 100},
    "get": {get: 100},
    "create": {create: 100},
    "patch": {patch: 100},
    "toggle": {toggle: 100},
    "stats": {stats: 100},
    "mixed": {list_: 70, get: 10, toggle: 10, create: 5, stats: 5},
}

OWED_TO_SQL = ("search", "stats")
"""The workloads in which our SQL uses indexes that the peers' cannot. Peers with our SQL run only these."""

GROWING: dict[str, Kind] = {"list": list_, "get": get, "search": search, "vain search": vain, "create": create}


def draw(name: str, people: Sequence[Person], number: int) -> list[Request]:
    """A workload's requests, each by a random user. The seed is fixed, so every run sends the same."""
    dice = random.Random(name)  # noqa: S311 - not a secret
    kinds, shares = zip(*(WORKLOADS.get(name) or {GROWING[name]: 100}).items(), strict=True)
    chosen = dice.choices(kinds, shares, k=number)
    return [kind(dice.choice(people), dice) for kind in chosen]
