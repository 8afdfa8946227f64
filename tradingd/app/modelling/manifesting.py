"""Write down a model as its contract wants it."""

import datetime as dt
import importlib.metadata
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.app.modelling.drifting import as_manifest
from tradingd.app.provenance import git_state
from tradingd.config.load import Loaded
from tradingd.config.training import LearnerConfig, TrainingConfig, XgBoost
from tradingd.domain.manifest import (
    SCHEMA_VERSION,
    Artifact,
    ArtifactFormat,
    Calibration,
    FileEntry,
    Framework,
    InputFeature,
    LabelFacts,
    ModelManifest,
    Origin,
    Target,
    TrainingFacts,
    Validation,
)
from tradingd.domain.market import Resolution
from tradingd.kits.hashing import file_hash
from tradingd.learning.report import Interval, TrainingReport
from tradingd.learning.walk import FinalModel
from tradingd.luck.drift import Reference
from tradingd.session.calendar import local_date

SESSION_SECONDS: Final = 390 * 60
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")


def manifest_of(
    loaded: Loaded,
    report: TrainingReport,
    final: FinalModel,
    reference: Reference,
    learner: LearnerConfig,
    *,
    folder: Path,
    artifact: str,
    model_format: ArtifactFormat,
    files: dict[str, str],
    created: dt.datetime,
) -> ModelManifest:
    """Return the manifest of a candidate.

    Parameters
    ----------
    learner : LightGbm, XgBoost or Forest
        As it was found by the search.
    folder : Path
        Of `artifact` and `files` (path -> role), all written.
    created : datetime
        Now, aware; it expires `training.valid_days` later.
    """
    training = loaded.config.training
    commit, dirty = git_state(Path(__file__).resolve().parent)
    return ModelManifest(
        schema_version=SCHEMA_VERSION,
        name=report.name,
        version="0",
        status="candidate",
        created=created,
        expires=created + dt.timedelta(days=training.valid_days),
        framework=_framework(training),
        task=training.task,
        artifact=Artifact(
            path=artifact,
            sha256=file_hash(folder / artifact),
            format=model_format,
            bytes=(folder / artifact).stat().st_size,
        ),
        features=tuple(InputFeature(name=one, dtype="float64") for one in report.data.features),
        features_hash=report.data.features_hash,
        target=Target(
            name=training.label.__struct_config__.tag or "label",  # type: ignore[arg-type]  # tags are words here
            horizon_seconds=float(_bar_seconds(loaded) * training.label.bars),
            description=report.data.label,
        ),
        training=TrainingFacts(
            start=local_date(final.train[0]),
            # Stopping and calibration have seen the validation days, and all of them what came of
            # their last rows: a label of five bars knows five days more than its row.
            end=local_date(final.known_until),
            rows=sum(final.used),
            fingerprint=report.data.fingerprint,
            symbols=report.data.symbols,
            seed=report.seed,
            commit=commit if commit and _COMMIT.fullmatch(commit) else None,
        ),
        validation=Validation(
            method="walk-forward",
            start=report.folds[0].test[0],
            end=report.folds[-1].test[1],
            folds=len(report.folds),
            embargo_percent=training.tuning.embargo_percent,
            trials=report.overfitting.trials,
        ),
        metrics=metrics_of(report),
        intervals=_intervals({**report.scores, **report.judged}),
        label=_label(training, loaded.config.features.bars),
        calibration=_calibration(final.calibration, report.calibration_error),
        interval=final.interval,
        regimes={
            one.name: {
                "sharpe": one.sharpe,
                "total_return": one.total_return,
                "sessions": float(one.sessions),
            }
            for one in report.regimes
        },
        stability={
            "parameters": report.overfitting.stability,
            "importance": report.importance_stability,
        },
        drift=as_manifest(reference, {one.name: one.gain_share for one in report.importances}),
        files=tuple(_file(folder, path, role) for path, role in files.items()),
        origin=Origin(
            trainer="tradingd",
            config_hash=loaded.hash,
            uncommitted=dirty,
            learner=msgspec.to_builtins(learner),
            strategy=report.strategy,
            run=report.run,
        ),
        notes=report.notes,
    )  # fmt: skip


def metrics_of(report: TrainingReport) -> dict[str, float | None]:
    """Return the numbers that gates look at; what was not measured is absent."""
    luck = report.overfitting
    found: dict[str, float | None] = {
        **{name: one.value for name, one in report.scores.items()},
        **{name: one.value for name, one in report.judged.items()},
        "pbo": luck.pbo,
        "pbo_loss": luck.pbo_loss,
        "deflated_sharpe": luck.deflated_sharpe,
        "probabilistic_sharpe": luck.probabilistic_sharpe,
        "minimum_track_record": luck.minimum_track_record,
        "drift_psi": report.drift_psi,
        "latency_ms": None if report.latency_p99_us is None else report.latency_p99_us / 1_000,
        "leak_suspects": float(len(report.leaks)),
        "canary_noticed": float(report.canary_noticed),
    }
    whole = ("trades", "days", "denied", "leak_suspects", "canary_noticed")
    return {
        name: int(value) if name in whole else value
        for name, value in found.items()
        if value is not None
    }


def _framework(training: TrainingConfig) -> Framework:
    package = "xgboost-cpu" if isinstance(training.learner, XgBoost) else "lightgbm"
    name = "xgboost" if package != "lightgbm" else package
    return Framework(name=name, version=importlib.metadata.version(package))


def _label(training: TrainingConfig, resolution: Any) -> LabelFacts:
    stated = msgspec.to_builtins(training.label)
    rule = stated.pop("rule", "")
    return LabelFacts(
        kind=stated.pop("kind"),
        resolution=resolution,
        bars=stated.pop("bars"),
        rule=rule,
        parameters=stated,
    )


def _calibration(calibration: Calibration | None, error: float | None) -> Calibration | None:
    if calibration is None:
        return None
    return msgspec.structs.replace(calibration, error=error)


def _intervals(found: dict[str, Interval]) -> dict[str, tuple[float, float]]:
    return {
        name: (one.low, one.high)
        for name, one in found.items()
        if one.low is not None and one.high is not None
    }


def _bar_seconds(loaded: Loaded) -> int:
    resolution = Resolution(loaded.config.features.bars)
    if resolution is Resolution.DAY:
        return SESSION_SECONDS
    return resolution.nanoseconds // 1_000_000_000


def _file(folder: Path, path: str, role: Any) -> FileEntry:
    place = folder / path
    return FileEntry(path=path, sha256=file_hash(place), bytes=place.stat().st_size, role=role)
