"""Databento's records of a book as events of the domain; levels are read when asked for.

Fields: https://databento.com/docs/schemas-and-data-formats/mbp-10; flags:
https://databento.com/docs/standards-and-conventions/common-fields-enums-types#flags
"""

from functools import partial
from typing import Any, Final, cast

import databento_dbn

from tradingd.domain.depth import Action, BookSide, DepthEvent, Ladder

type BookRecord = databento_dbn.MBP10Msg | databento_dbn.MBP1Msg

_LAST: Final = databento_dbn.F_LAST
_DOUBTED: Final = databento_dbn.F_MAYBE_BAD_BOOK | databento_dbn.F_BAD_TS_RECV
"""A gap that could not be filled; a receive time that is wrong, so the order may be as well."""

_NO_PRICE: Final = databento_dbn.UNDEF_PRICE
_NO_LEVEL: Final = (None, None, 0, 0, 0, 0)


def book_event(symbol: str, record: BookRecord, ts_recv: int, *, doubted: bool) -> DepthEvent:
    """Return a record as an event.

    Parameters
    ----------
    symbol : str
        Whose book.
    record : BookRecord
        As the client's decoder made it; kept by the event.
    ts_recv : int
        Receive time to tell, UTC ns: the record's, or later where that goes back.
    doubted : bool
        True adds to the vendor's own doubts.
    """
    flags = record.flags
    price = record.price
    # The vendor's letters are the domain's.
    action = cast("Action", str(record.action))
    side = cast("BookSide", str(record.side))
    return DepthEvent(
        symbol,
        record.ts_event,
        ts_recv,
        record.sequence,
        action,
        side,
        record.depth,
        None if price == _NO_PRICE else price,
        record.size,
        flags & _LAST != 0,
        doubted or flags & _DOUBTED != 0,
        partial(ladder, record),
    )


def ladder(record: BookRecord, levels: int) -> Ladder:
    """Return a record's book with so many levels a side; those it does not have are empty."""
    flat: list[Any] = []
    pairs = record.levels
    for pair in pairs[:levels]:
        bid, ask = pair.bid_px, pair.ask_px
        flat += (
            None if bid == _NO_PRICE else bid,
            None if ask == _NO_PRICE else ask,
            pair.bid_sz,
            pair.ask_sz,
            pair.bid_ct,
            pair.ask_ct,
        )
    for _ in range(levels - len(pairs)):
        flat += _NO_LEVEL
    return tuple(flat)
