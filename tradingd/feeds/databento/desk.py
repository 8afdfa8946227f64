"""What the library's thread does with a record: whose it is, and across the border with it."""

import threading
from collections.abc import Iterable

from tradingd.feeds.databento.border import Border
from tradingd.feeds.databento.words import Beat, Complained, Mapped
from tradingd.vendors.databento.live import Complaint
from tradingd.vendors.databento.records import BookRecord


class Desk:
    """Hears a session on the library's thread; `want` and `forget` run on the loop's.

    The vendor's client has no way to end one symbol's subscription, so records of a symbol that
    is not wanted any more are left here, before they cost the loop anything.
    """

    def __init__(self, border: Border) -> None:
        self._border = border
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._instruments: dict[str, int] = {}
        self._passing: dict[int, str] = {}
        self.heard = 0
        """Records of any kind and symbol that came: it stands still when the line is dead."""

    def want(self, symbols: Iterable[str]) -> bool:
        """Let records of these symbols pass; True when the session already sends all of them."""
        symbols = tuple(symbols)
        with self._lock:
            self._wanted.update(symbols)
            known = {symbol: self._instruments.get(symbol, 0) for symbol in symbols}
            self._passing |= {number: symbol for symbol, number in known.items() if number}
        return all(known.values())

    def forget(self, symbol: str) -> None:
        """Leave records of this symbol here."""
        with self._lock:
            self._wanted.discard(symbol)
            self._passing.pop(self._instruments.get(symbol, 0), None)

    def restart(self) -> None:
        """Forget which number is whose: a new session tells anew."""
        with self._lock:
            self._passing.clear()
            self._instruments.clear()

    # -- the library's thread --------------------------------------------------------------------

    def book(self, record: BookRecord) -> None:
        """Pass a record on."""
        self.heard += 1
        symbol = self._passing.get(record.instrument_id)
        if symbol is not None:
            self._border.record(symbol, record)

    def mapped(self, symbol: str, instrument: int) -> None:
        """Learn whose records bear a number."""
        self.heard += 1
        with self._lock:
            before = self._instruments.get(symbol, 0)
            self._instruments[symbol] = instrument
            if symbol in self._wanted:
                self._passing.pop(before, None)
                self._passing[instrument] = symbol
        self._border.word(Mapped(symbol, instrument, before))

    def complaint(self, about: Complaint, text: str) -> None:
        """Pass an error on."""
        self.heard += 1
        self._border.word(Complained(about, text))

    def beat(self, ts: int) -> None:
        """Pass a heartbeat on."""
        self.heard += 1
        self._border.word(Beat(ts))
