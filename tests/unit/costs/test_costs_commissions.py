"""Commissions by hand from the dated schedules; the arithmetic stands beside each number."""

import datetime as dt
from decimal import Decimal

import pytest

from tradingd.costs.make import commission_model
from tradingd.costs.memory import MOST_ORDERS, OrderMemory
from tradingd.domain.money import decimal, nanos
from tradingd.domain.orders import Side
from tradingd.domain.ports import Fees

BUY, SELL = Side.BUY, Side.SELL


def usd(amount: str | int) -> int:
    return nanos(Decimal(amount))


def charge(model, side, quantity, price, day, order_id="O-1") -> Fees:
    return model.charge(order_id, side, quantity, usd(price), dt.date.fromisoformat(day))


def of(schedule, side, quantity, price, day) -> Fees:
    return charge(commission_model(schedule), side, quantity, price, day)


def dollars(amount: int) -> str:
    return str(decimal(amount).normalize())


# -- regulatory, through Alpaca's neighbour `ibkr_fixed`, which does not round ---------------------


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # Section 31 on 1,000 x 50 = 50,000 USD sold, then TAF on 1,000 shares
        ("2001-06-01", "1.665"),  # 0.05 x 33.30; no TAF yet
        ("2010-01-14", "1.36"),  # 0.05 x 25.70 = 1.285; 1,000 x 0.000075 = 0.075
        ("2010-01-15", "0.71"),  # 0.05 x 12.70 = 0.635; 0.075
        ("2014-06-09", "1.224"),  # 0.05 x 22.10 = 1.105; 1,000 x 0.000119 = 0.119
        ("2018-05-21", "1.274"),  # 0.05 x 23.10 = 1.155; 0.119
        ("2018-05-22", "0.769"),  # 0.05 x 13.00 = 0.65; 0.119
        ("2024-06-03", "1.556"),  # 0.05 x 27.80 = 1.39; 1,000 x 0.000166 = 0.166
        ("2025-05-14", "0.201"),  # 0; 0.166; CAT 1,000 x 0.000035 = 0.035
    ],
)
def test_a_sale_pays_the_rates_of_its_day(day, expected):
    assert dollars(of("ibkr_fixed", SELL, 1000, 50, day).regulatory) == expected


def test_a_purchase_pays_no_section_31_and_no_taf():
    assert of("ibkr_fixed", BUY, 1000, 50, "2018-05-22").regulatory == 0
    # CAT falls on both sides: 1,000 x 0.000048
    assert dollars(of("ibkr_fixed", BUY, 1000, 50, "2024-10-01").regulatory) == "0.048"


def test_the_taf_is_capped_per_execution():
    # 100,000 x 0.000119 = 11.90, capped at 5.95; Section 31: 10 USD x 100,000 = 1 M x 13.00
    fees = of("ibkr_fixed", SELL, 100_000, 10, "2019-01-02")
    assert dollars(fees.regulatory) == "18.95"


# -- Interactive Brokers, fixed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "price", "day", "expected"),
    [
        (100, "25", "2024-06-03", "1"),  # 0.50 is below the minimum
        (200, "25", "2024-06-03", "1"),  # exactly the minimum
        (1000, "25", "2024-06-03", "5"),  # 1,000 x 0.005
        (1000, "0.25", "2024-06-03", "2.5"),  # 5.00, but 1 % of 250 is 2.50
        (10, "0.20", "2024-06-03", "0.02"),  # 1 % of 2.00 is below the minimum: it wins
        (1000, "0.25", "2016-06-03", "1.25"),  # 0.5 % of 250 in the earlier schedule
    ],
)
def test_ibkr_fixed_charges_per_share_between_minimum_and_maximum(quantity, price, day, expected):
    fees = of("ibkr_fixed", BUY, quantity, price, day)
    assert dollars(fees.broker) == expected
    assert fees.exchange == 0


def test_ten_partial_fills_cost_what_one_fill_costs():
    day = "2016-06-03"
    for schedule in ("ibkr_fixed", "ibkr_tiered"):
        for quantity, price in ((10, "25"), (100, "25"), (10, "0.20")):
            parts, whole = commission_model(schedule), commission_model(schedule)
            paid = sum(charge(parts, BUY, quantity, price, day).broker for _ in range(10))
            assert paid == charge(whole, BUY, 10 * quantity, price, day).broker


def test_the_minimum_is_completed_once_and_only_what_exceeds_it_follows():
    model = commission_model("ibkr_fixed")
    # cumulative 100, 300, 500 shares: 1.00 (minimum), 1.50, 2.50
    paid = [dollars(charge(model, BUY, n, 25, "2024-06-03").broker) for n in (100, 200, 200)]
    assert paid == ["1", "0.5", "1"]


def test_every_order_pays_its_own_minimum():
    model = commission_model("ibkr_fixed")
    paid = [charge(model, BUY, 1, 500, "2024-06-03", order_id=f"O-{n}").broker for n in range(3)]
    assert paid == [usd(1)] * 3


def test_the_rest_of_an_order_on_the_next_day_pays_the_minimum_again():
    model = commission_model("ibkr_fixed")
    assert charge(model, BUY, 100, 25, "2024-06-03").broker == usd(1)
    assert charge(model, BUY, 100, 25, "2024-06-03").broker == 0
    assert charge(model, BUY, 100, 25, "2024-06-04").broker == usd(1)


def test_a_forgotten_order_pays_the_minimum_again():
    model = commission_model("ibkr_fixed")
    charge(model, BUY, 100, 25, "2024-06-03")
    model.forget("O-1")
    model.forget("never seen")
    assert charge(model, BUY, 100, 25, "2024-06-03").broker == usd(1)


# -- Interactive Brokers, tiered -------------------------------------------------------------------


def test_ibkr_tiered_agrees_with_the_brokers_published_example():
    # "Sell 200,000 Island NASDAQ Shares @ $5 Remove Liquidity", at Section 31 of 8.00:
    # commission 700 + NASDAQ 600 + clearing 40 + Section 31 8.00 + FINRA 0.39 + NYSE 0.12
    # + TAF 7.27 = 1,355.78; unrounded 0.392 and 0.1225
    fees = of("ibkr_tiered", SELL, 200_000, 5, "2023-06-01")
    assert dollars(fees.broker) == "7E+2"
    assert fees.exchange == usd(640)
    assert dollars(fees.regulatory) == "15.7845"
    assert round(decimal(fees.total), 2) == Decimal("1355.78")


def test_ibkr_tiered_agrees_with_the_published_example_of_thirty_million_shares():
    # 300,000 x 0.0035 = 1,050; 2.7 M x 0.0020 = 5,400; 17 M x 0.0015 = 25,500;
    # 10 M x 0.0010 = 10,000: 41,950. NYSE 90,000, clearing 6,000, Section 31 1,200, FINRA 23.49,
    # pass-through 7.34, TAF 7.27: 139,188.10
    fees = of("ibkr_tiered", SELL, 30_000_000, 5, "2023-06-01")
    assert fees.broker == usd(41_950)
    assert round(decimal(fees.total), 2) == Decimal("139188.10")


def test_tiers_follow_the_shares_of_the_calendar_month():
    model = commission_model("ibkr_tiered")
    # 299,000 at 0.0035; then 1,000 at 0.0035 and 1,000 at 0.0020
    assert charge(model, BUY, 299_000, 5, "2024-06-03", "A").broker == usd("1046.50")
    assert charge(model, BUY, 2_000, 5, "2024-06-28", "B").broker == usd("5.50")
    assert charge(model, BUY, 2_000, 5, "2024-06-28", "C").broker == usd("4.00")
    # July starts anew, as does the same month of another year
    assert charge(model, BUY, 2_000, 5, "2024-07-01", "D").broker == usd("7.00")
    assert charge(model, BUY, 2_000, 5, "2025-07-01", "E").broker == usd("7.00")


def test_ibkr_tiered_holds_minimum_and_maximum():
    # 10 x 0.0035 = 0.035 -> 0.35; 1 % of 10 x 0.50 = 0.05 wins over 0.35
    assert of("ibkr_tiered", BUY, 10, 25, "2024-06-03").broker == usd("0.35")
    assert of("ibkr_tiered", BUY, 10, "0.50", "2024-06-03").broker == usd("0.05")


def test_exchange_and_clearing_fees_stand_apart():
    # 100 x 0.0030 + 100 x 0.0002; below a dollar 0.3 % of 50 = 0.15 + 0.02
    assert of("ibkr_tiered", BUY, 100, 25, "2024-06-03").exchange == usd("0.32")
    assert of("ibkr_tiered", BUY, 100, "0.50", "2024-06-03").exchange == usd("0.17")


def test_pass_through_fees_are_a_share_of_the_commission():
    # 1,000 x 0.0035 = 3.50; 3.50 x (0.000175 + 0.00056) = 0.0006125 + 0.00196
    fees = of("ibkr_tiered", BUY, 1000, 25, "2024-06-03")
    assert dollars(fees.regulatory) == "0.0025725"


# -- Alpaca ----------------------------------------------------------------------------------------


def test_alpaca_charges_no_commission_and_rounds_every_fee_up_to_the_cent():
    # 100 x 25 = 2,500: Section 31 0.0325 -> 0.04; TAF 0.0119 -> 0.02
    fees = of("alpaca", SELL, 100, 25, "2019-01-02")
    assert (fees.broker, fees.exchange, fees.regulatory) == (0, 0, usd("0.06"))
    assert of("alpaca", BUY, 100, 25, "2019-01-02").total == 0


def test_alpaca_rounds_the_days_total_not_every_fill():
    model = commission_model("alpaca")
    paid = [charge(model, SELL, 100, 25, "2019-01-02", f"O-{n}").total for n in range(10)]
    # 10 x 0.0325 = 0.325 -> 0.33; 10 x 0.0119 = 0.119 -> 0.12
    assert sum(paid) == usd("0.45")
    assert max(paid) == paid[0] == usd("0.06")


def test_alpaca_starts_a_new_total_every_day():
    model = commission_model("alpaca")
    charge(model, SELL, 100, 25, "2019-01-02")
    assert charge(model, SELL, 100, 25, "2019-01-03").total == usd("0.06")


def test_schedule_none_charges_nothing():
    model = commission_model("none")
    assert charge(model, SELL, 1000, 50, "2019-01-02") == Fees()
    model.forget("O-1")
    assert list(model.notes) == []


# -- notes and memory ------------------------------------------------------------------------------


def test_unverified_rates_and_approximations_are_noted_once_when_used():
    model = commission_model("ibkr_tiered")
    assert list(model.notes) == []
    for _ in range(3):
        charge(model, SELL, 100, 25, "2015-03-02")
    notes = list(model.notes)
    assert len(notes) == len(set(notes))
    assert any("Section 31 from 2015-02-14: unverified" in note for note in notes)
    assert any("access-fee cap" in note for note in notes)


def test_a_verified_day_of_alpaca_leaves_no_note():
    model = commission_model("alpaca")
    charge(model, SELL, 100, 25, "2011-08-01")
    assert list(model.notes) == []


def test_the_memory_of_orders_is_bounded_and_drops_the_oldest():
    memory = OrderMemory(most=2)
    day = dt.date(2024, 6, 3)
    first = memory.of("A", day)
    memory.of("B", day)
    assert memory.of("A", day) is first
    memory.of("C", day)
    assert len(memory) == 2
    assert memory.of("A", day) is first
    assert memory.of("B", day).value == 0


def test_the_shipped_memory_bound_holds_over_many_orders():
    model = commission_model("ibkr_fixed")
    for number in range(MOST_ORDERS + 10):
        charge(model, BUY, 1, 500, "2024-06-03", order_id=str(number))
    assert len(model._memory) == MOST_ORDERS


def test_two_models_of_one_schedule_share_no_memory():
    charge(commission_model("ibkr_fixed"), BUY, 100, 25, "2024-06-03")
    assert of("ibkr_fixed", BUY, 100, 25, "2024-06-03").broker == usd(1)
