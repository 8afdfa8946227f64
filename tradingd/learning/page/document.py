"""The page of a report: its sections in the order a sceptic asks."""

from html import escape
from pathlib import Path

from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.plotpage.document import document
from tradingd.kits.plotpage.fragments import section
from tradingd.learning.report import TrainingReport


def write(report: TrainingReport, path: Path) -> None:
    """Write the page, atomically; equal reports make equal bytes."""
    write_bytes(path, page(report).encode())


def page(report: TrainingReport) -> str:
    """Return the HTML; no request leaves it, and no text of the report is markup in it."""
    rows = "".join(
        f"<tr><td>{escape(one.rule)}</td><td>{escape(one.clause)}</td><td>{one.passed}</td></tr>"
        for one in report.clauses
    )
    return document(
        title=f"{report.name} · model",
        header=f"<h1>{escape(report.name)}</h1>",
        main=section("Gates", "", f"<table>{rows}</table>"),
        footer="",
        data={"figures": {}},
        style="",
    )
