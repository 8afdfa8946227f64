"""Records, sessions and chunks: the same run leaves the same rows however it is cut."""

import pytest

from tests.integration.engine.engine_kit import (
    CASH,
    PerShare,
    Script,
    Slip,
    Tables,
    daily,
    minutes,
    session_close,
    session_open,
    simulate,
)
from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

MINUTE = 60_000_000_000
WAVE = [10, 10.2, 10.5, 10.1, 9.8, 9.5, 9.9, 10.4, 10.8, 10.6, 10.2, 9.7]


def wave(symbol, day, count=120, shift=0):
    prices = [WAVE[(index + shift) % len(WAVE)] for index in range(count)]
    bars = [(p, round(p + 0.1, 2), round(p - 0.1, 2), p, 2_000) for p in prices]
    return minutes(symbol, day, bars)


class Trader(Script):
    """Enters long and short by the bar's number, with stops, and exits again."""

    def on_bar(self, bar):
        super().on_bar(bar)
        symbol, number = self.symbol_of(bar), len(self.bars)
        if self.pending(symbol):
            return
        held = self.position(symbol)
        if number % 7 == 0 and not held:
            self.enter(symbol, Side.BUY, 150, reason=f"long {number}", stop=9.6)
        elif number % 11 == 0 and not held:
            self.enter(symbol, Side.SELL, 150, reason=f"short {number}", stop=10.7)
        elif number % 5 == 0 and held:
            self.exit(symbol, reason=f"out {number}", quantity=100)


ROWS = [
    row
    for day in ("2024-01-02", "2024-01-03")
    for shift, symbol in enumerate(("AAA", "BBB", "CCC"))
    for row in wave(symbol, day, shift=3 * shift)
]


def run(step=1_000_000):
    return simulate(
        Trader(),
        ROWS,
        Resolution.MINUTE,
        stamps_per_chunk=step,
        participation=10.0,
        fees=PerShare("0.005", "1"),
        slip=Slip("0.01"),
    ).tables


def rows_of(tables: Tables):
    return (
        tables.orders,
        tables.fills,
        tables.positions,
        tables.equities,
        tables.denials,
        tables.cashes,
    )


def test_the_same_inputs_give_the_same_records_twice():
    first, second = run(), run()
    assert len(first.orders) > 20
    assert rows_of(first) == rows_of(second)


@pytest.mark.parametrize("step", [1, 7, 50])
def test_records_do_not_depend_on_the_size_of_the_chunks(step):
    assert rows_of(run(step)) == rows_of(run())


def test_order_ids_count_from_one_and_every_order_has_a_reason():
    tables = run()
    assert sorted(order.seq for order in tables.orders) == list(range(1, len(tables.orders) + 1))
    assert all(order.order_id == f"O-{order.seq:06d}" for order in tables.orders)
    assert all(order.reason for order in tables.orders)
    assert [fill.seq for fill in tables.fills] == list(range(1, len(tables.fills) + 1))


def test_fills_add_up_to_orders_trips_and_cash():
    ran = simulate(Trader(), ROWS, Resolution.MINUTE, fees=PerShare("0.005", "1"))
    tables = ran.tables
    for order in tables.orders:
        filled = sum(f.quantity for f in tables.fills if f.order_id == order.order_id)
        assert filled == order.filled_quantity
    cash = CASH
    for fill in tables.fills:
        sign = 1 if fill.side == "BUY" else -1
        cash -= sign * fill.quantity * fill.price + fill.commission
    assert cash == ran.outcome.final_cash


class Watch(Script):
    """Keeps the calls it gets, in order."""

    def on_session_open(self, session):
        self.said.append(("open", session.day.isoformat(), self.now))

    def on_bar(self, bar):
        super().on_bar(bar)
        self.said.append(("bar", bar.ts_event, self.minutes_to_close))

    def on_session_close(self, session):
        self.said.append(("close", session.day.isoformat()))

    def on_end(self):
        self.said.append(("end", self.session))


def test_sessions_open_before_their_first_bar_and_close_after_the_last_of_every_symbol():
    # 2024-07-03 is a half day: it closes at 13:00 New York.
    first, last = session_open("2024-07-03"), session_close("2024-07-03")
    rows = [
        row
        for symbol in ("AAA", "BBB")
        for row in minutes(symbol, "2024-07-03", [(10, 10, 10, 10)] * 210)
    ]
    watch = Watch()
    simulate(watch, rows, Resolution.MINUTE)
    assert watch.said[0][:2] == ("open", "2024-07-03")
    assert watch.said[1] == ("bar", first + MINUTE, 209.0)
    assert watch.said[-4:] == [
        ("bar", last, 0.0),
        ("bar", last, 0.0),
        ("close", "2024-07-03"),
        ("end", None),
    ]


def test_every_session_of_daily_bars_opens_and_closes_once():
    watch = Watch()
    simulate(watch, daily("AAA", ["2024-01-02", "2024-01-03"], [(1, 1, 1, 1)] * 2))
    assert [said[0] for said in watch.said] == [
        "open",
        "bar",
        "close",
        "open",
        "bar",
        "close",
        "end",
    ]
    assert watch.said[3] == ("open", "2024-01-03", session_open("2024-01-03"))


def test_equity_is_sampled_in_the_session_and_at_its_close_only():
    rows = minutes("AAA", "2024-01-02", [(10, 10, 10, 10)] * 390)
    ran = simulate(Script(), rows, Resolution.MINUTE, equity_every=7_200)
    first = session_open("2024-01-02")
    hours = [0, 2, 4, 6, 6.5]
    found = [row.ts for row in ran.tables.equities]
    assert found == [first + int(hour * 3_600_000_000_000) for hour in hours]


def test_the_sample_at_the_close_is_marked_at_the_last_bar():
    rows = daily("AAA", ["2024-01-02", "2024-01-03"], [(10, 10, 10, 10), (11, 13, 11, 12)])
    step = {0: lambda s: s.enter("AAA", Side.BUY, 100, reason="in")}
    last = simulate(Script(step), rows).tables.equities[-1]
    assert (last.equity - CASH, last.long_value, last.positions) == (
        nanos("100"),
        nanos("1200"),
        1,
    )


def test_the_outcome_counts_what_the_tables_hold():
    ran = simulate(Trader(), ROWS, Resolution.MINUTE)
    outcome, tables = ran.outcome, ran.tables
    assert outcome.rows == len(ROWS)
    assert (outcome.orders, outcome.fills) == (len(tables.orders), len(tables.fills))
    assert (outcome.first_ts, outcome.last_ts) == (
        min(row.ts for row in ROWS),
        max(row.ts for row in ROWS),
    )
    assert outcome.final_equity == ran.book.equity


def test_closed_orders_are_forgotten_by_engine_desk_and_fees():
    fees = PerShare("0.005", "1")
    strategy = Trader()
    ran = simulate(strategy, ROWS, Resolution.MINUTE, stamps_per_chunk=10, fees=fees)
    open_orders = {order.order_id for order in ran.tables.orders if order.status == "EXPIRED"}
    assert len(strategy._runtime.desk.tickets) <= 5 + len(open_orders)
    assert set(fees.forgotten) == {order.order_id for order in ran.tables.orders}
