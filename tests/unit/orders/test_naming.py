import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.domain.orders import Purpose
from tradingd.orders.naming import LONGEST, LegLetter, leg_letter, order_id, ours, parse, resolved

RUN = "0k3f9x2"


def test_an_id_tells_instance_strategy_leg_and_run() -> None:
    made = order_id("paper", "swing_trend", LegLetter.ENTRY, RUN, 123)
    assert made == "paper.swing_trend.E.0k3f9x2-000123"
    name = parse(made)
    assert name is not None
    assert (name.instance, name.strategy, name.leg, name.run, name.number) == (
        "paper",
        "swing_trend",
        LegLetter.ENTRY,
        RUN,
        123,
    )
    assert name.leg.purpose is Purpose.ENTRY


def test_an_order_of_nobody_names_nobody() -> None:
    name = parse(order_id("paper", "", LegLetter.CLOSE, RUN, 1))
    assert name is not None
    assert (name.strategy, name.leg.purpose) == ("", Purpose.PROTECT)
    assert resolved("paper", name, ["", "swing"]) == ""


@settings(max_examples=50, deadline=None)
@given(
    instance=st.text(min_size=1, max_size=40),
    strategy=st.text(max_size=60),
    leg=st.sampled_from(LegLetter),
    number=st.integers(0, 99_999_999),
)
def test_every_name_gives_an_id_that_brokers_take_and_that_leads_back(
    instance: str, strategy: str, leg: LegLetter, number: int
) -> None:
    made = order_id(instance, strategy, leg, RUN, number)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", made)
    assert len(made) <= LONGEST
    assert ours(instance, made)
    assert not ours(instance + "x", made)
    name = parse(made)
    assert name is not None
    assert (name.leg, name.number) == (leg, number)
    assert resolved(instance, name, ["another", strategy]) == strategy


def test_long_names_that_begin_alike_stay_apart() -> None:
    long = "mean_reversion_of_large_caps_with_a_filter"
    one, two = (order_id("paper", long + end, LegLetter.EXIT, RUN, 1) for end in "12")
    assert one != two
    name = parse(two)
    assert name is not None
    assert resolved("paper", name, [long + "1", long + "2"]) == long + "2"
    assert resolved("paper", name, ["swing"]) == name.strategy


@pytest.mark.parametrize(
    ("purpose", "letter"),
    [
        (Purpose.ENTRY, LegLetter.ENTRY),
        (Purpose.EXIT, LegLetter.EXIT),
        (Purpose.CORPORATE, LegLetter.ORDER),
        (None, LegLetter.ORDER),
    ],
)
def test_what_a_strategy_asks_for_has_a_letter(purpose: Purpose, letter: LegLetter) -> None:
    assert leg_letter(purpose) is letter


@pytest.mark.parametrize("text", ["paper-0k3f9x2-000123", "paper-0k3f9x2-1234567"])
def test_ids_of_earlier_releases_are_ours(text: str) -> None:
    assert ours("paper", text)
    assert not ours("live", text)
    assert parse(text) is None
