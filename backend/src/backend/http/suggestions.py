"""The known name that somebody may have meant by one that is not known."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from backend.errors import MAX_FAULTS

MAX_COMPARED_LENGTH = 100  # of a name; comparing takes as long as it is


def add_suggestions(errors: Sequence[dict[str, Any]], known: Mapping[str, str]) -> None:
    """Gives unknown names among the validation errors a `nearest`. `known` has the names by their `plain` forms.

    Only errors that an answer names are looked at.
    """
    for error in errors[:MAX_FAULTS]:
        if error["type"] == "extra_forbidden":
            name = plain(str(error["loc"][-1])[:MAX_COMPARED_LENGTH])
            for nearest in get_close_matches(name, known, n=1):
                error["nearest"] = known[nearest]


def by_plain_form(names: Collection[str]) -> dict[str, str]:
    return {plain(name): name for name in names}


def plain(name: str) -> str:
    """What `due_date`, `due-date`, `DueDate` and `dueDate` have in common."""
    return name.replace("_", "").replace("-", "").lower()
