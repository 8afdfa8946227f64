"""Each trigger just below and at its limit, what it asks for, and that it fires once."""

from pathlib import Path

import msgspec
import pytest

from tradingd.config.supervision import SupervisionConfig
from tradingd.daemon.killswitch import (
    TRIGGERS,
    KillSwitch,
    Observation,
    Remedy,
    Trip,
    remedy_of,
)
from tradingd.daemon.stopfiles import flag_reason, latch_reason
from tradingd.kits import latch

CENT = 10_000_000
CALM = Observation(equity=100_000_00 * CENT, day_peak=100_000_00 * CENT, seconds_between=1.0)
LIMITS = SupervisionConfig()


def seen(**facts: object) -> Observation:
    return msgspec.structs.replace(CALM, **facts)


def fired(observation: Observation, limits: SupervisionConfig = LIMITS) -> dict[str, Remedy]:
    trips = KillSwitch(lambda: limits).judge(observation)
    assert all(trip.reason for trip in trips)
    return {trip.trigger: trip.remedy for trip in trips}


def test_a_calm_account_trips_nothing() -> None:
    assert fired(CALM) == {}
    assert fired(seen(equity=0, day_peak=0)) == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"equity": 97_000_00 * CENT + 1}, {}),
        ({"equity": 97_000_00 * CENT}, {"drawdown": Remedy.FLATTEN}),
        ({"broker_errors": 9}, {}),
        ({"broker_errors": 10}, {"broker_errors": Remedy.HALT}),
        ({"silence": 119.9}, {}),
        ({"silence": 120.0}, {"feed_silence": Remedy.HALT}),
        ({"silence": 599.0, "seconds_between": 60.0}, {}),
        ({"silence": 600.0, "seconds_between": 60.0}, {"feed_silence": Remedy.HALT}),
        ({"silence": None}, {}),
        ({"flag": ""}, {"flag_file": Remedy.HALT}),
        ({"latch": "killed"}, {"latch_file": Remedy.HALT}),
        ({"manual": "alice: drill"}, {"manual": Remedy.HALT}),
    ],
)
def test_each_trigger_fires_at_its_limit_and_not_below(
    facts: dict[str, object], expected: dict[str, Remedy]
) -> None:
    assert fired(seen(**facts)) == expected


def test_the_documented_triggers_are_all_there() -> None:
    everything = seen(equity=1, broker_errors=1_000, silence=1e9, flag="x", latch="x", manual="x")
    assert set(fired(everything)) == set(TRIGGERS)
    assert len(TRIGGERS) == 6


@pytest.mark.parametrize(
    ("limits", "facts"),
    [
        ({"kill_drawdown_percent": 0.0}, {"equity": 1}),
        ({"broker_errors": 0}, {"broker_errors": 1_000}),
    ],
)
def test_a_limit_of_zero_turns_its_trigger_off(
    limits: dict[str, float], facts: dict[str, object]
) -> None:
    assert fired(seen(**facts), msgspec.structs.replace(LIMITS, **limits)) == {}


def test_drawdown_is_exact_where_floats_are_not() -> None:
    limits = msgspec.structs.replace(LIMITS, kill_drawdown_percent=0.1)
    peak = 3 * 1_000_000_007
    edge = peak - peak // 1_000
    assert fired(seen(day_peak=peak, equity=edge), limits) == {}
    assert fired(seen(day_peak=peak, equity=edge - 1), limits) == {"drawdown": Remedy.FLATTEN}


def test_a_trigger_fires_once_until_it_is_reset_and_then_again_if_its_cause_is_there() -> None:
    switch = KillSwitch(lambda: LIMITS)
    low = seen(equity=1)
    assert [trip.trigger for trip in switch.judge(low)] == ["drawdown"]
    assert switch.judge(low) == ()
    assert switch.judge(CALM) == ()
    assert [trip.trigger for trip in switch.judge(seen(equity=1, broker_errors=10))] == [
        "broker_errors"
    ]
    assert switch.fired == {"drawdown", "broker_errors"}
    assert switch.reset() == {"drawdown", "broker_errors"}
    assert switch.judge(CALM) == ()
    assert [trip.trigger for trip in switch.judge(low)] == ["drawdown"]


def test_what_an_earlier_process_acted_on_does_not_fire_again() -> None:
    switch = KillSwitch(lambda: LIMITS, fired=["drawdown", "a trigger of another version"])
    assert switch.judge(seen(equity=1)) == ()
    assert switch.fired == {"drawdown"}


def test_the_strongest_remedy_wins() -> None:
    halt = Trip(trigger="manual", remedy=Remedy.HALT, reason="x")
    flatten = Trip(trigger="drawdown", remedy=Remedy.FLATTEN, reason="x")
    assert remedy_of([]) is None
    assert remedy_of([halt]) is Remedy.HALT
    assert remedy_of([halt, flatten, halt]) is Remedy.FLATTEN


def test_the_reason_says_what_was_found_and_what_is_allowed() -> None:
    (trip,) = KillSwitch(lambda: LIMITS).judge(seen(equity=95_000_00 * CENT))
    assert "5.00 %" in trip.reason
    assert "100,000.00" in trip.reason
    assert "3 %" in trip.reason


def test_the_files_that_stop_are_read_and_whatever_cannot_be_read_counts(tmp_path: Path) -> None:
    assert flag_reason(tmp_path) is None
    assert latch_reason(tmp_path) is None
    (tmp_path / "HALT").write_text("smoke in the room\nmore\n")
    assert flag_reason(tmp_path) == "smoke in the room"
    (tmp_path / "HALT").write_bytes(b"\xff\xfe")
    assert flag_reason(tmp_path) is not None
    (tmp_path / "HALT").unlink()
    (tmp_path / "HALT").mkdir()
    assert "cannot be read" in (flag_reason(tmp_path) or "")
    latch.trip(tmp_path, reason="drill", author="bob", now_ns=1)
    assert latch_reason(tmp_path) == "drill (by bob)"
    (tmp_path / "latch.json").write_text("{")
    assert latch_reason(tmp_path) is not None
