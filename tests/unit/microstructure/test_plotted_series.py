"""Series that are there to be plotted: the touch by second, spreads by time, fits by levels."""

import numpy as np
import pytest

from tests.unit.microstructure.random_books import (
    DAY,
    OPEN_NS,
    ListSource,
    random_books,
)
from tests.unit.microstructure.test_book_measures import NOTHING, small
from tradingd.microstructure.halfhours import HalfHours
from tradingd.microstructure.report import analyse
from tradingd.microstructure.spread import Spread
from tradingd.microstructure.states import usable
from tradingd.microstructure.thin import MOST_POINTS
from tradingd.microstructure.touch import Touch


@pytest.mark.parametrize("seed", range(5))
def test_the_touch_is_the_last_usable_state_of_each_second(seed: int) -> None:
    book, trades = random_books(seed, 300)
    path = analyse(ListSource(book, trades, [90, 91, 200]), horizons_s=(10,), levels=2).paths.touch
    last = {-(-int(book.ts[row]) // 10**9): row for row in np.flatnonzero(usable(book))}
    assert path.seconds == tuple(last)
    assert path.of == len(last)
    for index, row in enumerate(last.values()):
        bid, ask = int(book.bid_px[0][row]), int(book.ask_px[0][row])
        bids, asks = int(book.bid_sz[0][row]), int(book.ask_sz[0][row])
        assert (path.bid[index], path.ask[index]) == (bid / 10_000, ask / 10_000)
        assert (path.bid_size[index], path.ask_size[index]) == (bids, asks)
        assert path.bid_depth[index] == bids + int(book.bid_sz[1][row])
        assert path.ask_depth[index] == asks + int(book.ask_sz[1][row])
        weighted = (asks * bid + bids * ask) / (bids + asks) / 10_000
        assert path.weighted_mid[index] == pytest.approx(weighted)


def test_a_long_day_is_thinned_and_keeps_both_ends() -> None:
    count = MOST_POINTS * 3
    touch = Touch(1)
    touch.feed(small([100] * count, [101] * count, [5] * count, [5] * count), NOTHING)
    path = touch.result()
    assert (len(path.seconds), path.of) == (MOST_POINTS, count)
    assert path.seconds[0] == OPEN_NS // 10**9
    assert path.seconds[-1] == OPEN_NS // 10**9 + count - 1


def test_the_distribution_of_spreads_is_of_time_and_adds_up_to_one() -> None:
    spread = Spread(HalfHours(DAY))
    # One tick for 6 s, two for 3 s, nine for 1 s; the last state stands for no time.
    asks = [101] * 6 + [102] * 3 + [109] * 2
    spread.feed(small([100] * 11, asks, [1] * 11, [1] * 11), NOTHING)
    bins = spread.result().distribution
    found = {(one.low_ticks, one.high_ticks): round(one.share, 9) for one in bins if one.share}
    assert found == {(0, 1): 0.6, (1, 2): 0.3, (8, 9): 0.1}
    assert bins[-1].high_ticks is None


def test_wide_spreads_are_put_together_in_few_bins() -> None:
    spread = Spread(HalfHours(DAY))
    asks = [101 + 5 * index for index in range(200)]
    spread.feed(small([100] * 200, asks, [1] * 200, [1] * 200), NOTHING)
    bins = spread.result().distribution
    assert len(bins) <= 62
    assert sum(one.share for one in bins) == pytest.approx(1)
    widths = {one.high_ticks - one.low_ticks for one in bins if one.high_ticks is not None}
    assert len(widths) == 1


def test_more_levels_explain_no_less_in_sample() -> None:
    book, trades = random_books(3, 500, tidy=True)
    [horizon] = analyse(ListSource(book, trades), horizons_s=(1,)).impact.horizons
    assert [one.levels for one in horizon.by_levels] == [1, 2, 3]
    shares = [one.r2 or 0.0 for one in horizon.by_levels]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(horizon.contemporaneous.r2)
    assert shares[-1] == pytest.approx(horizon.multi_level.r2)
