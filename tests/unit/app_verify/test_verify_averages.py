"""What executions add up to: shares and average prices, by both rules that brokers use."""

from hypothesis import given
from hypothesis import strategies as st

from tradingd.app.verify.averages import held
from tradingd.app.verify.facts import OurAdjustment, OurFill

DOLLAR = 10**9


def fill(number: int, side: str, quantity: int, dollars: float, symbol: str = "AAA") -> OurFill:
    price = round(dollars * DOLLAR)
    return OurFill(f"f{number}", f"o{number}", symbol, side, quantity, price, 0, number)


def split(ts: int, shares: int, numerator: int, denominator: int) -> OurAdjustment:
    return OurAdjustment(f"a{ts}", "AAA", shares, 0, numerator, denominator, ts)


def test_a_position_that_was_only_enlarged_has_one_average() -> None:
    line = held([fill(1, "BUY", 10, 100), fill(2, "BUY", 30, 104)], [])["AAA"]
    assert (line.quantity, line.weighted, line.oldest_first) == (40, 103 * DOLLAR, 103 * DOLLAR)


def test_after_a_sale_the_two_rules_differ() -> None:
    fills = [fill(1, "BUY", 10, 100), fill(2, "BUY", 10, 110), fill(3, "SELL", 10, 120)]
    line = held(fills, [])["AAA"]
    assert (line.quantity, line.weighted, line.oldest_first) == (10, 105 * DOLLAR, 110 * DOLLAR)


def test_a_position_that_is_turned_around_begins_at_the_price_of_the_turn() -> None:
    line = held([fill(1, "BUY", 10, 100), fill(2, "SELL", 15, 90)], [])["AAA"]
    assert (line.quantity, line.weighted, line.oldest_first) == (-5, 90 * DOLLAR, 90 * DOLLAR)


def test_a_short_is_averaged_like_a_long() -> None:
    fills = [fill(1, "SELL", 10, 100), fill(2, "SELL", 10, 90), fill(3, "BUY", 10, 80)]
    line = held(fills, [])["AAA"]
    assert (line.quantity, line.weighted, line.oldest_first) == (-10, 95 * DOLLAR, 90 * DOLLAR)


def test_a_split_keeps_what_was_paid() -> None:
    line = held([fill(1, "BUY", 10, 100)], [split(2, 10, 2, 1)])["AAA"]
    assert (line.quantity, line.weighted, line.oldest_first) == (20, 50 * DOLLAR, 50 * DOLLAR)


def test_at_one_moment_an_adjustment_comes_before_a_trade() -> None:
    line = held([fill(1, "BUY", 10, 100), fill(2, "BUY", 20, 50)], [split(2, 10, 2, 1)])["AAA"]
    assert (line.quantity, line.weighted) == (40, 50 * DOLLAR)


def test_what_is_flat_is_not_listed() -> None:
    assert held([fill(1, "BUY", 10, 100), fill(2, "SELL", 10, 90)], []) == {}


trades = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 500), st.integers(1, 1_000)),
    max_size=40,
)


@given(trades)
def test_shares_are_the_sum_and_an_average_lies_within_the_prices(
    made: list[tuple[str, int, int]],
) -> None:
    fills = [fill(number, *trade) for number, trade in enumerate(made, 1)]
    total = sum(one.quantity * (1 if one.side == "BUY" else -1) for one in fills)
    lines = held(fills, [])
    assert {symbol: line.quantity for symbol, line in lines.items()} == (
        {"AAA": total} if total else {}
    )
    for line in lines.values():
        lowest, highest = min(one.price for one in fills), max(one.price for one in fills)
        assert lowest - 1 <= line.weighted <= highest + 1
        assert lowest <= line.oldest_first <= highest
