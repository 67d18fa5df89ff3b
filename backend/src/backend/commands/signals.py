"""The signals that end a command: Ctrl-C, the SIGTERM of a supervisor, the end of the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from signal import (
    SIG_BLOCK,
    SIG_IGN,
    SIG_SETMASK,
    SIGHUP,
    SIGINT,
    SIGTERM,
    Handlers,
    getsignal,
    pthread_sigmask,
    signal,
)
from types import FrameType

ALL = (SIGINT, SIGTERM, SIGHUP)


def handle(handler: Callable[[int, FrameType | None], None] | Handlers) -> None:
    """Handle them from now on, except a SIGHUP that is ignored on purpose (nohup)."""
    for number in ALL:
        if number != SIGHUP or getsignal(number) != SIG_IGN:
            signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Deliver signals that arrive during the block when it ends. Blocks may be nested."""
    before = pthread_sigmask(SIG_BLOCK, ALL)
    try:
        yield
    finally:
        pthread_sigmask(SIG_SETMASK, before)
