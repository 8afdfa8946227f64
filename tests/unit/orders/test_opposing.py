"""Orders of two sides that could trade with each other: as in Alpaca's "User Protection"."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.orders.test_desk import desk, ticket
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.journal.writer import SqliteJournal
from tradingd.orders.opposing import Opposing, meet
from tradingd.orders.ticket import WAITING_APPROVAL, WAITING_PRICE, Ticket

MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP, STOP_LIMIT = OrderType.STOP_MARKET, OrderType.STOP_LIMIT
TRAILING = OrderType.TRAILING_STOP


def order(kind: OrderType, side: Side, limit: int = 0, **changes: Any) -> Ticket:
    limited = kind in (LIMIT, STOP_LIMIT)
    fields = {"type": kind, "side": side, "limit": limit if limited else None} | changes
    return msgspec.structs.replace(ticket(f"{kind} {side} {limit}"), **fields)


@pytest.mark.parametrize(
    ("buys", "sells", "could"),
    [
        (MARKET, MARKET, True),
        (MARKET, LIMIT, True),
        (MARKET, STOP, True),
        (LIMIT, MARKET, True),
        (LIMIT, STOP, True),
        (STOP, STOP, True),
        (STOP, LIMIT, True),
        (TRAILING, MARKET, False),
        (LIMIT, TRAILING, False),
    ],
)
def test_all_but_limits_and_trailing_stops_could_always_trade(
    buys: OrderType, sells: OrderType, could: bool
) -> None:
    bid, offer = order(buys, Side.BUY, 90), order(sells, Side.SELL, 110)
    assert meet(bid, offer) is could
    assert meet(offer, bid) is could


@pytest.mark.parametrize("kind", [LIMIT, STOP_LIMIT])
@pytest.mark.parametrize(("bid", "could"), [(99, False), (100, True), (101, True)])
def test_limits_could_trade_when_they_cross(kind: OrderType, bid: int, could: bool) -> None:
    assert meet(order(LIMIT, Side.BUY, bid), order(kind, Side.SELL, 100)) is could
    assert meet(order(kind, Side.SELL, 100), order(LIMIT, Side.BUY, bid)) is could


def opposing(tmp_path: Path, *orders: Ticket, refused: bool = True) -> Opposing:
    made = desk(SqliteJournal(tmp_path / "j.sqlite"))
    for one in orders:
        made.add(one)
    return Opposing(made, refused=refused, stopped=lambda _symbol: False)


def test_an_entry_is_denied_beside_what_works_and_not_beside_what_is_kept_here(
    tmp_path: Path,
) -> None:
    entry = order(MARKET, Side.BUY, purpose=Purpose.ENTRY)
    exit_ = order(LIMIT, Side.SELL, 110 * 10**9, purpose=Purpose.EXIT)
    denial = opposing(tmp_path, exit_).denial(entry)
    assert denial is not None
    assert "the SELL LIMIT at 110.0000 works" in denial.explanation
    for note in (WAITING_PRICE, WAITING_APPROVAL):
        kept = msgspec.structs.replace(exit_, note=note, sent=False)
        assert opposing(tmp_path, kept).denial(entry) is None
    assert opposing(tmp_path, exit_, refused=False).denial(entry) is None


def test_what_reduces_is_not_denied(tmp_path: Path) -> None:
    entry = order(LIMIT, Side.BUY, 120, purpose=Purpose.ENTRY)
    leaving = order(MARKET, Side.SELL, purpose=Purpose.EXIT)
    made = opposing(tmp_path, entry)
    assert made.denial(leaving) is None
    assert made.against(leaving) == [entry]
