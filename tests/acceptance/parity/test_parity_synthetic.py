"""Invented bars are the same bars for the same seed, at any speed."""

import pytest

from tests.acceptance.parity.books import differences
from tests.acceptance.parity.runs import Machine

SYNTHETIC = (
    "feed=synthetic",
    "feed.days=1",
    "feed.symbols=5",
    "strategy=intraday_mean_reversion",
    "strategy.z_entry=1.0",
    "risk=intraday",
    "risk.loss_streak=1000",
)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_session_at_any_speed_and_another_one_another(
    daily: Machine,
) -> None:
    first = daily.session("invented", *SYNTHETIC, "feed.seed=11")
    paced = daily.session("invented-paced", *SYNTHETIC, "feed.seed=11", "feed.speed=6000")
    other = daily.session("invented-other", *SYNTHETIC, "feed.seed=12")
    assert first.trades
    assert list(differences(first, paced)) == []
    assert (first.equity, first.denials) == (paced.equity, paced.denials)
    assert other.trades != first.trades
