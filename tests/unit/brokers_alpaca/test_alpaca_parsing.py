"""What Alpaca sends, read tolerantly and exactly."""

import datetime as dt
from decimal import Decimal

import pytest

from tradingd.brokers.alpaca import parsing, times
from tradingd.brokers.alpaca.adjustments import adjustments
from tradingd.brokers.alpaca.ear import PATIENCE, Ear
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerStatus
from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Side

ORDER = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "paper-abc1234-000001",
    "symbol": "AAPL",
    "side": "sell",
    "qty": "10",
    "filled_qty": "3",
    "type": "stop_limit",
    "order_class": "",
    "time_in_force": "gtc",
    "limit_price": "99.5",
    "stop_price": 100.25,
    "status": "partially_filled",
    "submitted_at": "2026-03-02T15:00:00.123456789Z",
    "updated_at": "2026-03-02T15:00:01Z",
}


def test_an_order_is_read_exactly() -> None:
    link = parsing.link(ORDER)
    assert (link.side, link.quantity, link.filled) == (Side.SELL, 10, 3)
    assert (link.limit, link.stop) == (99_500_000_000, 100_250_000_000)
    assert (link.type, link.time_in_force) == (OrderType.STOP_LIMIT, TimeInForce.GTC)
    assert link.submitted == 1_772_463_600_123_456_789


def test_missing_new_and_unknown_fields_stop_nothing() -> None:
    assert parsing.link({"id": "x"}).status == ""
    odd = parsing.link(
        {**ORDER, "type": "peg", "status": "galactic", "time_in_force": "forever", "new": {"a": 1}}
    )
    assert not odd.over
    assert odd.type is OrderType.STOP_LIMIT  # by its prices
    assert odd.time_in_force is TimeInForce.DAY


def test_an_order_without_an_id_cannot_be_read() -> None:
    with pytest.raises(parsing.Unreadable):
        parsing.link({**ORDER, "id": None})


@pytest.mark.parametrize(
    ("fields", "quantity", "words"),
    [
        ({"qty": "0.5", "filled_qty": "0"}, 1, "0.5 shares"),
        ({"qty": None, "notional": "500", "filled_qty": "0"}, 0, "for 500 dollars"),
        ({"qty": "2.5", "filled_qty": "1.25"}, 3, "1.25 filled"),
    ],
)
def test_parts_of_shares_are_told_and_not_rounded_away(
    fields: dict[str, object], quantity: int, words: str
) -> None:
    link = parsing.link({**ORDER, **fields})
    assert link.quantity == quantity
    assert words in link.note


def test_a_trailing_stop_has_no_stop_price_of_ours() -> None:
    assert parsing.link({**ORDER, "type": "trailing_stop"}).stop is None


def test_a_position_in_parts_keeps_its_fraction() -> None:
    long, said = parsing.position({"symbol": "AAPL", "qty": "10.5", "side": "long"})
    assert (long.quantity, long.fraction, said) == (10, SCALE // 2, "AAPL: 10.5 shares")
    short, said = parsing.position({"symbol": "AAPL", "qty": "-3", "side": "short"})
    assert (short.quantity, short.fraction, said) == (-3, 0, "")
    unsigned, _ = parsing.position({"symbol": "AAPL", "qty": "3", "side": "short"})
    assert unsigned.quantity == -3


def test_an_account_needs_no_day_trading_fields_and_no_known_status() -> None:
    account = parsing.account(
        {"account_number": "PA1", "cash": "-10.5", "equity": "100", "status": "SUPER_ACTIVE"}
    )
    assert (account.account_id, account.cash, account.blocked) == ("PA1", -10_500_000_000, "")
    assert account.buying_power is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trading_blocked": True}, "trading blocked"),
        ({"account_blocked": True}, "account blocked"),
        ({"trade_suspended_by_user": True}, "trade suspended"),
        ({"status": "REJECTED"}, "REJECTED"),
    ],
)
def test_an_account_that_may_not_trade_says_why(fields: dict[str, object], words: str) -> None:
    assert words in parsing.account({"cash": "0", "equity": "0", **fields}).blocked


def test_stream_and_activities_agree_on_the_id_of_an_execution() -> None:
    told = parsing.told_execution(
        {
            "event": "partial_fill",
            "qty": "3",
            "price": "99.51",
            "timestamp": "2026-03-02T15:00:01Z",
            "order": {**ORDER, "filled_qty": "3.000"},
        }
    )
    [listed] = parsing.executions(
        [
            {
                "activity_type": "FILL",
                "order_id": ORDER["id"],
                "cum_qty": "3",
                "qty": "3",
                "price": "99.51",
                "side": "sell_short",
                "symbol": "AAPL",
                "transaction_time": "2026-03-02T15:00:01Z",
            }
        ]
    )
    assert told is not None
    assert told.cumulative is not None
    assert listed.cumulative is not None
    assert told.fill_id(told.cumulative) == listed.fill_id(listed.cumulative)
    assert (told.side, told.price, told.ts) == (listed.side, listed.price, listed.ts)


def test_times_are_exact_in_every_form() -> None:
    exact = times.ns("2026-03-02T10:00:00.000000001-05:00")
    assert exact == times.ns("2026-03-02T15:00:00.000000001Z")
    assert times.ns(times.text(exact)) == exact
    assert times.second(exact) == "2026-03-02T15:00:00Z"
    midnight = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert times.ns("2026-03-02") == int(midnight.timestamp()) * 1_000_000_000
    for odd in (None, "", "soon", 5, "2026-13-40T00:00:00Z"):
        assert times.ns(odd) == 0


def activity(kind: str, **fields: object) -> dict[str, object]:
    return {"id": f"20260302::{kind}", "activity_type": kind, "date": "2026-03-02", **fields}


def test_activities_become_adjustments_and_unknown_ones_are_told() -> None:
    found = adjustments(
        [
            activity("DIV", symbol="T", qty="200", net_amount="51.2"),
            activity("FEE", net_amount="-0.03", activity_sub_type="TAF"),
            activity("INT", net_amount="-1.5"),
            activity("CSD", net_amount="1000"),
            activity("SPIN", symbol="NEW", qty="20"),
            activity("DIV", symbol="U", qty="3", activity_sub_type="SDIV"),
            activity("MOONSHOT", net_amount="7"),
            activity("FILL", symbol="T", qty="5"),
            activity("DIV", net_amount="9", status="canceled"),
            {},
        ]
    )
    told = [(one.kind, one.symbol, one.shares, one.cash) for one in found]
    assert ("dividend", "T", 0, 51_200_000_000) in told
    assert ("fee", "", 0, -30_000_000) in told
    assert ("interest", "", 0, -1_500_000_000) in told
    assert ("transfer", "", 0, 1_000_000_000_000) in told
    assert ("spin-off", "NEW", 20, 0) in told
    assert ("dividend", "U", 3, 0) in told
    assert ("moonshot", "", 0, 7_000_000_000) in told
    assert len(told) == 8


@pytest.mark.parametrize(
    ("out", "into", "ratio"),
    [("-10", "40", (4, 1)), ("-1033", "129", (1, 8)), ("-7", "21", (3, 1)), ("-3", "4", (4, 3))],
)
def test_a_split_in_two_parts_is_one_with_its_ratio(
    out: str, into: str, ratio: tuple[int, int]
) -> None:
    parts = [
        activity("SPLIT", id="a::1", symbol="T", qty=out),
        activity("SPLIT", id="a::2", symbol="T", qty=into, net_amount="0.5"),
    ]
    [split] = adjustments(parts)
    assert isinstance(split, AdjustmentUpdate)
    assert (split.kind, split.shares) == ("split", int(Decimal(out) + Decimal(into)))
    assert (split.numerator, split.denominator) == ratio
    assert split.cash == 500_000_000


def test_a_split_told_alone_has_its_ratio_in_words_or_is_left_to_a_person() -> None:
    told = activity("SPLIT", symbol="T", qty="30", description="split 4:1")
    [split] = adjustments([told])
    assert (split.kind, split.numerator, split.denominator) == ("split", 4, 1)
    [unclear] = adjustments([{**told, "description": "forward split"}])
    assert (unclear.kind, unclear.shares) == ("corporate", 30)


def test_a_stream_that_does_not_tell_what_questions_show_is_mute() -> None:
    ear = Ear()
    ear.shown("o", filled=50, over=False, now=10)
    assert not ear.mute(10 + PATIENCE - 0.1)
    assert ear.mute(10 + PATIENCE) == "o"
    ear.heard("o", filled=40, over=False)
    assert ear.mute(10 + PATIENCE) == "o"
    ear.heard("o", filled=50, over=False)
    assert not ear.mute(100)
    ear.shown("o", filled=50, over=True, now=20)
    ear.heard("o", filled=50, over=False)
    assert ear.mute(30)
    ear.forget()
    assert not ear.mute(30)


def test_statuses_that_are_final_are_those_alone() -> None:
    assert set(parsing.FINAL.values()) == set(BrokerStatus) - {BrokerStatus.WORKING}
