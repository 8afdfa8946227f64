"""Commands of `tradingd model` that make, judge and explain models."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides
from tradingd.cli.model import Model

_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default folders of history, runs and models",
}
_INTERRUPTED = (
    "run it again; trials that were made stay counted, and nothing is registered but what "
    "`tradingd model list` shows"
)


class TrainParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model train`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    promote: Annotated[
        bool,
        Meta(description="Promote it if every gate is passed; end with exit code 36 if not."),
    ] = False
    by: Annotated[
        str,
        Meta(
            description="Who promotes it; default: the account this runs under.",
            extra={"metavar": "NAME"},
        ),
    ] = ""


class RetrainParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model retrain`."""

    overrides: Overrides = ()
    overlay: Overlay = None


class EvaluateParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model evaluate`."""

    model: Model
    overrides: Overrides = ()
    overlay: Overlay = None


class ExplainParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd model explain`."""

    model: Model
    overrides: Overrides = ()
    overlay: Overlay = None
    symbol: Annotated[
        str | None, Meta(description="Explain the prediction for this symbol alone.")
    ] = None
    day: Annotated[
        dt.date | None,
        Meta(description="Of its last bar on that day; default: the last day of the store."),
    ] = None


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("model", "train"),
        params=TrainParams,
        result="tradingd.cli.model_train_run:Trained",
        function="tradingd.cli.model_train_run:run_train",
        render="tradingd.cli.model_train_run:render_train",
        summary="Train a model on the store, judge it by a backtest of what it had not seen, and "
        "ask the gates. It ends well when the gates refuse, unless --promote is given.",
        examples=(
            "tradingd model train",
            "tradingd model train training.name=mine training.learner.kind=xgboost",
            "tradingd model train strategy=swing_trend_ml training.tuning.trials=30 --promote",
            "tradingd model train training.placebo=true --json",
        ),
        environment=_ENVIRONMENT,
        interrupted=_INTERRUPTED,
    ),
    Command(
        path=("model", "retrain"),
        params=RetrainParams,
        result="tradingd.cli.model_train_run:Retrained",
        function="tradingd.cli.model_train_run:run_retrain",
        render="tradingd.cli.model_train_run:render_retrain",
        summary="Train a challenger, if training.nightly is set; the nightly job does.",
        examples=("tradingd model retrain", "tradingd model retrain training.nightly=true"),
        environment=_ENVIRONMENT,
        interrupted=_INTERRUPTED,
    ),
    Command(
        path=("model", "evaluate"),
        params=EvaluateParams,
        result="tradingd.cli.model_train_run:Evaluated",
        function="tradingd.cli.model_train_run:run_evaluate",
        render="tradingd.cli.model_train_run:render_evaluate",
        summary="Judge a registered model by the days after its training, which it cannot know.",
        examples=(
            "tradingd model evaluate swing",
            "tradingd model evaluate swing@3 strategy=swing_trend_ml --json",
        ),
        environment=_ENVIRONMENT,
    ),
    Command(
        path=("model", "explain"),
        params=ExplainParams,
        result="tradingd.cli.model_train_run:Explained",
        function="tradingd.cli.model_train_run:run_explain",
        render="tradingd.cli.model_train_run:render_explain",
        summary="Show what a model goes by: over all rows, or for one symbol on one day.",
        examples=(
            "tradingd model explain swing",
            "tradingd model explain swing@production --symbol AAPL --day 2016-05-02",
        ),
        environment=_ENVIRONMENT,
    ),
)
