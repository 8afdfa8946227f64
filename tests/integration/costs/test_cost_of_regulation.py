"""Section 31, TAF and CAT alone: Alpaca's schedule with amounts that need no rounding.

The rates are written here from the regulators' notices, not read from the product's tables.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.costs.costs_kit import NEXT_OPEN, Market, Trades, daily, flat

ALPACA = "broker.fees=alpaca"
SHARES, PRICE = 20_000, "50"
"""A million dollars, so Section 31 costs its rate per million."""

ROUND_TRIP: Trades = {0: SHARES, 1: -SHARES}


def cost(market: Market, trades: Trades, *both: str) -> Decimal:
    """Return how much less equity a run ends with when only the regulatory fees are put on."""
    off, on = market.run(trades, *both), market.run(trades, *both, ALPACA)
    assert on.sum("fee_regulatory") == off.equity - on.equity
    return off.equity - on.equity


@pytest.mark.parametrize(
    ("days", "section_31", "taf"),
    [
        # FINRA Information Notice of 2018-05-07: 23.10 to 13.00 per million on 2018-05-22;
        # TAF 0.000119 a share from 2012-07-01: 20,000 x 0.000119 = 2.38
        (["2018-05-18", "2018-05-21"], "23.10", "2.38"),
        (["2018-05-21", "2018-05-22"], "13.00", "2.38"),
        # SEC Fee Rate Advisory 2 for 2020: 20.70 to 22.10 on 2020-02-18
        (["2020-02-13", "2020-02-14"], "20.70", "2.38"),
        (["2020-02-14", "2020-02-18"], "22.10", "2.38"),
        # SEC release 2010-255: 19.20 from 2011-01-21. FINRA Notice 11-27: TAF 0.000075 to
        # 0.000090 on 2011-07-01: 1.50 to 1.80
        (["2011-06-29", "2011-06-30"], "19.20", "1.50"),
        (["2011-06-30", "2011-07-01"], "19.20", "1.80"),
        # SEC Fee Rate Advisory 5 for 2012: 18.00 from 2012-02-21. FINRA Notice 12-06: TAF
        # 0.000090 to 0.000095 on 2012-03-01: 1.80 to 1.90
        (["2012-02-28", "2012-02-29"], "18.00", "1.80"),
        (["2012-02-29", "2012-03-01"], "18.00", "1.90"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else value,
)
def test_a_sale_costs_section_31_and_taf_of_its_day(tmp_path: Path, days, section_31, taf):
    market = Market(tmp_path, flat(days, PRICE))
    assert cost(market, ROUND_TRIP) == Decimal(section_31) + Decimal(taf)


def test_section_31_falls_on_value_and_taf_on_shares(tmp_path: Path):
    days = ["2018-05-21", "2018-05-22"]
    dear = Market(tmp_path / "dear", flat(days, "100"))
    cheap = Market(tmp_path / "cheap", flat(days, "50"))
    # Twice the value at the same shares: one million more at 13.00
    more_value = cost(dear, ROUND_TRIP) - cost(cheap, ROUND_TRIP)
    assert more_value == Decimal("13.00")
    # Twice the shares at the same value: 10,000 more at 0.000119
    fewer_shares = cost(cheap, ROUND_TRIP) - cost(dear, {0: 10_000, 1: -10_000})
    assert fewer_shares == Decimal("1.19")


def test_a_short_sale_costs_the_same_and_covering_it_nothing(tmp_path: Path):
    market = Market(tmp_path, flat(["2018-05-22", "2018-05-23"], PRICE))
    # 13.00 per million and 20,000 x 0.000119, once
    assert cost(market, {0: -SHARES, 1: SHARES}) == Decimal("13.00") + Decimal("2.38")


def test_the_day_of_the_fill_counts_not_the_day_of_the_decision(tmp_path: Path):
    days = ["2018-05-18", "2018-05-21", "2018-05-22"]
    market = Market(tmp_path, flat(days, PRICE))
    # Decided at the close of 21 May (23.10), filled at the open of 22 May (13.00)
    assert cost(market, ROUND_TRIP, NEXT_OPEN) == Decimal("13.00") + Decimal("2.38")


def test_taf_is_capped_per_order_that_fills_at_once(tmp_path: Path):
    market = Market(tmp_path, flat(["2012-02-29", "2012-03-01"], "10"))
    # 100,000 x 0.000095 = 9.50, above the cap of 4.75; 1 million x 18.00
    assert cost(market, {0: 100_000, 1: -100_000}) == Decimal("18.00") + Decimal("4.75")


def test_the_taf_cap_holds_per_execution(tmp_path: Path):
    days = ["2012-03-01", "2012-03-02", "2012-03-05", "2012-03-06"]
    prices = [("10", "10")] * 4
    deep = daily(days[:1], prices[:1], volume=10_000_000)
    thin = daily(days[1:], prices[1:], volume=600_000)
    market = Market(tmp_path, [*deep, *thin])
    # 120,000 shares in two executions of 60,000: 60,000 x 0.000095 = 5.70, capped at 4.75, twice.
    # Section 31: 600,000 USD a day at 18.00 per million = 10.80, twice.
    paid = cost(market, {0: 120_000, 1: -120_000}, "execution.participation_percent=10")
    assert paid == 2 * (Decimal("4.75") + Decimal("10.80"))


@pytest.mark.parametrize(
    ("days", "per_share"),
    [
        # Consolidated Audit Trail: CAT Fee 2024-1 from September 2024, with Historical
        # Recovery Assessment 1 (0.000013) from October 2024
        (["2024-08-29", "2024-08-30"], "0"),
        (["2024-09-03", "2024-09-04"], "0.000035"),
        (["2024-10-01", "2024-10-02"], "0.000048"),
    ],
    ids=["before", "fee", "fee and recovery"],
)
def test_the_audit_trail_is_paid_by_purchases_too(tmp_path: Path, days, per_share):
    market = Market(tmp_path, flat(days, "5"))
    assert cost(market, {0: 1_000_000}) == 1_000_000 * Decimal(per_share)


def test_a_sale_pays_all_three(tmp_path: Path):
    market = Market(tmp_path, flat(["2024-10-01", "2024-10-02"], "5"))
    # CAT 1,000,000 x 0.000048 on each side; Section 31 5 million x 27.80 (from 2024-05-22);
    # TAF 1,000,000 x 0.000166 = 166, capped at 8.30 (2024)
    expected = 2 * Decimal("48.00") + 5 * Decimal("27.80") + Decimal("8.30")
    assert cost(market, {0: 1_000_000, 1: -1_000_000}) == expected
