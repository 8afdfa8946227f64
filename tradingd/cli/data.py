"""Commands of `tradingd data`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "XDG_DATA_HOME": "base of the default store folder",
}

_Name = Annotated[
    str, Meta(description="Name of the snapshot.", extra={"positional": True, "metavar": "NAME"})
]


class ImportParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data import`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    keep_going: Annotated[
        bool, Meta(description="Import the rest after a bad file; list the bad ones at the end.")
    ] = False


class QueryParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data query`."""

    sql: Annotated[
        str,
        Meta(
            description="One SELECT over bars, bars_split, bars_total, quotes, trades, actions ...",
            extra={"positional": True, "metavar": "SQL"},
        ),
    ]
    overrides: Overrides = ()
    overlay: Overlay = None
    limit: Annotated[int, Meta(ge=1, le=1_000_000, description="Most rows to show.")] = 50


class CheckParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data check`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: Annotated[tuple[str, ...], Meta(description="Only these symbols.")] = ()
    strict: Annotated[bool, Meta(description="End with exit code 26 when there are errors.")] = (
        False
    )
    limit: Annotated[int, Meta(ge=1, description="Most findings to list.")] = 50


class CompactParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data compact`."""

    overrides: Overrides = ()
    overlay: Overlay = None


class ScanParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data scan`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: Annotated[tuple[str, ...], Meta(description="Only these symbols.")] = ()
    verify: Annotated[bool, Meta(description="Also compare every file with its recorded hash.")] = (
        False
    )


class SnapshotParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data snapshot`."""

    name: _Name
    overrides: Overrides = ()
    overlay: Overlay = None
    to: Annotated[
        str | None,
        Meta(
            description="Folder for a real copy (another disk); default: hard links in the store."
        ),
    ] = None


class RestoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data restore`."""

    name: _Name
    overrides: Overrides = ()
    overlay: Overlay = None
    origin: Annotated[
        str | None, Meta(description="Folder that `snapshot --to` wrote to; default: the store.")
    ] = None


class ActionsParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data actions`."""

    symbol: Annotated[
        str, Meta(description="Symbol, e.g. AAPL.", extra={"positional": True, "metavar": "SYMBOL"})
    ]
    overrides: Overrides = ()
    overlay: Overlay = None


class SyncParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data sync`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    symbols: Annotated[
        tuple[str, ...], Meta(description="Only these symbols, in place of sync.symbols.")
    ] = ()
    dry_run: Annotated[
        bool, Meta(description="Show what is missing and would be fetched; ask nobody.")
    ] = False
    limit: Annotated[int, Meta(ge=1, description="Most ranges to list.")] = 50


class ProvenanceParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd data provenance`."""

    symbol: Annotated[
        str, Meta(description="Symbol, e.g. AAPL.", extra={"positional": True, "metavar": "SYMBOL"})
    ]
    overrides: Overrides = ()
    overlay: Overlay = None


def _command(
    verb: str,
    params: type[msgspec.Struct],
    result: str,
    summary: str,
    examples: tuple[str, ...],
    module: str = "tradingd.cli.data_run",
) -> Command[Any, Any]:
    return Command(
        path=("data", verb),
        params=params,
        result=result,
        function=f"{module}:run_{verb}",
        render=f"{module}:render_{verb}",
        summary=summary,
        examples=examples,
        environment=_ENVIRONMENT,
    )


COMMANDS: tuple[Command[Any, Any], ...] = (
    _command(
        "import",
        ImportParams,
        "tradingd.app.data:Imported",
        "Bring a source's bars, quotes, trades and corporate actions into the store.",
        (
            "tradingd data import source=sample",
            "tradingd data import source=lean source.path=/data/lean",
            "tradingd data import source=tabular source.path=bars.csv source.resolution=1m",
            "tradingd data import source=lean source.path=/data/lean --keep-going",
        ),
    ),
    _command(
        "query",
        QueryParams,
        "tradingd.app.data:Answer",
        "Run one SELECT over the store's views.",
        (
            "tradingd data query \"SELECT * FROM bars WHERE symbol = 'SPY'\" --limit 5",
            'tradingd data query "SELECT symbol, count(*) FROM bars GROUP BY symbol" --json',
        ),
    ),
    _command(
        "check",
        CheckParams,
        "tradingd.cli.data_run:CheckReport",
        "Look for gaps, duplicates, impossible prices, outliers and unadjusted splits.",
        ("tradingd data check", "tradingd data check --symbols SPY AAPL --strict"),
    ),
    _command(
        "compact",
        CompactParams,
        "tradingd.history.compact:Compacted",
        "Unite small files; the rows stay the same.",
        ("tradingd data compact",),
    ),
    _command(
        "scan",
        ScanParams,
        "tradingd.cli.data_run:ScanReport",
        "Show what the store covers: span, rows, sessions present and missing, size.",
        ("tradingd data scan", "tradingd data scan --symbols SPY --verify"),
    ),
    _command(
        "snapshot",
        SnapshotParams,
        "tradingd.history.snapshot:Snapshot",
        "Keep the store as it is now under a name, verified.",
        (
            "tradingd data snapshot before-reload",
            "tradingd data snapshot nightly --to /backup/tradingd",
        ),
    ),
    _command(
        "restore",
        RestoreParams,
        "tradingd.history.snapshot:Snapshot",
        "Bring the store back to a snapshot, after verifying every hash.",
        (
            "tradingd data restore before-reload",
            "tradingd data restore nightly --origin /backup/tradingd",
        ),
    ),
    _command(
        "actions",
        ActionsParams,
        "tradingd.cli.data_run:ActionsReport",
        "List a symbol's splits, dividends, renames and delisting.",
        ("tradingd data actions AAPL",),
    ),
    _command(
        "sync",
        SyncParams,
        "tradingd.app.sync.report:Synced",
        "Fetch what the store misses from the first source whose rows pass the quality checks. "
        "Exit code 0: nothing is left open; 35: a source did not answer; 26: no source's rows "
        "passed; 21: unknown symbols.",
        (
            "tradingd data sync --dry-run",
            "tradingd data sync sync.start=2024-01-02 --symbols SPY AAPL",
            "tradingd data sync 'sync.sources=[{kind: tiingo}, {kind: yahoo}]' sync.days=90",
        ),
        "tradingd.cli.data_sync_run",
    ),
    _command(
        "provenance",
        ProvenanceParams,
        "tradingd.cli.data_sync_run:ProvenanceReport",
        "Show which source brought which of a symbol's rows, when, and how they were judged.",
        ("tradingd data provenance AAPL",),
        "tradingd.cli.data_sync_run",
    ),
)
