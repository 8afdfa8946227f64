"""Values of the families by hand, by pandas and by their papers' closed forms."""

import datetime as dt
from math import log, nan, pi, sqrt
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from tests.unit.features import feature_bars
from tests.unit.features.feature_bars import CALENDAR
from tradingd.config.features import FeaturesConfig
from tradingd.features.compile import compile_features
from tradingd.features.feature import Feature
from tradingd.features.series import Floats, Series
from tradingd.features.sessions import place
from tradingd.kits.failure import Failure


def feature(
    kind: str,
    every: str = "1d",
    earnings: dict[str, tuple[dt.date, ...]] | None = None,
    **params: Any,
) -> Feature:
    config = FeaturesConfig(bars=every, declared={"it": {"kind": kind, **params}})  # type: ignore[arg-type]
    return compile_features(config, calendar=CALENDAR, earnings=earnings).columns[0]


def values(kind: str, series: Series, every: str = "1d", **params: Any) -> Floats:
    with np.errstate(all="ignore"):
        return feature(kind, every, **params).batch(series)


def series(ts: np.ndarray, symbol: str = "AAA", **columns: Any) -> Series:
    """Bars with given columns; prices that are not given are the closes, or 10."""
    close = np.broadcast_to(np.asarray(columns.pop("close", 10.0), np.float64), len(ts)).copy()
    where = place(ts, CALENDAR)
    found = {"open": close, "high": close, "low": close, "volume": np.full(len(ts), 100.0)}
    found |= {name: np.asarray(one, np.float64) for name, one in columns.items()}
    places = {"session": where.session, "minute": where.minute, "to_close": where.to_close}
    return Series(symbol=symbol, ts=ts, close=close, **found, **places)


def daily(**columns: Any) -> Series:
    bars = max(len(np.atleast_1d(one)) for one in columns.values())
    return series(feature_bars.daily_stamps(bars), **columns)


def walk(seed: int, daily_bars: int = 400) -> Series:
    stamps = feature_bars.daily_stamps(daily_bars)
    return feature_bars.market(stamps, seed, ("AAA",))[0]


def minutes(sessions: int = 6, seed: int = 3) -> Series:
    return feature_bars.market(feature_bars.minute_stamps(sessions), seed, ("AAA",))[0]


def frame(one: Series) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "volume", "session", "minute", "to_close")
    return pd.DataFrame({name: getattr(one, name) for name in names})


def same(ours: Floats, theirs: Any) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-9, atol=1e-11)
    assert np.isfinite(ours).any()


# Volatility


def test_parkinson_of_equal_ranges_is_their_logarithm_over_its_constant() -> None:
    found = values("parkinson", daily(high=[11.0] * 30, low=[10.0] * 30), bars=20)
    assert found[-1] == pytest.approx(log(1.1) / (2.0 * sqrt(log(2.0))), rel=1e-14)


def test_garman_klass_without_a_move_from_open_to_close_is_the_range_alone() -> None:
    found = values("garman_klass", daily(high=[11.0] * 30, low=[10.0] * 30), bars=20)
    assert found[-1] == pytest.approx(log(1.1) / sqrt(2.0), rel=1e-14)


def test_rogers_satchell_of_a_bar_that_only_rises_is_nothing_however_far() -> None:
    up = daily(open=[10.0] * 30, low=[10.0] * 30, high=[12.0] * 30, close=[12.0] * 30)
    assert values("rogers_satchell", up, bars=20)[-1] == 0.0
    assert values("parkinson", up, bars=20)[-1] > 0.1


def test_yang_zhang_of_opening_jumps_alone_is_their_deviation() -> None:
    jumps = np.where(np.arange(40) % 2 == 0, 1.02, 1.0 / 1.02)
    found = values("yang_zhang", daily(close=10.0 * np.cumprod(jumps)), bars=20)
    assert found[-1] == pytest.approx(np.std(np.log(jumps[-20:]), ddof=1), rel=1e-12)


def test_the_variance_of_a_random_walk_comes_out_of_every_estimator() -> None:
    rng = np.random.default_rng(8)
    steps = rng.normal(0.0, 0.02 / sqrt(400), (1500, 400))
    inside = np.exp(np.cumsum(steps, axis=1))
    start = np.concatenate([[1.0], np.cumprod(inside[:-1, -1])])
    path = np.column_stack([np.ones(1500), inside]) * start[:, None]
    bars = daily(open=path[:, 0], high=path.max(axis=1), low=path.min(axis=1), close=path[:, -1])
    for kind in ("realised", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"):
        # Ranges of a walk in 400 steps fall short of those of a continuous one by a few percent.
        assert values(kind, bars, bars=1400)[-1] == pytest.approx(0.02, rel=0.06), kind


@pytest.mark.parametrize("bars", [2, 5, 20])
def test_volatilities_equal_pandas(bars: int) -> None:
    one = walk(1)
    table = frame(one)
    returns = np.log(table.close / table.close.shift(1))
    same(values("realised", one, bars=bars), returns.rolling(bars).std())
    falls = returns.clip(upper=0.0) ** 2
    same(values("downside", one, bars=bars), np.sqrt(falls.rolling(bars).mean().clip(lower=0)))
    slow = returns.rolling(bars + 9).std()
    same(
        values("volatility_ratio", one, fast=bars, slow=bars + 9),
        returns.rolling(bars).std() / slow,
    )
    each = returns.rolling(bars).std()
    same(
        values("volatility_of_volatility", one, inner=bars, bars=30),
        each.rolling(30).std() / each.rolling(30).mean(),
    )


def test_a_lone_jump_is_nearly_all_of_the_variance() -> None:
    calm = np.exp(np.cumsum(np.where(np.arange(60) % 2 == 0, 1e-4, -1e-4)))
    calm[50:] *= 1.1
    found = values("jump_share", daily(close=calm), bars=20)
    assert found[55] > 0.99
    assert found[49] == pytest.approx(max(0.0, 1.0 - pi / 2.0), abs=1e-9)


def test_prices_that_stand_still_have_no_volatility_and_nothing_is_compared_with_it() -> None:
    still = daily(close=[10.1] * 200)
    for kind in ("realised", "parkinson", "garman_klass", "yang_zhang", "downside"):
        assert values(kind, still)[-1] == 0.0
    for kind in ("volatility_ratio", "volatility_of_volatility", "jump_share"):
        assert np.isnan(values(kind, still)).all()


def test_a_short_window_must_be_shorter_than_the_long_one() -> None:
    with pytest.raises(Failure, match="fast"):
        feature("volatility_ratio", fast=20, slow=20)


# Volume


@pytest.mark.parametrize("bars", [2, 5, 20])
def test_volumes_equal_pandas(bars: int) -> None:
    one = walk(2)
    table = frame(one)
    window = table.volume.rolling(bars)
    money = table.close * table.volume
    with np.errstate(all="ignore"):
        change = (table.close / table.close.shift(1) - 1.0).abs()
        traded = table.volume > 0
        cost = (change * 1e6 / money).where(traded, 0.0)
        slow = money.rolling(bars + 30).mean()
        flat = window.max() == window.min()
        same(
            values("volume_ratio", one, bars=bars),
            (table.volume / window.mean()).where(window.max() > 0),
        )
        score = (table.volume - window.mean()) / window.std()
        same(values("volume_zscore", one, bars=bars), score.where(~flat))
        same(values("volume_rank", one, bars=bars), (window.rank() - 1) / (bars - 1))
        trend = np.log((money.rolling(bars).mean() / slow).where(window.max() > 0))
        same(values("dollar_volume_trend", one, fast=bars, slow=bars + 30), trend)
        cost[0] = np.nan
        illiquid = cost.rolling(bars).sum() / traded.rolling(bars).sum()
        same(values("amihud", one, bars=bars), illiquid.where(window.max() > 0))
        up = table.volume.where(table.close > table.close.shift(1), 0.0)
        up[0] = np.nan
        share = up.rolling(bars).sum() / window.sum()
        same(values("up_volume_share", one, bars=bars), share.where(window.max() > 0))


def test_money_flow_and_correlation_equal_pandas() -> None:
    one = walk(3)
    table = frame(one)
    extent = table.high - table.low
    with np.errstate(all="ignore"):
        place = ((table.close - table.low) - (table.high - table.close)) / extent
        flow = (place.fillna(0.0) * table.volume).rolling(20).sum() / table.volume.rolling(20).sum()
        some = table.volume.rolling(20).max() > 0
        same(values("chaikin_money_flow", one, bars=20), flow.where(some))
        returns = table.close / table.close.shift(1) - 1.0
        moved = (returns.rolling(20).max() > returns.rolling(20).min()) & some
        related = returns.rolling(20).corr(table.volume).where(moved)
    same(values("volume_price_correlation", one, bars=20), related)


def test_nothing_traded_over_the_window_has_no_volume_feature() -> None:
    none = daily(close=10.0 + np.arange(40) % 3, volume=np.zeros(40))
    for kind in (
        "volume_ratio",
        "volume_zscore",
        "amihud",
        "up_volume_share",
        "tick_rule_imbalance",
    ):
        assert np.isnan(values(kind, none)).all(), kind


def test_relative_volume_is_against_the_same_minute_of_the_sessions_before() -> None:
    one = minutes(8)
    table = frame(one)
    regular = table[table.session >= 0]
    grid = regular.pivot_table(index="session", columns="minute", values="volume")
    usual = grid.rolling(3, min_periods=1).mean().shift(1)
    usual.iloc[:3] = np.nan
    wanted = [
        usual.at[session, minute] if session >= 0 else np.nan
        for session, minute in zip(table.session, table.minute, strict=True)
    ]
    with np.errstate(all="ignore"):
        ratio = (table.volume / pd.Series(wanted)).where(pd.Series(wanted) != 0)
    same(values("relative_volume", one, "1m", sessions=3), ratio)


def test_daily_volume_is_compared_with_daily_volumes_over_half_days_too() -> None:
    one = daily(volume=np.arange(1.0, 401.0))
    found = values("relative_volume", one, sessions=4)
    assert np.isnan(found[:4]).all()
    np.testing.assert_allclose(found[4:], np.arange(5.0, 401.0) / (np.arange(5.0, 401.0) - 2.5))


# The session


def test_session_features_equal_pandas_by_session() -> None:
    one = minutes()
    table = frame(one)
    outside = table.session < 0
    groups = table.groupby("session")
    typical = (table.high + table.low + table.close) / 3.0
    turnover = (typical * table.volume).groupby(table.session).cumsum()
    with np.errstate(all="ignore"):
        traded = groups.volume.cumsum()
        vwap = (turnover / traded).where(traded > 0)
        distance = (table.close / vwap - 1.0).mask(outside)
        extent = groups.high.cummax() - groups.low.cummin()
        spot = ((table.close - groups.low.cummin()) / extent).where(extent > 0).mask(outside)
    same(values("vwap_distance", one, "1m"), distance)
    same(values("session_return", one, "1m"),
         (table.close / groups.open.transform("first") - 1.0).mask(outside))  # fmt: skip
    same(values("session_range_position", one, "1m"), spot)
    regular = distance[~outside]
    size = np.sqrt((regular**2).rolling(10).mean())
    stretch = (regular / size.where(size > 0)).reindex(table.index)
    same(values("vwap_stretch", one, "1m", bars=10), stretch)
    inside = table[~outside].groupby("session")
    gaps = inside.open.first() / inside.close.last().shift(1) - 1.0
    same(values("overnight_gap", one, "1m"), table.session.map(gaps))


def test_the_opening_range_is_that_of_the_first_minutes_and_known_when_they_are_over() -> None:
    one = minutes()
    found = values("opening_range_position", one, "1m", minutes=30)
    for session in np.unique(one.session[one.session >= 0]):
        rows = np.flatnonzero(one.session == session)
        early = rows[one.minute[rows] <= 30]
        high, low = one.high[early].max(), one.low[early].min()
        after = rows[one.minute[rows] >= 30]
        np.testing.assert_allclose(
            found[after], (one.close[after] - low) / (high - low), rtol=1e-12
        )
        assert np.isnan(found[rows[one.minute[rows] < 30]]).all()


def test_a_session_whose_price_stands_still_lies_at_its_average_exactly() -> None:
    stamps = feature_bars.minute_stamps(2)
    still = series(stamps, close=0.1, volume=np.arange(len(stamps)) % 7)
    found = values("vwap_distance", still, "1m")
    traded = np.isfinite(found)
    assert traded.sum() > 500
    assert (found[traded] == 0.0).all()
    for kind in ("session_range_position", "opening_range_position", "vwap_stretch"):
        assert np.isnan(values(kind, still, "1m")).all(), kind


# The touch and the tape


def quoted(bid: float, ask: float, bid_size: float, ask_size: float) -> Series:
    one = daily(close=[10.0])
    quote = {"bid": bid, "ask": ask, "bid_size": bid_size, "ask_size": ask_size}
    arrays = {name: np.array([number]) for name, number in quote.items()}
    return msgspec.structs.replace(one, **arrays)


def test_quotes_tell_spread_imbalance_and_microprice() -> None:
    one = quoted(9.99, 10.01, 300.0, 100.0)
    assert values("spread_bps", one)[0] == pytest.approx(20.0)
    assert values("quote_imbalance", one)[0] == pytest.approx(0.5)
    micro = (9.99 * 100.0 + 10.01 * 300.0) / 400.0
    assert values("microprice_distance", one)[0] == pytest.approx((micro / 10.0 - 1.0) * 1e4)


@pytest.mark.parametrize(
    "quote",
    [(10.01, 9.99, 1.0, 1.0), (nan, 10.0, nan, 1.0), (0.0, 10.0, 0.0, 1.0)],
    ids=["crossed", "one-sided", "zero bid"],
)
@pytest.mark.parametrize("kind", ["spread_bps", "quote_imbalance", "microprice_distance"])
def test_an_unsound_quote_tells_nothing(kind: str, quote: tuple[float, ...]) -> None:
    assert np.isnan(values(kind, quoted(*quote))).all()


def test_without_stored_quotes_there_is_no_value() -> None:
    assert np.isnan(values("book_imbalance", daily(close=[1.0, 2.0]))).all()


def test_the_tick_rule_signs_a_bar_by_the_last_change_and_forgets_it_in_time() -> None:
    close = [10.0, 11.0, 11.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    volume = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    found = values("tick_rule_imbalance", daily(close=close, volume=volume), bars=3)
    signs = np.array([nan, 1, 1, -1, -1, -1, 0, 0])
    signed = pd.Series(signs * volume).rolling(3).sum()
    same(found, signed / pd.Series(volume).rolling(3).sum())


def test_a_close_at_the_high_is_one_and_a_bar_without_range_has_no_location() -> None:
    one = daily(high=[11.0, 10.0], low=[9.0, 10.0], close=[11.0, 10.0])
    np.testing.assert_array_equal(values("close_location", one), [1.0, nan])


# The calendar and earnings


def on(kind: str, dates: list[str], **params: Any) -> list[float]:
    sessions = [CALENDAR.on(dt.date.fromisoformat(day)) for day in dates]
    stamps = np.array([one.close_ns for one in sessions if one is not None])
    assert len(stamps) == len(dates)
    return values(kind, series(stamps), **params).tolist()


def test_the_calendar_knows_weekdays_half_days_and_holidays() -> None:
    assert on("day_of_week", ["2014-11-24", "2014-11-28"]) == [0.0, 4.0]
    assert on("half_day", ["2014-11-26", "2014-11-28", "2014-12-24"]) == [0.0, 1.0, 1.0]
    # Thanksgiving is one closed day, the weekend two, Labor Day three.
    assert on("days_closed", ["2014-11-28", "2014-12-01", "2014-09-02"]) == [1.0, 2.0, 3.0]
    assert on("days_since_gap", ["2014-09-02", "2014-09-05"], days=3) == [0.0, 3.0]
    assert on("days_since_gap", ["2014-09-08", "2014-09-09"], days=2) == [0.0, 1.0]


def test_the_turn_of_the_month_is_counted_from_both_sides() -> None:
    days = ["2014-09-24", "2014-09-25", "2014-09-30", "2014-10-01", "2014-10-06", "2014-10-07"]
    assert on("month_turn", days, sessions=4) == [0.0, -4.0, -1.0, 1.0, 4.0, 0.0]


def test_a_session_runs_from_nothing_to_one_on_half_days_too() -> None:
    one = minutes()
    found = values("session_position", one, "1m")
    assert found[one.to_close == 0.0].tolist() == [1.0] * int((one.to_close == 0.0).sum())
    np.testing.assert_array_equal(values("minute_of_session", one, "1m"), one.minute)


EARNINGS = {"AAA": (dt.date(2014, 9, 3), dt.date(2014, 11, 27))}


def test_earnings_are_counted_in_sessions_and_capped() -> None:
    days = ["2014-08-29", "2014-09-02", "2014-09-03", "2014-09-04", "2014-11-28"]
    # 2014-11-27 is Thanksgiving: the announcement belongs to the session after.
    assert on("days_to_earnings", days, earnings=EARNINGS, sessions=5) == [2.0, 1.0, 0.0, 5.0, 0.0]
    found = on("days_since_earnings", days, earnings=EARNINGS, sessions=5)
    np.testing.assert_array_equal(found, [nan, nan, 0.0, 1.0, 0.0])


def test_a_symbol_without_dates_or_with_old_ones_only_has_no_distance() -> None:
    for kind in ("days_to_earnings", "days_since_earnings"):
        assert np.isnan(on(kind, ["2014-09-03"], earnings={"BBB": EARNINGS["AAA"]})).all()
        assert np.isnan(on(kind, ["2015-06-01"], earnings=EARNINGS)).all()
    assert on("days_to_earnings", ["2014-12-01"], earnings=EARNINGS) == [10.0]


def test_a_date_beyond_the_cap_is_as_good_as_none() -> None:
    late = {"AAA": (*EARNINGS["AAA"], dt.date(2015, 2, 26))}
    days = ["2014-12-01", "2015-01-15"]
    told = [on("days_to_earnings", days, earnings=one, sessions=10) for one in (EARNINGS, late)]
    assert told[0] == told[1] == [10.0, 10.0]
