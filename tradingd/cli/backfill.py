"""Commands of `tradingd backfill`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Instance, Overlay, Overrides

_ENVIRONMENT = {
    "DATABENTO_API_KEY": "key of backfill.provider, unless backfill.provider.key names another",
    "L2_MAX_WORKERS": "sets backfill.workers",
    "L2_BACKFILL_ENABLED": "sets backfill.enabled",
    "L2_BACKFILL_WINDOW_ET": "09:00-11:00: sets backfill.window_start and backfill.window_end",
    "SYMBOL_MAPPING_FILE": "sets backfill.mapping",
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default folder of order books",
}

_Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", extra={"fits": "YYYY-MM-DD"})]


class L2Params(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd backfill l2`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = None
    log: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Trade log, .xlsx or .csv; default: backfill.log.",
            extra={"metavar": "FILE"},
        ),
    ] = None
    since: Annotated[
        Annotated[
            str,
            Meta(
                pattern=r"^(\d{1,5}|\d{4}-\d{2}-\d{2})$",
                extra={"fits": "a number of days or YYYY-MM-DD"},
            ),
        ]
        | None,
        Meta(
            description="Only days from this date, or from so many days ago.",
            extra={"metavar": "DAYS|DATE"},
        ),
    ] = None
    until: Annotated[
        _Day | None,
        Meta(description="Only days up to this date.", extra={"metavar": "DATE"}),
    ] = None
    symbols: Annotated[tuple[str, ...], Meta(description="Only these symbols.")] = ()
    last: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Only the most recent N different days that are left by the others."),
    ] = None
    max_tasks: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="At most the first N tasks of the log.")
    ] = None
    dry_run: Annotated[
        bool, Meta(description="Show the tasks and what they would cost; fetch nothing.")
    ] = False
    force: Annotated[bool, Meta(description="Fetch and write anew what is there already.")] = False
    strict: Annotated[
        bool, Meta(description="End with exit code 35 when a task ends ERROR or UNAVAIL.")
    ] = False


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("backfill", "l2"),
        params=L2Params,
        result="tradingd.cli.backfill_run:Backfilled",
        function="tradingd.cli.backfill_run:run_l2",
        render="tradingd.cli.backfill_run:render_l2",
        summary="Fetch past order books for every symbol and day of a trade log. Exit code 37: the "
        "vendor's estimate is over the spending limit.",
        examples=(
            "tradingd backfill l2 --log trades.xlsx --dry-run",
            "tradingd backfill l2 --log trades.csv --since 30 --last 5 backfill.enabled=true",
            "tradingd backfill l2 --since 2025-01-02 --until 2025-03-31 --symbols AAPL --strict",
            "tradingd backfill l2 --instance paper --since 7 --strict",
        ),
        environment=_ENVIRONMENT,
    ),
)
