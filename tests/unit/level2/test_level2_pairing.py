"""Trades beside books, however the file is cut into chunks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.dbn_records import START, record, records, write_dbn
from tradingd.level2.book import BookSource
from tradingd.level2.open import open_book

A = [(10.0, 10.01, 100, 100, 1, 1)]
B = [(10.0, 10.02, 100, 300, 1, 2)]
TRADE: dict[str, Any] = {"action": "T", "price": 10.01, "size": 30}


def whole(source: BookSource, rows: int) -> tuple[list[int], list[tuple[int, ...]]]:
    """States' times and trades, with `before` counted over all chunks."""
    ts: list[int] = []
    trades: list[tuple[int, ...]] = []
    for book, traded in source.chunks(rows):
        assert 0 < book.rows <= rows
        before = traded.before + len(ts)
        columns = (traded.ts - START, traded.price, traded.size, traded.sign, before)
        trades += zip(*(column.tolist() for column in columns), strict=True)
        ts += (book.ts - START).tolist()
    return ts, trades


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 100])
def test_a_trades_state_is_the_last_whole_one_before_its_record(tmp_path: Path, rows: int) -> None:
    made = records(
        record(1, A, **TRADE, side="B"),  # closes an event itself; nothing is known before it
        record(2, A),
        record(5, A, **TRADE, side="B", flags=0),
        record(5, A, **TRADE, side="A", flags=0),
        record(5, B, action="C"),
        record(6, B, **TRADE, side="N"),
        record(9, B, **TRADE, side="B", flags=0),
    )
    source = open_book(write_dbn(tmp_path / "one.dbn", made))
    ts, trades = whole(source, rows)
    assert ts == [1, 2, 5, 6]
    assert trades == [
        (1, 100_100, 30, 1, -1),
        (5, 100_100, 30, 1, 1),
        (5, 100_100, 30, -1, 1),
        (6, 100_100, 30, 0, 2),
        (9, 100_100, 30, 1, 3),
    ]


def test_a_midpoint_print_is_rounded_to_the_nearest_unit(tmp_path: Path) -> None:
    made = records(record(1, A), record(2, A, action="T", price=10.00506, size=1))
    ((_, trades),) = open_book(write_dbn(tmp_path / "one.dbn", made)).chunks()
    assert trades.price.tolist() == [100_051]


def test_columns_are_contiguous_32_bit_numbers(tmp_path: Path) -> None:
    ((book, _),) = open_book(write_dbn(tmp_path / "one.dbn", records(record(1, A)))).chunks()
    assert book.levels == 10
    for column in (*book.bid_px, *book.ask_px, *book.bid_sz, *book.ask_sz):
        assert column.dtype == np.int32
        assert column.flags.c_contiguous
