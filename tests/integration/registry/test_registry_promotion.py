"""Who decides about orders: by the rules, one at a time, and back."""

import datetime as dt
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.registry.conftest import Keep
from tests.integration.registry.models_made import NOW
from tradingd.app.model_gates import judge_by
from tradingd.config.registry import RegistryConfig
from tradingd.contracts import load
from tradingd.contracts.checking import check_file
from tradingd.domain.manifest import Champion
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry import published
from tradingd.registry.gates import Judge
from tradingd.registry.open import Registry, open_registry
from tradingd.registry.promotion import Decision, Promotion

RULES = ("promotion", "champion")
DESK = Decision(by="desk", at=NOW, reason="it did well")
BETTER = {"deflated_sharpe": 0.98, "net_return_percent": 7.0}
BEST = {"deflated_sharpe": 0.99, "net_return_percent": 8.0}
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return judge_by(RULES)


def promoted(registry: Registry, version: int, judge: Judge, **options: Any) -> Promotion:
    return registry.promote("gap_fade", version, decision=DESK, judge=judge, **options)


def standing(registry: Registry) -> dict[int, str]:
    return {
        one.version: one.manifest.status
        for one in registry.entries("gap_fade")
        if not isinstance(one, Failure)
    }


def test_a_model_that_passes_decides_and_its_manifest_says_so(
    registry: Registry, keep: Keep, judge: Judge, root: Path
) -> None:
    keep()
    done = promoted(registry, 1, judge)
    assert (done.promoted, done.previous, done.manifest.status) == (True, None, "promoted")
    said = done.manifest.production
    assert said is not None
    assert (said.alias, said.promoted_at, said.promoted_by, said.previous, said.reason) == (
        "production", NOW, "desk", None, "it did well",
    )  # fmt: skip
    assert done.manifest.gates is not None
    assert done.manifest.gates.passed
    path = published.current(root, "gap_fade", "production")
    assert path == registry.get("gap_fade", "production").path
    verdict = check_file(path, load())
    binding = {one.rule for one in verdict.rules if one.binding}
    assert (verdict.ok, binding) == (True, {"promotion", "champion"})


def test_a_model_that_fails_is_refused_with_every_clause_its_value_and_bound(
    registry: Registry, keep: Keep, judge: Judge
) -> None:
    keep(metrics={"sharpe": 0.4, "drift_psi": None})
    done = promoted(registry, 1, judge)
    assert not done.promoted
    said = {one.clause: (one.value, one.bound, one.passed) for one in done.verdict.clauses}
    assert len([one for one in said if one.startswith("metrics")]) == 14
    assert said["metrics.sharpe > 1"] == ("0.4", "> 1", False)
    assert said["metrics.max_drawdown_percent < 10"] == ("5.1", "< 10", True)
    assert said["metrics.drift_psi < 0.2"] == ("", "< 0.2", None)
    assert {one.clause for one in done.verdict.failed} == {
        "metrics.sharpe > 1",
        "metrics.drift_psi < 0.2",
    }
    assert standing(registry) == {1: "candidate"}
    assert registry.aliases("gap_fade") == {}


def test_a_challenger_must_beat_the_champion_s_own_record(
    registry: Registry, keep: Keep, judge: Judge
) -> None:
    keep()
    # What it says of a champion that is not this one counts for nothing.
    weak = Champion(name="gap_fade", version="9", metrics={"deflated_sharpe": 0.1, "days": 1})
    keep(champion=weak)
    keep(metrics=BETTER, champion=weak)
    promoted(registry, 1, judge)
    refused = promoted(registry, 2, judge)
    assert not refused.promoted
    bounds = {one.clause: one.bound for one in refused.verdict.failed}
    assert bounds["metrics.deflated_sharpe > champion.metrics.deflated_sharpe"] == (
        "> champion.metrics.deflated_sharpe (0.97)"
    )
    done = promoted(registry, 3, judge)
    assert (done.promoted, done.previous) == (True, "1")
    assert standing(registry) == {1: "retired", 2: "candidate", 3: "promoted"}
    assert registry.aliases("gap_fade") == {"production": 3}


def test_a_champion_that_was_compared_over_the_same_days_is_taken_as_compared(
    registry: Registry, keep: Keep, judge: Judge
) -> None:
    keep()
    same = {"deflated_sharpe": 0.5, "net_return_percent": 1, "max_drawdown_percent": 9, "days": 166}
    keep(champion=Champion(name="gap_fade", version="1", metrics=same))
    promoted(registry, 1, judge)
    done = promoted(registry, 2, judge)
    assert done.promoted
    assert done.manifest.champion is not None
    assert done.manifest.champion.metrics == same


def test_what_a_rehearsal_finds_changes_nothing(
    registry: Registry, keep: Keep, judge: Judge, root: Path
) -> None:
    keep()
    done = promoted(registry, 1, judge, dry_run=True)
    assert (done.verdict.passed, done.promoted) == (True, False)
    assert (registry.aliases("gap_fade"), standing(registry)) == ({}, {1: "candidate"})


def test_expired_models_and_the_one_that_serves_are_not_promoted(
    registry: Registry, keep: Keep, judge: Judge
) -> None:
    keep(expires=NOW)
    keep()
    with pytest.raises(Failure, match="expired") as refused:
        promoted(registry, 1, judge)
    assert refused.value.code == ExitCode.CONTRACT
    promoted(registry, 2, judge)
    with pytest.raises(Failure, match="serves already"):
        promoted(registry, 2, judge)


def test_rollbacks_go_back_step_by_step_and_no_further(
    registry: Registry, keep: Keep, judge: Judge, root: Path
) -> None:
    for metrics in ({}, BETTER, BEST):
        promoted(registry, keep(metrics=metrics), judge)
    back = Decision(by="night", at=LATER, reason="drifts")
    done = registry.rollback("gap_fade", decision=back, judge=judge)
    assert (done.manifest.id, done.previous) == ("gap_fade@2", "1")
    said = done.manifest.production
    assert said is not None
    assert (said.promoted_by, said.promoted_at) == ("night", LATER)
    assert said.reason == "rolled back from 3: drifts"
    assert standing(registry) == {1: "retired", 2: "promoted", 3: "retired"}
    path = published.current(root, "gap_fade", "production")
    assert path is not None
    assert check_file(path, load()).ok
    assert registry.rollback("gap_fade", decision=back, judge=judge).manifest.id == "gap_fade@1"
    with pytest.raises(Failure, match="nothing to roll back"):
        registry.rollback("gap_fade", decision=back, judge=judge)
    assert registry.aliases("gap_fade") == {"production": 1}


def test_a_challenger_runs_beside_the_champion_until_it_is_promoted(
    registry: Registry, keep: Keep, judge: Judge
) -> None:
    keep()
    keep(metrics=BETTER)
    promoted(registry, 1, judge)
    registry.challenge("gap_fade", 2, at=NOW)
    assert registry.aliases("gap_fade") == {"challenger": 2, "production": 1}
    assert standing(registry) == {1: "promoted", 2: "challenger"}
    with pytest.raises(Failure, match="its own champion"):
        registry.challenge("gap_fade", 1, at=NOW)
    promoted(registry, 2, judge)
    assert registry.aliases("gap_fade") == {"production": 2}


def test_a_model_that_is_expired_stays_so(registry: Registry, keep: Keep, judge: Judge) -> None:
    keep()
    promoted(registry, 1, judge)
    assert registry.expire("gap_fade", 1, at=NOW).manifest.expires == NOW
    assert registry.expire("gap_fade", 1, at=LATER).manifest.expires == NOW
    document = json.loads(registry.get("gap_fade", 1).path.read_bytes())
    assert document["expires"] == "2026-03-03T14:00:00Z"
    with pytest.raises(Failure, match="expired"):
        registry.challenge("gap_fade", 1, at=NOW)


def test_a_crash_before_the_alias_moved_leaves_nothing_promoted(
    registry: Registry, keep: Keep, judge: Judge, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    keep()
    monkeypatch.setattr(registry._client, "set_registered_model_alias", _crash)
    with pytest.raises(RuntimeError, match="power cut"):
        promoted(registry, 1, judge)
    again = open_registry(RegistryConfig(root=str(root)))
    assert published.current(root, "gap_fade", "production") is None
    assert again.get("gap_fade", 1).manifest.status != "promoted"
    assert promoted(again, 1, judge).promoted


def _crash(*_: object) -> None:
    raise RuntimeError("power cut")


def _promote_in_process(root: str, version: int, gate: Any, answers: Any) -> None:
    registry = open_registry(RegistryConfig(root=root))
    judge = judge_by(RULES)
    registry.names()
    gate.wait()
    try:
        done = registry.promote("gap_fade", version, decision=DESK, judge=judge)
        answers.put((version, done.promoted))
    except Failure as failure:
        answers.put((version, str(failure)))


@pytest.mark.slow
def test_of_promotions_at_the_same_time_one_wins(
    registry: Registry, keep: Keep, judge: Judge, root: Path
) -> None:
    promoted(registry, keep(), judge)
    rivals = [keep(metrics=BETTER) for _ in range(3)]
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(len(rivals)), context.Queue()
    workers = [
        context.Process(target=_promote_in_process, args=(str(root), version, gate, answers))
        for version in rivals
    ]
    for worker in workers:
        worker.start()
    said = dict(answers.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    # Equals do not beat each other: whoever came second met a new champion.
    assert sorted(said.values()) == [False, False, True]
    (winner,) = [version for version, won in said.items() if won]
    assert registry.aliases("gap_fade") == {"production": winner}
    assert published.aliases(root, "gap_fade") == {"production": winner}
    assert [v for v, status in standing(registry).items() if status == "promoted"] == [winner]
    production = registry.get("gap_fade", winner).manifest.production
    assert production is not None
    assert production.previous == "1"
