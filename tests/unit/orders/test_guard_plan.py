import pytest

from tradingd.domain.journal import OrderState
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.orders.guard import Action, Cancel, Change, Guard, Leg, Place, plan
from tradingd.orders.ticket import Ticket

STOP, TARGET = 98, 103


def guard(stop: int | None = STOP, take_profit: int | None = TARGET) -> Guard:
    return Guard(
        symbol="A", strategy="s", parent_id="p", reason="r", stop=stop, take_profit=take_profit
    )


def leg(kind: Leg, quantity: int = 100, side: Side = Side.SELL, **changes: object) -> Ticket:
    is_stop = kind is Leg.STOP
    fields: dict[str, object] = {
        "order_id": f"{kind}-{quantity}-{side}",
        "run_id": "run",
        "strategy": "s",
        "symbol": "A",
        "side": side,
        "quantity": quantity,
        "type": OrderType.STOP_MARKET if is_stop else OrderType.LIMIT,
        "purpose": Purpose.PROTECT,
        "reason": "r",
        "ts": 1,
        "stop": STOP if is_stop else None,
        "limit": None if is_stop else TARGET,
        "state": OrderState.WORKING,
        "sent": True,
    }
    return Ticket(**(fields | changes))  # type: ignore[arg-type]


def named(actions: list[Action]) -> list[str]:
    def text(action: Action) -> str:
        match action:
            case Place(kind, side, quantity, price):
                return f"place {kind} {side} {quantity} {price}"
            case Change(ticket, quantity, limit, stop):
                return f"change {ticket.type} to {quantity} at {limit or stop}"
            case Cancel(ticket, _):
                return f"cancel {ticket.type} {ticket.side}"

    return [text(action) for action in actions]


STANDING = (leg(Leg.STOP), leg(Leg.TARGET))
CASES = {
    "flat and nothing wanted": (0, 0, None, (), []),
    "a new position": (
        100, 0, guard(), (),
        ["place stop SELL 100 98", "place target SELL 100 103"],
    ),
    "a new short": (-50, 0, guard(take_profit=None), (), ["place stop BUY 50 98"]),
    "no guard wanted": (100, 0, None, (), []),
    "everything in step": (100, 0, guard(), STANDING, []),
    "it grew": (
        150, 0, guard(), STANDING,
        ["change STOP_MARKET to 150 at 98", "change LIMIT to 150 at 103"],
    ),
    "a part is leaving": (
        100, 40, guard(), STANDING,
        ["change STOP_MARKET to 60 at 98", "change LIMIT to 60 at 103"],
    ),
    "all of it is leaving": (
        100, 100, guard(), STANDING, ["cancel STOP_MARKET SELL", "cancel LIMIT SELL"],
    ),
    "flat again": (0, 0, None, STANDING, ["cancel STOP_MARKET SELL", "cancel LIMIT SELL"]),
    "turned": (
        -30, 0, guard(take_profit=None), STANDING,
        ["cancel STOP_MARKET SELL", "cancel LIMIT SELL", "place stop BUY 30 98"],
    ),
    "the stop moved": (
        100, 0, guard(stop=99), STANDING, ["change STOP_MARKET to 100 at 99"],
    ),
    "the target is not wanted any more": (
        100, 0, guard(take_profit=None), STANDING, ["cancel LIMIT SELL"],
    ),
    "the stop has begun to fill": (
        60, 0, guard(), (leg(Leg.STOP, filled=40), leg(Leg.TARGET)), ["cancel LIMIT SELL"],
    ),
    "the target fills in parts": (
        60, 0, guard(), (leg(Leg.STOP), leg(Leg.TARGET, filled=40)),
        ["change STOP_MARKET to 60 at 98"],
    ),
    "two stops": (
        100, 0, guard(take_profit=None), (leg(Leg.STOP), leg(Leg.STOP)),
        ["cancel STOP_MARKET SELL"],
    ),
    "a stop whose outcome is unknown is waited for": (
        100, 0, guard(take_profit=None), (leg(Leg.STOP, 50, state=OrderState.UNKNOWN),), [],
    ),
    "a stop that is being changed is waited for": (
        100, 0, guard(take_profit=None), (leg(Leg.STOP, 50, busy=True),), [],
    ),
    "a stop on its way out is waited for": (
        100, 0, guard(take_profit=None), (leg(Leg.STOP, cancel_asked=True),), [],
    ),
    "a stop of the other side on its way out is not": (
        100, 0, guard(take_profit=None), (leg(Leg.STOP, side=Side.BUY, cancel_asked=True),),
        ["place stop SELL 100 98"],
    ),
    "a stop that cannot be changed makes room first": (
        150, 0, guard(take_profit=None), (leg(Leg.STOP, stubborn=True),),
        ["cancel STOP_MARKET SELL"],
    ),
    "a stray is closed": (
        -20, 0, guard(None, None), (leg(Leg.STOP),),
        ["cancel STOP_MARKET SELL", "place close BUY 20 None"],
    ),
    "a stray that is being closed": (-20, 20, guard(None, None), (), []),
    "a resting exit keeps its size": (
        100, 0, None, (leg(Leg.TARGET, 30, purpose=Purpose.EXIT),), [],
    ),
    "a resting exit is cut to what is left": (
        20, 0, None, (leg(Leg.TARGET, 30, purpose=Purpose.EXIT),), ["change LIMIT to 20 at 103"],
    ),
    "a resting exit of nothing": (
        0, 0, None, (leg(Leg.TARGET, 30, purpose=Purpose.EXIT),), ["cancel LIMIT SELL"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("held", "leaving", "wanted", "resting", "expected"), CASES.values(), ids=CASES.keys()
)
def test_the_plan_brings_resting_orders_in_step(
    held: int, leaving: int, wanted: Guard | None, resting: tuple[Ticket, ...], expected: list[str]
) -> None:
    assert named(plan(held, leaving, wanted, resting)) == expected


def test_a_plan_that_was_carried_out_asks_for_nothing_more() -> None:
    legs = []
    for action in plan(100, 0, guard(), ()):
        assert isinstance(action, Place)
        legs.append(leg(action.leg, action.quantity, action.side))
    assert plan(100, 0, guard(), legs) == []
