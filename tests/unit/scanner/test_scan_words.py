"""Filters as a person types them."""

from decimal import Decimal

import pytest

from tradingd.config.scan import ScanConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.scanner.words import EXAMPLE, understood

BASE = ScanConfig()


def test_nothing_typed_leaves_the_configured_limits() -> None:
    words = understood("  ", BASE)
    assert (words.limits, words.prefix) == (BASE, "")


def test_every_word_sets_its_limit() -> None:
    limits = understood(
        "price>2.50 price<=20 gap>=-5 rvol>3 volume>100k average>1.5m float<20M spread<0.5", BASE
    ).limits
    assert (limits.min_price, limits.max_price) == (Decimal("2.50"), Decimal(20))
    assert (limits.min_gap_percent, limits.min_relative_volume) == (-5.0, 3.0)
    assert (limits.min_volume, limits.min_average_volume) == (100_000, 1_500_000)
    assert (limits.max_float, limits.max_spread_percent) == (20_000_000, 0.5)


def test_any_other_word_is_the_beginning_of_a_symbol() -> None:
    assert understood("brk.b", BASE).prefix == "BRK.B"


def test_the_example_is_understood() -> None:
    assert understood(EXAMPLE, BASE).prefix == "FRO"


@pytest.mark.parametrize(
    "text",
    ["price=5", "gap<5", "float>1m", "price>1.2.3", "volume>-5", "price>30 price<2", "7up", "a$"],
)
def test_what_is_not_understood_is_named(text: str) -> None:
    with pytest.raises(Failure) as refused:
        understood(text, BASE)
    assert refused.value.code is ExitCode.USAGE
    assert refused.value.found
