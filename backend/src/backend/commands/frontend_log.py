"""Lines of the front end in the form of our log: Next.js and Better Auth each have one of their own."""

import re
from contextlib import suppress
from typing import IO, NamedTuple

from backend.logs import Labelled, Log

_COLOUR = re.compile(r"\033\[[0-9;]*m")
_BANNER = re.compile(
    r"▲ Next\.js |✓ (?:Starting|Running next\.config)|"
    r"- (?:Local|Network|Debugger port|Environments|Experiments|Cache Components|Partial Prefetching)\b"
)
# Without its query string, which may hold what somebody searched for.
_REQUEST = re.compile(r"([A-Z]+) (/[^ ?]*)\S* (\d{3}) in (\d+(?:\.\d+)?)(µs|ms|s|min)\b")
_MILLISECONDS = {"µs": 0.001, "ms": 1, "s": 1000, "min": 60_000}
_MARKS = {"⨯": "error", "⚠": "warning", "✓": "info", "▲": "info", "○": "info", "»": "debug"}
_BETTER_AUTH = re.compile(r"\S+Z (DEBUG|INFO|SUCCESS|WARN|ERROR) (\[Better Auth\]: .*)")
_BETTER_AUTHS_LEVELS = {"DEBUG": "debug", "INFO": "info", "SUCCESS": "info", "WARN": "warning", "ERROR": "error"}
_NODES_WARNING = re.compile(r"\(node:\d+\) |\(Use `node ")


class Event(NamedTuple):
    level: str
    text: str
    members: dict[str, object]


class FrontEndLog:
    """What the front end writes, from its standard output or its standard error.

    An indented line belongs to the one before, such as a line of a stack trace, and is shown as it is.
    """

    def __init__(self, *, level: str, as_json: bool, unmarked: str) -> None:
        """`unmarked` is the level of a line that does not tell its own."""
        self._log = Log()
        self._log.configure(level=level, as_json=as_json)
        self._log.label("web")
        self._raw = None if as_json else Labelled("web")
        self._unmarked = unmarked
        self._level: str | None = None  # of the event whose lines are being read; None if it is left out

    def follow(self, stream: IO[bytes]) -> None:
        for line in stream:
            self.write(line.decode(errors="replace"))

    def write(self, line: str) -> None:
        text = _COLOUR.sub("", line).rstrip()
        if not text:
            return
        if text[0] in " \t}])" and not _REQUEST.match(text.strip()) and text.strip()[0] not in _MARKS:
            self._continue(text)
            return
        event = event_of(text.strip(), self._unmarked)
        self._level = event.level if event and self._log.writes(event.level) else None
        if event:
            self._log.put(event.level, event.text, event.members)

    def _continue(self, text: str) -> None:
        if self._level is None:
            return
        if self._raw is None:
            self._log.put(self._level, text, {})
            return
        with suppress(OSError, ValueError):  # as for the log itself: nobody may be reading it
            self._raw.write(text)


def event_of(text: str, unmarked: str) -> Event | None:
    """What a line says, without its marks; None for a part of the banner."""
    if _BANNER.match(text):
        return None
    if found := _REQUEST.match(text):
        method, path, status, duration, unit = found.groups()
        duration_ms = round(float(duration) * _MILLISECONDS[unit], 1)
        members = {"method": method, "path": path, "status": int(status), "duration_ms": duration_ms}
        return Event("info", "request", members)
    if found := _BETTER_AUTH.match(text):
        return Event(_BETTER_AUTHS_LEVELS[found[1]], found[2], {})
    if text[0] in _MARKS:
        return Event(_MARKS[text[0]], text[1:].strip(), {})
    return Event("warning" if _NODES_WARNING.match(text) else unmarked, text, {})
