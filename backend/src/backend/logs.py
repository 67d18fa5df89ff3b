"""Structured logs: JSON in production, one readable line in development, on standard output.

Tokens, bodies and query strings are never logged: a search term is somebody's data.
"""

import asyncio
import io
import json
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


# What begins the lines of each program where several write into one log, in its colour (ECMA-48).
_LABELS = {"api": 36, "web": 35}


def configure(*, level: str, as_json: bool) -> None:
    """Write our events, and those of the libraries in the same form."""
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.processors.StackInfoRenderer(),
    ]
    if as_json:
        # Local variables in a traceback may hold a token or a task.
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        final: list[Processor] = [structlog.processors.ExceptionRenderer(traceback), _as_json]
    else:
        final = [
            structlog.dev.ConsoleRenderer(
                colors=_coloured(),
                exception_formatter=structlog.dev.plain_traceback,
                pad_event_to=8,
                sort_keys=False,
            )
        ]
    lines = _Lines(sys.stdout)
    # Not by way of the standard library's logging, which would take several times as long for each request.
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda: lines,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Of the libraries, uvicorn's start and stop messages among them, only what somebody should look at.
    root.setLevel(logging.WARNING)
    # It warns of every request that asks for a WebSocket, and advises to install what nobody needs here.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def label(name: str) -> None:
    """From now on our lines begin with this name. To be called after `configure`."""
    file = Labelled(name)
    structlog.configure(logger_factory=lambda: _Lines(file))
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file)


class _Lines:
    """Where events end. A full disk or a closed pipe is no reason to fail a request.

    What is said while the event loop goes round once is written at once: a system call for each request would take
    longer than all else that its line takes. Warnings and what is worse do not wait.
    """

    def __init__(self, file: "TextIO | Labelled") -> None:
        self._file = file
        self._waiting: list[str] = []

    def info(self, line: str) -> None:
        self._waiting.append(f"{line}\n")
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_soon(self._write)
            except RuntimeError:  # there is no loop
                self._write()

    def warning(self, line: str) -> None:
        self._waiting.append(f"{line}\n")
        self._write()

    debug = info
    error = critical = exception = warning

    def _write(self) -> None:
        lines, self._waiting = "".join(self._waiting), []
        with suppress(OSError, ValueError):
            self._file.write(lines)
            self._file.flush()


_encode = json.JSONEncoder(default=repr).encode


def _as_json(_: "WrappedLogger", __: str, event: "EventDict") -> str:
    return _encode(event)


class Labelled:
    """Standard output for one program of several. A write is one or more whole lines."""

    def __init__(self, name: str) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Not every terminal has the line behind the name, nor what the other program may draw.
            sys.stdout.reconfigure(errors="replace")
        self._label = f"\033[{_LABELS[name]}m{name} │\033[0m " if _coloured() else f"{name} │ "

    def write(self, text: str) -> None:
        lines = text.removesuffix("\n").split("\n")
        sys.stdout.write("".join(f"{self._label}{line}\n" for line in lines))
        sys.stdout.flush()

    def flush(self) -> None:
        """Done with each write: what is written by another thread is not to wait."""


def _coloured() -> bool:
    """On a terminal, unless its user wants none (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
