"""docs/adding-a-noun.md, followed on a copy of the project: its code works, and no other edit is needed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.migrations import SCHEMA_VERSION

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT.parent / "docs" / "adding-a-noun.md"

# The copy's tests use the server of this run, and a database that has the page's migrations as well.
CONFTEST = """
from conftest_of_project import *
from backend.postgres.migrate import migrate
import databases

del pytest_configure


@pytest.fixture(scope="session")
async def database(server, socket_directory):
    async with databases.scratch(server) as name:
        urls = [development.database_url(role, socket_directory, name) for role in ("postgres", SERVICE_ROLE)]
        await migrate(owner_url=urls[0], service_url=urls[1])
        yield name
"""


TESTS = ("test_labels", "test_estimates", "test_policies", "test_migrations", "test_cost")
# All of the page's own tests. Of the others those that find new tables and new routes by themselves.
CHOSEN = "test_labels or test_estimates or labels or every_table or every_index or models_describe or forgotten"


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
    """The project as it is after everything that the page says."""
    for folder in ("src", "tests"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for kind, path, text in blocks():
        file = tmp_path / path
        assert file.exists() == (kind == "diff"), path
        file.write_text(edit(file.read_text(), text) if kind == "diff" else text)
    return tmp_path


def run(copy: Path, *command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    process = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env={**environment, "PYTHONPATH": str(copy / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout


def test_the_page_leads_to_a_noun_and_a_field_that_work(copy: Path) -> None:
    tests = copy / "tests"
    (tests / "conftest.py").rename(tests / "conftest_of_project.py")
    (tests / "conftest.py").write_text(CONFTEST)

    run(
        copy,
        "pytest",
        *("-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *(f"tests/integration/{name}.py" for name in TESTS),
        *("-k", CHOSEN),
    )


def test_only_main_and_the_files_of_a_field_are_edited() -> None:
    """A noun needs two lines in existing files, and a field two files besides its migration."""
    edited = {path: text for kind, path, text in blocks() if kind == "diff" and path.startswith("src/")}

    assert set(edited) == {f"src/backend/{name}.py" for name in ("main", "models/tasks", "schemas/tasks")}
    assert sum(line.startswith("+") for line in edited["src/backend/main.py"].splitlines()) == 2


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_the_code_of_the_page_is_clean(copy: Path, command: str) -> None:
    run(copy, "ruff", *command.split(), "--quiet", *(path for kind, path, _ in blocks() if path.endswith(".py")))
