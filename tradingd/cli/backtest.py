"""Commands of `tradingd backtest`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides


class BacktestParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd backtest`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    multirun: Annotated[
        bool, Meta(description="Sweep: comma lists and ranges become trials.", extra={"short": "m"})
    ] = False
    objective: Annotated[str, Meta(description="Metric that a sweep maximises and sorts by.")] = (
        "sharpe"
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("backtest",),
        params=BacktestParams,
        result="tradingd.cli.backtest_run:BacktestReport",
        function="tradingd.cli.backtest_run:run",
        render="tradingd.cli.backtest_run:render",
        summary="Run a strategy over stored history, or sweep its parameters with -m.",
        examples=(
            "tradingd backtest",
            "tradingd backtest strategy=ema_cross risk=open universe=spy",
            "tradingd backtest mode.start=2012-01-01 broker=alpaca",
            "tradingd backtest strategy=book_imbalance depth=replay depth.path=/data/books",
            "tradingd backtest -m strategy.fast=5,10 strategy.slow=30,50",
            "tradingd backtest -m hydra/launcher=joblib strategy.fast=5,10,20",
        ),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "XDG_DATA_HOME": "base of the default store and results folders",
        },
        interrupted="run it again; trials of a sweep that ended are kept in its folder, and "
        "`tradingd runs list` shows a run that was cut off as failed",
    ),
)
