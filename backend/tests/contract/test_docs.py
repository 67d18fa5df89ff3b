"""The documentation names every setting and every error code, and no others."""

import re
from pathlib import Path

from backend.commands.development import FrontEndSettings
from backend.config import MigrationSettings, Settings
from backend.http.explanations import EXPLANATIONS
from support import every_problem

ROOT = Path(__file__).parents[3]
SETTINGS = {name.upper() for name in {**Settings.model_fields, **MigrationSettings.model_fields}}
DEVELOPMENT_SETTINGS = {name.upper() for name in FrontEndSettings.model_fields}


def first_column(document: str) -> set[str]:
    """What stands in backticks at the beginning of a table's rows."""
    return set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / document).read_text(), re.MULTILINE))


def test_every_setting_is_documented() -> None:
    assert first_column("configuration.md") >= SETTINGS | DEVELOPMENT_SETTINGS


def test_every_documented_setting_exists() -> None:
    named = {
        name for name in first_column("configuration.md") if re.fullmatch(r"[A-Z]+(_[A-Z]+)+|ENVIRONMENT", name)
    }

    assert named <= SETTINGS | DEVELOPMENT_SETTINGS


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / "backend" / ".env.example").read_text()

    assert set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)) == SETTINGS | DEVELOPMENT_SETTINGS


def test_every_error_is_explained() -> None:
    abstract = {"unauthenticated", "unavailable"}

    assert {kind.code for kind in EXPLANATIONS} == {kind.code for kind in every_problem()} - abstract


def test_the_documentation_explains_errors_as_the_service_does() -> None:
    document = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| `.+$", re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", document), re.MULTILINE)

    assert rows == [
        f"| `{kind.code}` | {kind.status} | {explanation.when} | {explanation.remedy} |"
        for kind, explanation in EXPLANATIONS.items()
    ]
