"""Fits, later states and signs equal slow references."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.microstructure.random_books import random_books, slices
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, TradeChunk
from tradingd.microstructure.asof import AsOf
from tradingd.microstructure.integrated import component, normalised
from tradingd.microstructure.logistic import logistic
from tradingd.microstructure.regression import fit
from tradingd.microstructure.signs import TradeSigns
from tradingd.microstructure.states import twice_mid

CALM = settings(max_examples=40, derandomize=True, deadline=None)


def test_a_fit_equals_least_squares_done_elsewhere() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(50, 1e-4, 300)
    y = 3 + 2e4 * x + rng.normal(0, 1, 300)
    found, other = fit(y, x), scipy.stats.linregress(x, y)
    assert found.slopes[0] == pytest.approx(other.slope)
    assert found.intercept == pytest.approx(other.intercept)
    assert found.t[0] == pytest.approx(other.slope / other.stderr)
    assert found.r2 == pytest.approx(other.rvalue**2)
    assert found.rank_correlation == pytest.approx(scipy.stats.spearmanr(x, y).statistic)


def test_ranks_of_equal_values_are_shared() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 4, 100).astype(float), rng.integers(0, 3, 100).astype(float)
    assert fit(y, x).rank_correlation == pytest.approx(scipy.stats.spearmanr(x, y).statistic)


def test_hac_t_values_equal_newey_and_west_spelled_out() -> None:
    rng = np.random.default_rng(3)
    n = 250
    x = np.convolve(rng.normal(size=n + 4), np.ones(5), "valid")
    y = 1 + 0.5 * x + np.convolve(rng.normal(size=n + 4), np.ones(5), "valid")
    found = fit(y, np.column_stack((x, rng.normal(size=n))))
    two = fit(y, x)
    assert two.hac_lags == int(4 * (n / 100) ** (2 / 9)) == 4
    design = np.column_stack((np.ones(n), x))
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    residuals = y - design @ beta
    meat = np.zeros((2, 2))
    for i in range(n):
        for j in range(n):
            if abs(i - j) <= 4:
                weight = 1 - abs(i - j) / 5
                meat += weight * residuals[i] * residuals[j] * np.outer(design[i], design[j])
    bread = np.linalg.inv(design.T @ design)
    errors = np.sqrt(np.diag(bread @ meat @ bread))
    assert two.t_hac[0] == pytest.approx(beta[1] / errors[1])
    assert two.intercept_t_hac == pytest.approx(beta[0] / errors[0])
    # Errors that hang together make the plain t-value too good.
    assert abs(two.t_hac[0]) < abs(two.t[0])
    assert len(found.slopes) == len(found.t_hac) == 2


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (np.arange(5.0), np.arange(5.0), "5 observations"),
        (np.ones(50), np.arange(50.0), "dependent variable does not vary"),
        (np.arange(50.0), np.ones(50), "regressor does not vary"),
        (np.arange(50.0), np.arange(50.0), "exact"),
        (
            np.arange(50.0) % 7,
            np.column_stack((np.arange(50.0), 2 * np.arange(50.0))),
            "depend on each other",
        ),
    ],
)
def test_what_cannot_be_fitted_says_why(y: np.ndarray, x: np.ndarray, reason: str) -> None:
    assert reason in fit(y, x).reason
    assert fit(y, x).r2 is None


def test_the_logistic_fit_is_the_most_likely_one() -> None:
    rng = np.random.default_rng(4)
    x = np.linspace(-1, 1, 40)
    total = rng.uniform(5, 40, 40)
    up = total / (1 + np.exp(-(0.3 + 1.7 * x + rng.normal(0, 0.2, 40))))
    found = logistic(x, total - up, up)
    assert found.slope is not None
    assert found.intercept is not None

    def likelihood(intercept: float, slope: float) -> float:
        chance = 1 / (1 + np.exp(-(intercept + slope * x)))
        return float(up @ np.log(chance) + (total - up) @ np.log(1 - chance))

    best = likelihood(found.intercept, found.slope)
    for step in (-1e-3, 1e-3):
        assert likelihood(found.intercept + step, found.slope) < best
        assert likelihood(found.intercept, found.slope + step) < best
    assert found.slope == pytest.approx(1.7, abs=0.3)


def test_the_chance_of_a_larger_imbalance_before_a_rise_counts_pairs() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    found = logistic(x, np.array([20.0, 10, 5]), np.array([5.0, 10, 20]))
    pairs = [
        (1.0 if x[i] > x[j] else 0.5 if i == j else 0.0, up * down)
        for i, up in enumerate((5, 10, 20))
        for j, down in enumerate((20, 10, 5))
    ]
    expected = sum(win * weight for win, weight in pairs) / sum(weight for _, weight in pairs)
    assert found.auc == pytest.approx(expected)


def test_the_component_of_one_common_factor_weighs_levels_by_their_share() -> None:
    rng = np.random.default_rng(5)
    factor = rng.normal(size=500)
    values = factor[:, None] * np.array([1.0, 2.0, 1.0])
    found = component(values, np.ones(500, np.bool_))
    assert found.weights == pytest.approx((0.25, 0.5, 0.25))
    assert found.explained == pytest.approx(1)
    flow = np.array([[300, -600]])
    # Two states, 400 shares over both sides and two levels in all: 50 a side and level.
    assert normalised(flow, np.array([[2, 400]]), 2).tolist() == [[6.0, -12.0]]


@CALM
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 120),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
def test_later_mids_are_those_of_the_last_usable_state_then(
    seed: int, rows: int, cuts: list[int]
) -> None:
    book, trades = random_books(seed, rows)
    lags = (0, 500_000_000, 5_000_000_000)
    asof = AsOf(lags, lambda part, at: twice_mid(part, at)[:, None])
    found: list[tuple[int, int, int]] = []

    def take(answers: object) -> None:
        for number, payload, values in answers:  # type: ignore[attr-defined]
            found.extend(
                (number, int(p), int(v)) for p, v in zip(payload[:, 0], values[:, 0], strict=True)
            )

    done = 0
    for part, some in slices(book, trades, [min(cut, rows) for cut in cuts]):
        numbers = np.arange(done, done + len(some.ts))[:, None]
        done += len(some.ts)
        take(asof.feed(part, some.ts, numbers))
    take(asof.rest())
    expected = []
    for number, lag in enumerate(lags):
        for trade, ts in enumerate(trades.ts):
            if ts + lag > book.ts[-1]:
                continue
            known = [n for n in range(rows) if book.ts[n] <= ts + lag and _usable(book, n)]
            if known:
                last = known[-1]
                mid = int(book.bid_px[0][last]) + int(book.ask_px[0][last])
                expected.append((number, trade, mid))
    assert sorted(found) == sorted(expected)
    assert sum(asof.unanswered()) == sum(int((trades.ts + lag > book.ts[-1]).sum()) for lag in lags)


def _usable(book: BookChunk, n: int) -> bool:
    bid, ask = book.bid_px[0][n], book.ask_px[0][n]
    return bool(bid != NO_BID and ask != NO_ASK and bid < ask)


@CALM
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(3, 120),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
def test_signs_are_told_then_by_quote_then_by_tick(seed: int, rows: int, cuts: list[int]) -> None:
    book, trades = random_books(seed, rows)
    signs = TradeSigns()
    found: list[int] = []
    for part, some in slices(book, trades, [min(cut, rows) for cut in cuts]):
        found.extend(signs.feed(part, some)[0].tolist())
    assert found == _slow_signs(book, trades)
    counts = signs.counts()
    assert counts.told == int((trades.sign != 0).sum())
    assert counts.told + counts.quote + counts.tick + counts.unknown == len(trades.ts)


def _slow_signs(book: BookChunk, trades: TradeChunk) -> list[int]:
    signs, tick, last = [], 0, None
    for price, told, before in zip(trades.price, trades.sign, trades.before, strict=True):
        if last is not None and price != last:
            tick = 1 if price > last else -1
        last = price
        quote = 0
        if before >= 0 and _usable(book, before):
            quote = int(np.sign(2 * price - book.bid_px[0][before] - book.ask_px[0][before]))
        signs.append(int(told) or quote or tick)
    return signs
