"""Commands of `tradingd analyze`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides


class SignalsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd analyze signals`."""

    symbols: Annotated[
        tuple[str, ...], Meta(description="Symbols to analyse, one at least, e.g. AAPL SPY.")
    ] = ()
    overrides: Overrides = ()
    overlay: Overlay = None
    duration: Annotated[
        str,
        Meta(description='How far back from the last bar: trading days, e.g. "5 D", or W, M, Y.'),
    ] = "5 D"
    bar_size: Annotated[
        Literal["1 min", "5 mins", "15 mins", "30 mins", "1 hour", "1 day"],
        Meta(description="Bars begin at the session's open."),
    ] = "5 mins"
    no_save: Annotated[
        bool, Meta(description="Leave the store as it is; fetched bars are dropped afterwards.")
    ] = False


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("analyze", "signals"),
        params=SignalsParams,
        result="tradingd.app.analyze:SignalReport",
        function="tradingd.cli.analyze_run:signals",
        render="tradingd.cli.analyze_run:render_signals",
        summary="Say what the strategies would have said over the last bars; sends no orders.",
        examples=(
            'tradingd analyze signals --symbols AAPL --duration "5 D" --bar-size "5 mins"',
            'tradingd analyze signals --symbols AAPL MSFT --duration "1 Y" --bar-size "1 day"',
            'tradingd analyze signals source=alpaca --symbols AAPL --duration "5 D" --no-save',
            "tradingd analyze signals strategy=swing_trend strategy.adx_min=25 --symbols AAPL "
            '--bar-size "1 day" --duration "2 Y" --no-save',
        ),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "XDG_DATA_HOME": "base of the default store folder",
        },
    ),
)
