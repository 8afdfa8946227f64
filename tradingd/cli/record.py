"""Commands of `tradingd record`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Instance, Overlay, Overrides

_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default level-2 folder",
    "DATABENTO_API_KEY": "key of depth=databento, unless depth.key names another",
}


class DepthParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd record depth`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None
    symbols: Annotated[
        tuple[str, ...],
        Meta(description="In place of record.symbols; a replay has all of its own by default."),
    ] = ()
    minutes: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(
            description="Length of each symbol's capture, in place of record.minutes; "
            "0: until Ctrl-C.",
            extra={"fits": "a whole number of minutes"},
        ),
    ] = None


class ListParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd record list`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None
    symbols: Annotated[tuple[str, ...], Meta(description="Only these symbols.")] = ()


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("record", "depth"),
        params=DepthParams,
        result="tradingd.app.record:Recorded",
        function="tradingd.cli.record_run:run_depth",
        render="tradingd.cli.record_run:render_depth",
        summary="Record order books: snapshots, message log and statistics, until Ctrl-C. Exit "
        "code 0: recorded; 21: an unknown symbol; 63: the feed failed or refused; 19: the disk.",
        examples=(
            "tradingd record depth depth=replay depth.path=FROG.mbp-10.dbn.zst depth.speed=60",
            "tradingd record depth depth=databento --symbols FROG AAPL --minutes 30",
            "tradingd record depth depth=ibkr record.levels=20 record.interval_ms=50 "
            "--symbols AAPL",
        ),
        environment=_ENVIRONMENT,
        own_signals=True,
    ),
    Command(
        path=("record", "list"),
        params=ListParams,
        result="tradingd.app.record_list:Listing",
        function="tradingd.cli.record_run:run_list",
        render="tradingd.cli.record_run:render_list",
        summary="Show which order books were captured: rows, span, quality, size.",
        examples=("tradingd record list", "tradingd record list --symbols FROG --json"),
        environment=_ENVIRONMENT,
    ),
)
