"""When an exit at the market may leave: by what rests on its side."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from tests.unit.orders.test_desk import desk, ticket
from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.journal import OrderState
from tradingd.domain.orders import Fill, OrderType, Purpose, Side, Verdict
from tradingd.journal.writer import SqliteJournal
from tradingd.orders.opposing import Opposing
from tradingd.orders.protection import Protection
from tradingd.orders.ticket import WAITING_PRICE, Ticket

NONE = cast(Any, None)


def order(order_id: str, quantity: int, **changes: Any) -> Ticket:
    fields: dict[str, Any] = {
        "side": Side.SELL,
        "quantity": quantity,
        "type": OrderType.STOP_MARKET,
        "purpose": Purpose.PROTECT,
        "limit": None,
        "stop": 5,
        "state": OrderState.WORKING,
    }
    return msgspec.structs.replace(ticket(order_id), **(fields | changes))


def leaves(tmp_path: Path, *others: Ticket, apart: bool = False) -> bool:
    """Tell whether an exit of 40 of 100 shares may leave beside what rests."""
    made = desk(SqliteJournal(tmp_path / "j.sqlite"))
    made.book.fill(
        Fill(
            order_id="e",
            strategy="s",
            symbol="A",
            side=Side.BUY,
            quantity=100,
            price=10,
            commission=0,
            slippage=0,
            purpose=Purpose.ENTRY,
            ts=1,
        )
    )
    leaving = order("x", 40, type=OrderType.MARKET, purpose=Purpose.EXIT, stop=None)
    for one in (leaving, *others):
        made.add(one)
    opposing = Opposing(made, refused=apart, stopped=lambda _symbol: False)
    protection = Protection(
        made, NONE, NONE, NONE, lambda _ticket: Verdict(), opposing=opposing, apart=apart
    )
    return protection.room(leaving)


def test_it_leaves_beside_a_stop_and_a_target_of_the_other_shares(tmp_path: Path) -> None:
    assert leaves(tmp_path)
    target = order("t", 60, type=OrderType.LIMIT, limit=20, stop=None)
    assert leaves(tmp_path, order("s", 60), target)
    assert not leaves(tmp_path, order("s", 60), target, apart=True)


@pytest.mark.parametrize(
    "under_way",
    [
        {"state": OrderState.INTENT},
        {"state": OrderState.UNKNOWN},
        {"busy": True},
        {"cancel_asked": True},
        {"quantity": 61},
    ],
)
def test_it_waits_for_what_is_under_way_or_reaches_its_shares(
    tmp_path: Path, under_way: dict[str, Any]
) -> None:
    assert not leaves(tmp_path, msgspec.structs.replace(order("s", 60), **under_way))


def test_it_does_not_wait_for_orders_that_are_kept_here_or_buy(tmp_path: Path) -> None:
    kept = {"state": OrderState.INTENT, "note": WAITING_PRICE, "type": OrderType.LIMIT}
    assert leaves(tmp_path, order("k", 100, **kept))
    assert leaves(tmp_path, order("b", 100, side=Side.BUY))


def test_exits_for_the_auctions_rest_and_those_that_do_not_stay_leave(tmp_path: Path) -> None:
    sale = {"type": OrderType.MARKET, "purpose": Purpose.EXIT, "stop": None}
    close = order("c", 30, time_in_force=TimeInForce.CLS, **sale)
    assert (close.rests, close.leaving) == (True, 0)
    hasty = order("h", 30, **(sale | {"type": OrderType.LIMIT, "limit": 9}))
    hasty.time_in_force = TimeInForce.IOC
    assert (hasty.rests, hasty.leaving) == (False, 30)
