"""What the book was some time after an event: the last usable state at or before event + lag."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tradingd.level2.book import BookChunk, Ints64
from tradingd.microstructure.states import usable

type Read = Callable[[BookChunk, Ints64], Ints64]
"""(book, (m,) rows) -> (m, v) values of those states."""


class AsOf:
    """Events wait here until the books have passed their time plus each lag.

    A lag is decided only once a later state is seen, or at the end of the source, so several
    states of one time count as one, wherever chunks are cut. Of the two ways a question can stay
    without an answer, `unanswered` counts those beyond the end; events before the first usable
    state get none either.

    Parameters
    ----------
    lags_ns : sequence of int
        Not negative.
    read : Read
        Which values of a state are wanted.
    """

    def __init__(self, lags_ns: Sequence[int], read: Read) -> None:
        self._lags = tuple(lags_ns)
        self._read = read
        self._due: list[list[tuple[Ints64, Ints64]]] = [[] for _ in lags_ns]
        self._carried: Ints64 | None = None
        self._last_ts = 0

    def feed(
        self, book: BookChunk, ts: Ints64, payload: Ints64
    ) -> Iterator[tuple[int, Ints64, Ints64]]:
        """Take states, and events with (m,) times and (m, p) payload; yield what is decided.

        Yields (number of the lag, (r, p) payload, (r, v) values).
        """
        if len(ts):
            for lag, waiting in zip(self._lags, self._due, strict=True):
                waiting.append((ts + lag, payload))
        if not book.rows:
            return
        self._last_ts = int(book.ts[-1])
        rows = np.flatnonzero(usable(book))
        times = book.ts[rows]
        for number, waiting in enumerate(self._due):
            if not waiting or waiting[0][0][0] >= self._last_ts:
                continue
            targets = np.concatenate([part[0] for part in waiting])
            payloads = np.concatenate([part[1] for part in waiting])
            ready = int(np.searchsorted(targets, self._last_ts, side="left"))
            waiting[:] = [(targets[ready:], payloads[ready:])] if ready < len(targets) else []
            found = np.searchsorted(times, targets[:ready], side="right") - 1
            answer = self._answer(number, book, rows, found, payloads[:ready])
            if answer is not None:
                yield answer
        if len(rows):
            self._carried = self._read(book, rows[-1:])

    def rest(self) -> Iterator[tuple[int, Ints64, Ints64]]:
        """Yield what the last state decides; nothing is changed."""
        if self._carried is None:
            return
        for number, waiting in enumerate(self._due):
            for targets, payload in waiting:
                ready = int(np.searchsorted(targets, self._last_ts, side="right"))
                if ready:
                    yield number, payload[:ready], np.repeat(self._carried, ready, axis=0)

    def unanswered(self) -> tuple[int, ...]:
        """Return by lag how many events reach beyond the last state."""
        return tuple(
            sum(int((targets > self._last_ts).sum()) for targets, _ in waiting)
            for waiting in self._due
        )

    def _answer(
        self, number: int, book: BookChunk, rows: Ints64, found: Ints64, payload: Ints64
    ) -> tuple[int, Ints64, Ints64] | None:
        """Look the states up; those before the chunk's first usable one are the carried state."""
        early = found < 0
        if self._carried is None:
            found, payload, early = found[~early], payload[~early], early[~early]
        if not len(found):
            return None
        if not len(rows):
            assert self._carried is not None
            return number, payload, np.repeat(self._carried, len(found), axis=0)
        values = self._read(book, rows[np.maximum(found, 0)])
        if self._carried is not None:
            values[early] = self._carried[0]
        return number, payload, values
