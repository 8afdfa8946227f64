"""Symbols that are mute are named; a quiet list is well."""

from tradingd.daemon.checks.mute import MuteCheck
from tradingd.domain.health import Grade


def test_mute_symbols_are_named_and_counted() -> None:
    finding = MuteCheck(lambda: [f"S{number}" for number in range(7)]).look()
    assert finding.grade is Grade.DEGRADED
    assert finding.value == "S0, S1, S2, S3, S4 and 2 more"


def test_nothing_mute_is_well() -> None:
    assert MuteCheck(lambda: ()).look().grade is Grade.OK
