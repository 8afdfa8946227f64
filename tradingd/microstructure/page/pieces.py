"""What the groups of plots share: sections with definitions, and times of New York."""

import datetime as dt
from collections.abc import Iterable
from html import escape
from typing import Final

from tradingd.kits.plotpage import fragments
from tradingd.microstructure.report import DepthReport
from tradingd.session.calendar import NEW_YORK

SIGNIFICANT: Final = 1.96
"""Standard errors of a 95 % interval."""
TICKS: Final = "ticks of one cent"


def measure(report: DepthReport, title: str, key: str, note: str, content: str) -> str:
    """Return a section: how to read it, the content, and the report's definition under it."""
    return fragments.section(escape(title), escape(note), content + definition(report, key))


def definition(report: DepthReport, *keys: str) -> str:
    """Return what the report says of how its numbers are defined."""
    texts = [report.definitions[key] for key in keys if report.definitions.get(key)]
    return "".join(f'<p class="definition"><b>Defined:</b> {escape(text)}</p>' for text in texts)


def local_time(seconds: float) -> str:
    """Return Unix seconds as a New York date and time that plotly reads."""
    return dt.datetime.fromtimestamp(seconds, NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")


def local_times(seconds: Iterable[float]) -> list[str]:
    """Return Unix seconds as New York dates and times."""
    return [local_time(one) for one in seconds]
