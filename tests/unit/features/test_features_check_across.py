"""Features across symbols, against pandas and against themselves moment by moment."""

import math

import numpy as np
import pandas as pd
import pytest

from tradingd.features.families import benchmark, cross
from tradingd.features.feature import CrossFeature
from tradingd.features.series import Moment, Panel

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "SPY")
SECTORS = np.array([0, 0, 1, 1, 1, -1])


def panel(moments: int = 400, seed: int = 1, holes: float = 0.1) -> Panel:
    """Closes with a common driver, and a feature with ties; some bars are missing."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, (moments, 1))
    steps = market * rng.uniform(0.5, 2, 6) + rng.normal(0, 0.01, (moments, 6))
    steps[:, 5] = market[:, 0]
    close = 50 * np.exp(np.cumsum(steps, axis=0))
    value = np.round(rng.normal(0, 1, (moments, 6)), 1)
    gone = rng.random((moments, 6)) < holes
    close[gone] = value[gone] = np.nan
    return Panel(
        ts=np.arange(moments),
        symbols=SYMBOLS,
        columns={"close": close, "value": value},
        benchmark=5,
        sectors=SECTORS,
    )


def moment_by_moment(feature: CrossFeature, given: Panel) -> np.ndarray:
    live = feature.live_panel(len(given.symbols))
    rows = [
        live.update(
            Moment(
                ts=int(ts),
                columns={name: column[row] for name, column in given.columns.items()},
                benchmark=given.benchmark,
                sectors=given.sectors,
            )
        ).copy()
        for row, ts in enumerate(given.ts)
    ]
    return np.array(rows)


def across(kind: type[cross.AcrossFeature], **more: object) -> cross.AcrossFeature:
    return kind(kind.Params(of="value", **{"least": 2, **more}))


def paired(kind: type[benchmark.BenchmarkFeature], bars: int = 20) -> benchmark.BenchmarkFeature:
    return kind(kind.Params(bars=bars))


ACROSS = [
    across(cross.Rank),
    across(cross.ZScoreAcross, least=4),
    across(cross.SectorRelative),
    across(cross.MarketMean),
    across(cross.Dispersion),
    across(cross.Breadth, level=0.3),
]
PAIRED = [
    paired(one)
    for one in (
        benchmark.Beta,
        benchmark.Correlation,
        benchmark.RelativeStrength,
        benchmark.ResidualReturn,
        benchmark.BenchmarkReturn,
        benchmark.BenchmarkVolatility,
        benchmark.InformationRatio,
    )
]


@pytest.mark.parametrize("feature", ACROSS + PAIRED, ids=lambda one: one.kind)
def test_moments_one_after_the_other_give_what_all_at_once_give(feature):
    given = panel()
    found = feature.batch_panel(given)
    assert np.isfinite(found).mean() > 0.5
    np.testing.assert_allclose(moment_by_moment(feature, given), found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("feature", ACROSS + PAIRED, ids=lambda one: one.kind)
def test_a_symbol_without_a_bar_has_no_value(feature):
    given = panel()
    found = feature.batch_panel(given)
    gone = np.isnan(given.columns["value"])
    assert np.isnan(found[gone]).all()


def frame(given: Panel) -> pd.DataFrame:
    return pd.DataFrame(given.columns["value"])


def test_ranks_are_those_of_pandas():
    given = panel()
    table = frame(given)
    counts = table.notna().sum(axis=1)
    expected = (table.rank(axis=1, method="average") - 0.5).div(counts, axis=0)
    expected[counts < 2] = np.nan
    np.testing.assert_allclose(ACROSS[0].batch_panel(given), expected, rtol=1e-12)


def test_distances_from_the_crowd_are_those_of_pandas():
    given = panel()
    table = frame(given)
    expected = table.sub(table.mean(axis=1), axis=0).div(table.std(axis=1, ddof=0), axis=0)
    expected[table.notna().sum(axis=1) < 4] = np.nan
    np.testing.assert_allclose(ACROSS[1].batch_panel(given), expected, rtol=1e-9, atol=1e-12)


def test_a_symbol_is_compared_with_its_own_sector():
    given = panel()
    table = frame(given)
    found = ACROSS[2].batch_panel(given)
    first = table[[0, 1]]
    expected = first.sub(first.mean(axis=1), axis=0)[first.notna().all(axis=1)]
    rows = first.notna().all(axis=1).to_numpy()
    np.testing.assert_allclose(found[rows][:, :2], expected, rtol=1e-12, atol=1e-14)
    assert np.isnan(found[~rows][:, :2]).all()
    assert np.isnan(found[:, 5]).all()


def test_the_market_is_described_by_mean_deviation_and_share_above():
    given = panel()
    table = frame(given)
    there = table.notna() & (table.notna().sum(axis=1) >= 2).to_numpy()[:, None]
    for feature, expected in (
        (ACROSS[3], table.mean(axis=1)),
        (ACROSS[4], table.std(axis=1, ddof=0)),
        (ACROSS[5], (table > 0.3 + 1e-12).sum(axis=1) / table.notna().sum(axis=1)),
    ):
        wide = pd.DataFrame(dict.fromkeys(range(6), expected)).where(there)
        np.testing.assert_allclose(feature.batch_panel(given), wide, rtol=1e-9, atol=1e-12)


def shared_returns(given: Panel, column: int) -> pd.DataFrame:
    """Log returns of a symbol and the benchmark from one moment both have to the next."""
    close = pd.DataFrame(given.columns["close"])[[column, 5]].dropna()
    close.columns = ["own", "market"]
    return np.log(close).diff().iloc[1:]


@pytest.mark.parametrize("column", [0, 3])
def test_measures_against_the_benchmark_are_those_of_pandas(column):
    given = panel()
    own, market = (shared_returns(given, column)[name] for name in ("own", "market"))
    beta = own.rolling(20).cov(market) / market.rolling(20).var()
    active = own - market
    expected = (
        beta,
        own.rolling(20).corr(market),
        active.rolling(20).sum(),
        own - beta * market,
        market.rolling(20).sum(),
        market.rolling(20).std(),
        active.rolling(20).mean() / active.rolling(20).std(),
    )
    for feature, wanted in zip(PAIRED, expected, strict=True):
        found = feature.batch_panel(given)[:, column]
        np.testing.assert_allclose(found[wanted.index], wanted, rtol=1e-8, atol=1e-12)
        assert np.isnan(np.delete(found, wanted.index)).all()


def test_the_benchmark_moves_with_itself():
    given = panel()
    found = {one.kind: one.batch_panel(given)[:, 5] for one in PAIRED}
    there = np.isfinite(found["beta"])
    assert there.any()
    np.testing.assert_allclose(found["beta"][there], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found["correlation"][there], 1.0, rtol=1e-12)
    np.testing.assert_allclose(found["relative_strength"][there], 0.0, atol=1e-15)
    np.testing.assert_allclose(found["residual_return"][there], 0.0, atol=1e-15)
    assert np.isnan(found["information_ratio"]).all()


def test_a_benchmark_that_stands_still_gives_neither_beta_nor_correlation():
    given = panel(holes=0.0)
    given.columns["close"][:, 5] = 100.0
    for feature in PAIRED[:2]:
        assert np.isnan(feature.batch_panel(given)).all()
        assert np.isnan(moment_by_moment(feature, given)).all()


def test_nothing_is_compared_where_too_few_symbols_have_a_value():
    given = panel(moments=3, holes=0.0)
    given.columns["value"][1, 1:] = np.nan
    given.columns["value"][2, 2:] = np.inf
    found = ACROSS[0].batch_panel(given)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[2, :2]).all()
    assert np.isnan(found[2, 2:]).all()


def test_digits_that_rounding_alone_makes_neither_break_nor_make_a_tie():
    given = panel(moments=2, holes=0.0)
    given.columns["value"][0] = [0.0, 0.3, 0.3, 1e-300, 0.1 + 0.2, 1.0]
    given.columns["value"][1] = 0.1 * 3
    given.columns["value"][1, 2] = 0.3
    found = ACROSS[0].batch_panel(given)
    assert found[0, 1] == found[0, 2] == found[0, 4]
    assert found[0, 0] == found[0, 3]
    assert (found[1] == 0.5).all()
    assert (ACROSS[1].batch_panel(given)[1] == 0.0).all()


def test_values_beyond_all_bounds_are_ranked_without_a_word():
    given = panel(moments=1, holes=0.0)
    given.columns["value"][0] = [1e300, -1e300, 0.0, 1e200, 2.0, 1.0]
    found = ACROSS[0].batch_panel(given)[0] * 6 + 0.5
    assert found.tolist() == [5.5, 1.0, 2.0, 5.5, 4.0, 3.0]


@pytest.mark.parametrize("feature", PAIRED, ids=lambda one: one.kind)
@pytest.mark.parametrize("column", [0, 5], ids=["the symbol", "the benchmark"])
def test_a_split_between_two_moments_changes_nothing(feature, column):
    given = panel()
    cut = 200
    live = feature.live_panel(6)
    rows = []
    for row in range(len(given.ts)):
        close = given.columns["close"][row].copy()
        if row == cut:
            live.rescale(column, 1 / 3)
        if row >= cut:
            close[column] /= 3
        moment = Moment(ts=row, columns={"close": close}, benchmark=5, sectors=SECTORS)
        rows.append(live.update(moment).copy())
    np.testing.assert_allclose(rows, feature.batch_panel(given), rtol=1e-9, atol=1e-12)


def test_without_a_benchmark_there_is_no_value():
    given = panel(moments=30)
    alone = Panel(
        ts=given.ts, symbols=SYMBOLS, columns=given.columns, benchmark=-1, sectors=SECTORS
    )
    assert np.isnan(PAIRED[0].batch_panel(alone)).all()
    assert np.isnan(moment_by_moment(PAIRED[0], alone)).all()
    assert math.isnan(PAIRED[0].batch_panel(alone)[-1, 0])


def test_one_symbol_alone_is_in_the_middle():
    given = panel(moments=5, holes=0.0)
    given.columns["value"][:, 1:] = np.nan
    found = {one.kind: across(type(one), least=1).batch_panel(given)[:, 0] for one in ACROSS[:2]}
    assert (found["rank"] == 0.5).all()
    assert (found["zscore_across"] == 0.0).all()
