"""Compare the API's description with the one that was merged last, and ask the changelog about what breaks.

    python -m tooling.breaking [FOLDER OF THE REPOSITORY]

Exit status 1 if something breaks that the changelog does not announce.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from tooling.changes import breaking_changes

DESCRIPTION = "backend/openapi.json"
CHANGELOG = "CHANGELOG.md"
MAIN = "origin/main"


def main(root: Path) -> int:
    try:
        base = _base(root)
    except (OSError, subprocess.CalledProcessError):
        print("NOT RUN: the check for breaking changes needs the git history.")
        return 0
    old = base and _show(root, base, DESCRIPTION)
    if not base or not old:
        return 0  # the first description has nothing to break
    found = breaking_changes(json.loads(old), json.loads((root / DESCRIPTION).read_text()))
    announced = announcements((root / CHANGELOG).read_text()) - announcements(_show(root, base, CHANGELOG))
    if not found or announced:
        return 0
    print(f"These changes of the API, compared with {base[:12]}, break its clients:", *found, sep="\n  ")
    print(f"Undo them, or add an entry to {CHANGELOG}, under Unreleased, that begins with **Breaking:**.")
    return 1


def announcements(changelog: str) -> set[str]:
    """The entries of what is not released yet that begin with `**Breaking:**`."""
    _, _, after = changelog.partition("\n## [Unreleased]\n")
    unreleased = after.split("\n## ", maxsplit=1)[0]
    return set(re.findall(r"^- (\*\*Breaking:\*\*.+(?:\n  .+)*)", unreleased, re.MULTILINE))


def _base(root: Path) -> str | None:
    """The commit to compare with: where this branch left main, or, on main, the one before the last change.

    None if there is nothing before.
    """
    if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root:
        raise FileNotFoundError("a repository of its own")
    head = _git(root, "rev-parse", "HEAD")
    main = _git(root, "rev-parse", "--verify", "--quiet", MAIN, check=False)
    merged = _git(root, "merge-base", head, main, check=False) if main else head
    if merged and merged != head:
        return merged
    if _show(root, head, DESCRIPTION) != (root / DESCRIPTION).read_text():
        return head
    parents = _git(root, "rev-list", "--parents", "--max-count=1", head).split()[1:]
    if not parents and _git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise FileNotFoundError("the commit before")
    return parents[0] if parents else None


def _show(root: Path, commit: str, path: str) -> str:
    """The empty string if the commit has no such file."""
    return _git(root, "show", f"{commit}:{path}", check=False, strip=False)


def _git(root: Path, *arguments: str, check: bool = True, strip: bool = True) -> str:
    command = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=check)
    return command.stdout.strip() if strip else command.stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "..").resolve()))
