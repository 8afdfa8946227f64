"""Spread, depth, queues, profile, VPIN, costs and lambda against slow or hand-made answers."""

from collections import defaultdict

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.microstructure.random_books import DAY, OPEN_NS, random_books, slices
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.cost import Costs
from tradingd.microstructure.depth import Depth
from tradingd.microstructure.halfhours import HalfHours, label
from tradingd.microstructure.kyle import Kyle
from tradingd.microstructure.microprice import Microprice
from tradingd.microstructure.profile import Profile, value_area
from tradingd.microstructure.queue import Queue
from tradingd.microstructure.resilience import Resilience
from tradingd.microstructure.spread import Spread
from tradingd.microstructure.vpin import Vpin

CALM = settings(max_examples=30, derandomize=True, deadline=None)
SECOND = 1_000_000_000


def small(
    bids: list[int],
    asks: list[int],
    bid_sizes: list[int],
    ask_sizes: list[int],
    step: int = SECOND,
) -> BookChunk:
    """One level, prices in cents, a state every `step` ns."""
    return BookChunk(
        ts=OPEN_NS + np.arange(len(bids), dtype=np.int64) * step,
        bid_px=(np.array(bids, np.int32) * 100,),
        ask_px=(np.array(asks, np.int32) * 100,),
        bid_sz=(np.array(bid_sizes, np.int32),),
        ask_sz=(np.array(ask_sizes, np.int32),),
        quality=np.zeros(len(bids), np.int16),
    )


def tape(rows: list[tuple[float, int, int, int, int]]) -> TradeChunk:
    """Rows of (seconds, price in cents, size, sign, state before)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return TradeChunk(
        ts=OPEN_NS + (np.array(columns[0], float) * SECOND).astype(np.int64),
        price=np.array(columns[1], np.int64) * 100,
        size=np.array(columns[2], np.int64),
        sign=np.array(columns[3], np.int8),
        before=np.array(columns[4], np.int64),
    )


NOTHING = tape([])


def _usable(book: BookChunk, n: int) -> bool:
    bid, ask = book.bid_px[0][n], book.ask_px[0][n]
    return bool(bid != NO_BID and ask != NO_ASK and bid < ask)


@CALM
@given(seed=st.integers(0, 2**32), rows=st.integers(2, 200))
def test_spread_and_depth_equal_loops_over_states(seed: int, rows: int) -> None:
    book, _ = random_books(seed, rows)
    hours = HalfHours(DAY)
    spread, depth = Spread(hours), Depth(book.levels, hours)
    spread.feed(book, NOTHING)
    depth.feed(book, NOTHING)
    stood, spreads, sizes, away, exists = 0, 0, defaultdict(int), defaultdict(int), defaultdict(int)
    for n in range(rows - 1):
        if not _usable(book, n) or book.quality[n + 1] & Quality.GAP:
            continue
        weight = int(book.ts[n + 1] - book.ts[n])
        stood += weight
        spreads += weight * int(book.ask_px[0][n] - book.bid_px[0][n])
        mid = (int(book.ask_px[0][n]) + int(book.bid_px[0][n])) / 2
        for side, prices, shares in (
            ("bid", book.bid_px, book.bid_sz),
            ("ask", book.ask_px, book.ask_sz),
        ):
            for m in range(book.levels):
                sizes[side, m] += weight * int(shares[m][n])
                if shares[m][n]:
                    exists[side, m] += weight
                    away[side, m] += weight * (int(prices[m][n]) - mid)
    told = depth.result()
    assert told.seconds == pytest.approx(stood / 1e9)
    if not stood:
        assert told.reason
        assert spread.result().mean_ticks is None
        return
    assert spread.result().mean_ticks == pytest.approx(spreads / stood / 100)
    for m, level in enumerate(told.levels):
        assert level.bid_size == pytest.approx(sizes["bid", m] / stood)
        assert level.ask_size == pytest.approx(sizes["ask", m] / stood)
        assert level.bid_exists == pytest.approx(exists["bid", m] / stood)
        if exists["ask", m]:
            expected = abs(away["ask", m]) / exists["ask", m] / 100
            assert level.ask_distance == pytest.approx(expected, abs=1e-6)
        else:
            assert level.ask_distance is None


def test_spread_quantiles_are_of_time() -> None:
    book = small([100, 100, 100], [101, 110, 103], [1, 1, 1], [1, 1, 1])
    ts = OPEN_NS + np.array([0, 9, 10]) * SECOND
    spread = Spread(HalfHours(DAY))
    spread.feed(msgspec.structs.replace(book, ts=ts), NOTHING)
    told = spread.result()
    assert told.one_tick_share == pytest.approx(0.9)
    assert [quantile.ticks for quantile in told.quantiles] == [1, 1, 1, 1, 10, 10]
    assert told.mean_ticks == pytest.approx(1.9)
    assert told.quantiles[0].bps == pytest.approx(1 / 100.5 * 10_000, abs=0.1)


def test_half_hours_are_new_yorks_in_winter_and_summer() -> None:
    hours = HalfHours(DAY)
    assert label(int(hours.of(np.array([OPEN_NS]))[0])) == "09:30"
    last = np.array([OPEN_NS - 1])
    assert label(int(hours.of(last)[0])) == "09:00"
    ts = OPEN_NS + np.array([0, 1, 1_799, 1_800, 5_400], np.int64) * SECOND
    assert [(label(n), rows.stop - rows.start) for n, rows in hours.parts(ts)] == [
        ("09:30", 3),
        ("10:00", 1),
        ("11:00", 1),
    ]


def test_a_period_between_two_moves_weighs_one_by_the_time_of_its_imbalances() -> None:
    # Mid up after 3 s (2 s at I = 0.5, 1 s at I = -0.5), then down after 1 s at I = 0.
    book = small([100, 100, 101, 100], [102, 102, 103, 102], [3, 1, 2, 2], [1, 3, 2, 2])
    ts = OPEN_NS + np.array([0, 2, 3, 4]) * SECOND
    queue = Queue()
    queue.feed(msgspec.structs.replace(book, ts=ts), NOTHING)
    told = queue.result()
    assert (told.moves, told.up_share) == (2, 0.5)
    weights = {round(bin.low, 1): (bin.weight, bin.up) for bin in told.bins if bin.weight}
    assert weights[0.5] == (pytest.approx(2 / 3), 1)
    assert weights[-0.5] == (pytest.approx(1 / 3), 1)
    assert weights[0.0] == (pytest.approx(1), 0)
    assert told.model.reason


def test_imbalance_that_always_tells_the_next_move_has_a_good_model() -> None:
    rng = np.random.default_rng(6)
    ups = rng.random(400) < 0.5
    mids = 10_000 + np.cumsum(np.where(ups, 1, -1))
    told = ups[1:] ^ (rng.random(399) < 0.1)
    sizes = np.append(np.where(told, 9, 1), 5)
    book = small(list(mids - 1), list(mids + 1), list(sizes), list(10 - sizes))
    queue = Queue()
    queue.feed(book, NOTHING)
    model = queue.result().model
    assert model.slope_z is not None
    assert model.slope_z > 10
    assert model.auc == pytest.approx(0.9, abs=0.05)


def test_the_micro_price_leans_to_where_the_mid_goes() -> None:
    rng = np.random.default_rng(7)
    heavy = rng.random(2_000) < 0.5
    # After a heavy bid queue the mid rises a tick, else it falls; the spread is always one tick.
    mids = 10_000 + np.concatenate(([0], np.cumsum(np.where(heavy, 1, -1))[:-1]))
    sizes = np.where(heavy, 9, 1)
    book = small(list(mids), list(mids + 1), list(sizes), list(10 - sizes))
    micro = Microprice()
    micro.feed(book, NOTHING)
    told = micro.result()
    assert told.weighted_away_ticks == pytest.approx(0.4)
    table = told.adjustments[0].ticks
    assert table[9] == pytest.approx(1, abs=0.1)
    assert table[1] == pytest.approx(-1, abs=0.1)
    assert table[5] is None
    assert told.moves == 1_999


def test_the_value_area_grows_to_the_side_with_more_volume() -> None:
    assert value_area(np.array([5, 10, 40, 20, 15, 10])) == (2, 4)
    assert value_area(np.array([7])) == (0, 0)
    assert value_area(np.array([1, 1, 50, 0, 0])) == (2, 2)


def test_the_profile_adds_up_shares_by_cent_and_half_hour() -> None:
    book = small([100] * 3, [102] * 3, [1] * 3, [1] * 3)
    trades = tape([(0.5, 102, 300, 1, 0), (1.5, 100, 100, -1, 1), (1_900, 102, 200, 0, 2)])
    profile = Profile(HalfHours(DAY))
    profile.feed(book, trades)
    told = profile.result()
    assert (told.trades, told.shares, told.point_of_control) == (3, 600, 1.02)
    assert [(row.price, row.shares) for row in told.by_price] == [(1.0, 100), (1.02, 500)]
    first, second = told.by_half_hour
    assert (first.half_hour, first.bought, first.sold) == ("09:30", 300, 100)
    # Not told, but above the mid before: a buyer.
    assert (second.half_hour, second.bought) == ("10:00", 200)


def test_effective_spread_is_realised_spread_and_impact() -> None:
    # Bought at 102 with the mid at 101; the mid is 102 five seconds later, 100 a minute later.
    bids, asks = [100] * 3 + [101] * 20 + [99] * 50, [102] * 3 + [103] * 20 + [101] * 50
    book = small(bids, asks, [1] * 73, [1] * 73)
    costs = Costs(HalfHours(DAY))
    costs.feed(book, tape([(2.5, 102, 300, 1, 2), (70.5, 99, 100, -1, 70)]))
    told = costs.result()
    assert (told.effective.trades, told.effective.ticks) == (2, 2)
    assert told.effective.bps == pytest.approx((3 * 2 / 101 + 2 / 100) / 4 * 10_000)
    five, minute = told.by_lag
    assert (five.realised.ticks, five.impact.ticks, five.beyond_end) == (0, 2, 1)
    assert (minute.realised.ticks, minute.impact.ticks, minute.beyond_end) == (4, -2, 1)
    assert five.effective.trades == minute.effective.trades == 1


@CALM
@given(seed=st.integers(0, 2**32))
def test_costs_add_up_on_any_book(seed: int) -> None:
    book, trades = random_books(seed, 300, tidy=True)
    costs = Costs(HalfHours(DAY))
    for part in slices(book, trades, [100, 200]):
        costs.feed(*part)
    for lag in costs.result().by_lag:
        if lag.effective.ticks is not None:
            assert lag.realised.ticks is not None
            assert lag.impact.ticks is not None
            assert lag.effective.ticks == pytest.approx(lag.realised.ticks + lag.impact.ticks)
            assert lag.effective.trades + lag.beyond_end == costs.result().effective.trades


def test_a_trade_without_a_usable_quote_before_is_counted_not_costed() -> None:
    book = small([100, 102], [102, 101], [1, 1], [1, 1])
    costs = Costs(HalfHours(DAY))
    costs.feed(book, tape([(0.0, 102, 100, 1, -1), (1.0, 102, 100, 1, 0), (1.5, 102, 1, 1, 1)]))
    assert costs.result().effective.trades == 1
    assert costs.result().without_quote == 2


def test_resilience_shows_the_side_hit_before_and_after() -> None:
    # A buyer takes 80 of 100 at the ask after state 0; half a second later it is refilled.
    book = small([100] * 5, [102] * 5, [50] * 5, [100, 20, 100, 100, 100], step=SECOND // 2)
    ts = OPEN_NS + np.array([0, 1_000, 1_500, 2_000, 70_000]) * 1_000_000
    book = msgspec.structs.replace(book, ts=ts)
    resilience = Resilience()
    resilience.feed(book, tape([(1.0, 102, 40, 1, 0), (1.0, 102, 40, 1, 0)]))
    path = {moment.lag_ms: moment for moment in resilience.result().path}
    assert path[0].events == 1
    assert (path[0].best_size_before, path[0].best_size, path[500].best_size) == (100, 20, 100)
    assert path[0].spread_ticks == path[0].spread_ticks_before == 2


def test_vpin_of_one_sided_volume_is_one_and_of_balanced_volume_none() -> None:
    book = small([100] * 2, [102] * 2, [1] * 2, [1] * 2)
    one_sided = [(float(n), 102, 10, 1, 0) for n in range(600)]
    balanced = [(float(n // 2), 102, 10, 1 - 2 * (n % 2), 0) for n in range(1_200)]
    for rows, expected in ((one_sided, 1.0), (balanced, 0.0)):
        vpin = Vpin()
        vpin.feed(book, tape(rows))
        told = vpin.result()
        assert told.signed.vpin == pytest.approx(expected, abs=1e-9)
        assert len(told.signed.buckets) == 50
        # No price ever changed: bulk classification has nothing to go by.
        assert told.bulk.reason


def test_bulk_classification_follows_the_change_of_price() -> None:
    book = small([100] * 2, [102] * 2, [1] * 2, [1] * 2)
    vpin = Vpin()
    rising = [(60.0 * n + 30, 100 + 2 * n + n % 2, 10, 0, 0) for n in range(50)]
    vpin.feed(book, tape(rising))
    told = vpin.result()
    assert told.bars == 50
    # One bar a bucket; changes are 3 or 1 cents, and 0 in the first.
    change = np.array([0] + [3 if n % 2 else 1 for n in range(1, 50)], float)
    from statistics import NormalDist

    buys = [NormalDist().cdf(value / change.std()) for value in change]
    assert told.bulk.vpin == pytest.approx(float(np.mean([abs(2 * buy - 1) for buy in buys])))


def test_lambda_is_the_slope_that_made_the_prices() -> None:
    rng = np.random.default_rng(8)
    flows = rng.integers(-50, 51, 120) * 100
    # Two ticks per 1,000 shares, with noise of a tick, minute by minute.
    mids = 10_000 + np.cumsum(np.rint(2 * flows / 1_000 + rng.normal(0, 1, 120))).astype(int)
    mids = np.concatenate(([10_000], mids))
    book = small(list(mids - 1), list(mids + 1), [1] * 121, [1] * 121, step=60 * SECOND)
    rows = [
        (60.0 * n + 30, 100, int(abs(flow)), int(np.sign(flow)), n) for n, flow in enumerate(flows)
    ]
    kyle = Kyle(HalfHours(DAY))
    kyle.feed(book, tape(rows))
    minute = kyle.result().horizons[0]
    assert minute.fit.n == 120
    assert minute.fit.slopes[0] == pytest.approx(2, abs=0.1)
    assert minute.dollars_per_share == pytest.approx(minute.fit.slopes[0] * 1e-5)
