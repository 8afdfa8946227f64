"""A market order that works on while bars with volume pass is refused, not forgotten."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from tradingd.domain.market import Resolution
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.engine.liquidity import Liquidity
from tradingd.engine.stuck import refuse_stuck
from tradingd.engine.tape import Tape
from tradingd.engine.ticket import Stage, Ticket
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")
MINUTE = 60_000_000_000
TEN_PERCENT = Liquidity(10)


@pytest.fixture
def opening() -> int:
    session = CALENDAR.on(dt.date(2024, 1, 2))
    assert session is not None
    return session.open_ns


def tape(opening, volumes):
    price = pa.array([Decimal(10)] * len(volumes), pa.decimal128(18, 9))
    ends = [opening + MINUTE * (index + 1) for index in range(len(volumes))]
    made = Tape(Resolution.MINUTE, CALENDAR)
    made.load(
        pa.table(
            {
                "symbol": pa.array(["AAA"] * len(volumes)),
                "ts_event": pa.array(ends, pa.timestamp("ns")),
                **dict.fromkeys(("open", "high", "low", "close"), price),
                "volume": pa.array(volumes, pa.int64()),
            }
        )
    )
    return made


def working(arrived, kind=OrderType.MARKET, stage=Stage.WORKING):
    return Ticket(
        seq=1,
        order_id="O-000001",
        strategy="test",
        symbol="AAA",
        side=Side.BUY,
        quantity=5,
        type=kind,
        purpose=Purpose.ENTRY,
        reason="go",
        ts=arrived,
        stage=stage,
        arrived=arrived,
    )


def test_three_bars_with_volume_behind_a_market_order_end_the_run(opening):
    bars = tape(opening, [100, 100, 100])
    with pytest.raises(Failure, match="never filled market order O-000001") as caught:
        refuse_stuck([working(opening)], bars, TEN_PERCENT, opening + 3 * MINUTE)
    assert caught.value.code is ExitCode.ENGINE_FAILED


@pytest.mark.parametrize(
    ("volumes", "arrived"),
    [
        ([100, 100], 0),
        # 10 % of 9 shares is no whole share: no liquidity in the middle.
        ([100, 9, 100], 0),
        # Arrived at the end of the first bar: two are left.
        ([100, 100, 100], MINUTE),
    ],
    ids=["two bars", "one without liquidity", "arrived late"],
)
def test_two_chances_are_not_enough_to_call_an_order_stuck(opening, volumes, arrived):
    until = opening + len(volumes) * MINUTE
    refuse_stuck([working(opening + arrived)], tape(opening, volumes), TEN_PERCENT, until)


def test_resting_orders_and_orders_on_their_way_may_wait(opening):
    bars = tape(opening, [100, 100, 100])
    waiting = [
        working(opening, kind=OrderType.LIMIT),
        working(opening, kind=OrderType.STOP_MARKET),
        working(opening, stage=Stage.HELD),
        working(opening, stage=Stage.CONTINUING),
    ]
    refuse_stuck(waiting, bars, TEN_PERCENT, opening + 3 * MINUTE)
