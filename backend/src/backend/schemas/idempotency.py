"""What routes and services tell each other about a request that may be a repetition."""

from typing import NamedTuple


class Key(NamedTuple):
    """What a repeated request has in common with the first one."""

    key: str
    fingerprint: bytes
    """Of everything else in the request that counts."""


class Inserted(NamedTuple):
    """An object that was inserted, or the answer to an earlier request with the same key."""

    json: str
    version: int
    is_replayed: bool = False
