"""The book against arithmetic by hand."""

import datetime as dt

import msgspec
import pytest

from tests.unit.gate.gate_bench import DAY, NOW, SESSION, buy, filled, session_on, usd
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.gate.book import Book, BookState, CashKind, ClosedTrip


def book() -> Book:
    fresh = Book(usd(100_000))
    fresh.start_session(SESSION)
    return fresh


def fill(
    side: Side, quantity: int, price: str, commission: str = "0", slippage: str = "0", ts: int = NOW
) -> Fill:
    return Fill(
        order_id=f"{side}-{quantity}-{price}",
        strategy="test",
        symbol="AAA",
        side=side,
        quantity=quantity,
        price=usd(price),
        commission=usd(commission),
        slippage=usd(slippage),
        purpose=Purpose.ENTRY,
        ts=ts,
    )


def test_a_long_round_trip_adds_up():
    account = book()
    assert account.fill(fill(Side.BUY, 100, "10.00", "1.00", "0.50", ts=NOW)) is None
    # 100,000 - 1,000 - 1 = 98,999 cash; 100 shares at the fill's price, no mark yet
    assert (account.cash, account.equity) == (usd(98_999), usd(99_999))
    account.mark("AAA", usd(11), NOW + 1)
    assert (account.long_value, account.short_value, account.gross) == (usd(1_100), 0, usd(1_100))
    trip = account.fill(fill(Side.SELL, 100, "12.00", "2.00", "0.25", ts=NOW + 2))
    assert trip == ClosedTrip(
        strategy="test",
        symbol="AAA",
        side=Side.BUY,
        quantity=100,
        entry_price=usd(10),
        exit_price=usd(12),
        realised=usd(197),  # 100 x (12 - 10) - 1 - 2
        commission=usd(3),
        slippage=usd("0.75"),
        dividends=0,
        borrow=0,
        ts_opened=NOW,
        ts_closed=NOW + 2,
    )
    assert account.cash == account.equity == usd(100_197)
    assert account.realised_today == usd(197)
    assert account.position("AAA") is None
    assert dict(account.positions()) == {}


def test_a_short_round_trip_adds_up():
    account = book()
    account.fill(fill(Side.SELL, 100, "10.00", "1.00"))
    account.mark("AAA", usd(11), NOW + 1)
    assert account.cash == usd("100_999")
    assert (account.long_value, account.short_value) == (0, usd(1_100))
    assert account.equity == usd(99_899)  # 100,999 - 1,100
    trip = account.fill(fill(Side.BUY, 100, "9.00", "1.00"))
    assert (trip.side, trip.realised) == (Side.SELL, usd(98))  # 100 x (10 - 9) - 2
    assert account.equity == usd(100_098)


def test_adding_averages_the_price_and_reducing_keeps_it():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00"))
    account.fill(fill(Side.BUY, 50, "13.00"))
    position = account.position("AAA")
    # (1,000 + 650) / 150 = 11
    assert (position.quantity, position.average_price) == (150, usd(11))
    account.fill(fill(Side.SELL, 50, "12.00"))
    assert (position.quantity, position.average_price) == (100, usd(11))
    assert account.realised_today == usd(50)  # 50 x (12 - 11)


def test_an_average_that_is_no_whole_nano_loses_nothing():
    account = book()
    account.fill(fill(Side.BUY, 1, "10.00"))
    account.fill(fill(Side.BUY, 2, "10.01"))
    # 30.02 / 3 = 10.00666...: rounded for display, exact in the cost
    assert account.position("AAA").average_price == 10_006_666_667
    for _ in range(3):
        account.fill(fill(Side.SELL, 1, "10.00"))
    assert account.realised_today == usd("-0.02")
    assert account.equity == usd("99_999.98")


def test_a_flip_closes_one_trip_and_opens_the_next():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00", "1.00"))
    trip = account.fill(fill(Side.SELL, 150, "12.00", "3.00", "1.50"))
    # two thirds of the fill close: 2.00 of its commission, 1.00 of its slippage
    assert trip.realised == usd(197)
    assert (trip.commission, trip.slippage) == (usd(3), usd(1))
    position = account.position("AAA")
    assert (position.quantity, position.average_price) == (-50, usd(12))
    last = account.fill(fill(Side.BUY, 50, "12.00"))
    assert (last.side, last.commission, last.slippage) == (Side.SELL, usd(1), usd("0.50"))
    assert account.trades_today == 2
    assert account.equity == usd(100_196)  # 200 - 1 - 3


def test_a_split_while_long_changes_neither_equity_nor_the_trip():
    # AAPL, 2014-06-09, 7 for 1: 100 shares at 645.57 become 700 at 92.224285714...
    account = book()
    account.fill(fill(Side.BUY, 100, "645.00"))
    account.mark("AAA", usd("645.57"), NOW)
    account.set_stop("AAA", usd(630))
    before = account.equity
    account.split("AAA", 7, 1)
    filled(account, Side.BUY, 600, 0, symbol="AAA", purpose=Purpose.CORPORATE, ts=NOW + 1)
    position = account.position("AAA")
    assert (position.quantity, position.average_price) == (700, 92_142_857_143)
    assert position.mark == 92_224_285_714
    assert position.stop == usd(90)
    assert abs(account.equity - before) <= 700
    assert (account.trades_today, account.realised_today) == (1, 0)
    trip = account.fill(fill(Side.SELL, 700, "93.00"))
    # share units of the entry: 700 x 93 / 100 = 651
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (100, usd(645), usd(651))
    assert trip.realised == usd(600)
    assert account.cash == usd(100_600)


def test_a_split_while_short_owes_the_extra_shares():
    account = book()
    account.fill(fill(Side.SELL, 100, "700.00"))
    account.mark("AAA", usd(700), NOW)
    account.split("AAA", 7, 1)
    filled(account, Side.SELL, 600, 0, symbol="AAA", purpose=Purpose.CORPORATE, ts=NOW + 1)
    assert account.position("AAA").quantity == -700
    assert account.equity == usd(100_000)
    trip = account.fill(fill(Side.BUY, 700, "99.00"))
    assert trip.realised == usd(700)


def test_the_order_of_split_and_shares_does_not_matter_and_makes_no_peak():
    shares_first = book()
    shares_first.fill(fill(Side.BUY, 100, "70.00"))
    shares_first.mark("AAA", usd(70), NOW)
    filled(shares_first, Side.BUY, 600, 0, symbol="AAA", purpose=Purpose.CORPORATE, ts=NOW + 1)
    shares_first.split("AAA", 7, 1)
    shares_first.mark("AAA", usd(10), NOW + 2)
    shares_first.mark("AAA", usd(10), NOW + 3)
    assert shares_first.day_peak == shares_first.equity == usd(100_000)


def test_a_reverse_split_that_leaves_no_share_ends_the_trip_with_its_cash():
    account = book()
    account.fill(fill(Side.BUY, 5, "1.00"))
    account.cash_movement("AAA", usd("4.80"), CashKind.CASH_IN_LIEU)
    account.split("AAA", 1, 10)
    trip = account.fill(
        msgspec.structs.replace(
            fill(Side.SELL, 5, "0"), purpose=Purpose.CORPORATE, order_id="SPLIT"
        )
    )
    assert trip.realised == usd("-0.20")
    assert account.equity == usd("99_999.80")


def test_working_entries_survive_a_split_with_their_value():
    account = book()
    account.mark("AAA", usd(70), NOW)
    account.order_opened(buy(10, 70, order_id="W", stop="63"))
    account.split("AAA", 7, 1)
    assert (account.pending_long, account.open_risk) == (usd(700), usd(70))
    account.order_closed("W")
    assert (account.pending_long, account.open_risk) == (0, 0)


def test_dividends_and_borrow_fees_belong_to_the_trip_but_not_to_its_price():
    account = book()
    account.fill(fill(Side.SELL, 100, "10.00"))
    account.cash_movement("AAA", usd("-47.00"), "dividend")
    account.cash_movement("AAA", usd("-1.50"), "borrow")
    trip = account.fill(fill(Side.BUY, 100, "9.70"))
    assert trip.realised == usd(30)
    assert (trip.dividends, trip.borrow) == (usd(-47), usd("1.50"))
    assert trip.net == usd("-18.50")
    assert account.loss_streak == 1
    assert account.equity == usd("99_981.50")


def test_an_unknown_kind_of_cash_is_refused():
    account = book()
    account.fill(fill(Side.BUY, 1, "10.00"))
    with pytest.raises(ValueError, match="gift"):
        account.cash_movement("AAA", 1, "gift")


def test_a_dividend_before_the_ex_dates_first_price_makes_no_peak():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00"))
    account.mark("AAA", usd(10), NOW)
    account.cash_movement("AAA", usd(50), "dividend")
    account.mark("AAA", usd("9.50"), NOW + 1)
    account.mark("AAA", usd("9.50"), NOW + 2)
    assert account.day_peak == usd(100_000)


def test_the_peak_is_taken_when_an_instant_is_complete():
    account = book()
    filled(account, Side.BUY, 100, 100, symbol="AAA")
    filled(account, Side.BUY, 100, 100, symbol="BBB")
    account.mark("AAA", usd(110), NOW + 1)  # +1,000 for an instant that
    account.mark("BBB", usd(90), NOW + 1)  # ends where it began
    account.mark("AAA", usd(109), NOW + 2)
    account.mark("BBB", usd(90), NOW + 2)
    assert account.day_peak == usd(100_000)
    account.mark("AAA", usd(115), NOW + 3)
    account.mark("AAA", usd(100), NOW + 4)
    assert account.day_peak == usd(100_500)
    assert account.equity == usd(99_000)


def test_a_new_session_starts_the_day_anew_but_the_same_one_does_not():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00", "1.00"))
    account.mark("AAA", usd(20), NOW)
    account.mark("AAA", usd(15), NOW + 1)
    account.start_session(SESSION)
    assert account.day_peak == usd(100_999)
    assert (account.trades_today, account.realised_today) == (1, usd(-1))
    account.start_session(session_on(DAY + dt.timedelta(days=1)))
    assert account.day_peak == account.session_start_equity == usd(100_499)
    assert (account.trades_today, account.realised_today) == (0, 0)


def test_closing_a_position_forgets_its_stop():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00"))
    account.set_stop("AAA", usd(9))
    assert account.open_risk == usd(100)
    account.set_stop("AAA", usd(12))
    assert account.open_risk == 0
    account.set_stop("AAA", None)
    assert account.open_risk == usd(1_000)
    account.fill(fill(Side.SELL, 100, "10.00"))
    account.fill(fill(Side.BUY, 100, "10.00"))
    assert account.position("AAA").stop is None


def test_a_restart_from_json_goes_on_exactly_where_it_stopped():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00", "1.00"))
    filled(account, Side.BUY, 5, 50, symbol="CCC", order_id="C")
    filled(account, Side.SELL, 5, 49, symbol="CCC", order_id="C2")
    account.mark("AAA", usd(20), NOW + 1)
    account.mark("AAA", usd(15), NOW + 2)
    account.set_stop("AAA", usd(9))
    account.order_opened(buy(10, 15, order_id="W", stop="14"))
    filled(account, Side.BUY, 4, 15, symbol="AAA", order_id="W", ts=NOW + 3)
    text = msgspec.json.encode(account.snapshot())
    again = Book.restore(msgspec.json.decode(text, type=BookState))
    facts = (
        "cash equity long_value short_value gross day_peak session_start_equity realised_today "
        "loss_streak last_loss_ts trades_today open_risk pending_long pending_short occupied "
        "unfilled_entries day_trades session"
    ).split()
    assert [getattr(again, name) for name in facts] == [getattr(account, name) for name in facts]
    assert (again.loss_streak, again.trades_today, again.day_trades) == (1, 3, 1)
    assert again.day_peak == usd("100_994")  # 100 x 10 - 1 of commission - 5 lost on CCC
    for one in (account, again):
        one.order_closed("W")
        trip = one.fill(fill(Side.SELL, 104, "16.00", ts=NOW + 9))
        assert trip.realised == usd(603)  # 100 x 6 + 4 x 1 - 1
    assert again.snapshot() == account.snapshot()
    assert msgspec.json.encode(again.snapshot()) != text


def test_a_snapshot_does_not_change_with_the_book():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00"))
    taken = account.snapshot()
    copy = msgspec.json.encode(taken)
    account.mark("AAA", usd(20), NOW + 1)
    account.fill(fill(Side.SELL, 50, "20.00"))
    assert msgspec.json.encode(taken) == copy


def test_the_live_view_of_positions_cannot_be_written():
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00"))
    with pytest.raises(TypeError):
        account.positions()["AAA"] = None  # the view is read-only


def test_a_fill_does_not_move_the_mark():
    account = book()
    account.mark("AAA", usd(10), NOW)
    account.fill(fill(Side.BUY, 100, "10.50"))
    assert account.position("AAA").mark == usd(10)
    assert account.equity == usd(99_950)


@pytest.mark.parametrize("amount", [usd(5_000), -usd(5_000)])
def test_money_paid_in_or_out_is_no_gain_and_no_loss(amount: int) -> None:
    account = book()
    account.fill(fill(Side.BUY, 100, "10.00", ts=NOW))
    account.mark("AAA", usd(12), NOW + 1)
    account.mark("AAA", usd(11), NOW + 2)
    below = account.day_peak - account.equity
    gained = account.equity - account.session_start_equity
    before = account.equity
    account.transfer(amount)
    assert account.equity == before + amount
    assert account.day_peak - account.equity == below == usd(100)
    assert account.equity - account.session_start_equity == gained == usd(100)
    again = Book.restore(account.snapshot())
    assert (again.day_peak, again.session_start_equity) == (
        account.day_peak,
        account.session_start_equity,
    )
