"""Splits, dividends and borrow fees while a position is open."""

import datetime as dt

import pytest

from tests.integration.engine.engine_kit import CASH, Borrow, Script, Slip, daily, simulate
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
SEVEN = [
    (700, 707, 693, 703.5),
    (707, 721, 700, 714),
    (102, 104, 100, 103),
    (103, 104, 102, 103),
    (103, 104, 102, 103),
]
EX = dt.date(2024, 1, 4)
SPLIT = CorporateAction(symbol="AAA", ex_date=EX, kind=ActionKind.SPLIT, numerator=7, denominator=1)
DIVIDEND = CorporateAction(symbol="AAA", ex_date=EX, kind=ActionKind.DIVIDEND, amount=nanos("3.29"))


def reverse(denominator):
    return CorporateAction(
        symbol="AAA", ex_date=EX, kind=ActionKind.SPLIT, numerator=1, denominator=denominator
    )


def equities(ran):
    return [row.equity - CASH for row in ran.tables.equities]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_equity_does_not_jump_when_a_long_with_stop_and_limit_splits(chunk):
    def step(s):
        s.enter("AAA", Side.BUY, 100, reason="in", stop=609)
        s.enter("AAA", Side.BUY, 10, reason="dip", limit=650.3)

    ran = simulate(
        Script({0: step}), daily("AAA", DAYS, SEVEN), actions=[SPLIT], stamps_per_chunk=chunk
    )
    # Bought 100 at 707. Close 714: +700. 700 shares at 103: 72,100 - 70,700 = +1,400.
    assert equities(ran) == [0, 0, nanos("700"), nanos("1400"), nanos("1400"), nanos("1400")]
    assert ran.book.positions()["AAA"].quantity == 700
    orders = {order.purpose: order for order in ran.tables.orders if order.reason != "in"}
    # 609 / 7 = 87; 650.3 / 7 = 92.9; 10 shares become 70
    assert (orders["PROTECT"].quantity, orders["PROTECT"].stop_price) == (700, nanos("87"))
    assert (orders["ENTRY"].quantity, orders["ENTRY"].limit_price) == (70, nanos("92.9"))
    assert (orders["CORPORATE"].quantity, orders["CORPORATE"].average_price) == (600, 0)


def test_equity_does_not_jump_when_a_short_with_a_stop_splits():
    step = {0: lambda s: s.enter("AAA", Side.SELL, 100, reason="in", stop=805)}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[SPLIT])
    assert equities(ran) == [0, 0, nanos("-700"), nanos("-1400"), nanos("-1400"), nanos("-1400")]
    (stop,) = [order for order in ran.tables.orders if order.purpose == "PROTECT"]
    assert (stop.quantity, stop.stop_price, stop.status) == (700, nanos("115"), "EXPIRED")


def test_a_split_costs_no_fees_no_slippage_and_is_no_trade():
    step = {0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[SPLIT], slip=Slip("0.01"))
    corporate = [fill for fill in ran.tables.fills if fill.purpose == "CORPORATE"]
    assert [(f.quantity, f.price, f.commission, f.slippage) for f in corporate] == [(600, 0, 0, 0)]
    assert ran.outcome.gate_counts["max_trades_per_day"][0] == 1


def test_a_stop_triggers_at_its_new_price_after_the_split():
    bars = [*SEVEN[:3], (103, 103, 80, 81), (81, 81, 81, 81)]
    step = {0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in", stop=609)}
    ran = simulate(Script(step), daily("AAA", DAYS, bars), actions=[SPLIT])
    stop = ran.tables.fills[-1]
    assert (stop.quantity, stop.price) == (700, nanos("87"))
    (trip,) = ran.tables.positions
    # Trips are told in shares of the entry: 700 x 87 = 60,900 = 100 x 609.
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (100, nanos("707"), nanos("609"))
    assert trip.realised == nanos("-9800")


def test_a_dividend_is_paid_per_share_held_before_the_split():
    step = {0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[SPLIT, DIVIDEND])
    assert [(c.kind, c.amount, c.quantity) for c in ran.tables.cashes] == [
        ("dividend", nanos("329"), 100)
    ]
    assert ran.outcome.final_equity == CASH + nanos("1400") + nanos("329")


def test_a_short_pays_the_dividend():
    step = {0: lambda s: s.enter("AAA", Side.SELL, 100, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[DIVIDEND, SPLIT])
    assert [c.amount for c in ran.tables.cashes] == [nanos("-329")]


def test_whoever_buys_on_the_ex_date_gets_no_dividend():
    step = {1: lambda s: s.enter("AAA", Side.BUY, 100, reason="at the ex-date's open")}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[DIVIDEND])
    assert ran.tables.cashes == []


@pytest.mark.parametrize(("side", "sign"), [(Side.BUY, 1), (Side.SELL, -1)])
def test_a_reverse_split_sells_shares_and_pays_the_fraction_at_the_old_close(side, sign):
    bars = [(7, 7, 7, 7), (7, 7.2, 7, 7.1), (71, 72, 70, 71), (71, 71, 71, 71)]
    step = {0: lambda s: s.enter("AAA", side, 105, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS[:4], bars), actions=[reverse(10)])
    assert ran.book.positions()["AAA"].quantity == sign * 10
    # Half a new share is 5 old ones at 7.10.
    assert [(c.kind, c.amount) for c in ran.tables.cashes] == [
        ("cash_in_lieu", sign * nanos("35.5"))
    ]
    gain = sign * nanos("10.5")  # 105 x 0.10
    assert equities(ran) == [0, 0, gain, gain, gain]


def test_a_position_smaller_than_one_new_share_is_cashed_out():
    bars = [(7, 7, 7, 7), (7, 7, 7, 7), (70, 70, 70, 70), (70, 70, 70, 70)]
    step = {0: lambda s: s.enter("AAA", Side.BUY, 6, reason="in", stop=5)}
    ran = simulate(Script(step), daily("AAA", DAYS[:4], bars), actions=[reverse(10)])
    assert ran.outcome.open_positions == 0
    assert ran.outcome.final_cash == CASH
    assert [trip.realised for trip in ran.tables.positions] == [0]
    assert all(order.status != "EXPIRED" for order in ran.tables.orders)


def test_an_order_on_its_way_over_the_split_arrives_in_new_shares():
    step = {1: lambda s: s.enter("AAA", Side.BUY, 100, reason="overnight", stop=609)}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), actions=[SPLIT])
    (fill,) = ran.tables.fills
    assert (fill.quantity, fill.price) == (700, nanos("102"))
    assert [o.stop_price for o in ran.tables.orders if o.purpose == "PROTECT"] == [nanos("87")]


def test_the_strategy_hears_of_the_split_after_its_indicators_were_rescaled():
    class Indicator:
        value = 714.0

        def rescale(self, factor):
            self.value *= factor

    class Watching(Script):
        def on_begin(self):
            self.average = Indicator()
            self.track("AAA", self.average)

        def on_split(self, symbol, numerator, denominator):
            self.said.append(
                (symbol, numerator, denominator, self.average.value, self.position(symbol))
            )

    watching = Watching({0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in") and None})
    slip = Slip()
    simulate(watching, daily("AAA", DAYS, SEVEN), actions=[SPLIT], slip=slip)
    assert watching.said[-1] == ("AAA", 7, 1, pytest.approx(102.0), 700)
    assert slip.splits == [("AAA", 7, 1)]


def test_a_short_pays_the_borrow_fee_for_every_calendar_night():
    bars = [(10, 10, 10, 10)] * 5
    step = {0: lambda s: s.enter("AAA", Side.SELL, 100, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS, bars), borrow=Borrow("0.01"))
    # Sold on the 3rd; nights to the 4th, the 5th, and three over the weekend to the 8th.
    assert [c.amount for c in ran.tables.cashes] == [nanos("-1"), nanos("-1"), nanos("-3")]
    assert ran.outcome.final_equity == CASH - nanos("5")


def test_a_long_pays_no_borrow_fee():
    step = {0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in")}
    ran = simulate(Script(step), daily("AAA", DAYS, SEVEN), borrow=Borrow("0.01"))
    assert ran.tables.cashes == []


def test_a_split_that_the_engine_refuses_to_book_fails_the_run():
    # 90,000 bought at 100, 80,000 of them sold at 50: 4 M lost of 1 M. The engine's own risk check
    # denies a bankrupt account everything, the shares of a split too.
    bars = [(100, 100, 100, 100)] * 2 + [(50, 50, 50, 50)] * 2 + [(25, 25, 25, 25)]
    split = CorporateAction(
        symbol="AAA",
        ex_date=dt.date(2024, 1, 8),
        kind=ActionKind.SPLIT,
        numerator=2,
        denominator=1,
    )
    steps = {
        0: lambda s: s.enter("AAA", Side.BUY, 90_000, reason="in"),
        2: lambda s: s.exit("AAA", reason="out", quantity=80_000),
    }
    with pytest.raises(Failure) as caught:
        simulate(Script(steps), daily("AAA", DAYS, bars), actions=[split])
    assert caught.value.code is ExitCode.ENGINE_FAILED
    assert "split of AAA" in str(caught.value.__cause__)
