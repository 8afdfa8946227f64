"""The bars in memory answer an order's questions."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.engine.liquidity import UNLIMITED, Liquidity
from tradingd.engine.tape import Tape, TapeBar
from tradingd.engine.units import limit_on_tick, on_tick
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")
MINUTE = 60_000_000_000
PRICE = pa.decimal128(18, 9)


def table(rows):
    def column(index):
        return pa.array([Decimal(row[index]) for row in rows], PRICE)

    return pa.table(
        {
            "symbol": pa.array([row[0] for row in rows]),
            "ts_event": pa.array([row[1] for row in rows], pa.timestamp("ns")),
            "open": column(2),
            "high": column(3),
            "low": column(2),
            "close": column(3),
            "volume": pa.array([row[4] for row in rows], pa.int64()),
        }
    )


@pytest.fixture
def opening() -> int:
    session = CALENDAR.on(dt.date(2024, 1, 2))
    assert session is not None
    return session.open_ns


@pytest.fixture
def tape(opening):
    made = Tape(Resolution.MINUTE, CALENDAR)
    made.load(
        table(
            [
                ("AAA", opening + MINUTE, "10", "10.5", 100),
                ("AAA", opening + 2 * MINUTE, "11", "11.5", 200),
                ("BBB", opening + 2 * MINUTE, "0.000000001", "999999999.999999999", 300),
            ]
        )
    )
    return made


def test_the_next_bar_is_the_first_that_ends_later(tape, opening):
    bar = tape.next_bar("AAA", opening + MINUTE)
    assert bar == TapeBar(
        opening + MINUTE,
        opening + 2 * MINUTE,
        nanos("11"),
        nanos("11.5"),
        nanos("11"),
        nanos("11.5"),
        200,
    )
    assert tape.next_bar("AAA", opening + 2 * MINUTE) is None
    assert tape.next_bar("ZZZ", opening) is None


def test_the_bar_until_a_time_may_end_at_it(tape, opening):
    assert tape.bar_until("AAA", opening + MINUTE).open == nanos("10")


def test_prices_keep_all_nine_decimals(tape, opening):
    assert tape.bar_until("BBB", opening).open == 1
    assert tape.last_close("BBB", opening + 2 * MINUTE) == (
        nanos("999999999.999999999"),
        opening + 2 * MINUTE,
    )


def test_last_close_and_ordinal_reach_over_the_chunk_border(tape, opening):
    tape.load(table([("AAA", opening + 3 * MINUTE, "12", "12.5", 1)]))
    assert tape.last_close("AAA", opening + 3 * MINUTE - 1) == (
        nanos("11.5"),
        opening + 2 * MINUTE,
    )
    assert tape.ordinal("AAA", opening + 3 * MINUTE) == 3
    assert tape.ordinal("BBB", opening + 3 * MINUTE) == 1
    assert tape.last_close("ZZZ", opening) is None


def test_closes_leave_out_what_was_shown_and_what_is_too_old(tape, opening):
    end = opening + 9 * MINUTE
    assert tape.closes("AAA", 0, end, 5) == [nanos("10.5"), nanos("11.5")]
    assert tape.closes("AAA", 1, end, 5) == [nanos("11.5")]
    assert tape.closes("AAA", 0, end, 1) == [nanos("11.5")]
    assert tape.closes("AAA", 0, opening + 2 * MINUTE, 5) == [nanos("10.5")]


def test_an_hour_bar_that_the_open_cuts_short_begins_at_the_open(opening):
    tape = Tape(Resolution.HOUR, CALENDAR)
    tape.load(table([("AAA", opening + 30 * MINUTE, "10", "10", 1)]))
    assert tape.bar_until("AAA", opening).start == opening


def test_a_daily_bar_begins_at_its_sessions_open(opening):
    session = CALENDAR.on(dt.date(2024, 1, 2))
    tape = Tape(Resolution.DAY, CALENDAR)
    tape.load(table([("AAA", session.close_ns, "10", "10", 1)]))
    assert tape.bar_until("AAA", opening).start == opening


def test_liquidity_is_a_share_of_volume_used_up_bar_by_bar():
    liquidity = Liquidity(10.0)
    first, second = TapeBar(0, 10, 1, 1, 1, 1, 1_005), TapeBar(10, 20, 1, 1, 1, 1, 1_000)
    assert liquidity.available("AAA", first) == 100
    liquidity.take("AAA", first, 60)
    assert liquidity.available("AAA", first) == 40
    assert liquidity.available("BBB", first) == 100
    assert liquidity.available("AAA", second) == 100
    assert liquidity.available("AAA", None) == 0


def test_no_cap_means_no_limit():
    assert Liquidity(0.0).available("AAA", None) == UNLIMITED


@pytest.mark.parametrize(
    ("value", "expected"),
    [(97.004, "97"), (97.005, "97.01"), (97.0051, "97.01"), (Decimal("97.00"), "97")],
)
def test_prices_of_strategies_land_on_the_tick(value, expected):
    assert on_tick(value, nanos("0.01")) == nanos(expected)


@pytest.mark.parametrize(
    ("value", "buy", "sell"),
    [
        (100.005, "100", "100.01"),
        (100.01, "100.01", "100.01"),
        (Decimal("100.0099"), "100", "100.01"),
        (0.29, "0.29", "0.29"),
    ],
)
def test_a_limit_is_never_worse_for_the_order_than_what_was_asked(value, buy, sell):
    tick = nanos("0.01")
    assert limit_on_tick(value, tick, Side.BUY) == nanos(buy)
    assert limit_on_tick(value, tick, Side.SELL) == nanos(sell)
