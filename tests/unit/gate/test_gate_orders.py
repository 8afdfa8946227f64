"""What counts as an increase, what may always leave, and how working orders weigh."""

import datetime as dt

import msgspec
import pytest

from tests.unit.gate.gate_bench import (
    DAY,
    MINUTE,
    NOW,
    OPEN,
    SESSION,
    Case,
    buy,
    filled,
    nothing,
    sell,
    session_on,
    usd,
)
from tradingd.config.risk import RiskConfig
from tradingd.domain.market import NANOSECONDS, ReferenceData
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate

CLOSED = msgspec.structs.replace(
    OPEN,
    drawdown_percent=0,
    daily_loss_percent=0,
    risk_per_trade_percent=0,
    open_risk_percent=0,
    position_percent=0,
    gross_percent=0,
    short_of_gross_percent=0,
    max_positions=0,
    max_trades_per_day=0,
    loss_streak=1,
    max_order_value=1,
    orders_per_minute=0,
    no_trade_open_minutes=390,
    no_trade_close_minutes=390,
    earnings_blackout_days=2,
    require_stop=True,
    short_availability="listed",
    margin_regime="cash",
)
"""Every limit so tight that no increase can pass."""

ANNOUNCED = ReferenceData(earnings={"AAA": (DAY,)}, members={})


def closed_gate(book: Book) -> Gate:
    return Gate(CLOSED, book, reference=ANNOUNCED, account="cash", bar_seconds=60)


def book_holding(quantity: int) -> Book:
    """A position in AAA at 100, after one losing trip in BBB, everything marked at NOW."""
    book = Book(usd(100_000))
    book.start_session(SESSION)
    filled(book, Side.BUY, 1, 100, order_id="L-1")
    filled(book, Side.SELL, 1, 99, order_id="L-2")
    book.mark("AAA", usd(100), NOW)
    side = Side.BUY if quantity > 0 else Side.SELL
    if quantity:
        filled(book, side, abs(quantity), 100, symbol="AAA", order_id="P-1")
    return book


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.PROTECT])
@pytest.mark.parametrize("held", [100, -100], ids=["long", "short"])
def test_closing_a_position_passes_when_every_limit_is_broken(held, purpose):
    gate = closed_gate(book_holding(held))
    side = sell if held > 0 else buy
    assert gate.check(side(100, purpose=purpose), NOW, None).allowed


def test_an_increase_meets_every_limit_that_can_deny_it():
    book = book_holding(0)
    denied = {d.limit for d in closed_gate(book).check(sell(100), NOW, SESSION).denials}
    # One share of an unmarked price and an unpriced collar cannot be broken by a fresh mark.
    assert denied == set(closed_gate(book).count()) - {
        "collar_percent",
        "max_mark_age_seconds",
    }


@pytest.mark.parametrize(
    ("held", "intent"),
    [
        (0, sell(1, purpose=Purpose.EXIT)),
        (0, buy(1, purpose=Purpose.PROTECT)),
        (100, sell(101, purpose=Purpose.EXIT)),
        (100, sell(101, purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET)),
        (100, buy(1, purpose=Purpose.EXIT)),
        (-100, buy(101, purpose=Purpose.EXIT)),
        (-100, sell(1, purpose=Purpose.EXIT)),
        (100, sell(50, purpose=Purpose.ENTRY)),
    ],
    ids=[
        "exit-of-nothing",
        "protect-of-nothing",
        "exit-larger-than-long",
        "stop-larger-than-long",
        "exit-that-adds-to-long",
        "exit-larger-than-short",
        "exit-that-adds-to-short",
        "entry-that-only-reduces",
    ],
)
def test_an_order_is_an_increase_by_its_effect_not_by_its_claim(held, intent):
    assert not closed_gate(book_holding(held)).check(intent, NOW, SESSION).allowed


def test_only_the_excess_of_an_oversized_exit_counts_as_exposure():
    # 100 held, 150 sold: 50 shares short = 5,000 = 5 % of 100,000; one share more is too much.
    gate = gate_with(book_of(100), position_percent=5.0)
    assert gate.check(sell(150, purpose=Purpose.EXIT), NOW, SESSION).allowed
    denied = gate.check(sell(151, purpose=Purpose.EXIT), NOW, SESSION)
    assert [d.limit for d in denied.denials] == ["position_percent"]


def test_a_flip_counts_its_far_side_only_and_frees_what_it_closes():
    # +400 -> -400: gross stays 40,000 = 40 %.
    gate = gate_with(book_of(400), gross_percent=40.0, position_percent=40.0)
    assert gate.check(sell(800), NOW, SESSION).allowed
    denied = gate.check(sell(801), NOW, SESSION)
    assert {d.limit for d in denied.denials} == {"gross_percent", "position_percent"}


def test_corporate_orders_pass_outside_every_limit_and_count():
    gate = closed_gate(book_holding(100))
    assert gate.check(buy(600, 0, purpose=Purpose.CORPORATE), NOW, None).allowed
    assert all(counted == (0, 0) for counted in gate.count().values())


def test_a_quantity_that_is_not_positive_is_refused_loudly():
    with pytest.raises(ValueError, match="quantity -5"):
        gate_with(book_of(0)).check(sell(-5), NOW, SESSION)


def test_a_second_market_exit_of_the_same_shares_is_an_increase():
    book = book_holding(100)
    gate = closed_gate(book)
    first = sell(100, purpose=Purpose.EXIT, order_id="X-1")
    assert gate.check(first, NOW, SESSION).allowed
    book.order_opened(first)
    assert not gate.check(sell(100, purpose=Purpose.EXIT, order_id="X-2"), NOW, SESSION).allowed
    book.order_closed("X-1")
    assert gate.check(sell(100, purpose=Purpose.EXIT, order_id="X-3"), NOW, SESSION).allowed


def test_a_market_exit_passes_beside_a_working_stop_and_target():
    book = book_holding(100)
    gate = closed_gate(book)
    stop = sell(100, 95, purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET, order_id="S")
    target = sell(100, 103, purpose=Purpose.EXIT, type=OrderType.LIMIT, order_id="T")
    for resting in (stop, target):
        assert gate.check(resting, NOW, SESSION).allowed
        book.order_opened(resting)
    assert gate.check(sell(100, purpose=Purpose.EXIT, order_id="X"), NOW, SESSION).allowed


def test_the_children_of_an_unfilled_bracket_are_measured_against_their_parent():
    gate = closed_gate(book_holding(0))
    stop = sell(100, 95, purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET)
    assert not gate.check(stop, NOW, SESSION).allowed
    assert gate.check(stop, NOW, SESSION, guards=100).allowed
    assert not gate.check(stop, NOW, SESSION, guards=99).allowed
    assert not gate.check(sell(100, purpose=Purpose.EXIT), NOW, SESSION, guards=100).allowed


def test_the_children_of_a_working_bracket_add_no_exposure_of_their_own():
    book = book_of(0)
    book.order_opened(buy(100, order_id="E", stop="95"))
    before = (book.pending_long, book.open_risk, book.unfilled_entries)
    stop = sell(100, 95, purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET, order_id="S")
    target = sell(100, 110, purpose=Purpose.EXIT, type=OrderType.LIMIT, order_id="T")
    for child in (stop, target):
        book.order_opened(child)
    assert book.pending_short == 0
    assert (book.pending_long, book.open_risk, book.unfilled_entries) == before
    book.order_opened(sell(101, 110, purpose=Purpose.EXIT, type=OrderType.LIMIT, order_id="U"))
    assert book.pending_short > 0


# -- exits and prices --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "allowed"),
    [
        (sell(100, "94.99", purpose=Purpose.EXIT, type=OrderType.LIMIT), False),
        (sell(100, "95.00", purpose=Purpose.EXIT, type=OrderType.LIMIT), True),
        (sell(100, "200", purpose=Purpose.EXIT, type=OrderType.LIMIT), True),
        (sell(100, "50", purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET), True),
        (sell(100, "0", purpose=Purpose.PROTECT, type=OrderType.STOP_MARKET), False),
        (sell(100, "0", purpose=Purpose.EXIT), True),
    ],
    ids=[
        "limit-gives-6-percent-away",
        "limit-at-the-collar",
        "far-target",
        "far-stop",
        "stop-at-zero",
        "market",
    ],
)
def test_exits_may_rest_far_away_but_not_give_money_away(intent, allowed):
    gate = gate_with(book_of(100), collar_percent=5.0)
    assert gate.check(intent, NOW, SESSION).allowed is allowed


def test_a_cover_may_not_pay_far_above_the_mark():
    gate = gate_with(book_of(-100), collar_percent=5.0)
    dear = buy(100, "105.01", purpose=Purpose.EXIT, type=OrderType.LIMIT)
    assert [d.limit for d in gate.check(dear, NOW, SESSION).denials] == ["collar_percent"]
    cheap = buy(100, "50", purpose=Purpose.EXIT, type=OrderType.LIMIT)
    assert gate.check(cheap, NOW, SESSION).allowed


def test_an_entry_is_held_to_the_collar_on_both_sides():
    case = Case(buy(1, "94.99", type=OrderType.LIMIT), {"collar_percent": 5.0})
    assert case.denied_by() == {"collar_percent"}
    case = Case(buy(1, "95.00", type=OrderType.LIMIT), {"collar_percent": 5.0})
    assert case.denied_by() == set()


def test_a_market_order_is_judged_by_the_mark_not_by_the_price_it_claims():
    # 60 shares at the mark of 100 are 6 % of 100,000, whatever price the strategy states.
    assert Case(buy(60, 1), {"position_percent": 5.0}).denied_by() == {"position_percent"}


def test_a_marketable_short_limit_counts_at_the_mark():
    case = Case(sell(51, 96, type=OrderType.LIMIT), {"position_percent": 5.0})
    assert case.denied_by() == {"position_percent"}


def test_an_entry_without_any_mark_is_denied():
    assert Case(buy(1), marked=False).denied_by() == {"max_mark_age_seconds"}


def test_zero_mark_age_means_two_and_a_half_bars():
    limits = {"max_mark_age_seconds": 0}
    late = NOW + 150 * NANOSECONDS
    assert Case(buy(1), limits, now=late).denied_by() == set()
    assert Case(buy(1), limits, now=late + 1).denied_by() == {"max_mark_age_seconds"}


@pytest.mark.parametrize(
    ("intent", "allowed"),
    [(sell(1, stop="100.01"), True), (sell(1, stop="100"), False), (sell(1, stop="99"), False)],
)
def test_the_stop_of_a_short_must_stand_above_its_price(intent, allowed):
    assert (Case(intent, {"require_stop": True}).denied_by() == set()) is allowed


def test_without_a_stop_the_whole_value_is_at_risk():
    # 0.4 % of 100,000 is 400 = 4 shares at 100.
    assert Case(buy(4), {"risk_per_trade_percent": 0.4}).denied_by() == set()
    assert Case(buy(5), {"risk_per_trade_percent": 0.4}).denied_by() == {"risk_per_trade_percent"}


# -- pending exposure --------------------------------------------------------------------------


def test_working_entries_count_until_they_are_closed():
    book = book_of(0)
    gate = gate_with(book, position_percent=5.0, gross_percent=5.0, max_positions=1)
    waiting = buy(30, 100, type=OrderType.LIMIT, order_id="W")
    assert gate.check(waiting, NOW, SESSION).allowed
    book.order_opened(waiting)
    # 30 + 21 shares are 5,100 of 5,000 allowed.
    denied = gate.check(buy(21, order_id="Z"), NOW, SESSION)
    assert {d.limit for d in denied.denials} == {"position_percent", "gross_percent"}
    book.mark("CCC", usd(100), NOW)
    other = gate.check(buy(1, symbol="CCC", order_id="C"), NOW, SESSION)
    assert {d.limit for d in other.denials} == {"max_positions"}
    book.order_closed("W")
    assert gate.check(buy(50, order_id="Z"), NOW, SESSION).allowed
    assert gate.check(buy(1, symbol="CCC", order_id="C"), NOW, SESSION).allowed


def test_a_partial_fill_moves_exposure_from_the_order_to_the_position():
    book = book_of(0)
    gate = gate_with(book, position_percent=5.0)
    waiting = buy(50, order_id="W", stop="90")
    book.order_opened(waiting)
    before = (book.gross + book.pending_long, book.open_risk, book.occupied)
    filled(book, Side.BUY, 20, 100, symbol="AAA", order_id="W")
    assert book.gross == usd(2_000)
    assert book.pending_long == usd(3_000)
    assert (book.gross + book.pending_long, book.open_risk, book.occupied) == before
    assert [d.limit for d in gate.check(buy(1, order_id="Z"), NOW, SESSION).denials] == [
        "position_percent"
    ]
    book.order_closed("W")
    assert gate.check(buy(30, order_id="Z"), NOW, SESSION).allowed
    assert not gate.check(buy(31, order_id="Z"), NOW, SESSION).allowed


def test_the_entrys_protective_stop_becomes_the_positions_when_it_fills():
    book = book_of(0)
    book.order_opened(buy(50, order_id="W", stop="90"))
    filled(book, Side.BUY, 50, 100, symbol="AAA", order_id="W")
    assert book.position("AAA").stop == usd(90)
    assert book.open_risk == usd(500)


def test_working_shorts_count_in_the_short_share_and_the_borrow():
    book = book_of(0)
    reference = ReferenceData(shortable={"AAA": {DAY: 100}})
    limits = msgspec.structs.replace(
        OPEN, short_availability="listed", gross_percent=20.0, short_of_gross_percent=50.0
    )
    gate = Gate(limits, book, reference=reference, account="margin", bar_seconds=60)
    book.order_opened(sell(60, order_id="W"))
    # 60 + 40 shares: exactly the 100 to borrow and the 10,000 of 50 % of 20 % of 100,000.
    assert gate.check(sell(40, order_id="Z"), NOW, SESSION).allowed
    denied = gate.check(sell(41, order_id="Z"), NOW, SESSION)
    assert {d.limit for d in denied.denials} == {"short_of_gross_percent", "short_availability"}


def test_unfilled_entries_count_as_trades_of_the_day():
    book = book_of(0)
    gate = gate_with(book, max_trades_per_day=2)
    book.order_opened(buy(1, order_id="A"))
    book.order_opened(buy(1, order_id="B"))
    assert [d.limit for d in gate.check(buy(1), NOW, SESSION).denials] == ["max_trades_per_day"]
    filled(book, Side.BUY, 1, symbol="AAA", order_id="A")
    assert (book.trades_today, book.unfilled_entries) == (1, 1)
    book.order_closed("B")
    assert gate.check(buy(1), NOW, SESSION).allowed


def test_several_fills_of_one_order_are_one_trade():
    book = book_of(0)
    for _ in range(3):
        filled(book, Side.BUY, 10, symbol="AAA", order_id="A")
    filled(book, Side.SELL, 30, symbol="AAA", order_id="X", purpose=Purpose.EXIT)
    assert book.trades_today == 1


def test_an_order_opened_again_under_its_id_replaces_itself():
    book = book_of(0)
    book.order_opened(buy(50, order_id="W"))
    book.order_opened(buy(20, order_id="W"))
    assert book.pending_long == usd(2_000)
    book.order_closed("W")
    assert (book.pending_long, book.open_risk, book.occupied) == (0, 0, 0)


# -- pace --------------------------------------------------------------------------------------


def test_the_minute_of_the_order_rate_slides():
    gate = gate_with(book_of(0), orders_per_minute=2)
    second = NANOSECONDS
    assert gate.check(buy(1), NOW, SESSION).allowed
    assert gate.check(buy(1), NOW + 30 * second, SESSION).allowed
    assert not gate.check(buy(1), NOW + 60 * second - 1, SESSION).allowed
    assert gate.check(buy(1), NOW + 60 * second, SESSION).allowed
    assert not gate.check(buy(1), NOW + 60 * second, SESSION).allowed


def test_exits_use_up_the_order_rate_but_are_never_held_back_by_it():
    gate = gate_with(book_of(100), orders_per_minute=1)
    for _ in range(5):
        assert gate.check(sell(10, purpose=Purpose.EXIT), NOW, SESSION).allowed
    assert [d.limit for d in gate.check(buy(1), NOW, SESSION).denials] == ["orders_per_minute"]


def test_a_denied_order_does_not_use_up_the_rate():
    gate = gate_with(book_of(0), orders_per_minute=1, max_order_value=100)
    for _ in range(5):
        assert not gate.check(buy(100), NOW, SESSION).allowed
    assert gate.check(buy(1), NOW, SESSION).allowed


# -- losses ------------------------------------------------------------------------------------


def losing_trips(book: Book, count: int, ts: int) -> None:
    for number in range(count):
        filled(book, Side.BUY, 1, 100, order_id=f"F{ts}-{number}", ts=ts)
        filled(book, Side.SELL, 1, 99, order_id=f"X{ts}-{number}", ts=ts)


def test_the_pause_after_losses_ends_with_the_session_and_the_next_loss_pauses_again():
    book = book_of(0)
    gate = gate_with(book, loss_streak=3)
    losing_trips(book, 3, NOW)
    assert not gate.check(buy(1), NOW, SESSION).allowed
    tomorrow = session_on(DAY + dt.timedelta(days=1))
    book.start_session(tomorrow)
    assert gate.check(buy(1), tomorrow.open_ns + MINUTE, tomorrow).allowed
    losing_trips(book, 1, tomorrow.open_ns + MINUTE)
    assert not gate.check(buy(1), tomorrow.open_ns + MINUTE, tomorrow).allowed


def test_the_pause_after_losses_can_be_counted_in_minutes():
    book = book_of(0)
    gate = gate_with(book, loss_streak=3, loss_streak_pause_minutes=30)
    losing_trips(book, 3, NOW)
    assert not gate.check(buy(1), NOW + 30 * MINUTE - 1, SESSION).allowed
    assert gate.check(buy(1), NOW + 30 * MINUTE, SESSION).allowed


def test_a_trip_that_breaks_even_ends_the_streak():
    book = book_of(0)
    losing_trips(book, 2, NOW)
    filled(book, Side.BUY, 1, 100, order_id="E-1")
    filled(book, Side.SELL, 1, 100, order_id="E-2")
    assert book.loss_streak == 0


def test_a_losing_streak_of_zero_switches_the_limit_off():
    book = book_of(0)
    losing_trips(book, 5, NOW)
    assert gate_with(book, loss_streak=0).check(buy(1), NOW, SESSION).allowed


# -- times -------------------------------------------------------------------------------------


def test_the_last_minutes_of_a_half_day_are_closed_at_one_oclock():
    half_day = session_on(dt.date(2024, 7, 3), hours=3.5)
    limits = {"no_trade_close_minutes": 5}
    at = half_day.close_ns - 5 * MINUTE
    assert Case(buy(1), limits, session=half_day, now=at).denied_by() == {"no_trade_close_minutes"}
    assert Case(buy(1), limits, session=half_day, now=at - 1).denied_by() == set()


def test_without_a_session_every_configured_window_denies():
    limits = {"no_trade_open_minutes": 1, "no_trade_close_minutes": 1}
    assert Case(buy(1), limits, session=None).denied_by() == set(limits)
    assert Case(buy(1), session=None).denied_by() == set()


def test_daily_bars_are_decided_at_the_close_so_windows_do_not_apply():
    limits = {"no_trade_open_minutes": 5, "no_trade_close_minutes": 5}
    at_close = {"now": SESSION.close_ns}
    assert Case(buy(1), limits, **at_close).denied_by() == {"no_trade_close_minutes"}
    assert Case(buy(1), limits, bar_seconds=86_400, **at_close).denied_by() == set()
    assert Case(buy(1), limits, bar_seconds=86_400, session=None).denied_by() == set()


@pytest.mark.parametrize(
    ("days", "denied"),
    [((-2,), True), ((-3,), False), ((0,), True), ((-30, 3, 60), False), ((-30, 2, 60), True)],
    ids=["two-days-after", "three-days-after", "same-day", "between", "two-days-before"],
)
def test_earnings_black_out_the_days_around_every_announcement(days, denied):
    dates = tuple(DAY + dt.timedelta(days=day) for day in days)
    case = Case(
        buy(1), {"earnings_blackout_days": 2}, reference=ReferenceData(earnings={"AAA": dates})
    )
    assert (case.denied_by() == {"earnings_blackout_days"}) is denied


def test_another_symbols_earnings_do_not_matter():
    reference = ReferenceData(earnings={"BBB": (DAY,)})
    assert Case(buy(1), {"earnings_blackout_days": 2}, reference=reference).denied_by() == set()


# -- account -----------------------------------------------------------------------------------


def test_a_cash_account_may_spend_its_cash_and_no_more():
    assert Case(buy(1000), account="cash").denied_by() == set()
    assert Case(buy(1001), account="cash").denied_by() == {"margin_regime"}


def test_a_cash_account_counts_its_working_buys():
    def waiting(book: Book) -> None:
        book.order_opened(buy(600, order_id="W"))

    assert Case(buy(400), prepare=waiting, account="cash").denied_by() == set()
    assert Case(buy(401), prepare=waiting, account="cash").denied_by() == {"margin_regime"}


def test_a_cash_account_never_sells_short_even_in_the_open_profile():
    assert Case(sell(1), account="cash").denied_by() == {"margin_regime"}


def day_trades(count: int):
    """Same-day round trips in BBB that cost nothing."""

    def prepare(book: Book) -> None:
        for number in range(count):
            filled(book, Side.BUY, 1, order_id=f"B-{number}")
            filled(book, Side.SELL, 1, order_id=f"S-{number}")

    return prepare


PDT = {"margin_regime": "legacy_pdt"}


def test_a_small_account_stops_after_three_day_trades_under_the_old_rule():
    assert Case(buy(1), PDT, day_trades(2), cash=24_999).denied_by() == set()
    assert Case(buy(1), PDT, day_trades(3), cash=24_999).denied_by() == {"margin_regime"}
    assert Case(buy(1), PDT, day_trades(3), cash=25_000).denied_by() == set()


def test_day_trades_leave_the_count_after_five_sessions():
    book = Book(usd(20_000))
    days = [dt.date(2024, 1, day) for day in (3, 4, 5, 8, 9, 10)]
    book.start_session(session_on(days[0]))
    day_trades(3)(book)
    counts = [book.day_trades]
    for day in days[1:]:
        book.start_session(session_on(day))
        counts.append(book.day_trades)
    assert counts == [3, 3, 3, 3, 3, 0]


def test_a_position_held_overnight_and_sold_is_no_day_trade():
    book = Book(usd(20_000))
    book.start_session(SESSION)
    filled(book, Side.BUY, 10)
    book.start_session(session_on(dt.date(2024, 1, 4)))
    filled(book, Side.SELL, 10, order_id="X")
    assert book.day_trades == 0


def test_selling_one_purchase_in_pieces_is_one_day_trade():
    book = Book(usd(20_000))
    book.start_session(SESSION)
    filled(book, Side.BUY, 10)
    for piece in range(5):
        filled(book, Side.SELL, 2, order_id=f"X-{piece}")
    assert book.day_trades == 1


NEW_RULE = {"margin_regime": "intraday_4210"}
DAILY = 86_400


@pytest.mark.parametrize(
    ("limits", "cash", "bar_seconds", "longs", "shorts"),
    [
        (PDT, 25_000, 60, 100_000, 100_000),  # four times
        (PDT, 24_999, 60, 49_998, 49_998),  # twice
        (PDT, 25_000, DAILY, 50_000, 50_000),  # held overnight: twice
        (PDT, 1_999, 60, 1_999, 1_999),  # no loan
        (NEW_RULE, 25_000, 60, 100_000, 83_333),  # / 25 %, / 30 %
        (NEW_RULE, 2_000, 60, 8_000, 6_666),
        (NEW_RULE, 1_999, 60, 1_999, 1_999),
        (NEW_RULE, 25_000, DAILY, 50_000, 50_000),
    ],
)
def test_margin_lets_positions_reach_a_multiple_of_equity(limits, cash, bar_seconds, longs, shorts):
    def marked_at_one(book: Book) -> None:
        book.mark("AAA", usd(1), NOW)

    common = {"prepare": marked_at_one, "cash": cash, "bar_seconds": bar_seconds}
    for side, shares in ((buy, longs), (sell, shorts)):
        assert Case(side(shares, 1), limits, **common).denied_by() == set()
        assert Case(side(shares + 1, 1), limits, **common).denied_by() == {"margin_regime"}


def test_maintenance_counts_longs_shorts_and_working_orders_together():
    def both_sides(book: Book) -> None:
        filled(book, Side.BUY, 1_000, symbol="BBB")  # 100,000 long: 25,000
        filled(book, Side.SELL, 1_000, symbol="CCC")  # 100,000 short: 30,000
        book.order_opened(buy(1_000, order_id="W"))  # 100,000 on its way: 25,000

    # 100,000 - 80,000 = 20,000 left: 800 shares at 25 %
    assert Case(buy(800), NEW_RULE, both_sides).denied_by() == set()
    assert Case(buy(801), NEW_RULE, both_sides).denied_by() == {"margin_regime"}


def test_maintenance_frees_what_a_flip_closes():
    def long(book: Book) -> None:
        filled(book, Side.BUY, 4_000, symbol="AAA")

    # from 4,000 long to 3,333 short: 30 % of 333,300 is 99,990
    assert Case(sell(7_333), NEW_RULE, long).denied_by() == set()
    assert Case(sell(7_334), NEW_RULE, long).denied_by() == {"margin_regime"}


def test_the_automatic_regime_changes_on_the_fourth_of_june_2026():
    auto = {"margin_regime": "auto"}
    for day, denied in ((dt.date(2026, 6, 3), True), (dt.date(2026, 6, 4), False)):
        session = session_on(day)
        book = Book(usd(24_999))
        book.start_session(session)
        now = session.open_ns + 60 * MINUTE
        book.mark("AAA", usd(100), now)
        day_trades(3)(book)
        gate = Gate(
            msgspec.structs.replace(OPEN, **auto),
            book,
            reference=ReferenceData(),
            account="margin",
            bar_seconds=60,
        )
        assert gate.check(buy(1), now, session).allowed is not denied


def test_the_automatic_regime_of_a_cash_account_is_cash():
    assert Case(sell(1), {"margin_regime": "auto"}, account="cash").denied_by() == {"margin_regime"}


def test_an_account_without_equity_is_denied_everything_that_adds():
    def ruined(book: Book) -> None:
        filled(book, Side.BUY, 1000)
        book.mark("BBB", usd("0.01"), NOW + 1)

    case = Case(buy(1), {"margin_regime": "intraday_4210"}, ruined, cash=50_000)
    assert case.denied_by() == {"margin_regime", "position_percent", "gross_percent"} | {
        "risk_per_trade_percent",
        "open_risk_percent",
    }


# -- helpers -----------------------------------------------------------------------------------


def book_of(quantity: int) -> Book:
    """A fresh book with a position in AAA at 100."""
    book = Book(usd(100_000))
    book.start_session(SESSION)
    book.mark("AAA", usd(100), NOW)
    if quantity:
        side = Side.BUY if quantity > 0 else Side.SELL
        filled(book, side, abs(quantity), symbol="AAA", order_id="P")
    return book


def gate_with(book: Book, **limits) -> Gate:
    return Gate(
        msgspec.structs.replace(OPEN, **limits),
        book,
        reference=ReferenceData(),
        account="margin",
        bar_seconds=60,
    )


def test_percentages_of_the_default_profile_are_exact_parts_per_million():
    # 0.4 % in binary is not 0.4: 100,000 x 0.4 % must be 400.00 exactly, not 400.0000000001.
    default = RiskConfig()
    assert default.risk_per_trade_percent == 0.4
    case = Case(buy(40, stop="90"), {"risk_per_trade_percent": 0.4}, nothing)
    assert case.denied_by() == set()
