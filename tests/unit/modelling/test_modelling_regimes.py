"""A judged strategy's days by kind of market and by year."""

import datetime as dt
import math

import numpy as np

from tradingd.app.modelling.regimes import WINDOW, regimes
from tradingd.learning.dataset import Floats


def days(count: int) -> tuple[dt.date, ...]:
    return tuple(dt.date(2020, 1, 1) + dt.timedelta(days=one) for one in range(count))


def calm_then_stormy(count: int) -> Floats:
    """A market that moves by a tenth of a percent, then by three."""
    size = np.where(np.arange(count) < count // 2, 0.001, 0.03) * (1 + np.arange(count) / 1e4)
    return size * np.where(np.arange(count) % 2, 1.0, -1.0)


def test_quiet_and_stormy_days_are_told_apart() -> None:
    count = 300
    market = calm_then_stormy(count)
    returns = np.where(np.arange(count) < count // 2, 0.002, -0.001)
    returns = returns + 1e-4 * np.sin(np.arange(count))
    found = {one.name: one for one in regimes(days(count), returns, days(count), market)}
    calm, stormy = found["calm market"], found["stormy market"]
    assert calm.sharpe is not None
    assert stormy.sharpe is not None
    assert calm.sharpe > 0 > stormy.sharpe
    kinds = [one for name, one in found.items() if name.endswith("market")]
    assert sum(one.sessions for one in kinds) == count - WINDOW
    assert found["2020"].sessions == count


def test_a_days_own_move_does_not_decide_its_kind() -> None:
    count = 120
    market = calm_then_stormy(count)
    shocked = market.copy()
    shocked[-1] = 0.5
    returns = 1e-3 * np.sin(np.arange(count))
    assert regimes(days(count), returns, days(count), market) == regimes(
        days(count), returns, days(count), shocked
    )


def test_few_days_have_a_return_and_no_sharpe() -> None:
    found = regimes(days(5), np.full(5, 0.01), days(5), np.zeros(5))
    assert [one.name for one in found] == ["2020"]
    assert found[0].sharpe is None
    assert math.isclose(found[0].total_return, 1.01**5 - 1)
