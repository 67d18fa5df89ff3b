"""Versions of a task or another row, which its entity tag names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Versions:
    """The versions that a write may start from: these, or with `excluded` any but these."""

    numbers: frozenset[int]
    excluded: bool = False

    def __contains__(self, version: int) -> bool:
        return (version in self.numbers) is not self.excluded


NO_VERSION = Versions(frozenset())
