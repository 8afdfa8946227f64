"""A watch says what its strategy would have said, and remembers the position that implies."""

import numpy as np

from tradingd.config.strategy import EmaCross, IntradayMeanReversion, SwingTrend
from tradingd.strategies.watch import CrossWatch, MeanReversionWatch, SwingWatch, WatchedBar

REVERSION = IntradayMeanReversion(z_window=5, rsi_period=2, atr_period=2, z_entry=1.5)


def bar(close: float, *, low: float = 0.1, opens: bool = False, left: float = 60.0) -> WatchedBar:
    return WatchedBar(close + 0.1, close - low, close, 100.0, opens, left)


def test_the_cross_alternates_between_buy_and_exit():
    watch = CrossWatch(EmaCross(fast=2, slow=3))
    said = [watch.update(bar(close)) for close in (10.0, 10.0, 10.0, 11.0, 12.0, 5.0, 4.0)]
    assert [one and one.action for one in said] == [None, None, None, "BUY", None, "EXIT", None]


def stretched() -> MeanReversionWatch:
    watch = MeanReversionWatch(REVERSION)
    said = [watch.update(bar(100.0 + n % 2 / 10, opens=n == 0)) for n in range(6)]
    assert said == [None] * 6
    entry = watch.update(bar(97.0))
    assert entry is not None
    assert entry.action == "BUY"
    return watch


def test_a_reversion_ends_when_the_stretch_is_gone():
    said = stretched().update(bar(100.0))
    assert said is not None
    assert said.action == "EXIT"
    assert "back above -0.50" in said.reason


def test_a_reversion_ends_at_its_stop():
    said = stretched().update(bar(97.0, low=40.0))
    assert said is not None
    assert said.reason.startswith("low 57.00 reached the stop")


def test_a_reversion_ends_before_the_close():
    said = stretched().update(bar(97.0, left=5.0))
    assert said is not None
    assert said.reason == "5 min to the close, flat within 10"


def test_a_swing_enters_once_and_leaves_after_its_sessions_or_by_stop_or_cross():
    settings = SwingTrend(fast=3, slow=8, adx_period=3, atr_period=3, max_days=4)
    watch = SwingWatch(settings)
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0.003, 0.02, 400)))
    actions, entered, held = [], 0, []
    for index, close in enumerate(closes.tolist()):
        said = watch.update(WatchedBar(close * 1.01, close * 0.99, close, 1.0, True, 0.0))
        if said is None:
            continue
        actions.append(said.action)
        if said.action == "BUY":
            entered = index
        elif said.reason.startswith("held"):
            held.append(index - entered + 1)
    assert len(actions) > 20
    assert actions[::2] == ["BUY"] * len(actions[::2])
    assert actions[1::2] == ["EXIT"] * len(actions[1::2])
    assert set(held) == {4}
