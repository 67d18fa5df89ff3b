"""docs/adding-a-noun.md, followed on a copy of the project: its code works, and no other edit is needed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.migrations import SCHEMA_VERSION

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "adding-a-noun.md"

# The page's own tests, and the files of all that it says about others.
NAMES = ("labels", "estimates", "policies", "migrations", "worker", "cost", "tasks")
TESTS = [
    *(f"tests/integration/test_{name}.py" for name in NAMES),
    "tests/integration/test_plans.py::test_no_statement_looks_beyond_the_tenants_own_tasks",
    "tests/unit/test_schemas.py",
]
MODULE = (sys.executable, "-m")
FRONT_END = ("package.json", "next.config.ts", "tsconfig.json")


def blocks() -> list[tuple[str, str, str]]:
    """The kind, the file and the text of each block of the page that names its file, with migrations numbered."""
    found = re.findall(r'^```(\w+) title="(.+?)"\n(.*?)^```$', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    newest = int(SCHEMA_VERSION)
    numbered = []
    for kind, path, text in found:
        newest += "000N" in path
        new, old = f"{newest:04}", f"{newest - 1:04}"
        numbered.append((kind, path.replace("000N", new), text.replace("000N", new).replace("000M", old)))
    return numbered


def edit(text: str, diff: str) -> str:
    """Apply the hunks of a diff without line numbers. What each hunk changes stands in the text exactly once."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines()
        before, after = ("".join(f"{line[1:]}\n" for line in lines if line[:1] != sign) for sign in "+-")
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder `backend/` after everything that the page says, with the front end's sources beside it."""
    backend = tmp_path / "backend"
    for folder in ("backend/src", "backend/tests", "frontend/src"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules"))
    for name in ("backend/pyproject.toml", *(f"frontend/{name}" for name in FRONT_END)):
        shutil.copy(ROOT / name, tmp_path / name)
    for kind, path, text in blocks():
        file = backend / path
        assert file.exists() == (kind == "diff"), path
        file.write_text(edit(file.read_text(), text) if kind == "diff" else text)
    return backend


def run(folder: Path, *command: str | Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    process = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(folder / "src"), "NEXT_TELEMETRY_DISABLED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


def test_the_page_leads_to_a_noun_and_a_field_that_work(copy: Path) -> None:
    """The copy's tests have a server of their own, whose template has the page's migrations as well."""
    run(copy, *MODULE, "pytest", "-q", "-p", "no:cacheprovider", *TESTS)


def test_the_front_ends_types_agree_with_the_new_description(copy: Path, built: Path) -> None:
    """As `make openapi` writes them and `make check` checks them."""
    front_end = copy.parent / "frontend"
    programs = built / "node_modules" / ".bin"
    (front_end / "node_modules").symlink_to(built / "node_modules")
    description = run(copy, Path(sys.executable).with_name("tasks"), "openapi")
    (copy / "openapi.json").write_text(description)

    run(
        front_end,
        *(programs / "openapi-typescript", copy / "openapi.json"),
        *("--default-non-nullable", "false", "--output", "src/lib/api-types.ts"),
    )
    run(front_end, programs / "next", "typegen")
    run(front_end, programs / "tsc", "--noEmit")


def test_only_main_and_the_files_of_a_field_are_edited() -> None:
    """A noun needs two lines in the service. A field needs two of its files, and a line each in three others."""
    edited = {path: text for kind, path, text in blocks() if kind == "diff"}
    added = {path: sum(line.startswith("+") for line in text.splitlines()) for path, text in edited.items()}

    assert {path for path in edited if path.startswith("src/")} == {
        f"src/backend/{name}.py" for name in ("main", "models/tasks", "schemas/tasks")
    }
    assert added["src/backend/main.py"] == 2
    assert {path: lines for path, lines in added.items() if not path.startswith("src/")} == {
        "tests/integration/test_cost.py": 2,
        "tests/integration/test_tasks.py": 1,
        "tests/unit/test_schemas.py": 1,
        "../frontend/src/lib/new-task.ts": 1,
    }


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_the_code_of_the_page_is_clean(copy: Path, command: str) -> None:
    files = [path for _, path, _ in blocks() if path.endswith(".py")]

    run(copy, *MODULE, "ruff", *command.split(), "--quiet", *files)
