"""Worked orders in a backtest, by hand."""

import datetime as dt

import msgspec
import pytest
from nautilus_trader.model import OrderSide

from tests.integration.engine.engine_kit import (
    CASH,
    OPEN,
    Ran,
    Script,
    Slip,
    daily,
    minutes,
    session_open,
    simulate,
)
from tradingd.config.execution import LimitStyle, MarketStyle
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.engine.venue import instrument_id

DAY = "2024-01-03"
MINUTE = 60_000_000_000
FLAT = (100, 100, 100, 100)


def style(**changes: object) -> LimitStyle:
    plain = {"offset_bps": 5, "spread_share": 0, "volatility_share": 0}
    return msgspec.convert({**plain, **changes}, LimitStyle)


def bars(*rows: tuple, day: str = DAY) -> list:
    return minutes("AAA", day, [FLAT, *rows])


def buy(quantity: int = 100, **options: object):
    return lambda s: s.enter("AAA", Side.BUY, quantity, reason="a test", **options)


def leave(**options: object):
    return lambda s: s.exit("AAA", reason="enough", **options)


def ran(steps: dict, rows: list, *, volume: float = 0.0, **options: object) -> Ran:
    options.setdefault("style", style())
    return simulate(Script(steps), rows, Resolution.MINUTE, participation=volume, **options)


def minute(ts: int) -> float:
    return (ts - session_open(DAY)) / MINUTE


def orders(made: Ran) -> list[tuple]:
    return [
        (one.type, one.quantity, one.filled_quantity, one.limit_price, one.status)
        for one in made.tables.orders
    ]


def test_an_entry_worked_over_three_bars_costs_what_its_prices_say() -> None:
    rows = bars(
        # The limit is 100.05. Opens above, never comes back: nothing.
        (100.10, 100.20, 100.08, 100.10, 1000),
        # 100.10 + 5 bps = 100.16: the open is better, 10 % of 400 shares are there.
        (100.12, 100.30, 100.12, 100.20, 400),
        # 100.20 + 5 bps = 100.26, for 60: opens above, trades down to the limit.
        (100.40, 100.45, 100.20, 100.30, 10_000),
        (100.30, 100.30, 100.30, 100.30, 10_000),
    )
    made = ran({0: buy()}, rows, volume=10)
    limit = [nanos(one) for one in ("100.05", "100.16", "100.26")]
    assert orders(made) == [
        ("LIMIT", 100, 0, limit[0], "CANCELED"),
        ("LIMIT", 100, 40, limit[1], "CANCELED"),
        ("LIMIT", 60, 60, limit[2], "FILLED"),
    ]
    assert [(one.quantity, one.price) for one in made.tables.fills] == [
        (40, nanos("100.12")),
        (60, nanos("100.26")),
    ]
    assert made.outcome.final_cash == CASH - nanos("4004.80") - nanos("6015.60")
    assert [one.parent_id for one in made.tables.orders] == ["W-000001"] * 3
    assert [one.reason for one in made.tables.orders] == [
        "a test | worked 1/4 at 100.05, 0 of 100 filled",
        "a test | worked 2/4 at 100.16, 0 of 100 filled",
        "a test | worked 3/4 at 100.26, 40 of 100 filled",
    ]
    assert [minute(one.ts_submitted) for one in made.tables.orders] == pytest.approx(
        [1, 2, 3], abs=0.01
    )
    assert not made.tables.denials


def test_a_market_order_of_the_same_strategy_takes_the_first_open() -> None:
    made = ran({0: buy()}, bars((100.10, 100.20, 100.08, 100.10)), style=MarketStyle())
    assert [(one.type, one.filled_quantity) for one in made.tables.orders] == [("MARKET", 100)]
    assert made.outcome.final_cash == CASH - nanos(10_010)


def test_slippage_never_makes_a_worked_price_worse_than_its_limit() -> None:
    made = ran({0: buy()}, bars((100.04, 100.1, 100, 100)), slip=Slip("0.03"))
    assert [one.price for one in made.tables.fills] == [nanos("100.05")]


def test_a_limit_that_no_bar_touches_does_not_fill_and_the_rest_is_reported() -> None:
    rows = bars(*[(100.60, 100.70, 100.60, 100.60)] * 6)
    made = ran({0: buy()}, rows, style=style(reprices=2))
    # The cap holds it: 50 bps from the mark at the decision, however far the market is.
    assert orders(made) == [
        ("LIMIT", 100, 0, nanos("100.05"), "CANCELED"),
        ("LIMIT", 100, 0, nanos("100.5"), "CANCELED"),
        ("LIMIT", 100, 0, nanos("100.5"), "CANCELED"),
    ]
    assert made.outcome.final_cash == CASH
    (told,) = made.tables.denials
    assert (told.limit, told.order_id) == ("style", "W-000001")
    assert told.observed == "0 of 100 filled"
    assert told.explanation == "AAA: 100 shares not filled, given up: not filled at 3 prices."


@pytest.mark.parametrize(
    ("volume", "filled", "children"), [(800, 80, 1), (790, 100, 2)], ids=["exactly", "below"]
)
def test_an_entry_with_its_share_filled_lets_the_rest_go(
    volume: int, filled: int, children: int
) -> None:
    rows = bars((100, 100, 100, 100, volume), *[(100, 100, 100, 100, 5_000)] * 3)
    made = ran({0: buy()}, rows, volume=10, style=style(accept_percent=80))
    assert sum(one.quantity for one in made.tables.fills) == filled
    assert len(made.tables.orders) == children
    assert [one.explanation for one in made.tables.denials] == (
        ["AAA: 20 shares not filled, enough is filled."] if children == 1 else []
    )


def test_the_protective_stop_guards_every_partial_fill() -> None:
    rows = bars(
        (100, 100, 100, 100, 400),
        (100, 100, 98.5, 98.6, 100_000),
        (98.6, 98.6, 98.6, 98.6, 100_000),
        (98.6, 98.6, 98.6, 98.6, 100_000),
    )
    made = ran({0: buy(stop=99.0)}, rows, volume=10)
    stops = [one for one in made.tables.orders if one.purpose == "PROTECT"]
    assert [(one.quantity, one.stop_price) for one in stops] == [(100, nanos(99))]
    # 40 in the first bar; 60 of the second child and the stop for all in the one that falls.
    assert [(one.purpose, one.quantity) for one in made.tables.fills] == [
        ("ENTRY", 40),
        ("ENTRY", 60),
        ("PROTECT", 100),
    ]
    assert made.outcome.open_positions == 0


def test_a_position_that_its_stop_closed_is_not_entered_on() -> None:
    rows = bars(FLAT, FLAT, (99, 99, 99, 99), *[(99, 99, 99, 99)] * 4)
    made = ran({0: buy(stop=99.5)}, rows, style=style(slices=2, slice_seconds=300))
    assert [(one.purpose, one.quantity) for one in made.tables.fills] == [
        ("ENTRY", 50),
        ("PROTECT", 50),
    ]
    assert [one.explanation for one in made.tables.denials] == [
        "AAA: 50 shares not filled, the position was closed meanwhile."
    ]


def test_a_later_child_keeps_the_stop_where_the_strategy_moved_it() -> None:
    rows = bars(
        (100, 100, 100, 100, 400),
        (100, 100, 100, 100, 100),
        *[(100, 100, 100, 100, 100_000)] * 3,
    )
    steps = {
        0: buy(stop=98.0),
        1: lambda s: s.move_stop("AAA", 99.0, reason="nearer"),
    }
    strategy = Script({**steps, 5: lambda s: s.stop_price("AAA")})
    made = simulate(strategy, rows, Resolution.MINUTE, participation=10, style=style())
    assert sum(one.quantity for one in made.tables.fills) == 100
    assert strategy.said[-1] == 99.0


def test_an_exit_is_worked_and_goes_to_the_market_when_its_time_is_out() -> None:
    rows = bars(
        FLAT,
        (100, 100, 100, 100),
        # Sells at 99.95 at least: opens below and stays there.
        (99.80, 99.90, 99.70, 99.80),
        (99.70, 99.74, 99.60, 99.70),
        (99.50, 99.50, 99.50, 99.50),
    )
    made = ran({0: buy(), 2: leave()}, rows, style=style(reprices=1))
    assert orders(made)[1:] == [
        ("LIMIT", 100, 0, nanos("99.95"), "CANCELED"),
        ("LIMIT", 100, 0, nanos("99.75"), "CANCELED"),
        ("MARKET", 100, 100, None, "FILLED"),
    ]
    assert made.tables.fills[-1].price == nanos("99.50")
    assert (
        made.tables.orders[-1].reason == "enough | worked: the rest at the market, 0 of 100 filled"
    )
    assert made.outcome.open_positions == 0
    assert not made.tables.denials


def test_an_exit_beside_a_protective_stop_never_sells_twice() -> None:
    rows = bars(FLAT, FLAT, (99.80, 99.90, 98.5, 98.6), *[(98.6, 98.6, 98.6, 98.6)] * 4)
    made = ran({0: buy(stop=99.0), 2: leave()}, rows)
    assert [(one.purpose, one.quantity) for one in made.tables.fills] == [
        ("ENTRY", 100),
        ("PROTECT", 100),
    ]
    assert made.outcome.open_positions == 0


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_bar_that_reaches_limit_and_stop_of_an_exit_takes_the_stop(side: Side) -> None:
    sign = side.sign
    # Opens beyond the limit of 99.95 (100.05 to cover), reaches it, and the stop at 99 (101).
    rows = bars(FLAT, FLAT, (100 - 0.5 * sign, 102, 98, 100), *[FLAT] * 3)
    enter = {0: lambda s: s.enter("AAA", side, 100, reason="a test", stop=100 - sign)}
    made = ran({**enter, 2: leave()}, rows)
    assert [(one.purpose, one.price) for one in made.tables.fills] == [
        ("ENTRY", nanos(100)),
        ("PROTECT", nanos(100 - sign)),
    ]
    # One that opens at the limit or better is filled there, before anything else can happen.
    rows = bars(FLAT, FLAT, (100, 102, 98, 100), *[FLAT] * 3)
    made = ran({**enter, 2: leave()}, rows)
    assert [(one.purpose, one.price) for one in made.tables.fills][-1] == ("EXIT", nanos(100))
    assert made.outcome.open_positions == 0


def test_a_limit_exit_that_fills_takes_the_protective_stop_away() -> None:
    rows = bars(FLAT, FLAT, (100, 100.2, 100, 100.1), *[(98, 98, 98, 98)] * 3)
    made = ran({0: buy(stop=99.0), 2: leave()}, rows)
    assert [(one.purpose, one.price) for one in made.tables.fills] == [
        ("ENTRY", nanos(100)),
        ("EXIT", nanos(100)),
    ]
    assert made.outcome.open_positions == 0
    assert [one.status for one in made.tables.orders if one.purpose == "PROTECT"] == ["CANCELED"]


@pytest.mark.parametrize("way", ["style", "call", "verb"])
def test_an_exit_at_the_market_goes_at_once(way: str) -> None:
    def verb(s) -> None:
        s.close_all_positions(instrument_id("AAA"))

    rows = bars(FLAT, FLAT, (99.5, 99.5, 99.5, 99.5))
    chosen = style(exits="market" if way == "style" else "limit")
    act = {"style": leave(), "call": leave(at_market=True), "verb": verb}[way]
    made = ran({0: buy(), 2: act}, rows, style=chosen)
    assert orders(made)[-1][0] == "MARKET"
    assert made.tables.fills[-1].price == nanos("99.5")


def test_an_exit_in_the_last_minute_of_a_session_goes_to_the_market() -> None:
    day = [FLAT] * 389 + [(99.7, 99.7, 99.7, 99.7)]
    made = ran({0: buy(), 388: leave()}, minutes("AAA", DAY, day))
    assert orders(made)[-1] == ("MARKET", 100, 100, None, "FILLED")
    assert made.tables.fills[-1].price == nanos("99.7")


def test_an_exit_of_everything_lets_go_of_what_is_still_being_entered() -> None:
    rows = bars((100, 100, 100, 100, 400), *[(100, 100, 100, 100, 100)] * 8)
    made = ran({0: buy(), 1: leave()}, rows, volume=10)
    assert made.outcome.open_positions == 0
    told = [one.explanation for one in made.tables.denials]
    assert told == ["AAA: 60 shares not filled, the position is being closed."]


def test_a_strategy_sees_a_worked_order_as_pending_and_can_cancel_it() -> None:
    seen = []

    def look(s) -> None:
        seen.append((s.pending("AAA"), s.position("AAA")))

    def cancel(s) -> None:
        look(s)
        s.cancel(s.said[0])

    rows = bars(*[(101, 101, 101, 101)] * 5)
    made = ran({0: buy(), 1: look, 2: cancel, 3: look, 4: look}, rows)
    assert seen == [(True, 0), (True, 0), (False, 0), (False, 0)]
    assert [one.explanation for one in made.tables.denials] == [
        "AAA: 100 shares not filled, the strategy cancels."
    ]


@pytest.mark.parametrize(("side", "left"), [(None, 1), ("SELL", 2)])
def test_cancelling_all_lets_go_of_what_is_worked_on_that_side(side: str | None, left: int) -> None:
    def cancel(s) -> None:
        wanted = None if side is None else OrderSide.SELL
        s.cancel_all_orders(instrument_id("AAA"), wanted)

    made = ran({0: buy(), 1: cancel}, bars(*[(101, 101, 101, 101)] * 2))
    assert len(made.tables.orders) == left


def test_the_gate_denies_a_child_and_the_order_ends_with_its_reason() -> None:
    limits = msgspec.structs.replace(OPEN, no_trade_close_minutes=10)
    day = [FLAT] * 378 + [(101, 101, 101, 101)] * 12
    made = ran({377: buy()}, minutes("AAA", DAY, day), limits=limits)
    # Decided 12 minutes before the close; the third price would leave 10 minutes before it.
    assert [one.status for one in made.tables.orders] == ["CANCELED", "CANCELED", "DENIED"]
    assert [one.limit for one in made.tables.denials] == ["no_trade_close_minutes", "style"]
    assert "given up: denied: no_trade_close_minutes" in made.tables.denials[-1].explanation


def test_an_entry_that_the_gate_denies_at_once_is_none() -> None:
    limits = msgspec.structs.replace(OPEN, require_stop=True)
    strategy = Script({0: buy()})
    made = simulate(strategy, bars(FLAT), Resolution.MINUTE, limits=limits, style=style())
    assert strategy.said == [None]
    assert [one.limit for one in made.tables.denials] == ["require_stop"]


def test_parts_go_out_on_their_minutes() -> None:
    rows = bars(*[FLAT] * 12)
    chosen = style(slices=4, slice_seconds=180, timeout_seconds=60)
    made = ran({0: buy(10)}, rows, style=chosen)
    assert [(round(minute(one.ts_submitted)), one.quantity) for one in made.tables.orders] == [
        (1, 3),
        (4, 3),
        (7, 2),
        (10, 2),
    ]
    assert made.tables.orders[2].reason == "a test | part 3/4, worked 1/4 at 100.05, 6 of 10 filled"
    assert [one.quantity for one in made.tables.fills] == [3, 3, 2, 2]


def test_the_session_ends_what_is_worked() -> None:
    day = [FLAT] * 389 + [(101, 101, 101, 101)]
    rows = [*minutes("AAA", DAY, day), *minutes("AAA", "2024-01-04", [FLAT] * 3)]
    made = ran({388: buy()}, rows)
    assert orders(made) == [("LIMIT", 100, 0, nanos("100.05"), "CANCELED")]
    assert "its time is over" in made.tables.denials[0].explanation


def test_a_daily_decision_is_worked_through_the_next_session_at_one_price() -> None:
    days = ["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
    rows = daily(
        "AAA", days, [FLAT, (100.5, 101, 99.5, 100.8), (101, 101, 100.9, 101), (102, 102, 102, 102)]
    )
    made = simulate(Script({0: buy(), 1: leave()}), rows, style=style())
    # Opens above the limit, comes back to it in the course of the day; the exit at the next open.
    assert [(one.purpose, one.price) for one in made.tables.fills] == [
        ("ENTRY", nanos("100.05")),
        ("EXIT", nanos(101)),
    ]


def test_a_daily_exit_that_is_not_reached_goes_at_the_market_a_day_later() -> None:
    days = ["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
    rows = daily("AAA", days, [FLAT, FLAT, (98, 98, 98, 98), (97, 97, 97, 97), (96, 96, 96, 96)])
    made = simulate(Script({0: buy(), 1: leave()}), rows, style=style())
    assert [(one.type, one.status) for one in made.tables.orders] == [
        ("LIMIT", "FILLED"),
        ("LIMIT", "CANCELED"),
        ("MARKET", "FILLED"),
    ]
    assert made.tables.fills[-1].price == nanos(97)


def test_a_split_over_night_restates_what_is_worked() -> None:
    days = ["2024-01-03", "2024-01-04", "2024-01-05"]
    rows = daily("AAA", days, [FLAT, (50, 50.5, 50, 50.2), (50, 50, 50, 50)])
    split = CorporateAction(
        symbol="AAA",
        kind=ActionKind.SPLIT,
        ex_date=dt.date(2024, 1, 4),
        numerator=2,
        denominator=1,
    )
    made = simulate(Script({0: buy()}), rows, style=style(), actions=[split])
    (fill,) = [one for one in made.tables.fills if one.purpose == "ENTRY"]
    assert (fill.quantity, fill.price) == (200, nanos(50))
    assert not made.tables.denials


def test_without_latency_the_same_orders_are_worked() -> None:
    rows = bars((101, 101, 101, 101), (100.4, 100.4, 100.4, 100.4), FLAT)
    made = ran({0: buy()}, rows, latency_ms=0)
    assert made.outcome.open_positions == 1
    assert sum(one.quantity for one in made.tables.fills) == 100


def test_chunks_of_bars_make_no_difference() -> None:
    walk = [100 + 0.25 * (i % 7) for i in range(30)]
    rows = bars(*[(at, at + 0.25, at - 0.5, at + 0.125, 300) for at in walk])
    steps = {0: buy(), 10: leave()}
    chosen = style(volatility_share=0.3)
    one, two = (
        ran(steps, rows, volume=10, style=chosen, stamps_per_chunk=size) for size in (1_000, 3)
    )
    assert one.tables.orders == two.tables.orders
    assert one.tables.fills == two.tables.fills
    assert one.tables.denials == two.tables.denials


def test_what_is_worked_at_the_end_of_the_data_is_reported() -> None:
    made = ran({0: buy(), 2: leave()}, bars(FLAT, FLAT, (99, 99, 99, 99)))
    assert orders(made)[-1][-1] == "EXPIRED"
    assert made.tables.denials[-1].observed == "0 of 100 filled"
