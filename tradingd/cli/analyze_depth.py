"""The command `tradingd analyze depth`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command


class DepthParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd analyze depth`."""

    files: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Order books: snapshots (.parquet), DBN (.dbn, .dbn.zst), or either file "
            "of a LOBSTER pair (.csv, .csv.gz).",
            extra={"positional": True, "metavar": "FILE"},
        ),
    ]
    symbol: Annotated[str, Meta(description="Which symbol, of files with several.")] = ""
    horizons: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=3_600)], ...],
        Meta(
            min_length=1,
            max_length=10,
            description="Lengths of the intervals of the price-impact regressions.",
            extra={"unit": "seconds"},
        ),
    ] = (1, 10, 60)
    levels: Annotated[
        Annotated[int, Meta(ge=1, le=50)] | None,
        Meta(description="Levels a side to use at most; default: all that the file has."),
    ] = None
    out: Annotated[
        str | None,
        Meta(
            description="Folder to write into: FILE_depth_report.json, under the contract "
            "depth-report, and FILE_depth_report.html, a page of plots that opens offline.",
            extra={"metavar": "FOLDER"},
        ),
    ] = None


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("analyze", "depth"),
        params=DepthParams,
        result="tradingd.app.analyze_depth:Analysed",
        function="tradingd.cli.analyze_depth_run:depth",
        render="tradingd.cli.analyze_depth_run:render",
        summary="Measure order books: order flow and price impact, spread, depth, queues, costs.",
        examples=(
            "tradingd analyze depth level2/FROG/2025-04-03_snapshots_093000.parquet",
            "tradingd analyze depth xnas-itch-20250403.mbp-10.dbn.zst --symbol FROG --out reports",
            "tradingd analyze depth GOOG_2012-06-21_34200000_57600000_message_5.csv "
            "--horizons 10 60 --levels 5 --json",
        ),
    ),
)
