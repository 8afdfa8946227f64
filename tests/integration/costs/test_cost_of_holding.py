"""Borrow fees, dividends and splits alone, with a position open.

A dividend is put on by adding it to the store. A split is compared with the same market in which
it never happened: prices after it times the ratio.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.integration.costs.costs_kit import NEXT_OPEN, Bar, Market, daily, dividend, flat, split

# Thursday to Tuesday
WEEKEND = ["2018-06-07", "2018-06-08", "2018-06-11", "2018-06-12"]
RISING = [("100", "100"), ("110", "110"), ("120", "120"), ("130", "130")]


def nano(amount: Fraction) -> Decimal:
    """Round half up to nine decimals."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal("1e-9"), rounding=ROUND_HALF_UP)


# -- borrow ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", ["3.6", "0.5", "7.25"])
def test_a_short_pays_rate_times_value_for_every_night_and_three_over_a_weekend(
    tmp_path: Path, rate
):
    market = Market(tmp_path, daily(WEEKEND, RISING))
    trades = {0: -1_000, 3: 1_000}
    off, on = market.run(trades), market.run(trades, f"broker.borrow_rate={rate}")
    # Thursday night on 100,000, three nights to Monday on 110,000, Monday night on 120,000.
    a_night = Fraction(rate) / 100 / 360
    expected = sum(
        nano(a_night * nights * 1_000 * close) for nights, close in ((1, 100), (3, 110), (1, 120))
    )
    assert off.equity - on.equity == expected
    assert [row["kind"] for row in on.cash] == ["borrow"] * 3
    if rate == "3.6":  # a hundredth of a percent a night: 10 + 33 + 12
        assert expected == Decimal("55.00")


def test_a_holiday_weekend_has_four_nights(tmp_path: Path):
    # Monday 2018-05-28 was Memorial Day.
    market = Market(tmp_path, flat(["2018-05-25", "2018-05-29"], "100"))
    trades = {0: -1_000, 1: 1_000}
    off, on = market.run(trades), market.run(trades, "broker.borrow_rate=3.6")
    assert off.equity - on.equity == 4 * Decimal("10.00")


def test_a_night_without_a_short_costs_nothing(tmp_path: Path):
    market = Market(tmp_path, daily(WEEKEND, RISING))
    # Short on Thursday night only, long over the weekend.
    trades = {0: -1_000, 1: 2_000}
    off, on = market.run(trades), market.run(trades, "broker.borrow_rate=3.6")
    assert off.equity - on.equity == Decimal("10.00")


# -- dividends -------------------------------------------------------------------------------------


def with_and_without(home: Path, amount: str) -> tuple[Market, Market]:
    """The same prices, without and with a dividend whose ex-date is the Monday."""
    bars = daily(WEEKEND, RISING)
    paying = Market(home / "paying", bars, actions=[dividend(WEEKEND[2], amount)])
    return Market(home / "plain", bars), paying


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
def test_a_dividend_is_received_on_a_long_and_paid_on_a_short(tmp_path: Path, sign):
    plain, paying = with_and_without(tmp_path, "0.4725")
    trades = {0: sign * 333}
    difference = paying.run(trades).equity - plain.run(trades).equity
    assert difference == sign * 333 * Decimal("0.4725")


@pytest.mark.parametrize(
    ("trades", "entitled"),
    [
        ({1: 100}, 0),  # decided at Friday's close, filled at the open of the ex-date: too late
        ({0: 100, 1: -100}, 100),  # sold at that open: held at the close before, so entitled
        ({0: 100, 1: -40}, 100),
        ({0: 100, 1: -200}, 100),  # turned short at that open
        ({0: -100, 1: 100}, -100),  # a short covered there still owes it
    ],
    ids=["bought ex", "sold ex", "partly sold ex", "flipped ex", "covered ex"],
)
def test_the_holding_at_the_close_before_the_ex_date_counts(tmp_path: Path, trades, entitled):
    plain, paying = with_and_without(tmp_path, "1.25")
    difference = paying.run(trades, NEXT_OPEN).equity - plain.run(trades, NEXT_OPEN).equity
    assert difference == entitled * Decimal("1.25")


def test_a_dividend_and_a_split_on_one_day_pay_per_old_share(tmp_path: Path):
    bars = [*flat(WEEKEND[:2], "100"), *flat(WEEKEND[2:], "50")]
    two_for_one = split(WEEKEND[2], 2, 1)
    plain = Market(tmp_path / "plain", bars, actions=[two_for_one])
    paying = Market(tmp_path / "paying", bars, actions=[two_for_one, dividend(WEEKEND[2], "0.60")])
    # 100 shares at the close before, 200 after: 100 x 0.60
    assert paying.run({0: 100}).equity - plain.run({0: 100}).equity == Decimal("60.00")


# -- splits ----------------------------------------------------------------------------------------


def split_and_unsplit(
    home: Path, numerator: int, denominator: int, before: str, after: list[str]
) -> tuple[Market, Market]:
    """A market that splits on its third day, and one in which it never happened."""
    ratio = Fraction(numerator, denominator)
    restated = [str(nano(ratio * Fraction(price))) for price in after]
    action = split(WEEKEND[2], numerator, denominator)
    split_market = Market(home / "split", path(before, after), actions=[action])
    return split_market, Market(home / "unsplit", path(before, restated))


def path(before: str, after: list[str]) -> list[Bar]:
    return [*flat(WEEKEND[:2], before), *daily(WEEKEND[2:], [(price, price) for price in after])]


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(
    ("up", "down", "held", "before", "after"),
    [(7, 1, 100, "645.57", ["92.70", "93.70"]), (1, 8, 80, "2.50", ["20.80", "21.60"])],
    ids=["seven for one", "one for eight"],
)
def test_a_split_without_a_fraction_changes_no_equity(
    tmp_path: Path, sign, up, down, held, before, after
):
    happened, never = split_and_unsplit(tmp_path, up, down, before, after)
    ended, plain = happened.run({0: sign * held}), never.run({0: sign * held})
    assert ended.equity == plain.equity
    assert ended.cash == []
    assert ended.fills[-1]["quantity"] == abs(held * up // down - held)


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
def test_a_fraction_of_a_share_becomes_cash_at_the_close_before(tmp_path: Path, sign):
    # 101 shares, three for two: 151.5. Half a new share at 90 x 2/3 = 60 is 30 in cash; in the
    # world without the split that half rides from 60 to 62.
    happened, never = split_and_unsplit(tmp_path, 3, 2, "90", ["61", "62"])
    ended, plain = happened.run({0: sign * 101}), never.run({0: sign * 101})
    (row,) = ended.cash
    assert (row["kind"], row["amount"]) == ("cash_in_lieu", sign * Decimal("30"))
    missed = Decimal("0.5") * (Decimal(62) - Decimal(60))
    assert plain.equity - ended.equity == sign * missed


@pytest.mark.parametrize("sign", [1, -1], ids=["long", "short"])
def test_a_reverse_split_pays_the_fraction_too(tmp_path: Path, sign):
    # 105 shares at 5.00, one for ten: 10 shares and half a share at 50, which is 25 in cash.
    happened, never = split_and_unsplit(tmp_path, 1, 10, "5", ["51", "52"])
    ended, plain = happened.run({0: sign * 105}), never.run({0: sign * 105})
    assert [row["amount"] for row in ended.cash] == [sign * Decimal("25")]
    assert plain.equity - ended.equity == sign * Decimal("0.5") * (Decimal(52) - Decimal(50))


def test_less_than_one_new_share_is_cashed_out_at_the_close_before(tmp_path: Path):
    # 7 shares at 5.00, one for ten: 0.7 of a share at 50 is 35 in cash, and the position is gone.
    happened, never = split_and_unsplit(tmp_path, 1, 10, "5", ["51", "52"])
    ended, plain = happened.run({0: 7}), never.run({0: 7})
    assert [row["amount"] for row in ended.cash] == [Decimal("35")]
    assert ended.fills[-1]["position_after"] == 0
    # It misses the way from 5.00 to 5.20 a share.
    assert plain.equity - ended.equity == 7 * (Decimal("5.20") - Decimal("5.00"))


def test_a_split_pays_no_commission_and_no_slippage(tmp_path: Path):
    happened, _ = split_and_unsplit(tmp_path, 7, 1, "645.57", ["92.70", "93.70"])
    costs = ("broker.fees=ibkr_fixed", "execution.slippage.kind=fixed")
    bought, extra = happened.run({0: 100}, *costs).fills
    assert (extra["quantity"], extra["purpose"]) == (600, "CORPORATE")
    assert (extra["commission"], extra["slippage"], extra["price"]) == (0, 0, 0)
    # 2 bp of 645.57 = 0.129114, up to 0.13; 100 x 0.005 is below the minimum of 1.00
    assert (bought["slippage"], bought["commission"]) == (Decimal("13.00"), Decimal("1.00"))
