from typing import Any

import msgspec
import pytest

from tests.unit.orders.test_desk import ticket
from tradingd.domain.broker_requests import Capabilities, TimeInForce
from tradingd.domain.orders import OrderType
from tradingd.orders.capability import refusal

ALL = Capabilities(
    types=frozenset(OrderType), times_in_force=frozenset(TimeInForce), extended_hours=True
)
LITTLE = Capabilities(
    types=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    times_in_force=frozenset({TimeInForce.DAY}),
)
TRAILS = {"type": OrderType.TRAILING_STOP, "limit": None}


@pytest.mark.parametrize(
    "wanted",
    [{}, {"extended_hours": True}, {**TRAILS, "trail": 10}, {**TRAILS, "trail_bps": 10}],
)
def test_what_a_broker_takes_is_not_refused(wanted: dict[str, Any]) -> None:
    assert refusal(msgspec.structs.replace(ticket("x"), **wanted), ALL, "able") is None


@pytest.mark.parametrize(
    ("wanted", "takes", "word"),
    [
        ({"type": OrderType.STOP_MARKET}, LITTLE, "STOP_MARKET"),
        ({"time_in_force": TimeInForce.CLS}, LITTLE, "CLS"),
        ({"extended_hours": True}, LITTLE, "extended hours"),
        (TRAILS, ALL, "the one distance"),
        ({**TRAILS, "trail": 1, "trail_bps": 1}, ALL, "the one distance"),
        ({**TRAILS, "trail": 0}, ALL, "the one distance"),
        ({"trail": 1}, ALL, "the one distance"),
    ],
)
def test_what_it_does_not_take_is_refused_by_name(
    wanted: dict[str, Any], takes: Capabilities, word: str
) -> None:
    denial = refusal(msgspec.structs.replace(ticket("x"), **wanted), takes, "small")
    assert denial is not None
    assert denial.limit == "broker"
    assert word in denial.explanation
