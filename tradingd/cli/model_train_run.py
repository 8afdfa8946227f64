"""Run `tradingd model train|evaluate|explain` for a person."""

import getpass
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tradingd.app.modelling.evaluate import Evaluation, evaluate
from tradingd.app.modelling.explain import Explanation, explain
from tradingd.app.modelling.train import Training, train
from tradingd.cli import model_train as parameters
from tradingd.cli import screen
from tradingd.config.load import Loaded, load
from tradingd.config.sweep_plan import plain
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.report import ClauseFacts, Interval, TrainingReport

JUDGE = "strategy=model_signal"
"""Trades what a model says, unless another strategy is named."""

_SHOWN = 12


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model train`.

    `version` is None for a placebo, which is never registered; `refused` are the clauses that did
    not pass.
    """

    exit_code: int
    name: str
    version: str | None
    promoted: bool
    folder: str
    page: str
    refused: tuple[ClauseFacts, ...]
    report: TrainingReport


class Retrained(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model retrain`; `trained` is None where nobody asked for it."""

    exit_code: int
    trained: Trained | None = None


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model evaluate`."""

    exit_code: int
    evaluation: Evaluation


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd model explain`."""

    exit_code: int
    explanation: Explanation


def loaded_for_models(overrides: Iterable[str], overlay: str | None) -> Loaded:
    """Load a configuration for training: a backtest, and a strategy that asks the model."""
    words = list(overrides)
    named = {plain(text).partition("=")[0] for text in words}
    more = [text for group, text in (("mode", "mode=backtest"), ("strategy", JUDGE))
            if group not in named]  # fmt: skip
    return load([*more, *words], overlay=Path(overlay) if overlay else None)


def run_train(params: parameters.TrainParams) -> Trained:
    """Train, judge, ask the gates, register; promote if asked."""
    loaded = loaded_for_models(params.overrides, params.overlay)
    with _stages() as tell:
        trained = train(
            loaded,
            tell,
            promote_by=(params.by or getpass.getuser()) if params.promote else None,
            repeat=_again(params),
        )
    return _trained(trained, wanted=params.promote)


def run_retrain(params: parameters.RetrainParams) -> Retrained:
    """Train a challenger, if the configuration wants one every night."""
    loaded = loaded_for_models(params.overrides, params.overlay)
    if not loaded.config.training.nightly:
        return Retrained(exit_code=ExitCode.OK)
    with _stages() as tell:
        trained = train(loaded, tell, challenge=True)
    return Retrained(exit_code=ExitCode.OK, trained=_trained(trained, wanted=False))


def render_retrain(retrained: Retrained) -> None:
    """Print what was trained, or that nothing was to be."""
    if retrained.trained is None:
        screen.summary({"model": "-", "trained": "false", "training.nightly": "false"})
    else:
        render_train(retrained.trained)


def _again(params: parameters.TrainParams) -> str:
    """Return the command that trains the same again; it does not promote."""
    overlay = ["--overlay", params.overlay] if params.overlay else []
    return shlex.join(["tradingd", "model", "train", *params.overrides, *overlay])


def _trained(trained: Training, *, wanted: bool) -> Trained:
    report = trained.report
    refused = wanted and not trained.promoted
    return Trained(
        exit_code=ExitCode.CONTRACT if refused else ExitCode.OK,
        name=report.name,
        version=trained.version,
        promoted=trained.promoted,
        folder=str(trained.folder),
        page=str(trained.page),
        refused=tuple(one for one in report.clauses if not one.passed),
        report=report,
    )


def run_evaluate(params: parameters.EvaluateParams) -> Evaluated:
    """Judge a registered model by days it cannot know."""
    loaded = loaded_for_models(params.overrides, params.overlay)
    with _stages() as tell:
        return Evaluated(exit_code=ExitCode.OK, evaluation=evaluate(loaded, params.model, tell))


def run_explain(params: parameters.ExplainParams) -> Explained:
    """Show what a model goes by."""
    if params.day is not None and params.symbol is None:
        raise Failure(
            "a day without a symbol names no prediction",
            code=ExitCode.USAGE,
            where="--day",
            expected="--symbol with it",
            found=str(params.day),
            next_step=f"tradingd model explain {params.model} --symbol SYMBOL --day {params.day}",
        )
    loaded = loaded_for_models(params.overrides, params.overlay)
    with _stages() as tell:
        found = explain(loaded, params.model, params.symbol, params.day, tell)
    return Explained(exit_code=ExitCode.OK, explanation=found)


@contextmanager
def _stages() -> Iterator[Any]:
    """Show one bar, named by what is going on."""
    with screen.progress("model") as meter:

        def tell(stage: str, done: int, total: int) -> None:
            meter.advance(0, f"model, {stage}")
            meter.reached(done, total)

        yield tell


def render_train(trained: Trained) -> None:
    """Print what was found, the gates' answer last."""
    report = trained.report
    _facts(report)
    _intervals("Out of sample, predictions", report.scores)
    _intervals(f"Out of sample, traded by {report.strategy} after costs", report.judged)
    _luck(report)
    _gates(report.clauses)
    for note in report.notes:
        screen.console().print(f"Note: {note}", soft_wrap=True, markup=False)
    out = screen.console()
    out.print(f"Report  {trained.page}", soft_wrap=True, markup=False)
    screen.summary(
        {
            "model": trained.name if trained.version is None
            else f"{trained.name}@{trained.version}",
            "gates": "passed" if report.passed else "refused",
            "clauses_refused": len(trained.refused),
            "promoted": str(trained.promoted).lower(),
            "trials": report.overfitting.trials,
            "rows": report.data.rows,
            "folds": len(report.folds),
        }
    )  # fmt: skip


def _facts(report: TrainingReport) -> None:
    data = report.data
    rows = [
        ("Symbols, sessions, rows", f"{data.symbols:,}, {data.sessions:,}, {data.rows:,}"),
        ("Days", f"{data.first_day} to {data.last_day}"),
        ("Features", f"{len(data.features)} ({data.features_hash[:12]})"),
        ("Label", data.label),
        ("Learner", f"{report.learner}, {report.overfitting.trials} trials counted"),
        ("Folds", f"{len(report.folds)} of {report.folds[0].rows[2]:,} rows and more"
         if report.folds else "none"),
    ]  # fmt: skip
    screen.table(f"Model {report.name}", ("what", "value"), rows)


def _intervals(title: str, values: Mapping[str, Interval]) -> None:
    rows = [(name, screen_number(one.value), _span(one)) for name, one in values.items()]
    screen.table(title, ("metric", "value", "95 % interval"), rows)


def _span(one: Interval) -> str:
    if one.low is None or one.high is None:
        return ""
    return f"{one.low:.3g} to {one.high:.3g}"


def screen_number(value: float | None) -> str:
    """Return a number for a table; ``-`` where it is undefined."""
    return "-" if value is None else f"{value:,.4g}"


def _luck(report: TrainingReport) -> None:
    luck = report.overfitting
    rows = [
        ("Probability of backtest overfitting", screen_number(luck.pbo)),
        ("  and that the chosen trial then loses", screen_number(luck.pbo_loss)),
        ("Best Sharpe expected of luck, per session", screen_number(luck.expected_maximum_sharpe)),
        ("Probabilistic Sharpe ratio", screen_number(luck.probabilistic_sharpe)),
        ("Deflated Sharpe ratio", screen_number(luck.deflated_sharpe)),
        ("Sessions needed / there", f"{screen_number(luck.minimum_track_record)} / "
         f"{luck.sessions}"),
        ("Stability of parameters", screen_number(luck.stability)),
        ("Leaks suspected", ", ".join(one.feature for one in report.leaks) or "none"),
    ]  # fmt: skip
    screen.table(f"Luck, given {luck.trials} trials", ("what", "value"), rows)


def _gates(clauses: Iterable[ClauseFacts]) -> None:
    answers = {True: "pass", False: "REFUSE", None: "unknown: REFUSE"}
    rows = [
        (
            one.rule,
            answers[one.passed],
            one.clause,
            ", ".join(f"{path}={_shown(value)}" for path, value in one.values.items())
            or one.reason,
        )
        for one in clauses
    ]
    screen.table("Gates", ("rule", "answer", "clause", "values"), rows)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def render_evaluate(evaluated: Evaluated) -> None:
    """Print how the model does on days after its training."""
    found = evaluated.evaluation
    out = screen.console()
    out.print(f"Label        {found.label}", soft_wrap=True, markup=False)
    _intervals(f"{found.model}, predictions", found.scores)
    _intervals(f"{found.model}, traded by {found.strategy} after costs", found.judged)
    worst = sorted(found.drift.items(), key=lambda one: -one[1])[:_SHOWN]
    screen.table(
        "Drift against training (PSI)", ("feature", "psi"), [(n, f"{v:.3f}") for n, v in worst]
    )
    for note in found.notes:
        out.print(f"Note: {note}", soft_wrap=True, markup=False)
    out.print(f"Predictions  {found.predictions}", soft_wrap=True, markup=False)
    screen.summary(
        {
            "model": found.model,
            "first_day": found.first_day,
            "last_day": found.last_day,
            "rows": found.rows,
            "run": found.run,
        }
    )


def render_explain(explained: Explained) -> None:
    """Print what the model goes by."""
    found = explained.explanation
    rows = [
        (one.name, screen_number(one.value), f"{one.contribution:+.4f}", screen_number(one.share))
        for one in found.features
    ]
    about = f"{found.symbol} {found.day}" if found.symbol else f"{found.rows:,} rows"
    screen.table(f"{found.model}: {about}", ("feature", "value", "SHAP (log-odds)", "share"), rows)
    screen.summary(
        {
            "model": found.model,
            "rows": found.rows,
            "score": screen_number(found.score),
            "probability": screen_number(found.probability),
        }
    )
