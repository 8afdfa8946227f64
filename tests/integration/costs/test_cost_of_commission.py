"""A broker's schedule alone: equity falls by what its page says, computed here by hand.

Purchases before September 2024 carry no regulatory fee, so they show the broker's part alone.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.costs.costs_kit import Ended, Market, Trades, daily, flat, minutes
from tradingd.domain.market import Resolution

WEEK_2018 = ["2018-06-04", "2018-06-05", "2018-06-06"]
WEEK_2019 = ["2019-06-03", "2019-06-04", "2019-06-05"]
FIXED, TIERED, ALPACA = (f"broker.fees={name}" for name in ("ibkr_fixed", "ibkr_tiered", "alpaca"))


def cost(market: Market, trades: Trades, fees: str, *both: str) -> Decimal:
    """Return how much less equity a run ends with when only the schedule is put on."""
    off, on = market.run(trades, *both), market.run(trades, *both, fees)
    assert prices(off) == prices(on)
    assert on.sum("commission") == off.equity - on.equity
    return off.equity - on.equity


def prices(ended: Ended) -> list[tuple[int, Decimal]]:
    return [(fill["quantity"], fill["price"]) for fill in ended.fills]


# -- fixed: 0.005 a share, at least 1.00, at most 1 % of the order (0.5 % before 2019-04-16) -------


@pytest.mark.parametrize(
    ("days", "shares", "price", "expected"),
    [
        (WEEK_2019, 1_000, "50", "5.00"),  # 1,000 x 0.005
        (WEEK_2019, 100, "50", "1.00"),  # 100 x 0.005 = 0.50, below the minimum
        (WEEK_2019, 20_000, "0.40", "80.00"),  # 100.00, above 1 % of 8,000
        (WEEK_2019, 10, "4", "0.40"),  # 0.05; minimum 1.00; 1 % of 40 = 0.40 wins
        (WEEK_2018, 20_000, "0.40", "40.00"),  # 0.5 % of 8,000
        (WEEK_2018, 10, "4", "0.20"),  # 0.5 % of 40
        (WEEK_2018, 201, "50", "1.005"),  # IBKR books fractions of a cent
    ],
    ids=["rate", "minimum", "cap", "cap below minimum", "old cap", "old cap, small", "mills"],
)
def test_a_purchase_costs_the_fixed_rate_within_its_bounds(
    tmp_path: Path, days, shares, price, expected
):
    market = Market(tmp_path, flat(days, price))
    assert cost(market, {0: shares}, FIXED) == Decimal(expected)


def test_every_order_pays_its_own_minimum(tmp_path: Path):
    market = Market(tmp_path, flat(WEEK_2019, "50"))
    # 100 x 0.005 = 0.50 each, but twice the minimum of 1.00
    assert cost(market, {0: 100, 1: 100}, FIXED) == Decimal("2.00")


def test_an_order_filled_in_three_parts_on_one_day_pays_one_minimum(tmp_path: Path):
    bars = minutes("2019-06-03", [("50", "50")] * 5, volume=1_000)
    market = Market(tmp_path, bars, resolution=Resolution.MINUTE)
    capped = "execution.participation_percent=5"
    # 50 + 50 + 20 shares; 120 x 0.005 = 0.60, so the minimum of 1.00, once
    assert cost(market, {0: 120}, FIXED, capped) == Decimal("1.00")
    assert [quantity for quantity, _ in prices(market.run({0: 120}, capped))] == [50, 50, 20]


def test_the_rest_of_an_order_on_the_next_day_pays_the_minimum_again(tmp_path: Path):
    market = Market(tmp_path, daily(WEEK_2019, [("50", "50")] * 3, volume=1_000))
    # 50 shares on each of two days: 2 x 1.00
    paid = cost(market, {0: 100}, FIXED, "execution.participation_percent=5")
    assert paid == Decimal("2.00")


# -- tiered: marginal rates by the month's shares, at least 0.35, at most 1 % of the order ---------
#    + exchange 0.0030 a share (0.3 % of the value below 1 USD) + clearing 0.0002 a share
#    + NYSE 0.000175 and FINRA 0.00056 of the commission


def tiered(commission: str, exchange: str, shares: int) -> Decimal:
    """Add clearing and pass-through to a commission and an exchange fee."""
    broker = Decimal(commission)
    passed_through = broker * Decimal("0.000175") + broker * Decimal("0.00056")
    return broker + Decimal(exchange) + shares * Decimal("0.0002") + passed_through


@pytest.mark.parametrize(
    ("days", "shares", "price", "commission", "exchange"),
    [
        (WEEK_2019, 1_000, "50", "3.50", "3.00"),  # 1,000 x 0.0035; 1,000 x 0.0030
        (WEEK_2019, 10, "50", "0.35", "0.03"),  # 0.035, below the minimum
        (WEEK_2019, 10, "2", "0.20", "0.03"),  # 1 % of 20 is below the minimum and wins
        (WEEK_2018, 10, "2", "0.10", "0.03"),  # 0.5 % of 20
        (WEEK_2019, 1_000, "0.50", "3.50", "1.50"),  # 0.3 % of 500; 1 % of 500 = 5.00
        # 300,000 x 0.0035 + 2,700,000 x 0.0020 + 1,000,000 x 0.0015 = 1,050 + 5,400 + 1,500
        (WEEK_2019, 4_000_000, "2", "7950", "12000"),
    ],
    ids=["rate", "minimum", "cap", "old cap", "below a dollar", "three tiers"],
)
def test_a_purchase_costs_the_tiered_rate_and_every_fee_beside_it(
    tmp_path: Path, days, shares, price, commission, exchange
):
    market = Market(tmp_path, flat(days, price))
    assert cost(market, {0: shares}, TIERED) == tiered(commission, exchange, shares)


def test_the_tier_follows_the_shares_of_the_calendar_month(tmp_path: Path):
    days = ["2019-06-27", "2019-06-28", "2019-07-01", "2019-07-02"]
    market = Market(tmp_path, flat(days, "10"))
    # June: 250,000 x 0.0035 = 875, then 50,000 x 0.0035 + 50,000 x 0.0020 = 175 + 100
    june = tiered("875", "750", 250_000) + tiered("275", "300", 100_000)
    assert cost(market, {0: 250_000, 1: 100_000}, TIERED) == june
    # July begins at the first tier again: 100,000 x 0.0035 = 350
    july = tiered("875", "750", 250_000) + tiered("350", "300", 100_000)
    assert cost(market, {0: 250_000, 2: 100_000}, TIERED) == july


def test_broker_exchange_and_regulatory_parts_stand_apart_in_the_fills(tmp_path: Path):
    market = Market(tmp_path, flat(WEEK_2019, "50"))
    on = market.run({0: 1_000}, TIERED)
    parts = [on.sum(f"fee_{part}") for part in ("broker", "exchange", "regulatory")]
    # exchange and clearing: 1,000 x (0.0030 + 0.0002); pass-through: 3.50 x 0.000735
    assert parts == [Decimal("3.50"), Decimal("3.20"), Decimal("0.0025725")]


# -- Alpaca: no commission; each regulatory fee rounded up to the cent on the day's total ----------


def test_a_purchase_at_alpaca_costs_nothing(tmp_path: Path):
    market = Market(tmp_path, flat(WEEK_2019, "50"))
    assert cost(market, {0: 1_000}, ALPACA) == 0


def test_alpaca_rounds_every_fee_up_to_the_cent_on_the_days_total(tmp_path: Path):
    # 2018-06-05: Section 31 13.00 per million (from 2018-05-22), TAF 0.000119 a share (2012-07-01)
    bars = minutes("2018-06-05", [("50", "50")] * 6)
    market = Market(tmp_path, bars, resolution=Resolution.MINUTE)
    # One sale of 100 shares: 5,000 x 13/1,000,000 = 0.065 -> 0.07; 100 x 0.000119 = 0.0119 -> 0.02
    assert cost(market, {0: 300, 1: -100}, ALPACA) == Decimal("0.09")
    # Three of them: 0.195 -> 0.20 (not 0.21); 0.0357 -> 0.04 (not 0.06)
    three = {0: 300, 1: -100, 2: -100, 3: -100}
    assert cost(market, three, ALPACA) == Decimal("0.24")


def test_alpaca_rounds_each_day_on_its_own(tmp_path: Path):
    market = Market(tmp_path, flat([*WEEK_2018, "2018-06-07"], "50"))
    # (0.07 + 0.02) on each of three days
    sales = {0: 300, 1: -100, 2: -100, 3: -100}
    assert cost(market, sales, ALPACA) == Decimal("0.27")
