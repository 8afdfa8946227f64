"""Every way in which journal and broker can differ, one by one; and that agreement is silent."""

from typing import Any

import msgspec
import pytest

from tradingd.app.verify.compare import compare
from tradingd.app.verify.facts import OurAdjustment, OurFill, OurGuard, OurOrder, Ours, Theirs
from tradingd.app.verify.report import Finding, Tolerances
from tradingd.app.verify.verifying import both
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    BrokerAccount,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
    BrokerStatus,
)
from tradingd.domain.orders import OrderType, Side

DOLLAR = 10**9
ENTRY = "paper.swing.E.0000000-000001"
STOP = "paper.swing.S.0000000-000002"
LOST = "paper.swing.E.0000000-000009"


def our_order(order_id: str = STOP, **changes: Any) -> OurOrder:
    fields: dict[str, Any] = {
        "order_id": order_id, "symbol": "AAA", "side": "SELL", "quantity": 100,
        "type": "STOP_MARKET", "purpose": "PROTECT", "state": "WORKING", "limit": None,
        "stop": 95 * DOLLAR, "protective_stop": None, "filled": 0,
    }  # fmt: skip
    return OurOrder(**(fields | changes))


def at_broker(client_order_id: str = STOP, **changes: Any) -> BrokerOrder:
    order = BrokerOrder(
        client_order_id=client_order_id, broker_order_id=f"B-{client_order_id[-1:]}", symbol="AAA",
        side=Side.SELL, quantity=100, type=OrderType.STOP_MARKET, status=BrokerStatus.WORKING,
        stop=95 * DOLLAR,
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


def broker_fill(fill_id: str = "f1", **changes: Any) -> BrokerFill:
    fill = BrokerFill(
        fill_id=fill_id, client_order_id=ENTRY, broker_order_id="B-1", symbol="AAA", side=Side.BUY,
        quantity=100, price=100 * DOLLAR, commission=0, ts=50,
    )  # fmt: skip
    return msgspec.structs.replace(fill, **changes)


FILL = OurFill("f1", ENTRY, "AAA", "BUY", 100, 100 * DOLLAR, 0, 50)
POSITION = BrokerPosition(
    symbol="AAA", quantity=100, average_price=100 * DOLLAR, mark=101 * DOLLAR,
    unrealized=100 * DOLLAR,
)  # fmt: skip

OURS = Ours(
    since=10,
    started=0,
    orders={
        ENTRY: our_order(
            ENTRY, side="BUY", type="MARKET", purpose="ENTRY", state="FILLED", stop=None,
            filled=100, protective_stop=95 * DOLLAR,
        ),
        STOP: our_order(),
    },
    fills={"f1": FILL},
    adjustments=(),
    guards={"AAA": OurGuard("AAA", 95 * DOLLAR)},
    cash=1_000 * DOLLAR,
)  # fmt: skip
THEIRS = Theirs(
    account=BrokerAccount(account_id="SIM-1", cash=1_000 * DOLLAR, equity=11_100 * DOLLAR),
    positions=[POSITION],
    orders=[at_broker()],
    fills=[broker_fill()],
    adjustments=(),
)


def findings(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[Finding, ...]:
    left = msgspec.structs.replace(OURS, **ours)
    right = msgspec.structs.replace(THEIRS, **theirs)
    return compare("paper", left, right, Tolerances()).findings


def checks(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [one.check for one in findings(ours, theirs)]


def position(**changes: Any) -> dict[str, Any]:
    return {"positions": [msgspec.structs.replace(POSITION, **changes)]}


def account(cash: int) -> dict[str, Any]:
    return {"account": msgspec.structs.replace(THEIRS.account, cash=cash)}


def test_what_agrees_is_silent_and_listed() -> None:
    compared = compare("paper", OURS, THEIRS, Tolerances())
    assert compared.findings == ()
    (line,) = compared.positions
    assert (line.broker, line.ours, line.covered) == (100, 100, 100)
    assert (line.broker_average, line.our_average, line.stop) == ("100.00", "100.00", "95.00")
    assert (line.broker_unrealised, line.our_unrealised) == ("100.00", "100.00")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({}, position(quantity=99), ["position"]),
        ({}, {"positions": []}, ["position"]),
        ({}, position(fraction=DOLLAR // 2, average_price=7), ["fraction"]),
        ({}, position(average_price=100 * DOLLAR + DOLLAR // 100), []),
        ({}, position(average_price=100 * DOLLAR + 101 * DOLLAR // 10_000), ["average_price"]),
        ({}, position(unrealized=100 * DOLLAR + 202 * DOLLAR // 100), []),
        ({}, position(unrealized=100 * DOLLAR + 203 * DOLLAR // 100), ["unrealised"]),
        ({}, position(mark=None, unrealized=None), []),
        ({}, account(1_000 * DOLLAR + DOLLAR // 100), []),
        ({}, account(1_000 * DOLLAR + DOLLAR // 100 + 1), ["cash"]),
        ({"cash": None}, account(5), []),
        ({}, {"orders": []}, ["order_not_at_broker", "unprotected"]),
        ({}, {"orders": [at_broker(quantity=60)]}, ["order_terms", "unprotected"]),
        ({}, {"orders": [at_broker(stop=94 * DOLLAR)]}, ["order_terms", "stop_price"]),
        ({}, {"orders": [at_broker(filled=10)]}, ["order_filled", "unprotected"]),
        ({}, {"orders": [at_broker(), at_broker("", side=Side.BUY)]}, ["foreign_order"]),
        ({}, {"fills": []}, ["fill_not_at_broker"]),
        ({}, {"fills": [broker_fill(), broker_fill("f2")]}, ["fill_not_in_journal"]),
        ({}, {"fills": [broker_fill(), broker_fill("f0", ts=9)]}, []),
        ({}, {"fills": [broker_fill(price=99 * DOLLAR)]}, ["fill_differs"]),
        ({"orders": {**OURS.orders, STOP: our_order(state="CANCELED")}}, {}, ["order_state"]),
        ({"orders": {**OURS.orders, STOP: our_order(state="UNKNOWN")}}, {}, ["order_unsettled"]),
        ({"guards": {}}, {}, []),
        ({"guards": {}}, {"orders": []}, ["order_not_at_broker", "unprotected"]),
        ({"guards": {"AAA": OurGuard("AAA", None)}}, {"orders": []}, ["order_not_at_broker"]),
    ],
)  # fmt: skip
def test_each_difference_is_found_and_nothing_else(
    ours: dict[str, Any], theirs: dict[str, Any], expected: list[str]
) -> None:
    assert checks(ours, theirs) == expected


def test_a_broker_that_lets_the_oldest_lots_go_first_is_no_difference() -> None:
    fills = {
        "f1": OurFill("f1", ENTRY, "AAA", "BUY", 100, 100 * DOLLAR, 0, 50),
        "f2": OurFill("f2", ENTRY, "AAA", "BUY", 100, 110 * DOLLAR, 0, 51),
        "f3": OurFill("f3", ENTRY, "AAA", "SELL", 100, 120 * DOLLAR, 0, 52),
    }
    theirs = [
        broker_fill(),
        broker_fill("f2", price=110 * DOLLAR),
        broker_fill("f3", side=Side.SELL, price=120 * DOLLAR),
    ]
    for average, expected in ((110, []), (105, []), (107, ["average_price"])):
        told = position(average_price=average * DOLLAR, mark=None, unrealized=None)
        assert checks({"fills": fills}, {**told, "fills": theirs}) == expected


def test_the_client_order_id_tells_whose_a_foreign_order_and_a_fill_are() -> None:
    theirs = {
        "orders": [at_broker(), at_broker(LOST, side=Side.BUY), at_broker("", side=Side.BUY)],
        "fills": [
            broker_fill(),
            broker_fill("f2", client_order_id=""),
            broker_fill("f3", client_order_id=LOST),
            broker_fill("f4"),
        ],
    }
    found = findings({}, theirs)
    owners = [one.owner for one in found if one.check == "foreign_order"]
    assert owners == ["ours", "manual"]
    fills = [one.owner for one in found if one.check == "fill_not_in_journal"]
    assert fills == ["manual", "ours", "ours"]


def test_a_market_exit_that_works_counts_as_cover() -> None:
    leaving = at_broker(ENTRY, type=OrderType.MARKET, stop=None)
    orders = {**OURS.orders, ENTRY: our_order(ENTRY, type="MARKET", purpose="EXIT", stop=None)}
    gone = {key: value for key, value in orders.items() if key != STOP}
    assert checks({"orders": gone}, {"orders": [leaving]}) == []


def test_an_adjustment_that_was_missed_is_found() -> None:
    paid = AdjustmentUpdate(
        adjustment_id="d1", kind="DIVIDEND", symbol="AAA", shares=0, cash=DOLLAR, ts=60
    )
    assert checks({}, {"adjustments": [paid]}) == ["adjustment_not_in_journal"]
    known = {"adjustments": [OurAdjustment("d1", "AAA", 0, DOLLAR, 1, 1, 60)]}
    assert checks(known, {"adjustments": [paid]}) == []


def test_only_what_stands_both_times_is_reported_and_a_moving_position_does_stand() -> None:
    first = findings({}, position(quantity=90))
    assert both(first, findings({}, {})) == ()
    assert both(findings({}, {}), first) == ()
    # Ten shares too few, while both sides went on by fifty.
    later_fills = {**OURS.fills, "f2": OurFill("f2", ENTRY, "AAA", "BUY", 50, 100 * DOLLAR, 0, 60)}
    later = findings(
        {"fills": later_fills},
        {**position(quantity=140), "fills": [broker_fill(), broker_fill("f2", quantity=50)]},
    )
    assert "position" in [one.check for one in both(first, later)]
