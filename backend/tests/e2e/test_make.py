"""What somebody writes after `make`, which is text for a command and no program for the shell."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INSTALLED = "backend/.venv/.installed"


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """With what is installed now, and without the arguments of a `make` that runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--silent", f"--old-file={INSTALLED}", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "ENVIRONMENT": "development"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "text",
    ["`touch {}`", "$(touch {})", "$(shell touch {})", "$$(touch {})", '"; touch {}; "', '"', "$(id)", "a b"],
)
def test_a_strange_user_id_is_refused_and_does_nothing(text: str, tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    refused = make("token", f"USER_ID={text.format(touched)}")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.splitlines()[0] == (
        "tasks: A user's id has 1 to 128 letters, digits, hyphens and underscores."
    )
    assert not touched.exists()


def test_a_user_id_is_no_option() -> None:
    refused = make("token", "USER_ID=-" + "x" * 128)

    assert refused.stderr.splitlines()[0] == (
        "tasks: A user's id has 1 to 128 letters, digits, hyphens and underscores."
    )


def test_a_strange_package_does_nothing(tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    refused = make("structure", f"PACKAGE=$(shell touch {touched})`touch {touched}`")

    assert refused.returncode == 2
    assert not touched.exists()
