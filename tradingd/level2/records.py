"""DBN records to columns of numbers; vectorised, no copy of what is not kept.

Flags are https://databento.com/docs/standards-and-conventions/common-fields-enums-types#flags.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tradingd.level2.assemble import NOT_COUNTED
from tradingd.level2.book import NO_ASK, NO_BID, Ints32, Ints64
from tradingd.level2.prices import HIGHEST, MOST, UNIT, unstorable_count, unstorable_price

F_LAST: Final = 128
"""The last record of an event: the book is whole after it."""

F_MAYBE_BAD_BOOK: Final = 4
"""The vendor saw a gap that it could not mend."""

_WORD: Final = 8
_LEVEL_WORDS: Final = 4
_UNDEF_PRICE: Final = 2**63 - 1
_NONE: Final = (NO_BID, NO_ASK)

type Records = NDArray[np.void]


def levels_in(records: Records) -> int:
    """Return how many levels a side the records have."""
    return sum(1 for name in records.dtype.names or () if name.startswith("bid_px_"))


def has_actions(records: Records) -> bool:
    """Tell whether records are events; those of a vendor's grid (bbo, cbbo) are whole states."""
    return "action" in (records.dtype.names or ())


def closing(records: Records) -> Ints64:
    """Return the indices of the records after which the book is whole."""
    if not has_actions(records):
        return np.arange(len(records))
    return np.flatnonzero(records["flags"] & F_LAST)


def of_instruments(records: Records, numbers: frozenset[int]) -> Records:
    """Return the records of one symbol, which may have several ids; all of them without a copy."""
    ids = records["instrument_id"]
    wanted = np.isin(ids, np.fromiter(numbers, ids.dtype, len(numbers)))
    return records if wanted.all() else records[wanted]


def times(records: Records, name: str) -> Ints64:
    """Return a column of times as UTC ns; negative where the vendor has none."""
    return records[name].astype(np.int64)


def sequences(records: Records) -> Ints64:
    """Return the venue's sequence numbers; zeros where the schema has none."""
    if "sequence" not in (records.dtype.names or ()):
        return np.zeros(len(records), np.int64)
    return records["sequence"].astype(np.int64)


def book_columns(records: Records, levels: int, symbol: str, numbers: Ints64) -> Ints32:
    """Return the levels, six rows each: bid and ask price, size, number of orders.

    Parameters
    ----------
    records : (n,)
    levels : int
        Levels a side, not more than the records have.
    symbol, numbers
        For refusals: whose records, and the number of each.

    Returns
    -------
    (6 * levels, n) int32
        Prices in stored units, `NO_BID` or `NO_ASK` where there is no level; `NOT_COUNTED` orders.

    Raises
    ------
    Failure
        INVALID_ROW naming symbol, time and record.
    """
    book = np.empty((levels, 6, len(records)), np.int32)
    for level in range(levels):
        for side, name in enumerate(("bid", "ask")):
            place = _Place(records, symbol, numbers, f"{name}_px_{level:02d}")
            _store_prices(place, _NONE[side], book[level, side])
            missing = book[level, side] == _NONE[side]
            place = _Place(records, symbol, numbers, f"{name}_sz_{level:02d}")
            _store_counts(place, book[level, 2 + side])
            book[level, 2 + side][missing] = 0
            place = _Place(records, symbol, numbers, f"{name}_ct_{level:02d}")
            if place.name in (records.dtype.names or ()):
                _store_counts(place, book[level, 4 + side])
            else:
                book[level, 4 + side] = NOT_COUNTED
    return book.reshape(6 * levels, len(records))


def no_levels(levels: int, rows: int) -> Ints32:
    """Return levels that do not exist, as `book_columns` does."""
    one = np.array((NO_BID, NO_ASK, 0, 0, NOT_COUNTED, NOT_COUNTED), np.int32)
    return np.repeat(np.tile(one, levels)[:, None], rows, axis=1)


def book_words(records: Records, levels: int) -> NDArray[np.uint64]:
    """Return what is kept of each book as words that are equal if the books are.

    Returns
    -------
    (n, words) uint64
        A view of contiguous records: per level the prices, both sizes, both numbers of orders.
    """
    fields = records.dtype.fields
    assert fields is not None
    first = fields["bid_px_00"][1] // _WORD
    words = records.view(np.uint64).reshape(len(records), records.dtype.itemsize // _WORD)
    if "bid_ct_00" not in fields:  # a level of venues, not orders; what counts them is not kept
        return words[:, first : first + _LEVEL_WORDS - 1]
    return words[:, first : first + _LEVEL_WORDS * min(levels, levels_in(records))]


class _Place:
    """One column of the records, and how to name a row of it."""

    def __init__(self, records: Records, symbol: str, numbers: Ints64, name: str) -> None:
        self.name = name
        self._records, self._symbol, self._numbers = records, symbol, numbers

    def values(self) -> NDArray[Any]:
        values: NDArray[Any] = self._records[self.name]
        return values

    def where(self, at: int) -> str:
        when = np.datetime64(int(self._records["ts_recv"][at]), "ns")
        return f"{self._symbol} {when}Z, record {self._numbers[at]}, {self.name}"


def _store_prices(place: _Place, none: int, into: Ints32) -> None:
    values = place.values()
    units = values // UNIT
    wrong = (units * UNIT != values) | (units <= 0) | (units > HIGHEST)
    if wrong.any():
        missing = values == _UNDEF_PRICE
        wrong &= ~missing
        if wrong.any():
            at = int(wrong.argmax())
            raise unstorable_price(int(values[at]), place.where(at))
        units[missing] = none
    into[:] = units


def _store_counts(place: _Place, into: Ints32) -> None:
    values = place.values()
    if len(values) and values.max() > MOST:
        at = int(values.argmax())
        raise unstorable_count(int(values[at]), place.where(at))
    into[:] = values


def blocks(records: Records, rows: int) -> Iterator[Records]:
    """Cut records into pieces that stay in the processor's cache."""
    for at in range(0, len(records), rows):
        yield records[at : at + rows]
