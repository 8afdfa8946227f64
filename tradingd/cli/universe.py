"""Commands of `tradingd universe`."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default store folder",
}

_Day = Annotated[dt.date | None, Meta(description="Day, e.g. 2016-07-01; default: the latest.")]


class RefreshParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd universe refresh`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    start: Annotated[
        dt.date | None, Meta(description="First day; default: only the session next to close.")
    ] = None
    end: Annotated[dt.date | None, Meta(description="Last day, inclusive; default: today.")] = None
    if_configured: Annotated[
        bool, Meta(description="Do nothing where the configured universe has no tiers.")
    ] = False


class ShowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd universe show`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    day: _Day = None
    rejected: Annotated[
        bool, Meta(description="Those that the screen rejected, with their reasons.")
    ] = False
    limit: Annotated[int, Meta(ge=1, description="Most symbols to list.")] = 50


class ExplainParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd universe explain`."""

    symbol: Annotated[
        str, Meta(description="Symbol, e.g. AAPL.", extra={"positional": True, "metavar": "SYMBOL"})
    ]
    overrides: Overrides = ()
    overlay: Overlay = None
    day: _Day = None


class HistoryParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd universe history`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    start: Annotated[dt.date | None, Meta(description="First day; default: the first file.")] = None
    end: Annotated[
        dt.date | None, Meta(description="Last day, inclusive; default: the last file.")
    ] = None
    limit: Annotated[int, Meta(ge=1, description="Most days to list, the latest.")] = 50


def _command(
    verb: str,
    params: type[msgspec.Struct],
    result: str,
    summary: str,
    examples: tuple[str, ...],
) -> Command[Any, Any]:
    return Command(
        path=("universe", verb),
        params=params,
        result=f"tradingd.app.universe:{result}",
        function=f"tradingd.cli.universe_run:run_{verb}",
        render=f"tradingd.cli.universe_run:render_{verb}",
        summary=summary,
        examples=examples,
        environment=_ENVIRONMENT,
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    _command(
        "refresh",
        RefreshParams,
        "Refreshed",
        "Screen every symbol of the store as of the eve of each day and write the day's tiers.",
        (
            "tradingd universe refresh",
            "tradingd universe refresh universe=extended --start 2016-01-04 --end 2016-12-30",
        ),
    ),
    _command(
        "show",
        ShowParams,
        "Listed",
        "List a day's members with their facts, or whom the screen rejected and why.",
        (
            "tradingd universe show",
            "tradingd universe show --day 2016-07-01 --rejected --limit 20",
        ),
    ),
    _command(
        "explain",
        ExplainParams,
        "Explained",
        "Show every clause of the screen for one symbol, with its value and bound.",
        ("tradingd universe explain AAPL", "tradingd universe explain AA --day 2016-11-01"),
    ),
    _command(
        "history",
        HistoryParams,
        "History",
        "Show who joined and who left a tier, day by day.",
        ("tradingd universe history", "tradingd universe history universe=extended --limit 10"),
    ),
)
