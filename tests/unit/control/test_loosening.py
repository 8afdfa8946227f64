"""Which overrides are surely tighter."""

import pytest

from tradingd.config.risk import RiskConfig
from tradingd.control.loosening import LOOSER_ABOVE, LOOSER_BELOW, surely_tighter

UNSURE = {
    "profile", "require_stop", "short_availability", "margin_regime", "loss_streak_pause_minutes",
    "intraday_margin_from", "outside_universe",
}  # fmt: skip


def test_every_limit_of_the_configuration_has_a_direction_or_counts_as_looser() -> None:
    known = LOOSER_ABOVE | LOOSER_BELOW | UNSURE
    assert known == set(RiskConfig.__struct_fields__)
    assert not LOOSER_ABOVE & LOOSER_BELOW


@pytest.mark.parametrize(
    ("key", "before", "after", "tighter"),
    [
        ("risk.max_positions", "30", "10", True),
        ("max_positions", "30", "31", False),
        ("risk.no_trade_open_minutes", "5", "15", True),
        ("risk.no_trade_open_minutes", "5", "0", False),
        ("risk.max_order_value", "0", "5000", False),
        ("risk.max_order_value", "5000", "0", False),
        ("risk.max_order_value", "5000", "100", True),
        ("risk.require_stop", "True", "False", False),
        ("risk.drawdown_percent", "2", "nan", False),
        ("risk.drawdown_percent", "2", "-inf", False),
        ("risk.unheard_of", "2", "1", False),
    ],
)
def test_only_what_is_surely_tighter_needs_no_confirmation(
    key: str, before: str, after: str, tighter: bool
) -> None:
    assert surely_tighter(key, before, after) is tighter
