"""Cells of a file to exact integers: prices to nanos, times to UTC nanoseconds."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tradingd.domain.money import SCALE, rounded
from tradingd.history.schema import PRICE, TIME
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Integers, Mask, price_nanos
from tradingd.sources.times import Days, session_closes

_EXACT: Final = 2.0**51 / SCALE
"""USD below which a double times 1e9 is off by less than half, so rounding it is exact."""


class Unreadable(Exception):
    """A cell that is not what its column holds, at a row of the file."""

    def __init__(self, row: int, expected: str) -> None:
        super().__init__(f"row {row + 1}: {expected}")
        self.row = row
        self.expected = expected


def prices(column: pa.ChunkedArray) -> tuple[Integers, Mask]:
    """Return prices in nanos and which cells are empty (null or not a number).

    A double stands for the shortest decimal that reads back as it (45.07, not
    45.0700000000000003); what that has beyond nine decimals is rounded.
    """
    if pa.types.is_decimal(column.type):
        empty = _mask(column.is_null())
        return price_nanos(pc.fill_null(column.cast(PRICE), 0)), empty
    values = column.cast(pa.float64())
    missing = pc.is_null(values, nan_is_null=True)
    return nanos_of_doubles(_array(pc.if_else(missing, 0.0, values))), _mask(missing)


def nanos_of_doubles(values: NDArray[np.float64]) -> Integers:
    """Convert dollars to nanos by the shortest decimal of each double."""
    scaled = np.rint(np.where(np.abs(values) < _EXACT, values, 0.0) * SCALE)
    result: Integers = scaled.astype(np.int64)
    for position in np.flatnonzero(np.abs(values) >= _EXACT):
        value = Decimal(repr(float(values[position])))
        # The store's prices end below a billion dollars; larger ones are no prices.
        if not value.is_finite() or abs(value) >= SCALE:
            raise Unreadable(int(position), "a price below a billion dollars")
        result[position] = rounded(value)
    return result


def counts(column: pa.ChunkedArray) -> tuple[Integers, Mask, Mask]:
    """Return whole numbers, which cells are empty, and which hold a fraction."""
    if pa.types.is_integer(column.type):
        return (
            _array(pc.fill_null(column, 0)).astype(np.int64),
            _mask(column.is_null()),
            (np.zeros(len(column), dtype=np.bool_)),
        )
    values = column.cast(pa.float64())
    missing = pc.is_null(values, nan_is_null=True)
    filled = _array(pc.if_else(missing, 0.0, values))
    whole = np.rint(np.clip(filled, -(2.0**62), 2.0**62))
    return whole.astype(np.int64), _mask(missing), whole != filled


def times(
    column: pa.ChunkedArray, *, daily: bool, calendar: SessionCalendar
) -> tuple[Integers, Mask]:
    """Return UTC nanoseconds and which cells are empty; dates only where `daily`."""
    empty = _mask(column.is_null())
    days = _dates_of_daily(column) if daily else None
    if days is not None:
        return session_closes(calendar, days), empty
    return _instants(column), empty


def _dates_of_daily(column: pa.ChunkedArray) -> Days | None:
    """Return dates where the column holds them: dates, midnights without zone, YYYY-MM-DD."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        local = _array(pc.fill_null(column.cast(TIME), 0)).astype("datetime64[ns]")
        days: Days = local.astype("datetime64[D]")
        return days if bool((local == days).all()) else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        first = pc.first(pc.utf8_length(column)).as_py()
        return dates(column) if first == len("2016-12-30") else None
    return dates(column) if pa.types.is_date(kind) else None


def dates(column: pa.ChunkedArray) -> Days:
    """Return calendar dates; null becomes 1970-01-01."""
    as_dates = _cast(column, pa.date32(), "a date as YYYY-MM-DD")
    days: Days = _array(pc.fill_null(as_dates.cast(pa.int32()), 0)).astype("datetime64[D]")
    return days


def _instants(column: pa.ChunkedArray) -> Integers:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        utc = column.cast(TIME)
    elif pa.types.is_timestamp(kind):
        utc = column.cast(pa.timestamp("ns", "UTC"))
    else:
        utc = _cast(column, pa.timestamp("ns", "UTC"), "an ISO-8601 time with Z or an offset")
    filled: Integers = _array(pc.fill_null(utc.cast(pa.int64()), 0))
    return filled


def _cast(column: pa.ChunkedArray, kind: pa.DataType, expected: str) -> pa.ChunkedArray:
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Unreadable(_first_refused(column, lambda cell: cell.cast(kind)), expected) from None


def _first_refused(column: pa.ChunkedArray, convert: Callable[[Any], object]) -> int:
    for position, cell in enumerate(column):
        try:
            convert(cell)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return position
    return 0


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    values: NDArray[Any] = column.to_numpy()
    return values


def _mask(column: pa.ChunkedArray) -> Mask:
    mask: Mask = _array(column).astype(np.bool_)
    return mask
