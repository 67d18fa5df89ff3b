"""The documentation's site: its pages, the reference of the API, and the check of its links."""

import json
import sys
from pathlib import Path

import pytest

from support import Json
from tooling import links, pages
from tooling.reference import page

ROOT = Path(__file__).parents[3]
DOCUMENT: Json = json.loads((ROOT / pages.DESCRIPTION).read_text())
REFERENCE = page(DOCUMENT)
FRONT = '<nav><a class="md-nav__link" href="docs/errors/">Errors</a></nav>{}'
ERRORS = '<a href="../../">Start</a> <h2 id="cors">CORS</h2>{}'


def faults(site: Path, *, front: str = "", errors: str = "") -> list[str]:
    (site / "docs" / "errors").mkdir(parents=True)
    (site / "index.html").write_text(FRONT.format(front))
    (site / "docs" / "errors" / "index.html").write_text(ERRORS.format(errors))
    return list(links.check(site))


def test_a_sound_site_has_no_faults(tmp_path: Path) -> None:
    (tmp_path / "plot.svg").touch()

    front = '<a href="docs/errors/#cors"></a> <a href="#"></a> <a href="https://example.com/nothing"></a>'
    errors = '<a href="#cors"></a> <img src="../../plot.svg"> <img src="data:image/png;base64,"> <a href="/"></a>'

    assert faults(tmp_path, front=front, errors=errors) == []


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ('<a href="../error/">', "leads to ../error/, which does not exist"),
        ('<a href="../errors">', "leads to ../errors, which does not exist"),
        ('<a href="../../LICENSE">', "leads to ../../LICENSE, which does not exist"),
        ('<img src="plot.svg">', "leads to plot.svg, which does not exist"),
        ('<a href="#csrf">', "leads to #csrf, which has no such heading"),
        ('<a href="../../#run">', "leads to ../../#run, which has no such heading"),
        ('<script src="https://cdn.example.com/a.js"></script>', "loads https://cdn.example.com/a.js"),
        ('<link rel="stylesheet" href="//cdn.example.com/a.css">', "loads //cdn.example.com/a.css"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, part: str, fault: str) -> None:
    assert faults(tmp_path, errors=part) == [f"docs/errors/index.html {fault}"]


def test_a_page_that_is_not_in_the_navigation_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "index.html").touch()

    assert faults(tmp_path, front='<a href="lost/">') == ["lost/index.html is not in the navigation"]


def test_every_operation_parameter_member_and_error_is_in_the_reference() -> None:
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    ]

    for request, operation in operations:
        assert f"```http\n{request}\n```" in REFERENCE
        section = REFERENCE.split(f"\n{request}\n", maxsplit=1)[1].split("\n### ", maxsplit=1)[0]
        for parameter in operation.get("parameters", []):
            assert f"| `{parameter['name']}` |" in section
        for status in operation["responses"]:
            assert f"`{status}`" in section
    for name, schema in DOCUMENT["components"]["schemas"].items():
        section = REFERENCE.split(f"\n### {name}\n", maxsplit=1)[1].split("\n### ", maxsplit=1)[0]
        for member in schema.get("properties", {}):
            assert f"| `{member}` |" in section


@pytest.mark.parametrize(
    "row",
    [
        "| `limit` | query | integer, 1 to 1000 | How many tasks a page has at the most. Default: `1000`. |",
        "| `title` | string, 1 to 255 characters | yes |",
        "| `completedAt` | date-time or null | yes |",
        "| `errors` | array of [Fault](#fault) |",
        "`low` or `medium` or `high`",
    ],
)
def test_types_and_bounds_are_in_words(row: str) -> None:
    assert row in REFERENCE


def test_pages_lie_as_in_the_repository(tmp_path: Path) -> None:
    pages.gather(ROOT, tmp_path)

    for name in ("README.md", "SECURITY.md", "LICENSE", "docs/errors.md", "docs/decisions/README.md"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
    assert (tmp_path / "docs" / "api.md").read_text() == REFERENCE


def test_a_page_that_is_gone_is_removed_and_one_that_has_not_changed_is_left(tmp_path: Path) -> None:
    pages.gather(ROOT, tmp_path)
    written = (tmp_path / "README.md").stat().st_mtime_ns
    (tmp_path / "docs" / "gone.md").touch()

    pages.gather(ROOT, tmp_path)

    assert not (tmp_path / "docs" / "gone.md").exists()
    assert (tmp_path / "README.md").stat().st_mtime_ns == written


def test_pages_follow_changes_while_a_command_runs(tmp_path: Path) -> None:
    """The command changes a page in the folder and waits until it is as in the repository again."""
    folder = tmp_path / "pages"
    program = """
import sys, time
from pathlib import Path
page = Path(sys.argv[1], "README.md")
page.write_text("changed")
while page.read_text() in ("", "changed"):
    time.sleep(0.01)
sys.exit(7)
"""

    assert pages.main(ROOT, folder, sys.executable, "-c", program, str(folder)) == 7
