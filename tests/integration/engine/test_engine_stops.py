"""Protective stops are real orders that follow the position."""

from nautilus_trader.model import ClientOrderId, Price

from tests.integration.engine.engine_kit import (
    Script,
    Slip,
    daily,
    minutes,
    session_close,
    session_open,
    simulate,
)
from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
BARS = [
    (100, 101, 99, 100.5),
    (101, 103, 100, 102),
    (102.5, 104, 95, 96),
    (90, 92, 88, 91),
    (91, 93, 90, 92),
]


def stops(ran):
    return [order for order in ran.tables.orders if order.purpose == "PROTECT"]


def test_a_stop_inside_a_bar_fills_at_its_price_less_slippage():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=97)})
    ran = simulate(script, daily("AAA", DAYS, BARS), slip=Slip("0.05"))
    entry, stop = ran.tables.fills
    assert (stop.touch_price, stop.price) == (nanos("97"), nanos("96.95"))
    assert (stop.purpose, stop.position_after) == ("PROTECT", 0)
    assert stop.ts == session_close("2024-01-04")
    (order,) = stops(ran)
    assert order.parent_id == entry.order_id
    assert order.reason == f"protective stop of {entry.order_id}"


def test_a_stop_that_the_bar_opens_through_fills_at_the_open():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=94)})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert ran.tables.fills[1].price == nanos("90")


def test_a_short_positions_stop_buys_above():
    bars = [(100, 100, 100, 100), (100, 101, 99, 100), (100, 106, 99, 105)]
    script = Script({0: lambda s: s.enter("AAA", Side.SELL, 10, reason="go", stop=104.5)})
    ran = simulate(script, daily("AAA", DAYS[:3], bars))
    stop = ran.tables.fills[1]
    assert (stop.side, stop.price, stop.position_after) == ("BUY", nanos("104.5"), 0)


def test_the_stop_guards_the_very_bar_that_the_entry_fills_in():
    rows = minutes("AAA", "2024-01-02", [(10, 10, 10, 10), (10, 10, 9, 9.5), (9.5, 9.5, 9.5, 9.5)])
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=9.6)})
    ran = simulate(script, rows, Resolution.MINUTE)
    entry, stop = ran.tables.fills
    assert entry.ts < stop.ts == session_open("2024-01-02") + 120_000_000_000
    assert stop.price == nanos("9.6")


def test_a_fill_below_the_stop_is_stopped_out_at_that_price():
    bars = [(100, 100, 100, 100), (95, 97, 94, 96), (96, 96, 96, 96)]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=98)})
    ran = simulate(script, daily("AAA", DAYS[:3], bars))
    assert [fill.price for fill in ran.tables.fills] == [nanos("95"), nanos("95")]
    assert ran.outcome.open_positions == 0


def test_the_stop_grows_with_partial_fills_and_shrinks_with_partial_exits():
    bars = [(100, 101, 99, 100, 1_000)] * 5
    sizes = []

    def look(s):
        sizes.append([o.quantity.as_double() for o in s.cache.orders_open() if not o.is_closed])

    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 150, reason="in", stop=90),
            1: look,
            2: lambda s: (look(s), s.exit("AAA", reason="part", quantity=60)),
            3: look,
        }
    )
    ran = simulate(script, daily("AAA", DAYS, bars), participation=10.0)
    assert sizes == [[100.0], [150.0], [90.0]]
    (order,) = stops(ran)
    assert (order.quantity, order.status) == (90, "EXPIRED")


def test_an_exit_cancels_the_stop_and_never_closes_more_than_is_held():
    def twice(s):
        first, second = s.exit("AAA", reason="out"), s.exit("AAA", reason="again")
        assert first is not None
        assert second is None

    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=80), 1: twice})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert [fill.quantity for fill in ran.tables.fills] == [10, 10]
    assert [order.status for order in stops(ran)] == ["CANCELED"]
    assert ran.outcome.open_positions == 0


def test_an_exit_that_the_stop_overtakes_does_not_flip_the_position():
    # The exit is under way for three minutes; the stop fills in the first of them.
    rows = minutes(
        "AAA",
        "2024-01-02",
        [(10, 10, 10, 10), (10, 10, 10, 10), (10, 10, 9, 9.2), *[(9.2, 9.2, 9.2, 9.2)] * 6],
    )
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=9.5),
            4: lambda s: s.exit("AAA", reason="late"),
        }
    )
    ran = simulate(script, rows, Resolution.MINUTE, latency_ms=50_000)
    assert ran.outcome.open_positions == 0
    exits = {
        1: lambda s: s.exit("AAA", reason="racing"),
        0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=9.5),
    }
    ran = simulate(Script(exits), rows, Resolution.MINUTE, latency_ms=100_000)
    assert ran.outcome.open_positions == 0
    assert sum(f.quantity * (1 if f.side == "BUY" else -1) for f in ran.tables.fills) == 0


def test_both_sides_of_a_race_leave_the_position_flat():
    rows = minutes(
        "AAA",
        "2024-01-02",
        [(10, 10, 10, 10), (10, 10, 10, 10), (10, 10, 10, 10), (10, 10, 9, 9.2)]
        + [(9.2, 9.2, 9.2, 9.2)] * 4,
    )
    # Entry arrives in the third bar; the exit, sent at the close of the third, arrives in the
    # fifth; the stop fills in the fourth.
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=9.5),
            2: lambda s: s.exit("AAA", reason="racing"),
        }
    )
    ran = simulate(script, rows, Resolution.MINUTE, latency_ms=90_000)
    assert [(fill.purpose, fill.price) for fill in ran.tables.fills] == [
        ("ENTRY", nanos("10")),
        ("PROTECT", nanos("9.5")),
    ]
    racing = [order for order in ran.tables.orders if order.reason == "racing"]
    assert [(order.status, order.filled_quantity) for order in racing] == [("CANCELED", 0)]


def test_move_stop_changes_the_working_order():
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=80),
            1: lambda s: s.move_stop("AAA", 99.004, reason="trail"),
        }
    )
    ran = simulate(script, daily("AAA", DAYS, BARS))
    (order,) = stops(ran)
    # 99.004 rounds to the tick.
    assert (order.status, order.stop_price) == ("FILLED", nanos("99"))
    assert ran.tables.fills[1].price == nanos("99")
    # The record says why the stop stands where it does.
    assert (order.reason, ran.tables.fills[1].reason) == ("trail", "trail")


def test_a_stop_that_was_never_moved_names_its_entry_only():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=80)})
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert [order.reason for order in stops(ran)] == ["protective stop of O-000001"]


def test_move_stop_gives_an_unguarded_position_its_first_stop():
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go"),
            1: lambda s: s.move_stop("AAA", 97, reason="guard"),
        }
    )
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert [order.reason for order in stops(ran)] == ["guard"]
    assert ran.tables.fills[1].price == nanos("97")


def test_a_flip_replaces_the_stop_of_the_old_side():
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="long", stop=80),
            1: lambda s: s.enter("AAA", Side.SELL, 25, reason="short", stop=120),
        }
    )
    ran = simulate(script, daily("AAA", DAYS, BARS))
    assert [(o.side, o.quantity, o.status) for o in stops(ran)] == [
        ("SELL", 10, "CANCELED"),
        ("BUY", 15, "EXPIRED"),
    ]
    assert ran.book.positions()["AAA"].quantity == -15


def test_a_stop_larger_than_the_bar_can_take_goes_on_at_the_next_open():
    bars = [(*bar, 1_000) for bar in BARS]
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 150, reason="big", stop=97)})
    ran = simulate(script, daily("AAA", DAYS, bars), participation=10.0)
    # Bar 3 gives 100: 50 to the entry at its open, 50 to the stop; the rest at 90 next morning.
    assert [(f.purpose, f.quantity, f.price) for f in ran.tables.fills] == [
        ("ENTRY", 100, nanos("101")),
        ("ENTRY", 50, nanos("102.5")),
        ("PROTECT", 50, nanos("97")),
        ("PROTECT", 100, nanos("90")),
    ]
    (order,) = stops(ran)
    assert (order.status, order.filled_quantity) == ("FILLED", 150)


def test_the_book_knows_the_stop_from_the_fill_on():
    seen = []
    script = Script(
        {
            0: lambda s: s.enter("AAA", Side.BUY, 10, reason="go", stop=80),
            1: lambda s: seen.append((s.stop_price("AAA"), s.entry_price("AAA"))),
        }
    )
    simulate(script, daily("AAA", DAYS, BARS))
    assert seen == [(80.0, 101.0)]


def test_changing_our_stop_by_its_order_moves_it_and_a_later_fill_keeps_it_there():
    class Mover(Script):
        def on_bar(self, bar):
            super().on_bar(bar)
            if len(self.bars) == 1:
                self.enter("AAA", Side.BUY, 100, reason="in", stop=9)
            if len(self.bars) == 3:
                self.modify_order(ClientOrderId("O-000002"), trigger_price=Price(9.5, 2))
            if len(self.bars) == 5:
                self.enter("AAA", Side.BUY, 50, reason="more")

    strategy = Mover()
    simulate(strategy, minutes("AAA", "2024-01-02", [(10, 10, 10, 10)] * 8), Resolution.MINUTE)
    assert strategy.stop_price("AAA") == 9.5
