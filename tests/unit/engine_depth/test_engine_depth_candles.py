"""Minute candles of the mid, for the tear sheet."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.integration.engine_depth.depth_kit import DAY, MadeBooks, MadeFeed, Traded, at, shown
from tradingd.engine.books.candles import Candles


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_candles_are_of_the_mid_and_exact_however_the_books_are_cut(rows):
    records = [
        shown(1_000, ((100.00, 1),), ((100.01, 1),)),
        shown(2_000, ((100.02, 1),), ((100.05, 1),)),
        Traded(3_000, 100.02, 70),
        shown(3_000, ((99.00, 1),), ((99.02, 1),)),
        shown(4_000, ((99.00, 1),), ()),
        shown(61_000, ((99.50, 1),), ((99.52, 1),)),
    ]
    candles = Candles()
    for piece in MadeFeed([MadeBooks(records)], rows).slices():
        candles.add(piece)
    table = candles.table("AAA")
    names = ("open", "high", "low", "close")
    assert [tuple(row[name] for name in names) for row in table.to_pylist()] == [
        (Decimal("100.005"), Decimal("100.035"), Decimal("99.01"), Decimal("99.01")),
        (Decimal("99.51"),) * 4,
    ]
    assert table["volume"].to_pylist() == [70, 0]
    opened = dt.datetime.fromtimestamp(at(0, DAY) / 1e9, tz=dt.UTC).replace(tzinfo=None)
    stamps = [one.as_py() for one in table["ts_event"].cast("timestamp[us]")]
    assert stamps == [opened + dt.timedelta(minutes=n) for n in (1, 2)]


def test_a_symbol_without_books_has_no_candles():
    assert Candles().table("AAA").num_rows == 0
