"""Read one chunk ahead: the next is decoded while this one is measured."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor


def ahead[T](chunks: Iterator[T]) -> Iterator[T]:
    """Yield what `chunks` yields; it runs on a thread of its own, one item ahead.

    Decoding releases the interpreter's lock, so two cores work at once. Errors are raised here, in
    their turn.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        waiting = reader.submit(next, chunks, None)
        while (chunk := waiting.result()) is not None:
            waiting = reader.submit(next, chunks, None)
            yield chunk
