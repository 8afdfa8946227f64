"""Between the library's thread and our loop: a bounded queue that counts what it drops.

When it is full, the newest records are dropped until half of it is free again: what waits stays
whole and in order, each record carries its whole book, so the first one after a gap repairs it,
and one flood is one run of drops, not one per batch. The loop is woken once a batch.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

type Item = tuple[str, Any]
"""A symbol and its record, or an empty text and a word about the session."""


class Border:
    """The queue; `record` and `word` from any thread, `take` on the loop's.

    Parameters
    ----------
    room : int
        Records that may wait; words are few and always find room.
    wake : Callable
        Called from any thread when there is something to take, at most once before the next
        `take` that leaves it empty.
    lost : Callable
        Makes the word for a run of drops, of a symbol and how many were lost.
    """

    def __init__(
        self, room: int, wake: Callable[[], None], lost: Callable[[str, int], object]
    ) -> None:
        self._room = room
        self._wake = wake
        self._lost_word = lost
        self._items: deque[Item] = deque()
        self._awake = False
        self._full = False
        self._drops: dict[str, int] = {}
        self._lock = threading.Lock()
        self.dropped = 0
        """Records dropped since the start."""

    def __len__(self) -> int:
        return len(self._items)

    def record(self, symbol: str, record: object) -> None:
        """Queue a record, or drop it."""
        items = self._items
        if self._full or len(items) >= self._room:
            self._crowded(symbol, record)
            return
        items.append((symbol, record))
        if not self._awake:
            self._awake = True
            self._wake()

    def word(self, word: object) -> None:
        """Queue a word about the session, behind all records that came before it."""
        with self._lock:
            # A word about what came after a run of drops must not overtake the word about them.
            self._tell_drops()
            self._items.append(("", word))
        if not self._awake:
            self._awake = True
            self._wake()

    def take(self, most: int) -> list[Item]:
        """Return up to so many items, in order; fewer when it is empty then."""
        items = self._items
        if not items:
            # In this order: what is queued after the look at it finds nobody awake, and wakes.
            self._awake = False
            if not items:
                return []
            self._awake = True
        taken = [items.popleft() for _ in range(min(most, len(items)))]
        if self._full and len(items) <= self._room // 2:
            with self._lock:
                self._tell_drops()
                self._full = False
        return taken

    # -- private ---------------------------------------------------------------------------------

    def _crowded(self, symbol: str, record: object) -> None:
        with self._lock:
            if not self._full and len(self._items) < self._room:
                self._items.append((symbol, record))
                return
            self._full = True
            self._drops[symbol] = self._drops.get(symbol, 0) + 1
            self.dropped += 1

    def _tell_drops(self) -> None:
        for symbol, count in self._drops.items():
            self._items.append(("", self._lost_word(symbol, count)))
        self._drops.clear()
