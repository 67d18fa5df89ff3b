"""Structured logs: JSON in production, one readable line in development, on standard output.

Tokens, bodies and query strings are never logged: a search term is somebody's data.
"""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor


log: structlog.stdlib.BoundLogger = structlog.get_logger()


def configure(*, level: str, as_json: bool) -> None:
    """Send our events and those of the libraries through one pipe."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.processors.StackInfoRenderer(),
    ]
    if as_json:
        # Local variables in a traceback may hold a token or a task.
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        final: list[Processor] = [
            structlog.processors.ExceptionRenderer(traceback),
            structlog.processors.JSONRenderer(),
        ]
    else:
        final = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
                pad_event_to=8,
                sort_keys=False,
            )
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
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
    logging.getLogger("backend").setLevel(level.upper())
    # It warns of every request that asks for a WebSocket, and advises to install what nobody needs here.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
