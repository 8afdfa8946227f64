"""Records and words to what the listener hears: times that never go back, gaps in their place."""

from typing import Final, Literal

from tradingd.domain.depth import DepthGap, DepthListener
from tradingd.vendors.databento.records import BookRecord, book_event

type Reason = Literal["reconnect", "sequence", "dropped", "cleared", "refused"]

_ON_THE_WAY: Final = 1_000_000_000
"""A heartbeat's time less this, ns: what the vendor received just before may still be behind it."""


class Teller:
    """Tells one listener; runs on the loop.

    Parameters
    ----------
    listener : DepthListener
        Who hears.
    """

    def __init__(self, listener: DepthListener) -> None:
        self._listener = listener
        self._last: dict[str, tuple[int, int]] = {}
        self._newest = 0
        self._reached = 0

    def record(self, symbol: str, record: BookRecord) -> None:
        """Tell a record."""
        ts_recv, sequence = record.ts_recv, record.sequence
        last_ts, last_sequence = self._last.get(symbol, (0, 0))
        back = ts_recv < last_ts
        if back:
            ts_recv = last_ts
        if sequence < last_sequence:
            self.gap(symbol, ts_recv, "sequence", detail=f"{last_sequence} then {sequence}")
        self._last[symbol] = (ts_recv, sequence)
        if ts_recv > self._newest:
            self._newest = ts_recv
        self._listener.event(book_event(symbol, record, ts_recv, doubted=back))

    def gap(
        self,
        symbol: str,
        ts: int,
        reason: Reason,
        *,
        lost: int = 0,
        detail: str = "",
    ) -> None:
        """Tell that records were lost."""
        self._listener.gap(DepthGap(symbol=symbol, ts=ts, reason=reason, lost=lost, detail=detail))

    def newest(self, symbol: str) -> int:
        """Return the receive time of a symbol's last record, 0 before the first."""
        return self._last.get(symbol, (0, 0))[0]

    def restart(self, symbol: str) -> None:
        """Expect any sequence next: another session, or another instrument."""
        self._last[symbol] = (self.newest(symbol), 0)

    def beat(self, ts: int) -> None:
        """Take a heartbeat's time."""
        self._newest = max(self._newest, ts - _ON_THE_WAY)

    def settle(self) -> None:
        """Tell how far the data has come, after a batch."""
        # Of the newest receive time more records may come: those of one event share it.
        reached = self._newest - 1
        if reached > self._reached:
            self._reached = reached
            self._listener.reached(reached)
