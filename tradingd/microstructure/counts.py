"""What was in the source, and what the measures left out."""

import msgspec
import numpy as np

from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.states import usable


class CountsResult(msgspec.Struct, frozen=True, kw_only=True):
    """States and trades by what was wrong with them.

    `crossed` to `empty` are told by the prices and exclude each other; their states are left out of
    spreads, mids and depth. The rest are the quality bits of the source, which may overlap:
    `gaps` break pairs of neighbours, `suspect`, `stale` and `disorder` are counted only.
    """

    states: int
    usable: int
    crossed: int
    locked: int
    no_bid: int
    no_ask: int
    empty: int
    gaps: int
    suspect: int
    stale: int
    disorder: int
    trades: int
    trades_told: int
    first_ts: int | None
    last_ts: int | None


class Counts:
    """Count states and trades."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(CountsResult.__struct_fields__[:-2], 0)
        self._first: int | None = None
        self._last: int | None = None

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        sums = self._sums
        sums["trades"] += len(trades.ts)
        sums["trades_told"] += int(np.count_nonzero(trades.sign))
        if not book.rows:
            return
        self._first = int(book.ts[0]) if self._first is None else self._first
        self._last = int(book.ts[-1])
        sums["states"] += book.rows
        fine = usable(book)
        sums["usable"] += int(fine.sum())
        if not fine.all():
            bid, ask = book.bid_px[0][~fine], book.ask_px[0][~fine]
            no_bid, no_ask = bid == NO_BID, ask == NO_ASK
            both = ~no_bid & ~no_ask
            sums["empty"] += int((no_bid & no_ask).sum())
            sums["no_bid"] += int((no_bid & ~no_ask).sum())
            sums["no_ask"] += int((no_ask & ~no_bid).sum())
            sums["crossed"] += int((both & (bid > ask)).sum())
            sums["locked"] += int((both & (bid == ask)).sum())
        for name, bits in (
            ("gaps", Quality.GAP),
            ("suspect", Quality.SUSPECT),
            ("stale", Quality.STALE_BID | Quality.STALE_ASK),
            ("disorder", Quality.DISORDER),
        ):
            sums[name] += int(np.count_nonzero(book.quality & int(bits)))

    def result(self) -> CountsResult:
        """Return the counts so far."""
        return CountsResult(**self._sums, first_ts=self._first, last_ts=self._last)
