"""Ctrl-C and SIGTERM: told apart, and held back while something is done that must not be cut."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, in a process that ends by it as by Ctrl-C: blocks and files are closed in order."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block is over; a second Ctrl-C does not wait.

    For the main thread, the only one that hears signals. Signals that are ignored, or that nobody
    has a handler for, stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    usual = {
        one: handler
        for one in (signal.SIGINT, signal.SIGTERM)
        if callable(handler := signal.getsignal(one))
    }

    def hear(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and number in heard:
            usual[signal.SIGINT](number, frame)
        heard.append(number)

    for one in usual:
        signal.signal(one, hear)
    try:
        yield
    finally:
        for one, handler in usual.items():
            signal.signal(one, handler)
        for number in dict.fromkeys(heard):
            signal.raise_signal(number)
