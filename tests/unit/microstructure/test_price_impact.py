"""Which intervals count in the regressions, and what they say when the answer is known."""

import msgspec
import numpy as np
import pytest

from tests.unit.microstructure.random_books import DAY, OPEN_NS
from tests.unit.microstructure.test_book_measures import NOTHING, SECOND, small, tape
from tradingd.level2.book import BookChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.halfhours import HalfHours
from tradingd.microstructure.impact import Impact, ImpactResult
from tradingd.microstructure.microprice import Microprice
from tradingd.microstructure.queue import Queue
from tradingd.microstructure.vpin import Vpin


def _impact(book: BookChunk, *horizons: int) -> ImpactResult:
    impact = Impact(1, horizons, HalfHours(DAY), has_trades=False)
    impact.feed(book, NOTHING)
    return impact.result()


def test_intervals_lie_between_the_first_and_the_last_state() -> None:
    book = small([100] * 121, [102] * 121, [1] * 121, [1] * 121)
    ten, minute = _impact(book, 10, 60).horizons
    assert (ten.observations, minute.observations) == (12, 2)
    assert ten.contemporaneous.reason == "12 observations; 20 are the least"
    assert not ten.regular_hours_only
    late = msgspec.structs.replace(book, ts=book.ts + 3 * SECOND)
    assert _impact(late, 10).horizons[0].observations == 11


def test_a_mid_that_never_moves_is_said_so() -> None:
    book = small([100] * 400, [102] * 400, list(range(1, 401)), [1] * 400)
    fit = _impact(book, 1).horizons[0].contemporaneous
    assert fit.reason == "the dependent variable does not vary"


def test_intervals_with_lost_records_are_left_out() -> None:
    book = small([100] * 400, [102] * 400, [1] * 400, [1] * 400)
    quality = book.quality.copy()
    quality[[25, 26, 105]] = int(Quality.GAP)
    [ten] = _impact(msgspec.structs.replace(book, quality=quality), 10).horizons
    assert (ten.observations, ten.left_out_for_gaps) == (37, 2)


def test_only_regular_hours_count_where_there_are_enough() -> None:
    book = small([100] * 2_000, [102] * 2_000, [1] * 2_000, [1] * 2_000)
    early = msgspec.structs.replace(book, ts=book.ts - 1_000 * SECOND)
    [ten] = _impact(early, 10).horizons
    assert ten.regular_hours_only
    assert ten.observations == 99


def test_flow_that_moves_the_next_second_is_predictive_not_contemporaneous() -> None:
    rng = np.random.default_rng(3)
    up = rng.random(1_000) < 0.5
    # The bid's size alone changes in a second; the mid follows in the next.
    bid_sizes = np.concatenate(([500], np.where(up, 900, 100)))
    change = np.concatenate(([0], np.where(up, 1, -1)[:-1]))
    mids = 10_000 + np.concatenate(([0], np.cumsum(change)))
    ts = OPEN_NS + np.arange(1_001) * SECOND
    # Two states a second: first the move, with even sizes, then the flow.
    moves = small(list(mids - 1), list(mids + 1), [500] * 1_001, [0] * 1_001)
    flows = small(list(mids - 1), list(mids + 1), list(bid_sizes), [0] * 1_001)
    book = BookChunk(
        ts=np.sort(np.concatenate((ts - SECOND // 2, ts))),
        bid_px=(np.column_stack((moves.bid_px[0], flows.bid_px[0])).ravel(),),
        ask_px=(np.column_stack((moves.ask_px[0], flows.ask_px[0])).ravel(),),
        bid_sz=(np.column_stack((moves.bid_sz[0], flows.bid_sz[0])).ravel(),),
        ask_sz=(np.zeros(2_002, np.int32),),
        quality=np.zeros(2_002, np.int16),
    )
    [second] = _impact(book, 1).horizons
    assert second.predictive.slopes[0] > 0
    assert second.predictive.r2 is not None
    assert second.contemporaneous.r2 is not None
    assert second.predictive.r2 > 0.3
    # Not 0: a move of the bid is itself order flow of its second.
    assert second.predictive.r2 > second.contemporaneous.r2


def test_a_move_over_a_gap_is_no_next_move() -> None:
    book = small([100, 100, 101, 102], [102, 102, 103, 104], [1] * 4, [1] * 4)
    quality = np.array([0, 0, int(Quality.GAP), 0], np.int16)
    queue = Queue()
    queue.feed(msgspec.structs.replace(book, quality=quality), NOTHING)
    assert queue.result().moves == 1


def test_the_micro_price_of_bids_and_asks_is_mirrored() -> None:
    rng = np.random.default_rng(9)
    mids = 10_000 + np.cumsum(rng.choice([-1, 0, 1, 1], 500))
    sizes = rng.integers(1, 10, 500)
    micro = Microprice()
    book = small(list(mids), list(mids + 1), list(sizes), list(10 - sizes))
    micro.feed(book, NOTHING)
    ticks = micro.result().adjustments[0].ticks
    known = [(low, high) for low, high in zip(ticks, ticks[::-1], strict=True) if low is not None]
    assert known
    assert all(high == pytest.approx(-low, abs=1e-6) for low, high in known if high is not None)


def test_volume_of_unknown_side_counts_half_and_half() -> None:
    # One price, no quote: no rule can sign these.
    book = small([0] * 2, [0] * 2, [0] * 2, [0] * 2)
    vpin = Vpin()
    vpin.feed(book, tape([(float(n), 100, 10, 0, -1) for n in range(100)]))
    told = vpin.result()
    assert told.signs.unknown == 100
    assert told.signed.vpin == pytest.approx(0, abs=1e-9)
