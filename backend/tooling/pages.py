"""Gather the pages of the documentation's site.

    python -m tooling.pages REPOSITORY FOLDER [COMMAND ...]

They lie in the folder as they do in the repository, so that links between them hold in both. With a command, they
follow changes for as long as it runs.
"""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tooling.reference import page

NAVIGATION = "docs/nav.yml"
DESCRIPTION = "backend/openapi.json"
SECONDS_BETWEEN_LOOKS = 0.5


def gather(root: Path, folder: Path) -> None:
    """Writes only what has changed, which is what the site is built from again."""
    contents = contents_of(root)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in contents:
            path.unlink()
    for name, content in contents.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def contents_of(root: Path) -> dict[str, bytes]:
    """By their paths: the Markdown at the top and all of docs/, the navigation, and the reference of the API."""
    files = [
        *root.glob("*.md"),
        root / "LICENSE",
        *(path for path in (root / "docs").rglob("*") if path.is_file()),
    ]
    contents = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    contents[".nav.yml"] = contents.pop(NAVIGATION)
    description = (root / DESCRIPTION).read_bytes()
    contents["docs/openapi.json"] = description
    contents["docs/api.md"] = page(json.loads(description)).encode()
    return contents


def main(root: Path, folder: Path, *command: str) -> int:
    gather(root, folder)
    if not command:
        return 0
    with subprocess.Popen(command) as program, suppress(KeyboardInterrupt):
        while program.poll() is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            gather(root, folder)
    return program.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
