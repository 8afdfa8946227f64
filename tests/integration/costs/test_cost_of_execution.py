"""Slippage, latency and the participation cap alone: equity moves by price x quantity."""

import itertools
import statistics
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import pytest

from tests.integration.costs.costs_kit import NEXT_OPEN, Ended, Market, daily, flat, minutes, split
from tradingd.domain.market import Resolution

CENT = Decimal("0.01")
DAYS = [f"2018-06-{day:02}" for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19)]


def up_to_the_cent(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_CEILING)


def fills(ended: Ended) -> list[tuple[int, Decimal]]:
    return [(fill["quantity"], fill["price"]) for fill in ended.fills]


# -- fixed slippage --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "bought", "sold", "expected"),
    [
        # 2 bp of 100.03 = 0.020006, up to 0.03; 2 bp of 50.00 = 0.01
        ("2", "100.03", "50.00", 300 * (Decimal("0.03") + Decimal("0.01"))),
        # 10 bp of 3.00 = 0.003, up to one cent, on both sides
        ("10", "3.00", "3.00", 300 * (Decimal("0.01") + Decimal("0.01"))),
        # 25 bp of 40.00 = 0.10; 25 bp of 44.00 = 0.11
        ("25", "40.00", "44.00", 300 * (Decimal("0.10") + Decimal("0.11"))),
    ],
)
def test_fixed_slippage_costs_whole_cents_on_both_sides(
    tmp_path: Path, points, bought, sold, expected
):
    market = Market(tmp_path, daily(DAYS[:2], [(bought, bought), (sold, sold)]))
    trades = {0: 300, 1: -300}
    off = market.run(trades)
    on = market.run(
        trades, "execution.slippage.kind=fixed", f"execution.slippage.basis_points={points}"
    )
    assert off.equity - on.equity == expected
    assert on.sum("slippage") == expected
    assert [fill["touch_price"] for fill in on.fills] == [Decimal(bought), Decimal(sold)]


def test_fixed_slippage_is_against_a_short_too(tmp_path: Path):
    market = Market(tmp_path, daily(DAYS[:2], [("40", "40"), ("44", "44")]))
    trades = {0: -300, 1: 300}
    off = market.run(trades)
    on = market.run(trades, "execution.slippage.kind=fixed", "execution.slippage.basis_points=25")
    # Sold at 40.00 - 0.10, bought back at 44.00 + 0.11
    assert off.equity - on.equity == 300 * (Decimal("0.10") + Decimal("0.11"))


# -- slippage by spread and volatility -------------------------------------------------------------

CLOSES = ["100", "101.5", "99.8", "102.2", "101.1", "103.7", "102.9", "104.4", "103.3", "105.6"]
OPENS = ["100", "100.6", "101.2", "100.1", "102.5", "101.4", "103.5", "103.2", "104.1", "103.6"]


def deviation(closes: list[str], window: int) -> float:
    """Sample standard deviation of the last simple returns."""
    prices = [float(close) for close in closes]
    returns = [after / before - 1 for before, after in itertools.pairwise(prices)]
    return statistics.stdev(returns[-window:])


def spread_volatility(half_spread: str, share: str, window: int = 5) -> list[str]:
    return [
        "execution.slippage.kind=spread_volatility",
        f"execution.slippage.half_spread_bps={half_spread}",
        f"execution.slippage.volatility_share={share}",
        f"execution.slippage.window={window}",
    ]


@pytest.mark.parametrize(
    ("half_spread", "share", "window"),
    [("3", "0", 5), ("0", "0.1", 5), ("0", "0.1", 3), ("0", "0.1", 100), ("3", "0.1", 5)],
    ids=["spread alone", "volatility alone", "short window", "all there is", "both"],
)
def test_slippage_is_half_the_spread_and_a_share_of_the_volatility_before_the_fill(
    tmp_path: Path, half_spread, share, window
):
    bars = daily(DAYS[:10], list(zip(OPENS, CLOSES, strict=True)))
    market = Market(tmp_path, bars)
    trades = {6: 500, 8: -200}
    off = market.run(trades, NEXT_OPEN)
    on = market.run(trades, NEXT_OPEN, *spread_volatility(half_spread, share, window))
    expected = Decimal(0)
    # Decided at closes 6 and 8, filled at the opens after them; those closes are the last known.
    for decided, shares in ((6, 500), (8, 200)):
        sigma = Decimal(deviation(CLOSES[: decided + 1], window))
        part = Decimal(half_spread) / 10_000 + Decimal(share) * sigma
        expected += shares * up_to_the_cent(Decimal(OPENS[decided + 1]) * part)
    assert expected > 0
    assert off.equity - on.equity == expected
    assert on.sum("slippage") == expected


def test_without_latency_the_volatility_is_that_of_the_closes_before_the_one_it_fills_at(
    tmp_path: Path,
):
    market = Market(tmp_path, daily(DAYS[:10], list(zip(OPENS, CLOSES, strict=True))))
    off, on = market.run({7: 500}), market.run({7: 500}, *spread_volatility("0", "0.1"))
    sigma = Decimal(deviation(CLOSES[:7], 5))
    expected = 500 * up_to_the_cent(Decimal(CLOSES[7]) * sigma / 10)
    assert off.equity - on.equity == expected


def test_a_split_is_no_volatility(tmp_path: Path):
    # Six days at 100.00 and 50.00 after a two-for-one split on the fourth; nothing else moves.
    bars = [*flat(DAYS[:3], "100"), *flat(DAYS[3:7], "50")]
    known = Market(tmp_path / "known", bars, actions=[split(DAYS[3], 2, 1)])
    unknown = Market(tmp_path / "unknown", bars)
    volatile = spread_volatility("0", "0.1")
    assert known.run({5: 100}, NEXT_OPEN).equity == known.run({5: 100}, NEXT_OPEN, *volatile).equity
    # A jump that no action explains is volatility: returns 0, 0, -0.5, 0, 0.
    sigma = Decimal(statistics.stdev([0, 0, -0.5, 0, 0]))
    jumped = (
        unknown.run({5: 100}, NEXT_OPEN).equity - unknown.run({5: 100}, NEXT_OPEN, *volatile).equity
    )
    assert jumped == 100 * up_to_the_cent(50 * sigma / 10)


# -- latency ---------------------------------------------------------------------------------------

MINUTES = [("20.00", "20.10"), ("20.13", "20.30"), ("20.26", "20.40"), ("20.47", "20.50")]


def test_latency_moves_a_fill_from_the_close_seen_to_the_open_of_the_next_minute(tmp_path: Path):
    market = Market(tmp_path, minutes("2018-06-05", MINUTES), resolution=Resolution.MINUTE)
    off = market.run({0: 700, 2: -700})
    late = market.run({0: 700, 2: -700}, "execution.latency_ms=250")
    assert fills(off) == [(700, Decimal("20.10")), (700, Decimal("20.40"))]
    assert fills(late) == [(700, Decimal("20.13")), (700, Decimal("20.47"))]
    # The purchase costs 0.03 more a share, the sale brings 0.07 more.
    expected = 700 * (Decimal("20.13") - Decimal("20.10")) - 700 * (
        Decimal("20.47") - Decimal("20.40")
    )
    assert off.equity - late.equity == expected


def test_a_latency_of_a_minute_waits_for_the_minute_after_the_next(tmp_path: Path):
    market = Market(tmp_path, minutes("2018-06-05", MINUTES), resolution=Resolution.MINUTE)
    off, late = market.run({0: 700}), market.run({0: 700}, "execution.latency_ms=60000")
    # Seen at 09:31 for 20.10, at the venue at 09:32, whose bar opens at 20.26
    assert off.equity - late.equity == 700 * (Decimal("20.26") - Decimal("20.10"))


def test_latency_moves_a_fill_from_a_daily_close_to_the_next_session_s_open(tmp_path: Path):
    # Friday to Monday: 40.00 to 41.50
    days = ["2018-06-08", "2018-06-11", "2018-06-12"]
    market = Market(tmp_path, daily(days, [("39", "40"), ("41.50", "42"), ("42", "43")]))
    off, late = market.run({0: 100}), market.run({0: 100}, NEXT_OPEN)
    assert off.equity - late.equity == 100 * (Decimal("41.50") - Decimal("40.00"))


# -- participation ---------------------------------------------------------------------------------

OPENING = ["30.00", "30.40", "30.90", "31.00", "31.20"]


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
def test_a_capped_order_takes_its_share_of_every_bar_at_that_bar_s_open(tmp_path: Path, sign):
    bars = daily(DAYS[:5], [(price, price) for price in OPENING], volume=1_000)
    market = Market(tmp_path, bars)
    off = market.run({0: sign * 250}, NEXT_OPEN)
    capped = market.run({0: sign * 250}, NEXT_OPEN, "execution.participation_percent=10")
    assert fills(off) == [(250, Decimal("30.40"))]
    assert fills(capped) == [
        (100, Decimal("30.40")),
        (100, Decimal("30.90")),
        (50, Decimal("31.00")),
    ]
    waiting = 100 * (Decimal("30.90") - Decimal("30.40")) + 50 * (
        Decimal("31.00") - Decimal("30.40")
    )
    assert off.equity - capped.equity == sign * waiting


def test_shares_that_no_bar_could_give_are_not_bought(tmp_path: Path):
    bars = daily(DAYS[:3], [("30", "30"), ("30", "31"), ("32", "33")], volume=1_000)
    market = Market(tmp_path, bars)
    off = market.run({0: 250}, NEXT_OPEN)
    capped = market.run({0: 250}, NEXT_OPEN, "execution.participation_percent=10")
    # Off: 250 bought at 30. Capped: 100 at 30, 100 at 32, 50 never. All stand at 33 in the end.
    gained_off = 250 * (Decimal(33) - Decimal(30))
    gained = 100 * (Decimal(33) - Decimal(30)) + 100 * (Decimal(33) - Decimal(32))
    assert off.equity - capped.equity == gained_off - gained


def test_a_cap_that_no_order_reaches_costs_nothing(tmp_path: Path):
    market = Market(
        tmp_path, daily(DAYS[:3], [("30", "31"), ("32", "33"), ("34", "35")], volume=1_000)
    )
    trades = {0: 100, 1: -100}
    off = market.run(trades, NEXT_OPEN)
    assert market.run(trades, NEXT_OPEN, "execution.participation_percent=10").equity == off.equity


# -- what is varied alone adds up ------------------------------------------------------------------


def test_two_components_together_cost_the_sum_of_each_alone(tmp_path: Path):
    market = Market(tmp_path, daily(DAYS[:3], [("40", "40"), ("40", "40"), ("44", "44")]))
    trades = {0: 1_000, 1: -1_000}
    slippage = ["execution.slippage.kind=fixed", "execution.slippage.basis_points=25"]
    late, fees = NEXT_OPEN, "broker.fees=ibkr_fixed"
    off, both = market.run(trades, late), market.run(trades, late, fees, *slippage)
    # Bought at 40.00 + 0.10, sold at 44.00 - 0.11; 5.00 commission each way; on 2018-06-06
    # Section 31 of 13.00 per million on 43,890, and 1,000 x 0.000119 TAF
    section_31 = 1_000 * Decimal("43.89") * Decimal("13.00") / 1_000_000
    expected = 1_000 * Decimal("0.21") + 2 * Decimal("5.00") + section_31 + Decimal("0.119")
    assert off.equity - both.equity == expected
