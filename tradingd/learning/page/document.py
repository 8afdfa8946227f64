"""The page of a report: its sections in the order a sceptic asks."""

from importlib.resources import files
from pathlib import Path

from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.plotpage.document import document
from tradingd.kits.plotpage.marks import Figures
from tradingd.learning.page import (
    calibration,
    facts,
    features,
    folds,
    header,
    leaks,
    luck,
    regimes,
    returns,
    trials,
    verdict,
)
from tradingd.learning.report import TrainingReport


def write(report: TrainingReport, path: Path) -> None:
    """Write the page, about 5 MB, atomically; equal reports make equal bytes.

    Raises
    ------
    OSError
        The file cannot be written; what was there before still is.
    """
    write_bytes(path, page(report).encode())


def page(report: TrainingReport) -> str:
    """Return the HTML: no request leaves it, and no text of the report is markup in it."""
    figures: Figures = {}
    parts = [
        verdict.sections(report),
        header.cards(report),
        returns.sections(report, figures),
        luck.sections(report, figures),
        trials.sections(report, figures),
        folds.sections(report, figures),
        calibration.sections(report, figures),
        features.sections(report, figures),
        leaks.sections(report),
        regimes.sections(report, figures),
        facts.sections(report),
    ]
    return document(
        title=f"{report.name} · model",
        header=header.header(report),
        main="".join(parts),
        footer=header.footer(report),
        data={"figures": figures},
        style=files("tradingd.learning.page").joinpath("page.css").read_text(),
    )
