"""Order-flow imbalance equals the papers' definition, state by state."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.microstructure.random_books import ListSource, random_books, slices
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.ofi import OrderFlow, flow

CALM = settings(max_examples=60, derandomize=True, deadline=None)


def slow_events(book: BookChunk) -> list[tuple[int, list[int]]]:
    """The definition of Xu, Gould & Howison (2018), spelled out: (second, shares by level)."""
    events = []
    for n in range(1, book.rows):
        if book.quality[n] & Quality.GAP:
            continue
        second = -(-int(book.ts[n]) // 1_000_000_000)
        events.append((second, [_bid(book, m, n) - _ask(book, m, n) for m in range(book.levels)]))
    return events


def _level(prices: tuple[np.ndarray, ...], m: int, n: int, none: int) -> int | None:
    price = int(prices[m][n])
    return None if price == none else price


def _bid(book: BookChunk, m: int, n: int) -> int:
    now, before = _level(book.bid_px, m, n, NO_BID), _level(book.bid_px, m, n - 1, NO_BID)
    size, old = int(book.bid_sz[m][n]), int(book.bid_sz[m][n - 1])
    if now is None and before is None:
        return 0
    if before is None or (now is not None and now > before):
        return size
    if now == before:
        return size - old
    return -old


def _ask(book: BookChunk, m: int, n: int) -> int:
    now, before = _level(book.ask_px, m, n, NO_ASK), _level(book.ask_px, m, n - 1, NO_ASK)
    size, old = int(book.ask_sz[m][n]), int(book.ask_sz[m][n - 1])
    if now is None and before is None:
        return 0
    if before is None or (now is not None and now < before):
        return size
    if now == before:
        return size - old
    return -old


@CALM
@given(seed=st.integers(0, 2**32), rows=st.integers(2, 300), levels=st.integers(1, 4))
def test_every_second_and_level_equals_the_slow_definition(
    seed: int, rows: int, levels: int
) -> None:
    book, trades = random_books(seed, rows, levels=levels)
    rng = np.random.default_rng(seed)
    measure = OrderFlow(levels)
    for part in slices(book, trades, rng.integers(0, rows, 3).tolist()):
        measure.feed(*part)
    expected: Counter[tuple[int, int]] = Counter()
    events = slow_events(book)
    for second, shares in events:
        for level, share in enumerate(shares):
            expected[second, level] += share
    seconds, found, _ = measure.seconds()
    told = {
        (int(second), level): int(row[level])
        for second, row in zip(seconds, found, strict=True)
        for level in range(levels)
    }
    assert {key: value for key, value in told.items() if value} == {
        key: value for key, value in expected.items() if value
    }
    assert measure.result().pairs == len(events)
    assert measure.result().gap_pairs == rows - 1 - len(events)


def test_a_pair_over_a_gap_is_left_out_and_counted() -> None:
    book, _ = random_books(1, 3, tidy=True)
    quality = np.array([0, int(Quality.GAP), 0], np.int16)
    book = BookChunk(
        ts=book.ts,
        bid_px=book.bid_px,
        ask_px=book.ask_px,
        bid_sz=book.bid_sz,
        ask_sz=book.ask_sz,
        quality=quality,
    )
    measure = OrderFlow(1)
    for part in ListSource(book, None).chunks():
        measure.feed(*part)
    assert (measure.result().pairs, measure.result().gap_pairs) == (1, 1)
    assert measure.result().total == (_bid(book, 0, 2) - _ask(book, 0, 2),)


@pytest.mark.parametrize(
    ("price0", "price1", "gained"), [(100, 100, 3), (100, 101, 10), (101, 100, -7)]
)
def test_one_side_gains_as_in_the_paper(price0: int, price1: int, gained: int) -> None:
    old, new = np.array([7], np.int32), np.array([10], np.int32)
    prices = np.array([price0], np.int32), np.array([price1], np.int32)
    assert flow(*prices, old, new).tolist() == [gained]
    assert flow(-prices[0], -prices[1], old, new, mirror=True).tolist() == [gained]


def test_sizes_near_the_largest_do_not_overflow() -> None:
    book, _ = random_books(3, 40, levels=1, tidy=True)
    huge = np.full(book.rows, 2**31 - 1, np.int32)
    book = BookChunk(
        ts=book.ts,
        bid_px=book.bid_px,
        ask_px=book.ask_px,
        bid_sz=(huge,),
        ask_sz=(np.zeros_like(huge),),
        quality=book.quality,
    )
    measure = OrderFlow(1)
    for part in ListSource(book, None).chunks():
        measure.feed(*part)
    assert measure.result().total == (sum(shares[0] for _, shares in slow_events(book)),)
