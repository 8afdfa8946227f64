"""Commands of `tradingd runs`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command

Root = Annotated[
    str | None,
    Meta(
        description="Folder of the run folders; default: the configuration's mode.results.",
        extra={"metavar": "FOLDER"},
    ),
]

Overrides = Annotated[
    tuple[str, ...],
    Meta(
        description="Overrides of the configuration that names the folder, e.g. mode.results=DIR.",
        extra={"metavar": "OVERRIDE"},
    ),
]

_RUN = "A run id, its unique beginning, or latest."

ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_CONFIG_HOME": "base of the user's overlay folder",
    "XDG_DATA_HOME": "base of the default results folder",
}


class ListParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd runs list`."""

    root: Root = None
    overrides: Overrides = ()


class ShowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd runs show`."""

    run: Annotated[str, Meta(description=_RUN, extra={"positional": True, "metavar": "RUN"})] = (
        "latest"
    )
    root: Root = None
    overrides: Overrides = ()


class CompareParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd runs compare`."""

    runs: Annotated[
        tuple[str, ...],
        Meta(description=_RUN + " Two or more.", extra={"positional": True, "metavar": "RUN"}),
    ] = ()
    root: Root = None
    overrides: Overrides = ()


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("runs", "list"),
        params=ListParams,
        result="tradingd.app.runs:RunList",
        function="tradingd.cli.runs_run:list_",
        render="tradingd.cli.runs_render:render_list",
        summary="List backtest runs, the most recent first, failed and unfinished ones included.",
        examples=("tradingd runs list", "tradingd runs list --root runs --json"),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("runs", "show"),
        params=ShowParams,
        result="tradingd.app.runs:RunReport",
        function="tradingd.cli.runs_run:show",
        render="tradingd.cli.runs_render:render_show",
        summary="Show a run's metrics and files, or why it failed.",
        examples=("tradingd runs show", "tradingd runs show swing_trend-3f9a"),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("runs", "compare"),
        params=CompareParams,
        result="tradingd.results.compare:Comparison",
        function="tradingd.cli.runs_run:compare",
        render="tradingd.cli.runs_render:render_compare",
        summary="Put runs side by side: every metric, and the settings that differ.",
        examples=("tradingd runs compare ema_cross-3f9a ema_cross-77b0",),
        environment=ENVIRONMENT,
    ),
)
