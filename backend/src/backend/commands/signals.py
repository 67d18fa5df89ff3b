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
    """From now on, except that the end of the terminal may have been meant to be survived (nohup)."""
    for number in ALL:
        if number != SIGHUP or getsignal(number) != SIG_IGN:
            signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """What comes during the block is delivered at its end. Blocks may be nested."""
    before = pthread_sigmask(SIG_BLOCK, ALL)
    try:
        yield
    finally:
        pthread_sigmask(SIG_SETMASK, before)
