"""Commands of `tradingd features`."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default store folder",
    "PYTHONPATH": "where modules of features of your own are looked for, beside this folder",
}

_Symbols = Annotated[
    tuple[str, ...], Meta(description="Only these symbols, in place of universe=.")
]
_Start = Annotated[dt.date | None, Meta(description="First day of the bars, YYYY-MM-DD.")]
_End = Annotated[dt.date | None, Meta(description="Last day of the bars, YYYY-MM-DD.")]


class ListParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features list`."""

    words: Annotated[
        tuple[str, ...],
        Meta(
            description="Only kinds whose name or summary has one of these words.",
            extra={"positional": True, "metavar": "WORD"},
        ),
    ] = ()


class ShowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features show`."""

    overrides: Overrides = ()
    overlay: Overlay = None


class CheckParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features check`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: Annotated[
        tuple[str, ...],
        Meta(description="Symbols whose bars it is proved on; default: the first 5 of universe=."),
    ] = ()
    only: Annotated[
        tuple[str, ...], Meta(description="Only these features, by their declared names.")
    ] = ()
    start: _Start = None
    end: _End = None
    bars: Annotated[
        int, Meta(ge=50, le=1_000_000, description="Latest bars of each symbol that are used.")
    ] = 2_000
    cuts: Annotated[
        int, Meta(ge=1, le=1_000, description="Times the bars are cut off after, and before.")
    ] = 12
    seed: Annotated[int, Meta(ge=0, description="Of the choice of these times.")] = 0


class MaterialiseParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features materialise`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: _Symbols = ()
    start: _Start = None
    end: _End = None


class ReportParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features report`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: _Symbols = ()
    start: _Start = None
    end: _End = None


class DriftParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd features drift`."""

    since: Annotated[
        dt.date,
        Meta(
            description="First day of the rows that are compared with those before it, YYYY-MM-DD.",
            extra={"positional": True, "metavar": "SINCE"},
        ),
    ]
    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: _Symbols = ()
    start: _Start = None
    end: _End = None


def _command(
    verb: str,
    params: type[msgspec.Struct],
    result: str,
    summary: str,
    examples: tuple[str, ...],
) -> Command[Any, Any]:
    return Command(
        path=("features", verb),
        params=params,
        result=result,
        function=f"tradingd.cli.features_run:run_{verb}",
        render=f"tradingd.cli.features_run:render_{verb}",
        summary=summary,
        examples=examples,
        environment=_ENVIRONMENT,
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    _command(
        "list",
        ListParams,
        "tradingd.app.featuring.kinds:KindList",
        "List the kinds of features, with their parameters, defaults and sources.",
        ("tradingd features list", "tradingd features list volatility volume"),
    ),
    _command(
        "show",
        ShowParams,
        "tradingd.app.featuring.kinds:SetFacts",
        "Show the declared features, the bars each needs, and the hash that models are bound to.",
        (
            "tradingd features show",
            "tradingd features show features=minute",
            "tradingd features show features.benchmark=SPY "
            "'features.declared.beta={kind: beta, bars: 60}'",
        ),
    ),
    _command(
        "check",
        CheckParams,
        "tradingd.app.featuring.checked:Checked",
        "Prove of every declared feature, yours included, that bar by bar equals all at once, that "
        "nothing is seen before its time, that splits change nothing and that its memory is "
        "enough. Exit code 34 when a proof fails.",
        (
            "tradingd features check --symbols AAPL MSFT",
            "tradingd features check features=minute --bars 5000 --cuts 50",
            "tradingd features check 'features.declared.mine={kind: \"my_module:Mine\"}' "
            "--only mine",
        ),
    ),
    _command(
        "materialise",
        MaterialiseParams,
        "tradingd.features.materialise:Materialised",
        "Compute the declared features of stored bars into Parquet files; only what is new.",
        (
            "tradingd features materialise",
            "tradingd features materialise features=minute --symbols SPY AAPL",
        ),
    ),
    _command(
        "report",
        ReportParams,
        "tradingd.app.featuring.described:Described",
        "Show what the declared features' values look like: missing, infinite, far off, constant.",
        (
            "tradingd features report",
            "tradingd features report --symbols AAPL --start 2014-01-02",
        ),
    ),
    _command(
        "drift",
        DriftParams,
        "tradingd.app.featuring.described:Drifted",
        "Compare the declared features' values since a day with those before it: PSI and KS.",
        (
            "tradingd features drift 2013-02-01",
            "tradingd features drift 2015-01-02 --start 2013-01-02 --end 2015-03-31",
        ),
    ),
)
