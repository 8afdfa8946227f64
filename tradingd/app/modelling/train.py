"""From stored bars to a judged model: one function, each step in a module of its own."""

import datetime as dt
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tradingd.app.model_gates import judge_by
from tradingd.app.model_registry import registry_of
from tradingd.app.modelling import drifting, walked
from tradingd.app.modelling.canary import canary_proof
from tradingd.app.modelling.judge import Judgement, judge, judge_rules
from tradingd.app.modelling.latency import latency_p99_us
from tradingd.app.modelling.manifesting import manifest_of
from tradingd.app.modelling.reporting import Learned, report_of
from tradingd.app.modelling.require import require_settings, require_teachable
from tradingd.app.modelling.rows import Rows, Tell, read_rows
from tradingd.app.modelling.search import search
from tradingd.config.load import Loaded
from tradingd.domain import manifest as manifests
from tradingd.domain.manifest import ModelManifest, Production
from tradingd.kits import atomicfile
from tradingd.kits.scratch import scratch
from tradingd.learning.leak import examine
from tradingd.learning.paths import follow_paths
from tradingd.learning.report import ClauseFacts, TrainingReport
from tradingd.learning.walk import WalkResult, fit_final, walk_forward
from tradingd.registry.gates import Verdict
from tradingd.registry.open import Registry
from tradingd.registry.promotion import PRODUCTION, Decision
from tradingd.registry.trials import RunHandle

PREDICTIONS: Final = "predictions.parquet"
REPORT: Final = "report.json"
PAGE: Final = "report.html"
_ARTIFACTS: Final = {"lightgbm-text": "model.txt", "xgboost-json": "model.json"}


class Training(NamedTuple):
    """How a training ended; a placebo has no version."""

    report: TrainingReport
    version: str | None
    promoted: bool
    folder: Path
    page: Path


def train(
    loaded: Loaded,
    tell: Tell = lambda _stage, _done, _all: None,
    *,
    promote_by: str | None = None,
    challenge: bool = False,
    repeat: str = "",
) -> Training:
    """Train, judge, ask the gates and register; promote if somebody wants that.

    With `challenge` it predicts in the shadow of the model in production, where there is one.

    `repeat` is the command that does the same, for the report.

    Raises
    ------
    Failure
        CONFIG, NO_DATA, EMPTY_RANGE, REGISTRY ... naming what is missing; nothing is registered
        then, and every model that was tried stays counted.
    """
    require_settings(loaded.config)
    registry = registry_of(loaded.config)
    name = loaded.config.training.name
    # Opened before hours of work are to be kept in it.
    registry.trials(name)
    rows = read_rows(loaded.config, tell)
    require_teachable(rows.dataset, loaded.config.training)
    with (
        scratch("model") as folder,
        registry.run(name, "training", {"tradingd.config": loaded.hash}) as run,
    ):
        made = _make(loaded, rows, registry, run, folder, tell, repeat)
        return _kept(loaded, registry, run, folder, made, promote_by, challenge=challenge)


class _Made(NamedTuple):
    report: TrainingReport
    manifest: ModelManifest


def _make(
    loaded: Loaded,
    rows: Rows,
    registry: Registry,
    run: RunHandle,
    folder: Path,
    tell: Tell,
    repeat: str,
) -> _Made:
    """Learn and judge; leave the model's files in `folder`."""
    training, seed, dataset = loaded.config.training, loaded.config.seed, rows.dataset
    tell("leaks", 0, 1)
    examined = examine(dataset, seed)
    # With shuffled labels nothing can be foretold, so there is nothing to notice.
    proof = None if training.placebo else canary_proof(dataset, training, seed)
    searched = search(dataset, training, seed, registry, run, tell)
    walk = walk_forward(
        dataset,
        training,
        searched.best,
        seed,
        workers=training.workers,
        launcher=training.launcher,
        on_step=lambda done, every: tell("folds", done, every),
    )
    walked.write(walk, dataset, training, folder / PREDICTIONS)
    judged, alone = _judged(loaded, walk, rows, folder, tell)
    paths = follow_paths(
        dataset,
        training,
        searched.best,
        seed,
        lambda done, every: tell("paths", done, every),
    )
    tell("final model", 0, 1)
    final = fit_final(dataset, training, searched.best, seed)
    learned = Learned(
        examined=examined,
        proof=proof,
        searched=searched,
        walk=walk,
        judged=judged,
        alone=alone,
        paths=paths,
        final=final,
        reference=drifting.training_reference(dataset, final.training_rows),
        trials=registry.trials(training.name),
    )
    return _written(loaded, rows, report_of(loaded, rows, learned, repeat), learned, folder)


def _judged(
    loaded: Loaded, walk: WalkResult, rows: Rows, folder: Path, tell: Tell
) -> tuple[Judgement, Judgement | None]:
    first, last = walked.judged_days(walk, rows.dataset)
    judged = judge(
        loaded, folder / PREDICTIONS, first, last, lambda done, every: tell("judge", done, every)
    )
    alone = judge_rules(loaded, first, last, lambda done, every: tell("rules alone", done, every))
    return judged, alone


def _written(
    loaded: Loaded, rows: Rows, report: TrainingReport, learned: Learned, folder: Path
) -> _Made:
    """Save the model, measure it as it will be served, ask the gates, write the page."""
    unsaved = folder / "model"
    model_format = learned.final.fitted.save(unsaved)
    artifact = _ARTIFACTS[model_format]
    unsaved.replace(folder / artifact)
    probes = rows.dataset.x[drifting.latest_rows(rows.dataset)]
    report = msgspec.structs.replace(
        report, latency_p99_us=latency_p99_us(folder / artifact, model_format, probes)
    )
    created = dt.datetime.now(dt.UTC)

    def stated(report: TrainingReport, files: dict[str, str]) -> ModelManifest:
        return manifest_of(
            loaded,
            report,
            learned.final,
            learned.reference,
            learned.searched.best,
            folder=folder,
            artifact=artifact,
            model_format=model_format,
            files=files,
            created=created,
        )

    verdict = _verdict(loaded, stated(report, {}))
    report = msgspec.structs.replace(report, passed=verdict.passed, clauses=_clauses(verdict))
    _write_report(report, folder)
    manifest = stated(report, {PREDICTIONS: "predictions", REPORT: "report", PAGE: "page"})
    return _Made(report, msgspec.structs.replace(manifest, gates=verdict.answer()))


def _verdict(loaded: Loaded, manifest: ModelManifest) -> Verdict:
    """Ask the rules about the model as if it were promoted now."""
    promoted = msgspec.structs.replace(
        manifest,
        status="promoted",
        production=Production(
            alias="production", promoted_at=manifest.created, promoted_by="tradingd"
        ),
    )
    return judge_by(loaded.config.training.gates.rules)(manifests.to_document(promoted))


def _clauses(verdict: Verdict) -> tuple[ClauseFacts, ...]:
    found = [
        ClauseFacts(
            rule=one.rule,
            clause=one.clause,
            values=one.values,
            passed=one.passed,
            reason=one.reason,
            either=one.either,
        )
        for one in verdict.clauses
        if one.needed
    ]
    broken = [
        ClauseFacts(rule="contract", clause=one, values={}, passed=False)
        for one in verdict.problems
    ]
    return tuple(found + broken)


def _write_report(report: TrainingReport, folder: Path) -> None:
    from tradingd.learning.page import write as write_page

    atomicfile.write_bytes(
        folder / REPORT, msgspec.json.format(msgspec.json.encode(report), indent=1)
    )
    write_page(report, folder / PAGE)


def _kept(
    loaded: Loaded,
    registry: Registry,
    run: RunHandle,
    folder: Path,
    made: _Made,
    promote_by: str | None,
    *,
    challenge: bool,
) -> Training:
    report = made.report
    if loaded.config.training.placebo:
        # Kept for nobody to serve: only the page, beside the registry.
        place = registry.root / "placebo" / run.id
        place.mkdir(parents=True, exist_ok=True)
        for name in (REPORT, PAGE):
            (folder / name).replace(place / name)
        return Training(report, None, False, place, place / PAGE)
    version = registry.register(run, folder, made.manifest)
    promoted = False
    if promote_by is not None:
        promoted = registry.promote(
            report.name,
            version,
            decision=Decision(
                by=promote_by, at=dt.datetime.now(dt.UTC), reason="trained with --promote"
            ),
            judge=judge_by(loaded.config.training.gates.rules),
        ).promoted
    if challenge and not promoted and PRODUCTION in registry.aliases(report.name):
        registry.challenge(report.name, version, at=dt.datetime.now(dt.UTC))
    kept = registry.get(report.name, version).folder
    named = msgspec.structs.replace(report, version=str(version))
    return Training(named, str(version), promoted, kept, kept / PAGE)
