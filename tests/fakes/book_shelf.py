"""A provider whose books are made by hand, and that fails as it is told."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from tests.fakes import dbn_records as made
from tradingd.backfill.provider import Window

BOOK: tuple[made.Level, ...] = ((10.0, 10.1, 100, 200, 1, 2), (9.9, 10.2, 300, 400, 3, 4))

type Trouble = Callable[[], None]


class Shelf:
    """Implements `BookProvider` with a book of two levels for any symbol; 2025-04-03 only.

    Parameters
    ----------
    price : Decimal, optional
        USD of one task; None: free.
    unavailable : str
        Why nobody can ask it.
    """

    name = "shelf"

    def __init__(self, *, price: Decimal | None = None, unavailable: str = "") -> None:
        self.price = price
        self.unavailable = unavailable
        self.fetched: list[str] = []
        self.estimated: list[int] = []
        self.troubles: dict[str, list[Trouble]] = {}
        self.rows: dict[str, int] = {}
        self.cut: dict[str, int] = {}
        self._lock = threading.Lock()

    def fails(self, symbol: str, *troubles: Trouble) -> None:
        """Call these, one at a time, when the symbol is fetched; then serve."""
        self.troubles[symbol] = list(troubles)

    def is_available(self) -> str:
        return self.unavailable

    def estimate(self, tasks: Sequence[tuple[dt.date, str, Window]]) -> Decimal | None:
        self.estimated.append(len(tasks))
        return None if self.price is None else self.price * len(tasks)

    def fetch_l2(self, day: dt.date, symbol: str, window: Window, to: Path) -> Path:
        with self._lock:
            self.fetched.append(symbol)
            waiting = self.troubles.get(symbol, [])
            trouble = waiting.pop(0) if waiting else None
            cut = self.cut.pop(symbol, 0)
        if trouble is not None:
            trouble()
        rows = self.rows.get(symbol, 3)
        records = made.records(*(made.record(n * made.SECOND, BOOK) for n in range(rows)))
        if rows > 1:
            records[1]["action"], records[1]["side"] = b"T", b"B"
        path = made.write_dbn(to / "book.dbn", records, symbols={symbol: 7})
        path.write_bytes(path.read_bytes()[: -cut or None])
        return path
