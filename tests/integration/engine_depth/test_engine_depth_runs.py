"""Runs over books as a whole: chunks, symbols, days, failures, records."""

import datetime as dt

import msgspec
import pytest

from tests.integration.engine.engine_kit import Script, minutes, session_open, simulate
from tests.integration.engine_depth.depth_kit import (
    ASKS,
    BIDS,
    BookScript,
    MadeBooks,
    Traded,
    at,
    run_books,
    shown,
)
from tradingd.config.strategy import BookImbalance as Settings
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure
from tradingd.strategies.book_imbalance.strategy import BookImbalance

TUESDAY, WEDNESDAY = "2024-01-16", "2024-01-17"


def buy(quantity, symbol="AAA", **details):
    return lambda s: s.enter(symbol, Side.BUY, quantity, reason="test", **details)


def wave(number, first=1_000.0, step=37.0):
    """Books whose imbalance swings, with trades at both sides and several in one millisecond."""
    records = []
    for index in range(number):
        ms = first + step * (index - index % 3)
        swing = (index * 37) % 200
        tick = (index // 11) % 3 / 100
        bids = tuple(
            (round(price + tick, 2), 1 + swing + 10 * n) for n, (price, _) in enumerate(BIDS)
        )
        asks = tuple((round(price + tick, 2), 201 - swing) for price, _ in ASKS)
        if index % 4 == 3:
            sign = 1 if index % 8 == 3 else -1
            records.append(
                Traded(ms, asks[0][0] if sign > 0 else bids[0][0], 20 + index % 90, sign)
            )
        records.append(shown(ms, bids, asks))
    return records


def followers(**changes):
    return BookImbalance(Settings(**{"wait_seconds": 2, "hold_seconds": 3, **changes}))


def tables_of(ran):
    tables = ran.tables
    return [
        msgspec.to_builtins(rows)
        for rows in (tables.orders, tables.fills, tables.positions, tables.equities)
    ]


@pytest.mark.parametrize("entry", ["passive", "aggressive"])
def test_a_run_is_the_same_at_any_chunk_size(entry):
    whole = run_books(followers(entry=entry), wave(300), latency_ms=20, equity_every=1)
    assert len(whole.tables.fills) > 8
    for rows in (3, 50):
        cut = run_books(followers(entry=entry), wave(300), latency_ms=20, equity_every=1, rows=rows)
        assert tables_of(cut) == tables_of(whole)


def two_symbols():
    return [
        MadeBooks(wave(200), "AAA"),
        MadeBooks(wave(150, 1_010.0, 53.0), "BBB"),
        MadeBooks(wave(100), "AAA", WEDNESDAY),
    ]


def test_several_symbols_and_days_are_one_stream_at_any_chunk_size():
    whole = run_books(followers(), two_symbols(), latency_ms=20)
    assert {fill.symbol for fill in whole.tables.fills} == {"AAA", "BBB"}
    for rows in (11, 64):
        assert tables_of(run_books(followers(), two_symbols(), latency_ms=20, rows=rows)) == (
            tables_of(whole)
        )


def test_every_book_reaches_the_strategy_in_time_order():
    script = BookScript()
    run_books(script, two_symbols(), rows=20)
    assert [ts for _, ts in script.books] == sorted(ts for _, ts in script.books)
    # 450 recorded, and one empty book for each symbol between the days.
    assert len(script.books) == 452


def test_books_of_one_nanosecond_keep_their_order_a_nanosecond_apart():
    script = BookScript()
    sizes = [5, 6, 7]
    run_books(script, [shown(1000, ((100.00, size),)) for size in sizes])
    assert [view.bid_size() for view in script.views] == sizes
    assert [ts for _, ts in script.books] == [at(1000), at(1000) + 1, at(1000) + 2]


def test_nothing_fills_between_two_days_of_books():
    books = [
        MadeBooks([shown(1000), shown(2000)], day=TUESDAY),
        MadeBooks([shown(0, ((101.00, 10),), ((101.02, 10),)), shown(10)], day=WEDNESDAY),
    ]
    ran = run_books(BookScript({1: buy(10)}), books, latency_ms=250)
    # Decided on Tuesday's last book, it finds Wednesday's first.
    assert [(fill.ts, fill.price) for fill in ran.tables.fills] == [
        (session_open(WEDNESDAY), nanos("101.02"))
    ]


def test_a_limit_that_rests_over_a_gap_joins_the_end_of_the_new_queue():
    tuesday = MadeBooks([shown(1000), shown(2000)], day=TUESDAY)
    wednesday = MadeBooks(
        [
            shown(0),
            Traded(10, 100.00, 90),
            shown(10, ((100.00, 10), (99.99, 200))),
            Traded(20, 100.00, 25),
            shown(20, ((99.99, 200),)),
        ],
        day=WEDNESDAY,
    )
    ran = run_books(BookScript({0: buy(30, limit=100.00)}), [tuesday, wednesday])
    # 100 shares stand before it again: 90 and 10 of them trade, then 15 of ours.
    assert [(fill.quantity, fill.ts) for fill in ran.tables.fills] == [
        (15, session_open(WEDNESDAY) + 20_000_000)
    ]


def test_a_protective_stop_stands_over_the_night():
    tuesday = MadeBooks([shown(1000), shown(2000)], day=TUESDAY)
    wednesday = MadeBooks([shown(0, ((98.00, 50),), ((98.10, 50),))], day=WEDNESDAY)
    ran = run_books(BookScript({0: buy(30, stop=99.50)}), [tuesday, wednesday])
    assert [(fill.side.value, fill.price) for fill in ran.tables.fills] == [
        ("BUY", nanos("100.01")),
        ("SELL", nanos("98.00")),
    ]


def test_dividends_are_paid_to_holders_at_the_close_before():
    days = [MadeBooks([shown(1000), shown(2000)], day=day) for day in (TUESDAY, WEDNESDAY)]
    dividend = CorporateAction(
        symbol="AAA",
        ex_date=dt.date.fromisoformat(WEDNESDAY),
        kind=ActionKind.DIVIDEND,
        amount=nanos("0.25"),
    )
    ran = run_books(BookScript({0: buy(40)}), days, actions=[dividend])
    assert [row.amount for row in ran.tables.cashes] == [nanos(10)]


def test_session_handlers_and_equity_samples_follow_the_clock_of_the_books():
    class Clocked(BookScript):
        def on_session_open(self, session):
            self.said.append(("open", session.day.isoformat()))

        def on_session_close(self, session):
            self.said.append(("close", session.day.isoformat()))

    script = Clocked()
    days = [MadeBooks([shown(1000), shown(200_000)], day=day) for day in (TUESDAY, WEDNESDAY)]
    ran = run_books(script, days, equity_every=60)
    assert script.said == [("open", TUESDAY), ("close", TUESDAY), ("open", WEDNESDAY)]
    first = session_open(TUESDAY)
    samples = [row.ts for row in ran.tables.equities]
    assert [first + 60_000_000_000 * n in samples for n in (1, 2, 3)] == [True] * 3


def test_an_exception_in_on_depth_ends_the_run():
    def explode(_):
        raise ZeroDivisionError("books")

    script = BookScript({1: explode})
    with pytest.raises(Failure) as caught:
        run_books(script, [shown(ms) for ms in (1000, 1010, 1020)])
    assert caught.value.code is ExitCode.STRATEGY_FAILED
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert len(script.books) == 2


def test_a_strategy_of_books_is_refused_over_bars_and_one_of_bars_over_books():
    bars = minutes("AAA", TUESDAY, [(10, 10, 10, 10)])
    with pytest.raises(Failure, match="trades on order books") as caught:
        simulate(BookScript(), bars, Resolution.MINUTE)
    assert caught.value.code is ExitCode.CONFIG
    with pytest.raises(Failure, match="trades on bars"):
        run_books(Script(), [shown(1000)])


def test_a_view_tells_levels_mid_spread_and_imbalance_exactly():
    script = BookScript()
    run_books(script, [shown(1000), shown(1010, ((100.00, 7),), ())])
    both, one_sided = script.views
    assert (both.symbol, both.ts, both.levels) == ("AAA", at(1000), 3)
    assert [both.bid(n) for n in range(4)] == [nanos("100"), nanos("99.99"), nanos("99.98"), None]
    assert [both.ask_size(n) for n in range(4)] == [50, 70, 300, 0]
    assert (both.mid, both.spread) == (nanos("100.005"), nanos("0.01"))
    assert (both.imbalance(), both.imbalance(3)) == (50 / 150, 180 / 1020)
    assert (one_sided.mid, one_sided.spread, one_sided.ask()) == (None, None, None)
    assert one_sided.imbalance(3) == 1.0
