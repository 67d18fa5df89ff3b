"""Clients that generators make of the API's description: all operations are there, they compile, and they work."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from installation import copy_data, developers_client, has_greeted, stop
from processes import Workplace, workplace

GENERATORS = Path(__file__).parents[1] / "clients"  # those that npm installs
TASK_OPERATIONS = {
    "find_tasks",
    "create_task",
    "get_task",
    "put_task",
    "patch_task",
    "delete_task",
    "complete_task",
    "get_stats",
}


class Service(NamedTuple):
    url: str
    token: str
    description: Path


@pytest.fixture(scope="module")
def service(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service, and the description that it serves."""
    with workplace(API_PORT="0") as place:
        copy_data(installation, place.folder)
        yield from served(place, tmp_path_factory.mktemp("description") / "openapi.json")


def served(place: Workplace, description: Path) -> Iterator[Service]:
    dev = place.start("dev")
    dev.until(lambda: has_greeted(dev))
    with developers_client(dev) as developer:
        description.write_text(developer.get("/openapi.json").text)
        token = developer.headers["Authorization"].removeprefix("Bearer ")
        yield Service(str(developer.base_url).removesuffix("/"), token, description)
    assert stop(dev) == 0


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


USE_PYTHON = """
import sys

from client import AuthenticatedClient
from client.api.tasks import create_task, delete_task, find_tasks, get_task, patch_task
from client.models import Problem, TaskCreate, TaskPatch, TaskRead

api = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
created = create_task.sync("me", client=api, body=TaskCreate(title="Sow"))
assert isinstance(created, TaskRead), created

unchanged = get_task.sync_detailed("me", created.id, client=api, if_none_match='"1"')
assert unchanged.status_code == 304, unchanged
patched = patch_task.sync("me", created.id, client=api, body=TaskPatch(title="Reap"), if_match='"7", "1"')
assert isinstance(patched, TaskRead), patched
assert (patched.title, patched.version) == ("Reap", 2)
stale = patch_task.sync("me", created.id, client=api, body=TaskPatch(title="Sow"), if_match='"1"')
assert isinstance(stale, Problem), stale
assert stale.code == "precondition-failed"

listed = find_tasks.sync("me", client=api, search="reap")
assert isinstance(listed, list), listed
assert [task.id for task in listed] == [created.id]
deleted = delete_task.sync_detailed("me", created.id, client=api, if_match='"2"')
assert deleted.status_code == 204, deleted
"""


def test_a_python_client_has_all_operations_and_works(service: Service, tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    generated = tmp_path / "client"

    options = ("--path", service.description, "--output-path", generated, "--meta", "none")
    said = run(tools / "openapi-python-client", "generate", *options, folder=tmp_path)

    assert "WARNING parsing" not in said  # it leaves something out
    assert {path.stem for path in (generated / "api/tasks").glob("[a-z]*.py")} == TASK_OPERATIONS
    (tmp_path / "use.py").write_text(USE_PYTHON)
    run(tools / "mypy", "--strict", "--cache-dir", tmp_path / "cache", "use.py", folder=tmp_path)
    run(sys.executable, "use.py", service.url, service.token, folder=tmp_path)


USE_TYPESCRIPT = """
import assert from "node:assert/strict";

import { createTask, deleteTask, findTasks, getTask, patchTask } from "./client";
import { client } from "./client/client.gen";

async function main(baseUrl: string, auth: string): Promise<void> {
  client.setConfig({ baseUrl, auth });
  const created = await createTask({ path: { user_id: "me" }, body: { title: "Sow" }, throwOnError: true });
  const path = { user_id: "me", task_id: created.data.id };

  const unchanged = await getTask({ path, headers: { "if-none-match": '"1"' } });
  assert.equal(unchanged.response?.status, 304);
  const patched = await patchTask({ path, body: { title: "Reap" }, headers: { "if-match": '"7", "1"' } });
  assert.deepEqual([patched.data?.title, patched.data?.version], ["Reap", 2]);
  const stale = await patchTask({ path, body: { title: "Sow" }, headers: { "if-match": '"1"' } });
  assert.equal(stale.error?.code, "precondition-failed");

  const listed = await findTasks({ path: { user_id: "me" }, query: { search: "reap" } });
  assert.deepEqual(listed.data?.map((task) => task.id), [path.task_id]);
  const deleted = await deleteTask({ path, headers: { "if-match": '"2"' } });
  assert.equal(deleted.response?.status, 204);
}

void main(process.argv[2] ?? "", process.argv[3] ?? "");
"""


def test_a_typescript_client_has_all_operations_and_works(service: Service, tmp_path: Path) -> None:
    tools = GENERATORS / "node_modules/.bin"
    assert tools.is_dir(), "Run `make generators`."
    options = {
        "strict": True,
        "esModuleInterop": True,
        "module": "commonjs",
        "moduleResolution": "node10",
        "target": "es2022",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": ["node"],
        "typeRoots": [str(GENERATORS / "node_modules/@types")],
        "outDir": "out",
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    (tmp_path / "use.ts").write_text(USE_TYPESCRIPT)

    run(tools / "openapi-ts", "-i", service.description, "-o", tmp_path / "client", folder=GENERATORS)

    functions = re.findall(r"^export const (\w+) =", (tmp_path / "client/sdk.gen.ts").read_text(), re.MULTILINE)
    assert {snake(name) for name in functions} >= TASK_OPERATIONS
    run(tools / "tsc", "--noEmit", folder=tmp_path)
    run(tools / "tsc", folder=tmp_path)
    run(node(), "out/use.js", service.url, service.token, folder=tmp_path)


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def node() -> str:
    found = shutil.which("node")
    assert found
    return found
