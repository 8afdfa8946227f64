"""The same configuration over the same daily bars, as a backtest and as a paper session."""

import pytest

from tests.acceptance.parity.books import differences
from tests.acceptance.parity.cases import DAILY, SPLITS, WHOLE, Case
from tests.acceptance.parity.causes import LAST_BAR, OWN_BAR, causes
from tests.acceptance.parity.runs import Machine, Pair


def both(daily: Machine, instance: str, case: Case) -> Pair:
    session = daily.session(instance, "feed=sample", *case.of_session)
    return Pair(daily.backtest(*case.of_backtest), session)


@pytest.mark.parametrize(
    "name",
    [
        "swing_trend",
        pytest.param("buy_and_hold", marks=pytest.mark.slow),
        pytest.param("ema_cross", marks=pytest.mark.slow),
        pytest.param("limits", marks=pytest.mark.slow),
    ],
)
def test_a_session_does_what_the_backtest_does_over_a_split_dividends_and_a_listing(
    daily: Machine, name: str
) -> None:
    pair = both(daily, f"p{name[:3]}", Case(DAILY[name], *SPLITS))
    assert pair.backtest.trades
    if name == "buy_and_hold":
        kinds = {one.kind for one in pair.session.changes}
        assert kinds == {"split", "dividend"}
        assert {one.symbol for one in pair.session.trades} == {"AAPL", "GOOG", "IBM", "MSFT"}
    assert set(causes(*pair)) <= {LAST_BAR, OWN_BAR}
    if name != "limits":
        assert OWN_BAR not in causes(*pair)
        assert pair.session.equity == pair.backtest.equity


@pytest.mark.slow
def test_the_kill_switch_of_a_replay_looks_at_the_account_alike_at_any_speed(
    daily: Machine,
) -> None:
    case = Case(DAILY["buy_and_hold"], "2000-03-01", "2000-04-28")
    limits = ("supervision.kill_drawdown_percent=3", "supervision.command_seconds=1")
    switch = ("feed=sample", *limits, *case.of_session)
    first = daily.session("killed", *switch)
    paced = daily.session("killed-paced", *switch, "feed.speed=1000000", "feed.longest_wait=0.02")
    assert any("below the day's high" in one.exit_reason for one in first.trips)
    assert list(differences(first, paced)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "trades", "expected"),
    [
        # On 2010-05-06 the market fell and rose by nine percent within an hour.
        ("swing_trend", 395, {OWN_BAR: 1, LAST_BAR: 1}),
        ("ema_cross", 145, {}),
        ("buy_and_hold", 5, {}),
    ],
)
def test_thirteen_years_of_daily_bars_differ_by_nothing_but_documented_causes(
    daily: Machine, name: str, trades: int, expected: dict[str, int]
) -> None:
    pair = both(daily, f"w{name[:3]}", Case(DAILY[name], *WHOLE))
    assert len(pair.session.trades) == len(pair.backtest.trades) == trades
    assert causes(*pair) == expected
    assert pair.session.denials == pair.backtest.denials
    assert pair.session.equity == pair.backtest.equity
