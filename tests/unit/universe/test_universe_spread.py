"""Spreads estimated from daily bars."""

from collections.abc import Callable

import numpy as np
import pytest

from tradingd.universe.spread import abdi_ranaldo, corwin_schultz, window_bps

ESTIMATES = {"corwin_schultz": corwin_schultz, "abdi_ranaldo": abdi_ranaldo}
by_name = pytest.mark.parametrize("name", ESTIMATES)


def traded(spread: float, days: int = 2_000, ticks: int = 390) -> tuple[np.ndarray, ...]:
    """Days of a random walk whose every trade is at the bid or the ask."""
    rng = np.random.default_rng(3)
    steps = rng.normal(0, 0.01 / np.sqrt(ticks), days * ticks)
    sides = rng.choice([-1.0, 1.0], days * ticks) * spread / 2
    prices = (100 * np.exp(np.cumsum(steps) + sides)).reshape(days, ticks, 1)
    return prices.max(axis=1), prices.min(axis=1), prices[:, -1]


@by_name
def test_a_known_spread_is_found_in_bars_made_with_it(name: str) -> None:
    estimate: Callable[..., np.ndarray] = ESTIMATES[name]
    (found,) = window_bps(estimate(*traded(0.01)), name)
    assert found == pytest.approx(100, rel=0.15)


@by_name
def test_a_wider_spread_is_estimated_wider(name: str) -> None:
    found = [window_bps(ESTIMATES[name](*traded(one)), name)[0] for one in (0, 0.005, 0.02)]
    assert found == sorted(found)
    assert found[0] < 30


def test_corwin_and_schultz_by_hand() -> None:
    # Two days of one range: b = 2 r^2, g = r^2 with r = ln(101/99) = 0.0200007; k = 0.1715729.
    # a = (2r - sqrt(2) r) / k - r / sqrt(k) = r (3.4142136 - 2.4142136) = r, and
    # 2 (e^r - 1) / (1 + e^r) = 2 tanh(r / 2) = 2 (101 - 99) / (101 + 99) = 0.02.
    high, low, close = (
        np.array([[101.0], [101.0]]),
        np.array([[99.0], [99.0]]),
        np.full((2, 1), 100),
    )
    terms = corwin_schultz(high, low, close)
    assert np.isnan(terms[0, 0])
    assert terms[1, 0] == pytest.approx(0.02)


def test_a_gap_over_night_is_taken_out() -> None:
    high, low, close = (
        np.array([[101.0], [111.0]]),
        np.array([[99.0], [109.0]]),
        np.full((2, 1), 100),
    )
    moved = corwin_schultz(high, low, close)[1, 0]
    # Moved down to the close: 100 .. 100 x 111/109.
    beside = corwin_schultz(
        np.array([[101.0], [100 * 111 / 109]]), np.array([[99.0], [100.0]]), close
    )
    assert moved == pytest.approx(beside[1, 0])


def test_abdi_and_ranaldo_by_hand() -> None:
    # Closes at 101, middles at 100 on both days: 4 x ln(1.01)^2, a spread of 2 ln(1.01) = 199 bps.
    high, low = np.full((2, 1), 102.0), np.full((2, 1), 100**2 / 102)
    terms = abdi_ranaldo(high, low, np.full((2, 1), 101.0))
    assert window_bps(terms, "abdi_ranaldo")[0] == pytest.approx(2e4 * np.log(1.01))


@by_name
def test_missing_days_are_left_out_and_nothing_known_is_nan(name: str) -> None:
    high, low, close = (np.hstack((one, one)) for one in traded(0.01, days=50))
    high[10:20, 0] = low[10:20, 0] = close[10:20, 0] = np.nan
    high[:, 1] = np.nan
    found = window_bps(ESTIMATES[name](high, low, close), name)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])
