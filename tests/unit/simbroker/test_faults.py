from collections import Counter

import pytest

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.faults import REQUEST_FAULTS, Decision, Faults

ODDS = {"drop_request": 0.2, "drop_response": 0.2, "reject": 0.1, "delay": 0.3, "partial": 0.3}


def test_without_a_plan_everything_works():
    faults = Faults()
    assert {faults.decide("submit") for _ in range(50)} == {Decision()}
    assert faults.event(1, 1) == (1, 0)


def test_the_same_seed_gives_the_same_faults_whatever_runs_beside():
    one, other = (Faults({"seed": 3, "probabilities": ODDS}) for _ in range(2))
    first = [one.decide("submit") for _ in range(200)]
    second = []
    for _ in range(200):
        other.decide("cancel")
        second.append(other.decide("submit"))
    assert first == second


def test_another_seed_gives_other_faults():
    plans = [Faults({"seed": seed, "probabilities": ODDS}) for seed in (1, 2)]
    assert len({tuple(plan.decide("submit") for _ in range(50)) for plan in plans}) == 2


def test_faults_come_as_often_as_the_plan_says():
    faults = Faults({"seed": 1, "probabilities": ODDS})
    decisions = [faults.decide("submit") for _ in range(4000)]
    counts = Counter(decision.fault for decision in decisions)
    for name in REQUEST_FAULTS:
        assert counts[name] / 4000 == pytest.approx(ODDS.get(name, 0), abs=0.03)
    assert sum(d.delay > 0 for d in decisions) / 4000 == pytest.approx(0.3, abs=0.03)
    assert sum(d.pieces > 1 for d in decisions) / 4000 == pytest.approx(0.3, abs=0.03)


def test_only_named_operations_meet_chance_and_control_never_does():
    plan = {"ops": ["ping", "hello", "misbehave"], "probabilities": {"drop_request": 1.0}}
    faults = Faults(plan)
    assert faults.decide("submit").fault == "ok"
    assert faults.decide("hello").fault == faults.decide("misbehave").fault == "ok"
    assert faults.decide("ping").fault == "drop_request"


def test_a_script_comes_first_step_by_step():
    script = [
        "ok",
        "drop_response",
        {"fault": "partial", "pieces": 4},
        {"fault": "delay", "seconds": 2},
        {"fault": "disconnect_after", "refuse": 0.5, "delay": 0.1},
        {"fault": "late_response", "seconds": 3},
    ]
    faults = Faults({"script": {"submit": script}, "probabilities": {"reject": 1.0}})
    decided = [faults.decide("submit") for _ in range(7)]
    assert decided == [
        Decision(),
        Decision(fault="drop_response"),
        Decision(pieces=4),
        Decision(delay=2.0),
        Decision(fault="disconnect_after", delay=0.1, refuse=0.5),
        Decision(fault="late_response", late=3.0),
        Decision(fault="reject"),
    ]


def test_events_are_lost_repeated_and_overtaken_as_often_as_the_plan_says():
    faults = Faults({"probabilities": {"lose": 0.1, "duplicate": 0.3, "reorder": 0.5}})
    fates = [faults.event(seq, 1) for seq in range(4000)]
    assert sum(fate.copies == 0 for fate in fates) / 4000 == pytest.approx(0.1, abs=0.03)
    assert sum(fate.copies == 2 for fate in fates) / 4000 == pytest.approx(0.27, abs=0.03)
    assert sum(fate.held > 0 for fate in fates) / 4000 == pytest.approx(0.45, abs=0.03)
    assert {fate.held for fate in fates} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "plan",
    [
        {"chaos": 1},
        {"probabilities": {"explode": 0.5}},
        {"probabilities": {"reject": 1.5}},
        {"probabilities": {"reject": "often"}},
        {"probabilities": {"reject": 0.6, "drop_request": 0.6}},
        {"probabilities": [1]},
        {"delay_seconds": [2, 1]},
        {"delay_seconds": 5},
        {"refuse_seconds": -1},
        {"pieces": 0},
        {"ops": "submit"},
        {"script": {"submit": "ok"}},
        {"script": {"submit": ["explode"]}},
        {"script": {"submit": [{"fault": "delay", "minutes": 1}]}},
        {"script": {"submit": [{"fault": "delay", "seconds": "long"}]}},
        {"script": {"hello": ["ok"]}},
    ],
    ids=str,
)
def test_a_plan_that_is_not_understood_is_refused(plan):
    with pytest.raises(BadRequest):
        Faults(plan)
