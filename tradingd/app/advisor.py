"""Who answers the strategies of a backtest: predictions made before, or a model asked in batch."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tradingd.config.mode import BacktestMode
from tradingd.config.model import ModelFile, NoModel, Predictions, RegisteredModel
from tradingd.config.paths import registry_root
from tradingd.config.strategy import members
from tradingd.config.system import SystemConfig
from tradingd.contracts import check, load
from tradingd.domain.advice import Advisor
from tradingd.domain.market import Resolution
from tradingd.engine.advising import told
from tradingd.engine.backtest import Outcome
from tradingd.features.feature_set import FeatureSet
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.bundle import Bundle, load_bundle
from tradingd.serving.table import PredictionRows, PredictionTable, read_predictions
from tradingd.session.calendar import SessionCalendar, local_date

_SESSION_SECONDS = 390 * 60


def backtest_advisor(
    config: SystemConfig, store: Store, symbols: Sequence[str], mode: BacktestMode
) -> Advisor | None:
    """Return who answers strategies; None without a model.

    Raises
    ------
    Failure
        CONFIG when a strategy asks and nobody is there to answer; LOOK_AHEAD for a model that was
        trained on days of the run; as of `read_predictions` and `load_bundle`.
    """
    require_model(config)
    model = config.model
    if isinstance(model, NoModel):
        return None
    if isinstance(model, Predictions):
        return read_predictions(Path(model.path).expanduser())
    return _asked_in_batch(config, model, store, symbols, mode)


def benchmark(config: SystemConfig) -> frozenset[str]:
    """Return the symbol that the features of an asked model refer to, traded or not; or none."""
    asked = isinstance(config.model, RegisteredModel | ModelFile)
    return frozenset({config.features.benchmark} - {""}) if asked else frozenset()


def require_model(config: SystemConfig) -> None:
    """Refuse strategies that ask a model where there is none.

    Raises
    ------
    Failure
        CONFIG, naming both keys.
    """
    asks = any(one.use_model is not None for one in members(config.strategy))
    over_the_past = isinstance(config.mode, BacktestMode)
    if isinstance(config.model, Predictions) and not over_the_past:
        raise _no_model("predictions made before answer in a backtest only", "model=predictions")
    if asks and isinstance(config.model, NoModel):
        raise _no_model("the strategy asks a model and there is none", "model=none")


def _no_model(what: str, found: str) -> Failure:
    return Failure(
        what,
        code=ExitCode.CONFIG,
        where="strategy.use_model, model.kind",
        expected="model=registry or model=file; in a backtest model=predictions too",
        found=found,
        next_step="state a model, or leave use_model out",
    )


def advised_notes(config: SystemConfig, outcome: Outcome) -> list[str]:
    """Return what a run's manifest says of its model."""
    words = told(outcome.advised)
    found = [words] if words else []
    if isinstance(config.model, RegisteredModel | ModelFile) and config.model.in_sample:
        found.append("the model may have been trained on these days: the result is no evidence")
    return found


def model_manifest(config: SystemConfig, model: RegisteredModel | ModelFile) -> Path:
    """Return where the manifest of the configured model is.

    Raises
    ------
    Failure
        NO_DATA when the alias points to no version.
    """
    if isinstance(model, ModelFile):
        return Path(model.manifest).expanduser()
    from tradingd.registry.published import current

    root = registry_root(config)
    found = current(root, model.name, model.alias)
    if found is None:
        raise Failure(
            f"the registry has no model {model.name}@{model.alias}",
            code=ExitCode.NO_DATA,
            where=str(root),
            expected=f"a version with alias {model.alias}",
            found="none",
            next_step=f"tradingd model list; then tradingd model promote {model.name} VERSION",
        )
    return found


def contract_problems(document: Any) -> list[str]:
    """Return what breaks the contract of manifests."""
    verdict = check(document, load(), "model-manifest")
    problems = [f"{one.path}: {one.message}" for one in verdict.problems]
    refused = [f"rule {one.rule} does not pass" for one in verdict.rules if not one.passed]
    return problems or ([] if verdict.ok else refused or ["refused"])


def checked_bundle(path: Path, feature_set: FeatureSet, now: dt.datetime | None) -> Bundle:
    """Read a model that is to be asked with rows of these features.

    Raises
    ------
    Failure
        As of `load_bundle`.
    """
    return load_bundle(
        path,
        features_hash=feature_set.hash,
        names=feature_set.names,
        check=contract_problems,
        now=now,
        bars=feature_set.bars,
    )


def _asked_in_batch(
    config: SystemConfig,
    model: RegisteredModel | ModelFile,
    store: Store,
    symbols: Sequence[str],
    mode: BacktestMode,
) -> Advisor:
    from tradingd.app.modelling.sources import stored_feature_set
    from tradingd.features.batch import compute
    from tradingd.features.store_series import read_series

    calendar = SessionCalendar(config.session.calendar)
    feature_set = stored_feature_set(config, store, symbols, calendar)
    bundle = checked_bundle(model_manifest(config, model), feature_set, None)
    resolution = Resolution(feature_set.bars)
    first = warm_start(mode.start, feature_set.memory, resolution, calendar)
    series = read_series(
        store,
        sorted({*symbols, feature_set.benchmark} - {""}),
        resolution,
        first,
        mode.end,
        calendar=calendar,
        quotes=feature_set.needs_quotes,
        regular_only=config.session.regular_only,
    )
    begun = mode.start or min(local_date(int(one.ts[0])) for one in series if len(one))
    if not model.in_sample:
        refuse_training_days(bundle, begun)
    frame = compute(feature_set, series)
    ready = np.zeros(len(frame), np.bool_)
    for symbol in symbols:
        ready[frame.of(symbol)[feature_set.memory :]] = True
    rows = np.flatnonzero(ready)
    x = frame.x[rows]
    complete = np.isnan(x).sum(axis=1) <= model.missing
    score = np.full(len(rows), np.nan)
    score[complete] = bundle.predictor.many(x[complete])
    return PredictionTable(
        opinions(bundle, frame.symbols, frame.symbol[rows], frame.ts[rows], score)
    )


def opinions(
    bundle: Bundle, symbols: Sequence[str], symbol: Any, ts: Any, score: Any
) -> PredictionRows:
    """Return the rows with what calibration and interval make of their scores."""
    found = [bundle.opinion(one) for one in score.tolist()]
    nan = float("nan")

    def column(name: str) -> Any:
        values = (getattr(one, name) for one in found)
        return np.array([nan if one is None else one for one in values], np.float64)

    return PredictionRows(
        model=bundle.id,
        about_signal=bundle.about_signal,
        symbols=symbols,
        symbol=symbol,
        ts=ts,
        score=score,
        probability=column("probability"),
        low=column("low"),
        high=column("high"),
    )


def refuse_training_days(bundle: Bundle, first: dt.date) -> None:
    """Refuse a backtest over days that the model has learned from.

    Raises
    ------
    Failure
        LOOK_AHEAD, with the first day that may be asked about.
    """
    last = bundle.manifest.training.end
    if first > last:
        return
    raise Failure(
        f"{bundle.id} was trained on days of this backtest",
        code=ExitCode.LOOK_AHEAD,
        where="mode.start",
        expected=f"a start after {last}",
        found=str(first),
        next_step=f"mode.start={last + dt.timedelta(1)}, or judge its walk-forward predictions: "
        "model=predictions; model.in_sample=true asks it all the same",
    )


def warm_start(
    first: dt.date | None, memory: int, resolution: Resolution, calendar: SessionCalendar
) -> dt.date | None:
    """Return the day from which to read so that features have forgotten their start on `first`.

    With half as many sessions again, and five, for bars that are not there; None: all there is.
    """
    if first is None:
        return None
    a_session = max(1, _SESSION_SECONDS * 1_000_000_000 // resolution.nanoseconds)
    sessions = -(-memory * 3 // (2 * a_session)) + 5
    days = calendar.between(first - dt.timedelta(2 * sessions + 14), first)
    return days[-sessions:][0].day if days else first
