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

# For how long a line may wait for others. What a process said last is lost if it is killed within that time.
WAIT_SECONDS = 0.02

_SEVERITY = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}

# What begins the lines of each program where several write into one log, in its colour (ECMA-48).
_LABELS = {"api": 36, "web": 35}


class Log:
    """What is said is put into words and written a little later, all of that time together.

    Done for each request by itself this would take a fifth of its time. Warnings, and what is worse, do not wait.
    A full disk or a closed pipe is no reason to fail a request.
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
        """From now on each line begins with this name. To be called after `configure`."""
        self._file = Labelled(name)

    def info(self, event: str, **members: object) -> None:
        self.put("info", event, members)

    def warning(self, event: str, **members: object) -> None:
        self.put("warning", event, members)

    def error(self, event: str, **members: object) -> None:
        self.put("error", event, members)

    def exception(self, event: str, **members: object) -> None:
        """With the traceback of what is being handled."""
        self.put("error", event, {**members, "exc_info": sys.exc_info()})

    def critical(self, event: str, **members: object) -> None:
        self.put("critical", event, members)

    def put(self, level: str, event: str, members: Mapping[str, object]) -> None:
        severity = _SEVERITY[level]
        if severity < self._least:
            return
        self._waiting.append({"timestamp": time(), "level": level, "event": event, **members})
        if severity > logging.INFO:
            self.flush()
        elif len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(WAIT_SECONDS, self.flush)
            except RuntimeError:  # there is no loop
                self.flush()

    def flush(self) -> None:
        """Write what waits. To be called before the event loop ends."""
        lines = "".join(f"{self._render(event)}\n" for event in self._taken())
        with suppress(OSError, ValueError):
            self._file.write(lines)
            self._file.flush()

    def _taken(self) -> "Iterator[EventDict]":
        """Each is taken by one thread, whichever others write at the same time."""
        with suppress(IndexError):
            while True:
                yield self._waiting.popleft()

    def _render(self, event: "EventDict") -> str:
        level = event["level"]
        rendered: Any = event  # what a processor gives is what the next one takes; the last gives text
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
    """Of this machine's zone."""
    event["timestamp"] = f"{datetime.fromtimestamp(event['timestamp']):%H:%M:%S}"  # noqa: DTZ006 - local on purpose
    return event


def _as_json(_: "WrappedLogger", __: str, event: "EventDict") -> str:
    try:
        return to_json(event, ensure_ascii=True, fallback=repr).decode()
    except PydanticSerializationError:
        # Half a surrogate pair, as Python has for a file's name that is no UTF-8. This takes three times as long.
        return json.dumps(event, default=repr)


class Labelled:
    """Standard output for one program of several. A write is one or more whole lines."""

    def __init__(self, name: str) -> None:
        _take_any_character()
        self._label = f"\033[{_LABELS[name]}m{name} │\033[0m " if _coloured() else f"{name} │ "

    def write(self, text: str) -> None:
        lines = text.removesuffix("\n").split("\n")
        sys.stdout.write("".join(f"{self._label}{line}\n" for line in lines))
        sys.stdout.flush()

    def flush(self) -> None:
        """Done with each write: what is written by another thread is not to wait."""


def _take_any_character() -> None:
    """Not every terminal has each that a server's message, or a line of another program, may have."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _coloured() -> bool:
    """On a terminal, unless its user wants none (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class _Libraries(logging.Handler):
    """Gives our log what libraries say to the standard library's."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            members = {"exc_info": record.exc_info} if record.exc_info else {}
            log.put(record.levelname.lower(), record.getMessage(), members)
        except Exception:  # noqa: BLE001 - as the standard library's own handlers do
            self.handleError(record)


log = Log()


def configure(*, level: str, as_json: bool) -> None:
    """Write our events, and those of the libraries in the same form."""
    _take_any_character()
    log.configure(level=level, as_json=as_json)
    root = logging.getLogger()
    root.handlers = [_Libraries()]
    # Of the libraries, uvicorn's start and stop messages among them, only what somebody should look at.
    root.setLevel(logging.WARNING)
    # It warns of every request that asks for a WebSocket, and advises to install what nobody needs here.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
