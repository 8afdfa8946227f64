"""The page of a report: its sections in the order a reader asks."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.plotpage.document import document
from tradingd.kits.plotpage.marks import Figures
from tradingd.microstructure.page import (
    after_trades,
    depth,
    flow,
    header,
    price,
    queue,
    season,
    spread,
    volume,
)
from tradingd.microstructure.report import DepthReport

_GROUPS: Final = (price, flow, season, spread, depth, queue, after_trades, volume)


def write(report: DepthReport, path: Path) -> None:
    """Write the page of a report, about 5 MB, atomically; equal reports make equal bytes.

    Raises
    ------
    OSError
        The file cannot be written; what was there before still is.
    """
    write_bytes(path, page(report).encode())


def page(report: DepthReport) -> str:
    """Return the HTML: no request leaves it, and no text of the report is markup in it."""
    figures: Figures = {}
    parts = [header.cards(report)]
    parts += [group.sections(report, figures) for group in _GROUPS]
    parts.append(header.left_out(report))
    source = report.source
    return document(
        title=f"{source.symbol} {source.day} · order books",
        header=header.header(report),
        main="".join(parts),
        footer=header.footer(report),
        data={"figures": figures},
        style=files("tradingd.microstructure.page").joinpath("page.css").read_text(),
    )
