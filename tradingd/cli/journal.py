"""Commands of `tradingd journal`: what a daemon did, from its journal's file."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command

Instance = Annotated[
    str,
    Meta(
        description="Name of the daemon's instance.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        extra={"short": "i"},
    ),
]
File = Annotated[
    str | None,
    Meta(description="Journal file; default: the instance's.", extra={"metavar": "PATH"}),
]
Symbol = Annotated[str | None, Meta(description="Only this symbol.")]
Strategy = Annotated[str | None, Meta(description="Only this strategy.")]
Day = Annotated[
    str | None,
    Meta(description="Only this exchange day (New York).", extra={"metavar": "YYYY-MM-DD"}),
]
FirstDay = Annotated[
    str | None,
    Meta(description="First exchange day.", extra={"flag": "from", "metavar": "YYYY-MM-DD"}),
]
LastDay = Annotated[
    str | None,
    Meta(description="Last exchange day.", extra={"flag": "to", "metavar": "YYYY-MM-DD"}),
]
Last = Annotated[
    int, Meta(description="Most rows to show, the newest; 0 for all.", ge=0, extra={"metavar": "N"})
]

ENVIRONMENT = {
    "STATE_DIRECTORY": "state folder of the instance under systemd",
    "XDG_STATE_HOME": "base of the state folder where /var/lib/tradingd/INSTANCE is absent",
}


class JournalParams(msgspec.Struct, frozen=True, kw_only=True):
    """What every command of `tradingd journal` takes."""

    instance: Instance = "paper"
    file: File = None


class ListParams(JournalParams, frozen=True, kw_only=True):
    """Input of the lists: fills, trades, signals, decisions."""

    symbol: Symbol = None
    strategy: Strategy = None
    day: Day = None
    first_day: FirstDay = None
    last_day: LastDay = None
    last: Last = 50


class OrdersParams(ListParams, frozen=True, kw_only=True):
    """Input of `tradingd journal orders`."""

    status: Annotated[
        str | None,
        Meta(description="Only this state, e.g. FILLED; OPEN for all that are not over."),
    ] = None


class RunsParams(JournalParams, frozen=True, kw_only=True):
    """Input of `tradingd journal runs`."""

    strategy: Strategy = None
    status: Annotated[str | None, Meta(description="Only runs that ended like this.")] = None
    day: Day = None
    first_day: FirstDay = None
    last_day: LastDay = None
    last: Last = 50


class PositionsParams(JournalParams, frozen=True, kw_only=True):
    """Input of `tradingd journal positions`."""

    symbol: Symbol = None
    strategy: Strategy = None


class StatsParams(JournalParams, frozen=True, kw_only=True):
    """Input of `tradingd journal stats`."""

    symbol: Symbol = None
    strategy: Strategy = None
    day: Day = None
    first_day: FirstDay = None
    last_day: LastDay = None


class ExportParams(JournalParams, frozen=True, kw_only=True):
    """Input of `tradingd journal export`."""

    to: Annotated[str, Meta(description="Folder of the Parquet files.", extra={"metavar": "DIR"})]


def _verb(
    name: str, params: type[JournalParams], summary: str, *examples: str
) -> Command[Any, Any]:
    return Command(
        path=("journal", name),
        params=params,
        result=f"tradingd.cli.journal_results:{name.capitalize()}",
        function=f"tradingd.cli.journal_run:{name}",
        render=f"tradingd.cli.journal_render:render_{name}",
        summary=summary,
        examples=tuple(f"tradingd journal {name}{words}" for words in examples),
        environment=ENVIRONMENT,
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    _verb("runs", RunsParams, "List the daemon's processes: when, what, how they ended.", ""),
    _verb("signals", ListParams, "List what strategies asked for.", "", " --symbol AAPL"),
    _verb(
        "orders",
        OrdersParams,
        "List orders with their present state.",
        " --status OPEN",
        " --symbol AAPL --day 2024-01-02",
    ),
    _verb("fills", ListParams, "List executions.", "", " --from 2024-01-02 --to 2024-01-05"),
    _verb("trades", ListParams, "List round trips, flat to flat.", "", " --strategy swing_trend"),
    _verb("positions", PositionsParams, "List the positions that the fills add up to.", ""),
    _verb("decisions", ListParams, "List denied orders with the limit that denied.", "", " --json"),
    _verb(
        "stats",
        StatsParams,
        "Sum up round trips: win rate, net result, averages, fees, by strategy.",
        "",
        " --from 2024-01-02 --json",
    ),
    _verb("export", ExportParams, "Write every table to Parquet.", " --to exported"),
)
