"""Nothing fills at a price that no bar supports: between bars, at stale closes, at split prints."""

import datetime as dt

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from tests.integration.engine.engine_kit import (
    Script,
    Slip,
    daily,
    minutes,
    session_close,
    session_open,
    simulate,
)
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

DAYS = ["2018-05-01", "2018-05-02", "2018-05-03", "2018-05-04", "2018-05-07"]
MINUTE = 60_000_000_000
EVERY_CHUNK = pytest.mark.parametrize("chunk", [1, 2, 100])


def told(ran, symbol="BBB"):
    return [
        (fill.purpose, fill.quantity, fill.price / 1e9, fill.ts)
        for fill in ran.tables.fills
        if fill.symbol == symbol and fill.purpose != "CORPORATE"
    ]


def protective(ran):
    return [order for order in ran.tables.orders if order.purpose == "PROTECT"]


def opened(day):
    return session_open(day) + 1


class OnB(Script):
    """Counts the bars of BBB only, which come after those of AAA."""

    def on_bar(self, bar):
        if self.symbol_of(bar) == "BBB":
            super().on_bar(bar)


@EVERY_CHUNK
def test_a_limit_does_not_fill_at_the_close_before_when_another_symbol_trades(chunk):
    # AAA's limit of 49 fills and places its stop at the instant of BBB's second bar, which trades
    # from 101 to 102 only: BBB's limit of 100.50 is above the close of 100, but never reached.
    def both(s):
        s.enter("AAA", Side.BUY, 10, reason="rests", limit=49, stop=40)
        s.enter("BBB", Side.BUY, 10, reason="never reached", limit=100.5)

    calm, dip = (50, 50, 50, 50), (50, 50, 48, 50)
    rows = daily("AAA", DAYS, [calm, dip, calm, calm, calm])
    rows += daily("BBB", DAYS, [(100, 100, 100, 100)] + [(101, 102, 101, 102)] * 4)
    ran = simulate(OnB({0: both}), rows, stamps_per_chunk=chunk)
    assert len(told(ran, "AAA")) == 1
    assert told(ran) == []


@EVERY_CHUNK
def test_a_stop_moved_over_the_market_at_night_acts_at_the_next_open(chunk):
    bars = [(100,) * 4, (100, 101, 100, 101), (102, 103, 102, 103), (90,) * 4, (90,) * 4]
    steps = {
        0: lambda s: s.enter("BBB", Side.BUY, 10, reason="in", stop=50),
        2: lambda s: s.move_stop("BBB", 103.5, reason="up"),
    }
    ran = simulate(Script(steps), daily("BBB", DAYS, bars), stamps_per_chunk=chunk)
    assert told(ran) == [
        ("ENTRY", 10, 100.0, opened(DAYS[1])),
        ("PROTECT", 10, 90.0, opened(DAYS[3])),
    ]


@EVERY_CHUNK
@pytest.mark.parametrize(
    ("fourth", "fifth", "expected"),
    [
        # Opens above the stop and falls through it: the stop's own price, less slippage.
        ((104, 105, 102, 103), (103,) * 4, [("PROTECT", 10, 103.45, session_close(DAYS[3]))]),
        # Stays above it; the next bar opens below: the open.
        ((104, 105, 104, 105), (99, 99, 98, 99), [("PROTECT", 10, 98.95, session_close(DAYS[4]))]),
        # Is never touched.
        ((104, 105, 104, 105), (105,) * 4, []),
    ],
    ids=["touched in the bar", "gapped through later", "never touched"],
)
def test_a_stop_above_the_close_but_below_the_next_open_rests(chunk, fourth, fifth, expected):
    bars = [(100,) * 4, (100, 101, 100, 101), (102, 103, 102, 103), fourth, fifth]
    steps = {
        0: lambda s: s.enter("BBB", Side.BUY, 10, reason="in", stop=50),
        2: lambda s: s.move_stop("BBB", 103.5, reason="up"),
    }
    slip = Slip("0.05")
    ran = simulate(Script(steps), daily("BBB", DAYS, bars), slip=slip, stamps_per_chunk=chunk)
    assert told(ran)[1:] == expected
    assert protective(ran)[-1].status == ("FILLED" if expected else "EXPIRED")


def test_a_buy_stop_below_the_close_but_above_the_next_open_rests_too():
    bars = [(100,) * 4, (100,) * 4, (100,) * 4, (98, 99.8, 97, 99), (99,) * 4]
    steps = {
        0: lambda s: s.enter("BBB", Side.SELL, 10, reason="in", stop=150),
        2: lambda s: s.move_stop("BBB", 99.5, reason="down"),
    }
    ran = simulate(Script(steps), daily("BBB", DAYS, bars))
    assert told(ran)[1:] == [("PROTECT", 10, 99.5, session_close(DAYS[3]))]


def test_a_resting_stop_grows_with_its_entry_while_the_engines_price_is_stale():
    # 100 shares a bar; the stop of 103.50 is moved over the close, then the entry goes on.
    bars = [(*bar, 1_000) for bar in [(100,) * 4, (100,) * 4, (104,) * 4, (104, 104, 102, 103)]]
    steps = {
        0: lambda s: s.enter("BBB", Side.BUY, 200, reason="in", stop=50),
        1: lambda s: s.move_stop("BBB", 103.5, reason="up"),
    }
    ran = simulate(Script(steps), daily("BBB", DAYS[:4], bars), participation=10.0)
    assert told(ran) == [
        ("ENTRY", 100, 100.0, opened(DAYS[1])),
        ("ENTRY", 100, 104.0, opened(DAYS[2])),
        ("PROTECT", 100, 103.5, session_close(DAYS[3])),
    ]
    assert protective(ran)[-1].quantity == 200


THIN = [(*bar, 1_000) for bar in [(100,) * 4, (100, 100, 94, 96), (96, 97, 96, 96)]]


@EVERY_CHUNK
@pytest.mark.parametrize("stop", [99, 95])
def test_a_stop_touched_while_the_entry_takes_all_the_volume_goes_on(chunk, stop):
    # 10 % of 1,000 a bar: the entry fills 100 on the second and on the third day, the stop is
    # touched on the second, stays elected and sells 100 a bar as soon as the entry is done.
    bars = [*THIN, (97,) * 4 + (1_000,), (98,) * 4 + (1_000,)]
    script = Script({0: lambda s: s.enter("BBB", Side.BUY, 200, reason="in", stop=stop)})
    rows = daily("BBB", DAYS, bars)
    ran = simulate(script, rows, participation=10.0, stamps_per_chunk=chunk)
    assert told(ran) == [
        ("ENTRY", 100, 100.0, opened(DAYS[1])),
        ("ENTRY", 100, 96.0, opened(DAYS[2])),
        ("PROTECT", 100, 97.0, opened(DAYS[3])),
        ("PROTECT", 100, 98.0, opened(DAYS[4])),
    ]
    (order,) = protective(ran)
    assert (order.quantity, order.status) == (200, "FILLED")


def test_an_elected_stop_and_an_exit_sell_the_position_once():
    script = Script(
        {
            0: lambda s: s.enter("BBB", Side.BUY, 100, reason="in", stop=95),
            1: lambda s: s.exit("BBB", reason="out"),
        }
    )
    ran = simulate(script, daily("BBB", DAYS[:3], THIN), participation=10.0)
    # The stop was touched before the strategy saw the bar: it is first in line.
    assert told(ran)[1:] == [("PROTECT", 100, 96.0, opened(DAYS[2]))]
    assert ran.outcome.open_positions == 0


@EVERY_CHUNK
def test_a_partly_filled_limit_waits_for_a_bar_of_its_symbol(chunk):
    # BBB gives 100 of 150 in its second minute and does not trade in the next two; AAA does, and
    # its orders make the engine look at BBB again. The rest fills in the fifth minute.
    bars = [(10, 10, 10, 10, 1_000)] * 2
    rows = minutes("BBB", DAYS[0], bars)
    later = minutes("BBB", DAYS[0], [(10.5, 10.5, 9.9, 10, 1_000)] * 5)[4:]
    rows += later + minutes("AAA", DAYS[0], [(50, 50, 50, 50)] * 5)
    busy = {number: lambda s: s.enter("AAA", Side.BUY, 1, reason="busy") for number in range(1, 7)}
    first = {0: lambda s: s.enter("BBB", Side.BUY, 150, reason="in", limit=10.2)}

    class OnA(Script):
        def on_bar(self, bar):
            if self.symbol_of(bar) == "AAA":
                super().on_bar(bar)

    ran = simulate(
        OnA({**busy, **first}), rows, Resolution.MINUTE, participation=10.0, stamps_per_chunk=chunk
    )
    opening = session_open(DAYS[0])
    assert told(ran) == [
        ("ENTRY", 100, 10.0, opening + MINUTE + 250_000_000),
        ("ENTRY", 50, 10.2, opening + 5 * MINUTE),
    ]


def seven_for_one(bars, latency, **options):
    """Hold 10 over a 7:1 split: the close of 100.02 becomes 14.29 on the tick, as 100.00 does."""
    split = CorporateAction(
        symbol="BBB",
        ex_date=dt.date.fromisoformat(DAYS[2]),
        kind=ActionKind.SPLIT,
        numerator=7,
        denominator=1,
    )
    script = Script({0: lambda s: s.enter("BBB", Side.BUY, 10, reason="in", **options)})
    first = [(101,) * 4, (100.5, 101, 100.01, 100.02)]
    return simulate(
        script,
        daily("BBB", DAYS, [*first, *bars]),
        actions=[split],
        latency_ms=latency,
    )


@pytest.mark.parametrize("latency", [250, 0])
def test_a_stop_that_a_split_rounds_onto_the_print_is_not_set_off(latency):
    above = [(14.5, 14.6, 14.4, 14.5), (14.5,) * 4, (14.5,) * 4]
    ran = seven_for_one(above, latency, stop=100)
    assert [one[0] for one in told(ran)] == ["ENTRY"]
    assert protective(ran)[-1].stop_price == nanos("14.29")


@pytest.mark.parametrize("latency", [250, 0])
def test_it_still_guards_the_position_from_the_first_bar_on(latency):
    dips = [(14.5, 14.6, 14.2, 14.3), (14.5,) * 4, (14.5,) * 4]
    ran = seven_for_one(dips, latency, stop=100)
    assert told(ran)[1:] == [("PROTECT", 70, 14.29, session_close(DAYS[2]))]


@pytest.mark.parametrize("latency", [250, 0])
def test_a_limit_that_a_split_rounds_onto_the_print_is_not_filled_at_it(latency):
    # Rests below the low of 100.01 until the split; 14.29 is marketable at the print, not later.
    above = [(14.5, 14.6, 14.4, 14.5), (14.5,) * 4, (14.5,) * 4]
    ran = seven_for_one(above, latency, limit=100)
    assert told(ran) == []


def test_a_limit_modified_over_the_market_at_night_takes_the_next_open():
    def rest(s):
        order = s.order_factory.limit(
            s.cache.instrument_ids()[0], OrderSide.BUY, Quantity.from_int(10), Price(90, 2)
        )
        s.said.append(order.client_order_id)
        s.submit_order(order)

    def chase(s):
        s.modify_order(s.said[0], None, Price(105, 2))

    bars = [(100,) * 4, (100,) * 4, (102, 103, 101, 103), (103,) * 4]
    ran = simulate(Script({0: rest, 1: chase}), daily("BBB", DAYS[:4], bars), slip=Slip("0.05"))
    assert told(ran) == [("ENTRY", 10, 102.05, opened(DAYS[2]))]


@pytest.mark.parametrize("latency", [250, 0])
def test_the_stop_of_an_entry_that_rested_starts_at_the_close_of_its_bar(latency):
    # The limit of 99 fills on the way down; the engine places the stop of 98.50 at the low of 98,
    # but the course after the fill is unknown: the close of 101 is not through it.
    bars = [(100,) * 4, (100, 102, 98, 101), (101,) * 4, (101, 101, 97, 98)]
    step = {0: lambda s: s.enter("BBB", Side.BUY, 10, reason="dip", limit=99, stop=98.5)}
    ran = simulate(Script(step), daily("BBB", DAYS[:4], bars), latency_ms=latency)
    assert told(ran) == [
        ("ENTRY", 10, 99.0, session_close(DAYS[1])),
        ("PROTECT", 10, 98.5, session_close(DAYS[3])),
    ]
    falls = [(100,) * 4, (100, 102, 98, 98.2), (101,) * 4, (101,) * 4]
    ran = simulate(Script(step), daily("BBB", DAYS[:4], falls), latency_ms=latency)
    assert told(ran)[1:] == [("PROTECT", 10, 98.2, session_close(DAYS[1]))]


def test_an_elected_stop_whose_position_an_entry_turns_at_the_same_open_is_cancelled():
    # The limit of 99 takes 100 of 150 shares in the second bar, whose close is through the stop:
    # that sells 50 there. The order to turn the position is first in line at the next open.
    bars = [(100,) * 4, (100, 102, 98, 98.2, 1_500), (96,) * 4, (96,) * 4]
    script = Script(
        {
            0: lambda s: s.enter("BBB", Side.BUY, 100, reason="dip", limit=99, stop=98.5),
            1: lambda s: s.enter("BBB", Side.SELL, 80, reason="turn"),
        }
    )
    ran = simulate(script, daily("BBB", DAYS[:4], bars), participation=10.0)
    assert ran.tables.denials == []
    assert [(o.purpose, o.quantity, o.filled_quantity, o.status) for o in ran.tables.orders] == [
        ("ENTRY", 100, 100, "FILLED"),
        ("ENTRY", 80, 80, "FILLED"),
        ("PROTECT", 100, 50, "CANCELED"),
    ]
    assert ran.book.positions()["BBB"].quantity == 100 - 50 - 80
