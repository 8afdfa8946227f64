"""What stays taken of a displayed size, book after book."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.engine.books.stream import BookLane, BookSlice, own_times
from tradingd.engine.books.taken import Taken
from tradingd.engine.books.tape import BookTape
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk

NONE = np.empty(0, np.int64)


def piece(first, sizes, price=1_000_100):
    """Return books with one ask level; size 0: another price stands there."""
    rows = len(sizes)
    shares = np.array(sizes, np.int32)
    prices = np.where(shares > 0, price, price + 100).astype(np.int32)
    books = BookChunk(
        ts=np.arange(first, first + rows, dtype=np.int64),
        bid_px=(np.full(rows, NO_BID, np.int32),),
        ask_px=(prices,),
        bid_sz=(np.zeros(rows, np.int32),),
        ask_sz=(np.maximum(shares, 1).astype(np.int32),),
        quality=np.zeros(rows, np.int16),
    )
    lane = BookLane(
        symbol="AAA", books=books, trade_ts=NONE, price=NONE, size=NONE, sign=NONE.astype(np.int8)
    )
    return BookSlice(lanes=(lane,), start_ns=first, end_ns=first + rows - 1)


def left(taken, ts, price=1_000_100):
    return dict(taken.left("AAA", "ask", ts)).get(price, 0)


def loaded(sizes):
    tape = BookTape()
    tape.load(piece(0, sizes))
    return tape, Taken(tape)


@pytest.mark.parametrize(
    ("after", "expected"),
    [([50], 0), ([51], 1), ([40], 0), ([40, 50], 10), ([0, 50], 50), ([70, 50], 0)],
    ids=["unchanged", "one added", "shrunk", "shrunk and grown", "gone and back", "up and down"],
)
def test_shares_stay_taken_while_the_level_shows_as_many(after, expected):
    _, taken = loaded([50, *after])
    taken.take("AAA", "ask", 1_000_100, 50, 0)
    assert left(taken, len(after)) == expected


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 9), min_size=4, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 9)), max_size=6),
    st.integers(1, 12),
)
def test_it_equals_a_count_book_by_book_however_the_books_are_cut(sizes, takes, step):
    due = {}
    for at, shares in takes:
        due.setdefault(at, []).append(shares)
    tape = BookTape()
    taken = Taken(tape)
    gone = 0
    for first in range(0, len(sizes), step):
        taken.settle()
        tape.load(piece(first, sizes[first : first + step]))
        for ts in range(first, min(first + step, len(sizes))):
            gone = min(gone, sizes[ts])
            for shares in due.get(ts, []):
                part = min(shares, sizes[ts] - gone)
                if part:
                    taken.take("AAA", "ask", 1_000_100, part, ts)
                    gone += part
                assert left(taken, ts) == sizes[ts] - gone
    assert left(taken, len(sizes) - 1) == sizes[-1] - gone


def test_a_price_behind_the_last_level_shown_keeps_what_was_taken():
    tape = BookTape()
    taken = Taken(tape)
    tape.load(piece(0, [50]))
    taken.take("AAA", "ask", 1_000_100, 30, 0)
    taken.settle()
    tape.load(piece(1, [50], price=1_000_000))
    taken.settle()
    tape.load(piece(2, [50]))
    assert left(taken, 2) == 20


def test_an_absent_side_offers_nothing():
    _, taken = loaded([50])
    assert taken.left("AAA", "bid", 0) == []
    assert taken.left("BBB", "ask", 0) == []
    assert NO_ASK > 1_000_100


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 20))
def test_own_times_are_the_earliest_that_increase(gaps, last):
    ts = np.cumsum(np.array(gaps, np.int64))
    expected, latest = [], last
    for one in ts.tolist():
        latest = max(one, latest + 1)
        expected.append(latest)
    assert own_times(ts, last).tolist() == expected
