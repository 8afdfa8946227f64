"""Keep Ray's handlers of SIGTERM from taking the place of ours."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_sigterm() -> Iterator[None]:
    """Put this process's handler back whenever Ray has started within the block.

    Ray has two, which print stacks, end the process with exit code 1, or abort it three seconds
    later, whatever it is at. Without a handler of ours Ray keeps its own.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    # Ray has no public place for this.
    from ray._private.worker import _post_init_hooks

    def put_back() -> None:
        signal.signal(signal.SIGTERM, handler)

    _post_init_hooks.append(put_back)
    try:
        yield
    finally:
        _post_init_hooks.remove(put_back)
