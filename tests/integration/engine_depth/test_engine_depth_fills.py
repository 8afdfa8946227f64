"""What orders get from recorded books; every expected number is worked out by hand.

The book of the kit: bids 100.00 x 100, 99.99 x 200, 99.98 x 300; asks 100.01 x 50, 100.02 x 70,
100.03 x 300.
"""

import pytest

from tests.integration.engine.engine_kit import PerShare
from tests.integration.engine_depth.depth_kit import (
    ASKS,
    BIDS,
    BookScript,
    Traded,
    got,
    run_books,
    shown,
)
from tradingd.domain.orders import Side

QUIET = [shown(ms) for ms in (1000, 1010, 1020, 1030)]


def buy(quantity, **details):
    return lambda s: s.enter("AAA", Side.BUY, quantity, reason="test", **details)


def sell(quantity, **details):
    return lambda s: s.enter("AAA", Side.SELL, quantity, reason="test", **details)


def orders(ran):
    return [(one.order_id, one.status, one.filled_quantity) for one in ran.tables.orders]


def test_a_market_order_pays_each_level_its_own_price():
    ran = run_books(BookScript({0: buy(100)}), QUIET)
    assert got(ran) == [(1000, "BUY", 50, "100.0100"), (1000, "BUY", 50, "100.0200")]
    # 50 shares at the touch, 50 a cent above it: half a dollar.
    assert [fill.slippage for fill in ran.tables.fills] == [0, 500_000_000]


def test_a_market_order_beyond_the_displayed_size_waits_for_what_is_added():
    more = [
        # 10 more at 100.01, of which 50 were taken; then 40 more at 100.03.
        shown(1040, BIDS, ((100.01, 60), (100.02, 70), (100.03, 300))),
        shown(1050, BIDS, ((100.01, 60), (100.02, 70), (100.03, 340))),
        shown(1060, BIDS, ((100.01, 60), (100.02, 70), (100.03, 999))),
    ]
    ran = run_books(BookScript({0: buy(500)}), QUIET + more)
    assert got(ran) == [
        (1000, "BUY", 50, "100.0100"),
        (1000, "BUY", 70, "100.0200"),
        (1000, "BUY", 300, "100.0300"),
        (1040, "BUY", 10, "100.0100"),
        (1050, "BUY", 40, "100.0300"),
        (1060, "BUY", 30, "100.0300"),
    ]
    assert orders(ran) == [("O-000001", "FILLED", 500)]


def test_what_is_left_of_a_market_order_at_the_end_expires():
    ran = run_books(BookScript({0: buy(500)}), QUIET)
    assert orders(ran) == [("O-000001", "EXPIRED", 420)]
    assert ran.book.position("AAA").quantity == 420


def test_two_market_orders_do_not_both_get_the_same_displayed_shares():
    ran = run_books(BookScript({0: buy(50), 1: buy(50)}), QUIET)
    assert got(ran) == [(1000, "BUY", 50, "100.0100"), (1010, "BUY", 50, "100.0200")]


def test_a_share_added_to_a_level_gives_one_share_and_not_the_level_again():
    records = [*QUIET, shown(1040, BIDS, ((100.01, 51), (100.02, 70))), shown(1050)]
    ran = run_books(BookScript({0: buy(50), 4: buy(2)}), records)
    assert got(ran)[1:] == [(1040, "BUY", 1, "100.0100"), (1040, "BUY", 1, "100.0200")]


def test_a_level_that_went_and_came_back_is_new():
    records = [*QUIET, shown(1040, BIDS, ((100.02, 70),)), *(shown(ms) for ms in (1050, 1060))]
    ran = run_books(BookScript({0: buy(50), 5: buy(50)}), records)
    assert got(ran)[1:] == [(1050, "BUY", 50, "100.0100")]


def test_what_was_taken_is_remembered_over_the_end_of_a_chunk():
    records = [shown(1000 + ms) for ms in range(40)]
    ran = run_books(BookScript({0: buy(50), 35: buy(50)}), records, rows=7)
    assert got(ran) == [(1000, "BUY", 50, "100.0100"), (1035, "BUY", 50, "100.0200")]


def test_a_sale_walks_the_bids():
    ran = run_books(BookScript({0: sell(150)}), QUIET)
    assert got(ran) == [(1000, "SELL", 100, "100.0000"), (1000, "SELL", 50, "99.9900")]


def test_a_resting_limit_fills_only_after_the_queue_ahead_of_it_has_traded():
    records = [
        *QUIET[:2],
        Traded(1011, 100.00, 60),
        shown(1011, ((100.00, 40), (99.99, 200))),
        Traded(1012, 100.00, 50),
        shown(1012, ((99.99, 200),)),
        Traded(1013, 100.00, 15),
        shown(1013),
    ]
    # 100 ahead: 60 trade, then 40 and 10 of ours, then 15 of ours.
    ran = run_books(BookScript({0: buy(30, limit=100.00)}), records)
    assert [(side, size, at) for _, side, size, at in got(ran)] == [
        ("BUY", 10, "100.0000"),
        ("BUY", 15, "100.0000"),
    ]
    assert [fill.slippage for fill in ran.tables.fills] == [0, 0]


def test_a_resting_limit_without_trades_waits_for_the_other_side_to_come():
    away = shown(1040, ((99.98, 300),), ((99.99, 12), (100.00, 5)))
    ran = run_books(BookScript({0: buy(30, limit=100.00)}), [*QUIET, away, shown(1050)])
    # 12 and 5 shares are offered at its limit or better; it pays its limit for both.
    assert got(ran) == [(1040, "BUY", 17, "100.0000")]


def test_trades_that_nobody_started_move_no_queue():
    records = [*QUIET[:2], Traded(1011, 100.00, 500, sign=0), shown(1012)]
    assert got(run_books(BookScript({0: buy(30, limit=100.00)}), records)) == []


def test_a_marketable_limit_takes_its_price_or_better_and_rests_with_the_others():
    ran = run_books(BookScript({0: buy(100, limit=100.01)}), QUIET)
    assert got(ran) == [(1000, "BUY", 50, "100.0100")]
    assert orders(ran) == [("O-000001", "EXPIRED", 50)]


def test_a_limit_deeper_than_the_book_shows_joins_the_end_of_its_queue_when_it_comes_into_view():
    deeper = ((99.95, 80), (99.94, 10), (99.93, 10))
    records = [
        *QUIET,
        shown(1040, deeper, ASKS),
        Traded(1041, 99.95, 75),
        shown(1041, ((99.95, 5), (99.94, 10), (99.93, 10)), ASKS),
        Traded(1042, 99.95, 12),
        shown(1042, ((99.94, 10), (99.93, 10)), ASKS),
    ]
    ran = run_books(BookScript({0: buy(30, limit=99.95)}), records)
    # 80 stand before it when it joins: 75, then 5 and 7 of ours.
    assert [(size, at) for _, _, size, at in got(ran)] == [(7, "99.9500")]


def test_latency_alone_changes_the_fill():
    records = [shown(1000), shown(1010, BIDS, ((100.02, 70),)), shown(1020), shown(1030)]
    at_once = run_books(BookScript({0: buy(30)}), records)
    late = run_books(BookScript({0: buy(30)}), records, latency_ms=15)
    assert got(at_once) == [(1000, "BUY", 30, "100.0100")]
    assert got(late) == [(1015, "BUY", 30, "100.0200")]


def test_an_order_meets_the_book_of_its_own_nanosecond():
    records = [shown(1000), shown(1010, BIDS, ((100.02, 70),)), shown(1020)]
    ran = run_books(BookScript({0: buy(30)}), records, latency_ms=10)
    assert got(ran) == [(1010, "BUY", 30, "100.0200")]


def test_commission_alone_changes_the_cash_by_its_exact_amount():
    script = {0: buy(100), 2: lambda s: s.exit("AAA", reason="test")}
    free = run_books(BookScript(script), QUIET)
    paid = run_books(BookScript(script), QUIET, fees=PerShare("0.0035", "0.35"))
    assert got(free) == got(paid)
    # Each order pays 100 x 0.0035 = 0.35, over two fills as over one.
    assert free.book.cash - paid.book.cash == 700_000_000
    assert [fill.commission for fill in paid.tables.fills] == [350_000_000, 0, 350_000_000]
    # Bought 50 at 100.01 and 50 at 100.02, sold 100 at 100.00: 1.50 lost.
    assert 1_000_000_000_000_000 - free.book.cash == 1_500_000_000


def test_a_stop_set_off_by_the_bid_walks_the_bids():
    fall = shown(1040, ((99.97, 10), (99.96, 100)), ASKS)
    ran = run_books(BookScript({0: buy(30, stop=99.97)}), [*QUIET, fall, shown(1050)])
    assert got(ran)[1:] == [(1040, "SELL", 10, "99.9700"), (1040, "SELL", 20, "99.9600")]
    assert ran.tables.positions[0].exit_reason == "protective stop of O-000001"


def test_a_stop_that_finds_too_little_goes_on_with_the_next_book():
    fall = [
        shown(1040, ((99.97, 10),), ASKS),
        shown(1050, ((99.97, 10),), ASKS),
        shown(1060, ((99.90, 100),), ASKS),
    ]
    ran = run_books(BookScript({0: buy(30, stop=99.97)}), QUIET + fall)
    assert got(ran)[1:] == [(1040, "SELL", 10, "99.9700"), (1060, "SELL", 20, "99.9000")]
    assert orders(ran)[-1] == ("O-000002", "FILLED", 30)


def test_a_market_order_against_an_empty_side_waits_for_one():
    records = [shown(1000), shown(1010, BIDS, ()), shown(1020, BIDS, ()), shown(1030)]
    ran = run_books(BookScript({1: buy(30)}), records)
    assert got(ran) == [(1030, "BUY", 30, "100.0100")]


def test_a_cancelled_order_that_still_waits_never_arrives():
    def withdraw(s):
        s.cancel("O-000001")

    records = [shown(1000), shown(1010, BIDS, ()), shown(1020, BIDS, ()), shown(1030)]
    ran = run_books(BookScript({1: buy(30), 2: withdraw}), records)
    assert orders(ran) == [("O-000001", "CANCELED", 0)]


def test_a_cancelled_limit_fills_no_more():
    records = [*QUIET, Traded(1031, 100.00, 500), shown(1040)]
    script = {0: buy(30, limit=100.00), 2: lambda s: s.cancel("O-000001")}
    assert got(run_books(BookScript(script), records)) == []
    late = run_books(BookScript(script), records, latency_ms=15)
    # Sent at 1020, the cancel arrives at 1035: too late for the trade.
    assert [(side, size) for _, side, size, _ in got(late)] == [("BUY", 30)]


def test_positions_are_marked_at_the_mid():
    records = [*QUIET, shown(1040, ((100.10, 10),), ((100.15, 10),))]
    ran = run_books(BookScript({0: buy(50)}), records)
    # 50 shares bought at 100.01, worth 100.125 each: the half cent stays exact.
    assert ran.outcome.final_equity == 1_000_000_000_000_000 + 5_750_000_000


def test_crossed_books_are_left_out():
    crossed = shown(1015, ((100.05, 100),), ((100.01, 50),), quality=1)
    script = BookScript({0: buy(10, limit=100.00)})
    ran = run_books(script, [*QUIET[:2], crossed, *QUIET[2:]])
    assert got(ran) == []
    assert len(script.books) == 4


@pytest.mark.parametrize("entry", [None, 100.01], ids=["market", "limit"])
def test_the_gate_judges_orders_as_over_bars(entry):
    from tradingd.config.risk import RiskConfig

    ran = run_books(BookScript({0: buy(10, limit=entry)}), QUIET, limits=RiskConfig())
    assert orders(ran) == [("O-000001", "DENIED", 0)]
    assert "require_stop" in {one.limit for one in ran.tables.denials}
