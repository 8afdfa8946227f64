"""Every limit of the table in a whole backtest: just inside it an order fills, just outside not.

Everything but the limit under test is `risk=open`, so a denial can come from that limit alone.
Equity is 100,000 and prices are 100 unless a scenario says otherwise.
"""

import html
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.limits.limit_kit import (
    DAY,
    EVE,
    SCRIPTS,
    Result,
    Script,
    Step,
    configured,
    gate_without,
    make_store,
    run,
    simulated,
)
from tradingd.app import backtest as app
from tradingd.domain.orders import Side
from tradingd.gate.limits.table import LIMITS

ORDER = "the order"


def buy(quantity: int, symbol: str = "FLAT", reason: str = ORDER, **prices: Any) -> Step:
    return lambda s: s.enter(symbol, Side.BUY, quantity, reason=reason, **prices)


def sell_short(quantity: int) -> Step:
    return lambda s: s.enter("FLAT", Side.SELL, quantity, reason=ORDER)


def leave(symbol: str) -> Step:
    return lambda s: s.exit(symbol, reason="out")


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


def hold(quantity: int, symbol: str = "CALM", **prices: Any) -> Step:
    return buy(quantity, symbol, "held before", **prices)


class Case(msgspec.Struct, frozen=True):
    """A value of the limit and what the strategy does under it."""

    value: object
    script: Script
    also: tuple[str, ...] = ()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Two backtests that differ by one step of the limit, or of the order."""

    limit: str
    passes: Case
    denies: Case
    observed: str
    allowed: str
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.limit}-{self.note}" if self.note else self.limit


def scenario(
    limit: str, script: Script, passes: object, denies: object, observed: str, allowed: str
) -> Scenario:
    """One script under two values."""
    return Scenario(
        limit=limit,
        passes=Case(passes, script),
        denies=Case(denies, script),
        observed=observed,
        allowed=allowed,
    )


# 100 SWAY bought at 100 stand at 110 in minute 6 and at 89.80 from minute 7 on: the day's high is
# 101,000, equity then 98,980.
SWAYED = {1: hold(100, "SWAY"), 8: buy(1)}
# Bought at 100 and sold at 99, bought at 98 and sold at 97: two losses before minute 6.
TWO_LOSSES = {
    1: buy(1, "SINK", "in"),
    2: leave("SINK"),
    3: buy(1, "SINK", "in again"),
    4: leave("SINK"),
}
PAUSE = ("risk.loss_streak_pause_minutes=5",)
TIERS = ("universe=core", f"mode.start={EVE}", f"mode.end={DAY}")

SCENARIOS = (
    # 101,000 - 98,980 = 2,020 = 2 % of 101,000
    scenario("drawdown_percent", SWAYED, 2.0001, 2.0, "2 %", "below 2 %"),
    # 100,000 - 98,980 = 1,020 = 1.02 % of the start
    scenario("daily_loss_percent", SWAYED, 1.0201, 1.02, "1.02 %", "below 1.02 %"),
    # 100 x (100 - 96) = 400; 0.3999 % of 100,000 is 399.90
    scenario(
        "risk_per_trade_percent",
        {1: buy(100, stop=96)},
        0.4,
        0.3999,
        "400.00 USD",
        "399.90 USD (0.3999 % of equity)",
    ),
    # 100 x (100 - 61) + 100 x (100 - 99) = 4,000
    scenario(
        "open_risk_percent",
        {1: hold(100, stop=61), 3: buy(100, stop=99)},
        4,
        3.9999,
        "4,000.00 USD",
        "3,999.90 USD (3.9999 % of equity)",
    ),
    # 50 x 100 = 5,000
    scenario(
        "position_percent",
        {1: buy(50)},
        5,
        4.9999,
        "5,000.00 USD",
        "4,999.90 USD (4.9999 % of equity)",
    ),
    # 100 x 100 + 400 x 100 = 50,000
    scenario(
        "gross_percent",
        {1: hold(100), 3: buy(400)},
        50,
        49.9999,
        "50,000.00 USD",
        "49,999.90 USD (49.9999 % of equity)",
    ),
    # risk=open allows a gross of 100,000 % = 100,000,000; 1,000 x 100 is 0.1 % of that
    scenario(
        "short_of_gross_percent",
        {1: sell_short(1_000)},
        0.1,
        0.0999,
        "100,000.00 USD",
        "99,900.00 USD (0.0999 % of the gross limit)",
    ),
    scenario("max_positions", {1: hold(1), 3: buy(1)}, 2, 1, "2", "1"),
    scenario("max_trades_per_day", {1: hold(1), 3: buy(1)}, 2, 1, "2", "1"),
    scenario("loss_streak", {**TWO_LOSSES, 6: buy(1)}, 3, 2, "2 losses in a row", "below 2"),
    Scenario(
        limit="loss_streak",
        note="pause in minutes",
        # the second loss is taken just after minute 4
        passes=Case(2, {**TWO_LOSSES, 10: buy(1)}, PAUSE),
        denies=Case(2, {**TWO_LOSSES, 9: buy(1)}, PAUSE),
        observed="2 losses in a row",
        allowed="below 2",
    ),
    # |105 - 100| / 100
    scenario("collar_percent", {1: buy(1, limit=105)}, 5, 4.9999, "5 %", "4.9999 %"),
    # RARE trades in minute 1; minute 5 is 240 s later
    scenario("max_mark_age_seconds", {5: buy(1, "RARE")}, 240, 239, "240 s", "239 s"),
    Scenario(
        limit="max_mark_age_seconds",
        note="0 is two and a half bars",
        passes=Case(0, {3: buy(1, "RARE")}),
        denies=Case(0, {4: buy(1, "RARE")}),
        observed="180 s",
        allowed="150 s",
    ),
    scenario(
        "orders_per_minute",
        {1: both(hold(1), hold(1, "SWAY"), buy(1))},
        3,
        2,
        "3 in 60 s",
        "2 in 60 s",
    ),
    # 100 x 100 = 10,000; whole dollars
    scenario("max_order_value", {1: buy(100)}, 10_000, 9_999, "10,000.00 USD", "9,999.00 USD"),
    scenario("no_trade_open_minutes", {5: buy(1)}, 5, 6, "5 min after the open", "6 min"),
    # 390 minutes in the session
    scenario(
        "no_trade_close_minutes",
        {385: buy(1)},
        4,
        5,
        "5 min before the close",
        "more than 5 min",
    ),
    # FLAT announces two days later
    scenario(
        "earnings_blackout_days", {1: buy(1)}, 1, 2, "2 days from earnings", "more than 2 days"
    ),
    # FLAT left the universe after the session before, of which the run still reads it
    Scenario(
        limit="outside_universe",
        passes=Case("deny", {1: buy(1, "CALM")}, TIERS),
        denies=Case("deny", {1: buy(1)}, TIERS),
        observed="not a member on 2024-01-03",
        allowed="a member of the universe",
    ),
    scenario("require_stop", {1: buy(1)}, "false", "true", "no stop", "a protective stop"),
    Scenario(
        limit="require_stop",
        note="on the right side",
        passes=Case("true", {1: buy(1, stop=99.99)}),
        denies=Case("true", {1: buy(1, stop=100)}),
        observed="stop at 100.00 USD",
        allowed="below 100.00 USD",
    ),
    # 100 shares of FLAT can be borrowed that day
    Scenario(
        limit="short_availability",
        passes=Case("listed", {1: sell_short(100)}),
        denies=Case("listed", {1: sell_short(101)}),
        observed="101 shares short",
        allowed="100 shares to borrow",
    ),
    # 25 % of 4,000 x 100 is the equity
    Scenario(
        limit="margin_regime",
        note="intraday_4210",
        passes=Case("intraday_4210", {1: buy(4_000)}),
        denies=Case("intraday_4210", {1: buy(4_001)}),
        observed="100,025.00 USD of margin required",
        allowed="100,000.00 USD of equity",
    ),
    # in 2024 four times equity within a day
    Scenario(
        limit="margin_regime",
        note="auto",
        passes=Case("auto", {1: buy(4_000)}),
        denies=Case("auto", {1: buy(4_001)}),
        observed="400,100.00 USD",
        allowed="400,000.00 USD (4 x equity)",
    ),
    Scenario(
        limit="margin_regime",
        note="cash",
        passes=Case("cash", {1: buy(1_000)}),
        denies=Case("cash", {1: buy(1_001)}),
        observed="100,100.00 USD",
        allowed="100,000.00 USD in cash",
    ),
)

every_scenario = pytest.mark.parametrize("one", SCENARIOS, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("limits")
    make_store(folder / "history")
    return folder


@pytest.fixture(scope="module")
def denied(home: Path):
    """Results of the denied halves, each run once."""
    results: dict[str, Result] = {}

    def result(one: Scenario) -> Result:
        if one.name not in results:
            results[one.name] = run(home, *words_of(one.limit, one.denies))
        return results[one.name]

    return result


def words_of(limit: str, case: Case) -> tuple[str, ...]:
    """Put the script in its place; return its name and the overrides."""
    name = f"script-{len(SCRIPTS)}"
    SCRIPTS[name] = case.script
    return name, f"risk.{limit}={case.value}", *case.also


def table_rows(sheet: str) -> list[list[str]]:
    """Texts of the cells of every table row of a tear sheet."""
    return [
        [
            html.unescape(re.sub("<[^>]*>", "", cell))
            for cell in re.findall("<t[hd].*?</t[hd]>", row)
        ]
        for row in re.findall("<tr>.*?</tr>", sheet, re.DOTALL)
    ]


def test_every_limit_of_the_table_has_a_scenario():
    assert {one.limit for one in SCENARIOS} == {limit.key for limit in LIMITS}


@every_scenario
def test_just_inside_the_limit_the_order_fills_and_nothing_is_denied(home, one):
    ran = run(home, *words_of(one.limit, one.passes))
    assert ran.order(ORDER)["status"] == "FILLED"
    assert ran.denials == []
    assert ran.metrics["denials"] == {}
    assert {refused for _, refused in ran.manifest["gate_counts"].values()} == {0}


@every_scenario
def test_just_outside_the_limit_the_order_is_denied_by_it_alone(denied, one):
    order = denied(one).order(ORDER)
    assert (order["status"], order["denied_by"]) == ("DENIED", one.limit)
    assert order["filled_quantity"] == 0
    assert order["order_id"] not in [fill["order_id"] for fill in denied(one).fills]


@every_scenario
def test_the_denial_stands_in_the_result_with_its_numbers(denied, one):
    ran = denied(one)
    (denial,) = ran.denials
    assert (denial["limit"], denial["observed"], denial["allowed"]) == (
        one.limit,
        one.observed,
        one.allowed,
    )
    assert denial["order_id"] == ran.order(ORDER)["order_id"]
    assert denial["reason"] == ORDER
    assert len(denial["explanation"].split()) >= 4


@every_scenario
def test_the_denial_is_counted_in_metrics_manifest_and_tear_sheet(denied, one):
    ran = denied(one)
    assert ran.metrics["denials"] == {one.limit: 1}
    entries = sum(order["purpose"] == "ENTRY" for order in ran.orders)
    assert ran.manifest["gate_counts"][one.limit] == [entries, 1]
    assert len(ran.manifest["gate_counts"]) == len(LIMITS)
    (denial,) = ran.denials
    shown = [one.limit, str(entries), "1", denial["explanation"]]
    assert shown in table_rows(ran.sheet)


@every_scenario
def test_without_that_check_in_the_table_the_denied_order_fills(home, monkeypatch, one):
    monkeypatch.setattr(app, "Gate", gate_without(one.limit))
    orders = simulated(configured(home, *words_of(one.limit, one.denies)))
    assert [order.status for order in orders if order.reason == ORDER] == ["FILLED"]
