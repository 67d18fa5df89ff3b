"""Structured logs: JSON in production, one readable line in development, on standard output.

Tokens, bodies and query strings are never logged: a search term is somebody's data.
"""

import asyncio
import io
import json
import logging
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from pydantic_core import PydanticSerializationError, to_json

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

# How long a line may wait for others. If the process is killed within that time, its last lines are lost.
WAIT_SECONDS = 0.02

_SEVERITY = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}

# The label of each program where several write to one log, and its colour (ECMA-48).
_LABELS = {"api": 36, "web": 35}


class Log:
    """Events are rendered and written together, a moment after the first of them.

    Doing so for each request would take a fifth of its time. Warnings and errors are written at once.
    A full disk or a closed pipe does not fail a request.
    """

    def __init__(self) -> None:
        self._waiting: deque[EventDict] = deque()
        self.configure(level="info", as_json=False)

    def configure(self, *, level: str, as_json: bool) -> None:
        """Write to standard output as it is now."""
        self._least = _SEVERITY[level]
        self._file: TextIO | Labelled = sys.stdout
        self._processors = _for_machines() if as_json else _for_people()

    def label(self, name: str) -> None:
        """Begin each line with this name. Call it after `configure`."""
        self._file = Labelled(name)

    def debug(self, event: str, **members: object) -> None:
        self.put("debug", event, members)

    def info(self, event: str, **members: object) -> None:
        self.put("info", event, members)

    def warning(self, event: str, **members: object) -> None:
        self.put("warning", event, members)

    def error(self, event: str, **members: object) -> None:
        self.put("error", event, members)

    def exception(self, event: str, **members: object) -> None:
        """With the traceback of the exception that is being handled."""
        self.put("error", event, {**members, "exc_info": sys.exc_info()})

    def critical(self, event: str, **members: object) -> None:
        self.put("critical", event, members)

    def writes(self, level: str) -> bool:
        """Whether an event of this level is important enough to be written."""
        return _SEVERITY[level] >= self._least

    def put(self, level: str, event: str, members: Mapping[str, object]) -> None:
        if not self.writes(level):
            return
        self._waiting.append({"timestamp": time(), "level": level, "event": event, **members})
        if _SEVERITY[level] > logging.INFO:
            self.flush()
        elif len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(WAIT_SECONDS, self.flush)
            except RuntimeError:  # there is no loop
                self.flush()

    def flush(self) -> None:
        """Write what is waiting. Call it before the event loop ends."""
        lines = "".join(f"{self._render(event)}\n" for event in self._taken())
        if not lines:  # a warning has taken them along
            return
        with suppress(OSError, ValueError):
            self._file.write(lines)
            self._file.flush()

    def _taken(self) -> "Iterator[EventDict]":
        """Each event is taken by one thread, whichever others write at the same time."""
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()

    def _render(self, event: "EventDict") -> str:
        level = event["level"]
        rendered: Any = event  # each processor returns what the next one takes; the last returns text
        for processor in self._processors:
            rendered = processor(None, level, rendered)
        return str(rendered)


def _for_machines() -> "list[Processor]":
    # Local variables in a traceback may hold a token or a task.
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [_iso_time, structlog.processors.ExceptionRenderer(traceback), _as_json]


def _for_people() -> "list[Processor]":
    console = structlog.dev.ConsoleRenderer(
        colors=_coloured(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=8, sort_keys=False
    )
    return [_clock_time, console]


def _iso_time(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
    moment = datetime.fromtimestamp(event["timestamp"], UTC)
    event["timestamp"] = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return event


def _clock_time(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
    """In this machine's time zone."""
    event["timestamp"] = f"{datetime.fromtimestamp(event['timestamp']):%H:%M:%S}"  # noqa: DTZ006 - local on purpose
    return event


def _as_json(_: "WrappedLogger", __: str, event: "EventDict") -> str:
    try:
        return to_json(event, ensure_ascii=True, fallback=repr).decode()
    except PydanticSerializationError:
        # Half a surrogate pair, as in a file name that is not UTF-8. This takes three times as long.
        return json.dumps(event, default=repr)


class Labelled:
    """Standard output for one of several programs. Each write is one or more whole lines."""

    def __init__(self, name: str) -> None:
        _take_any_character()
        self._label = f"\033[{_LABELS[name]}m{name} │\033[0m " if _coloured() else f"{name} │ "

    def write(self, text: str) -> None:
        lines = text.removesuffix("\n").split("\n")
        sys.stdout.write("".join(f"{self._label}{line}\n" for line in lines))
        sys.stdout.flush()

    def flush(self) -> None:
        """Each write flushes, so that lines of another thread do not wait."""


def _take_any_character() -> None:
    """A message of PostgreSQL or of another program may have characters that the terminal lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _coloured() -> bool:
    """On a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class _Libraries(logging.Handler):
    """Passes what libraries log to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            members = {"exc_info": record.exc_info} if record.exc_info else {}
            log.put(record.levelname.lower(), record.getMessage(), members)
        except Exception:  # noqa: BLE001 - as the standard library's own handlers do
            self.handleError(record)


log = Log()


def configure(*, level: str, as_json: bool) -> None:
    """Write our events, and those of libraries in the same form."""
    _take_any_character()
    log.configure(level=level, as_json=as_json)
    root = logging.getLogger()
    root.handlers = [_Libraries()]
    # Only what somebody should look at, so none of uvicorn's messages about starting and stopping.
    root.setLevel(logging.WARNING)
    # It warns about every request for a WebSocket, and recommends a package that is not needed here.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
