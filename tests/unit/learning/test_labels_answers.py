import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.config.training import ForwardReturn, MetaLabel, TripleBarrier, VolatilityScaled
from tradingd.learning.labels import label
from tradingd.learning.labels.barriers import touches
from tradingd.learning.labels.deviation import trailing_deviation

DAY = 86_400_000_000_000


def times(count):
    return np.arange(1, count + 1, dtype=np.int64) * DAY


def walk(count, seed, spread=0.01):
    """A random walk with highs and lows around it."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, count)))
    high = close * np.exp(np.abs(random.normal(0, spread, count)))
    low = close * np.exp(-np.abs(random.normal(0, spread, count)))
    return close, high, low


def labelled(config, close, high=None, low=None, *, task="classification", sides=None):
    return label(
        config,
        task,
        ts=times(len(close)),
        close=close,
        high=close if high is None else high,
        low=close if low is None else low,
        sides=sides,
    )


def test_a_forward_return_is_the_log_return_to_the_close_that_many_bars_on():
    close = np.array([100.0, 110.0, 99.0, 120.0])
    found = labelled(ForwardReturn(bars=2), close, task="regression")
    assert found.y[0] == pytest.approx(math.log(99 / 100), abs=1e-15)
    assert found.y[1] == pytest.approx(math.log(120 / 110), abs=1e-15)
    assert found.end[:2].tolist() == [3 * DAY, 4 * DAY]
    np.testing.assert_array_equal(found.gain[:2], found.y[:2])


def test_bars_whose_horizon_is_not_over_have_no_label():
    found = labelled(ForwardReturn(bars=3), walk(10, 1)[0])
    assert found.valid.tolist() == [True] * 7 + [False] * 3
    assert np.isnan(found.y[7:]).all()
    assert found.end[7:].tolist() == found.ts[7:].tolist()


def test_a_classified_forward_return_counts_only_what_is_above_the_threshold():
    close = np.array([100.0, 100.4, 100.4 * 1.006, 100.4 * 1.006])
    found = labelled(ForwardReturn(bars=1, threshold_bps=50), close)
    assert found.y[:3].tolist() == [0.0, 1.0, 0.0]


def test_a_horizon_longer_than_the_history_gives_no_label_at_all():
    for config in (ForwardReturn(bars=50), VolatilityScaled(bars=50), TripleBarrier(bars=50)):
        assert not labelled(config, *walk(30, 2)).valid.any()


def test_a_volatility_scaled_return_is_in_deviations_known_at_its_start():
    close, *_ = walk(60, 3)
    found = labelled(VolatilityScaled(bars=5, window=10), close, task="regression")
    returns = np.diff(np.log(close))
    for bar in range(10, 55):
        deviation = np.std(returns[bar - 10 : bar], ddof=1)
        expected = math.log(close[bar + 5] / close[bar]) / (deviation * math.sqrt(5))
        assert found.y[bar] == pytest.approx(expected, rel=1e-12)
    assert not found.valid[:10].any()


def test_later_prices_do_not_move_the_volatility_of_earlier_bars():
    close, *_ = walk(60, 4)
    changed = close.copy()
    changed[40:] *= 3
    np.testing.assert_array_equal(
        trailing_deviation(close, 10)[:40], trailing_deviation(changed, 10)[:40]
    )


def test_a_price_that_does_not_move_has_no_deviation_and_no_label():
    close = np.full(50, 12.34)
    assert np.isnan(trailing_deviation(close, 10)).all()
    assert not labelled(TripleBarrier(bars=5, window=10), close).valid.any()
    assert not labelled(VolatilityScaled(bars=5, window=10), close).valid.any()


def test_the_deviation_in_pieces_is_the_deviation_at_once(monkeypatch):
    close, *_ = walk(500, 5)
    whole = trailing_deviation(close, 20)
    monkeypatch.setattr("tradingd.learning.labels.deviation._AT_ONCE", 100)
    np.testing.assert_array_equal(trailing_deviation(close, 20), whole)


def one(prices, *, side=1, profit=0.1, loss=0.1, bars=None):
    """Answer of the first bar, of bars given as (high, low, close)."""
    high, low, close = (np.array(column, dtype=float) for column in zip(*prices, strict=True))
    count = len(prices)
    found = touches(
        close,
        high,
        low,
        side=np.full(count, side),
        bars=bars or count - 1,
        profit=np.full(count, profit),
        loss=np.full(count, loss),
    )
    return int(found.side[0]), int(found.last[0]), float(found.move[0]), bool(found.valid[0])


START = (100.0, 100.0, 100.0)
CALM = (101.0, 99.0, 100.0)


def test_a_high_within_the_bar_touches_the_upper_barrier_though_the_close_does_not():
    assert one([START, (112.0, 99.0, 100.0), CALM]) == (1, 1, 0.1, True)


def test_a_low_within_the_bar_touches_the_lower_barrier():
    assert one([START, CALM, (101.0, 89.0, 100.0), CALM]) == (-1, 2, -0.1, True)


def test_a_bar_that_touches_both_barriers_counts_as_the_loss():
    assert one([START, (115.0, 85.0, 114.0), CALM]) == (-1, 1, -0.1, True)
    assert one([START, (115.0, 85.0, 86.0), CALM], side=-1) == (1, 1, -0.1, True)


def test_the_first_touch_decides_whatever_comes_later():
    assert one([START, (112.0, 99.0, 100.0), (100.0, 50.0, 60.0)]) == (1, 1, 0.1, True)


def test_an_untouched_label_ends_with_the_return_at_the_end_of_the_time():
    side, last, move, valid = one([START, CALM, (104.0, 99.0, 103.0)])
    assert (side, last, valid) == (0, 2, True)
    assert move == pytest.approx(math.log(1.03))


def test_a_bar_wholly_below_the_lower_barrier_loses_more_than_the_barrier():
    assert one([START, (80.0, 70.0, 75.0), CALM])[2] == pytest.approx(math.log(0.8))


def test_a_short_position_gains_where_the_price_falls():
    assert one([START, (101.0, 89.0, 90.0), CALM], side=-1) == (-1, 1, 0.1, True)
    assert one([START, (112.0, 99.0, 110.0), CALM], side=-1) == (1, 1, -0.1, True)


def test_a_bar_without_prices_before_the_touch_leaves_no_answer():
    nothing = (math.nan, math.nan, math.nan)
    assert not one([START, nothing, (115.0, 99.0, 114.0)])[3]
    assert one([START, (115.0, 99.0, 114.0), nothing])[3]


def test_an_inverted_bar_is_taken_at_its_widest():
    assert one([START, (95.0, 112.0, 100.0), CALM]) == (1, 1, 0.1, True)


def test_a_quick_touch_near_the_end_of_the_data_is_no_label():
    assert not one([START, (115.0, 99.0, 114.0)], bars=2)[3]


def slowly(close, high, low, config):
    """The three barriers, bar by bar, as the book tells them."""
    returns = np.diff(np.log(close))
    answers = {}
    for bar in range(config.window, len(close) - config.bars):
        deviation = np.std(returns[bar - config.window : bar], ddof=1)
        width = deviation * math.sqrt(config.bars)
        upper = math.log(close[bar]) + config.up * width
        lower = math.log(close[bar]) - config.down * width
        for ahead in range(bar + 1, bar + config.bars + 1):
            if math.log(low[ahead]) <= lower:
                answers[bar] = (0.0, ahead)
                break
            if math.log(high[ahead]) >= upper:
                answers[bar] = (1.0, ahead)
                break
        else:
            answers[bar] = (float(close[bar + config.bars] > close[bar]), bar + config.bars)
    return answers


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    bars=st.integers(1, 12),
    up=st.floats(0.2, 3),
    down=st.floats(0.2, 3),
    spread=st.floats(0, 0.1),
)
def test_triple_barrier_labels_equal_those_found_bar_by_bar(seed, bars, up, down, spread):
    close, high, low = walk(80, seed, spread)
    config = TripleBarrier(bars=bars, up=up, down=down, window=10)
    found = labelled(config, close, high, low)
    expected = slowly(close, high, low, config)
    assert np.flatnonzero(found.valid).tolist() == sorted(expected)
    for bar, (y, last) in expected.items():
        assert (found.y[bar], found.end[bar]) == (y, found.ts[last])
        assert found.gain[bar] == pytest.approx(math.log(close[last] / close[bar]), abs=1e-12)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    cut=st.integers(20, 79),
    config=st.sampled_from(
        [
            ForwardReturn(bars=4),
            VolatilityScaled(bars=4, window=8),
            TripleBarrier(bars=6, window=8, up=0.7),
        ]
    ),
    task=st.sampled_from(["classification", "regression"]),
)
def test_a_label_knows_nothing_after_its_end(seed, cut, config, task):
    """Whatever happens after bar `cut`, labels that end by then stay what they are."""
    close, high, low = walk(80, seed)
    before = labelled(config, close, high, low, task=task)
    changed = [prices.copy() for prices in (close, high, low)]
    for prices in changed:
        prices[cut + 1 :] *= 1.7
    after = labelled(config, *changed, task=task)
    over = before.valid & (before.end <= before.ts[cut])
    np.testing.assert_array_equal(after.y[over], before.y[over])
    np.testing.assert_array_equal(after.end[over], before.end[over])


def test_meta_labels_exist_only_where_the_rule_has_a_signal():
    close, high, low = walk(80, 6)
    sides = np.zeros(80, dtype=np.int64)
    sides[[5, 30, 40, 78]] = [1, 1, -1, 1]
    found = labelled(MetaLabel(bars=5, window=10), close, high, low, sides=sides)
    assert np.flatnonzero(found.valid).tolist() == [30, 40]


def test_the_meta_label_of_a_long_signal_is_its_triple_barrier_label():
    close, high, low = walk(200, 7)
    barrier = labelled(TripleBarrier(bars=5, window=10, up=2), close, high, low)
    meta = labelled(
        MetaLabel(bars=5, window=10, up=2), close, high, low, sides=np.ones(200, dtype=np.int64)
    )
    np.testing.assert_array_equal(meta.y, barrier.y)
    np.testing.assert_array_equal(meta.end, barrier.end)


def test_the_meta_label_of_a_short_signal_is_a_long_one_in_the_mirror():
    close, high, low = walk(200, 8)
    shorts = np.full(200, -1)
    config = MetaLabel(bars=5, window=10, up=2, down=1)
    short = labelled(config, close, high, low, sides=shorts, task="regression")
    mirrored = labelled(config, 1 / close, 1 / low, 1 / high, sides=-shorts, task="regression")
    np.testing.assert_allclose(short.y, mirrored.y, rtol=1e-9)
    np.testing.assert_array_equal(short.end, mirrored.end)
    np.testing.assert_allclose(short.gain, -mirrored.gain, rtol=1e-9)


def test_meta_labels_without_signals_are_refused():
    with pytest.raises(ValueError, match="sides"):
        labelled(MetaLabel(), walk(80, 9)[0])


def test_missing_closes_give_no_label_and_never_a_filled_one():
    close, high, low = walk(80, 10)
    close[40] = np.nan
    found = labelled(ForwardReturn(bars=5), close)
    assert not found.valid[[35, 40]].any()
    assert found.valid[[34, 36]].all()
    barrier = labelled(TripleBarrier(bars=5, window=10, up=9, down=9), close, high, low)
    assert not barrier.valid[35:51].any()
