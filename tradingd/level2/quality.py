"""What is wrong with a book, row by row: the scalar form, for live capture.

`tradingd.level2.grid` computes the same bits for whole chunks; one test holds the two together.
"""

from tradingd.domain.depth import Ladder
from tradingd.level2.columns import Quality

_FIELDS = 6


class QualityWatch:
    """Assesses the rows of one symbol, in the order they are written.

    A side is stale when it is the same in every row of the last `stale_ns` while the other side
    changed within them. Only kept levels count.

    Parameters
    ----------
    levels : int
        Levels a side that are kept.
    stale_ns : int
        Nanoseconds; 0: nothing is ever stale.
    """

    def __init__(self, levels: int, stale_ns: int) -> None:
        self._width = levels * _FIELDS
        self._stale_ns = stale_ns
        self._bids: Ladder | None = None
        self._asks: Ladder | None = None
        self._bids_since = 0
        self._asks_since = 0
        self._gap = False

    def gap(self) -> None:
        """Note that records were, or may have been, lost: the next row says so."""
        self._gap = True

    def assess(self, ladder: Ladder, ts: int, *, suspect: bool = False) -> int:
        """Return the `columns.Quality` bits of the next row.

        Parameters
        ----------
        ladder : Ladder
            The book as the row shows it.
        ts : int
            The row's time, UTC ns.
        suspect : bool
            Whether the record that made this state doubts the book (`DepthEvent.suspect`).
        """
        kept = ladder[: self._width]
        bits = _form(kept) | self._staleness(kept, ts)
        if suspect:
            bits |= Quality.SUSPECT
        if self._gap:
            bits |= Quality.GAP
            self._gap = False
        return int(bits)

    def _staleness(self, kept: Ladder, ts: int) -> int:
        bids = kept[0::_FIELDS] + kept[2::_FIELDS] + kept[4::_FIELDS]
        asks = kept[1::_FIELDS] + kept[3::_FIELDS] + kept[5::_FIELDS]
        if bids != self._bids:
            self._bids, self._bids_since = bids, ts
        if asks != self._asks:
            self._asks, self._asks_since = asks, ts
        if not self._stale_ns:
            return 0
        bids_old = ts - self._bids_since >= self._stale_ns
        asks_old = ts - self._asks_since >= self._stale_ns
        if bids_old == asks_old:
            return 0
        return Quality.STALE_BID if bids_old else Quality.STALE_ASK


def _form(kept: Ladder) -> int:
    bids, asks = kept[0::_FIELDS], kept[1::_FIELDS]
    bits = 0
    bid, ask = (bids[0], asks[0]) if kept else (None, None)
    if bid is None:
        bits |= Quality.NO_BID
    if ask is None:
        bits |= Quality.NO_ASK
    if bid is not None and ask is not None and bid >= ask:
        bits |= Quality.CROSSED if bid > ask else Quality.LOCKED
    if not (_sorted(bids, 1) and _sorted(asks, -1)):
        bits |= Quality.DISORDER
    return bits


def _sorted(prices: Ladder, sign: int) -> bool:
    """Tell whether prices get strictly worse and none follows a level that does not exist."""
    best = None
    ended = False
    for price in prices:
        if price is None:
            ended = True
        elif ended or (best is not None and (best - price) * sign <= 0):
            return False
        else:
            best = price
    return True
