"""What the groups of plots share: how series differ without colour, times, numbers, tables."""

import datetime as dt
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from tradingd.kits.plotpage import fragments
from tradingd.kits.plotpage.figures import Figure
from tradingd.microstructure.report import DepthReport
from tradingd.session.calendar import NEW_YORK

type Figures = dict[str, Figure]

COLORS: Final = ("$accent", "$second", "$gain", "$loss", "$muted")
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "x")
MARGIN: Final = {"l": 60, "r": 14, "t": 60, "b": 44}
"""Above the plot: the tools of the library, then the legend."""
BARE_MARGIN: Final = MARGIN | {"t": 34}
"""Of a plot without a legend."""
PATTERNS: Final = ("", "/", ".", "x", "-")
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


def not_told(reason: str) -> str:
    """Return a box that says why there is no such measure."""
    text = reason or "there was nothing to measure"
    return f'<p class="not-told"><b>Not told:</b> {escape(text)}.</p>'


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, prose: bool = False
) -> str:
    """Return a table of texts; the first column names the row, the rest are numbers.

    `prose`: the last column holds words.
    """
    kinds = ["", *[NUMERIC] * (len(columns) - 1)]
    if prose:
        kinds[-1] = ' class="reason"'
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(
            f"<td{kind}>{escape(text)}</td>" for text, kind in zip(rest, kinds[1:], strict=True)
        )
        + "</tr>"
        for first, *rest in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" role="group" aria-label="{escape(caption or columns[0])}" '
        f'tabindex="0"><table>{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


NUMERIC: Final = ' class="n"'


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Return a number for a person, a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def percent(part: float, whole: float) -> str:
    """Return a share as text; small ones are not rounded to nothing."""
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    return f"{share:.2f} %" if share >= 0.01 else "< 0.01 %"


def local_time(seconds: float) -> str:
    """Return Unix seconds as a New York date and time that plotly reads."""
    return dt.datetime.fromtimestamp(seconds, NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")


def local_times(seconds: Iterable[float]) -> list[str]:
    """Return Unix seconds as New York dates and times."""
    return [local_time(one) for one in seconds]


def thinned(shown: int, of: int, what: str) -> str:
    """Return a sentence on points left out of a plot; nothing where all are shown."""
    return f" {shown:,} of {of:,} {what} are drawn." if shown < of else ""


def label(text: str) -> str:
    """Return a text from a report as plotly shows it plainly: it reads tags otherwise."""
    return escape(text, quote=False)


def marked(index: int, size: int = 8) -> dict[str, Any]:
    """Return line and marker of the nth series: colour, dash and symbol differ."""
    color = COLORS[index % len(COLORS)]
    return {
        "line": {"color": color, "width": 1.8, "dash": DASHES[index % len(DASHES)]},
        "marker": {"color": color, "size": size, "symbol": SYMBOLS[index % len(SYMBOLS)]},
    }


def bars(index: int) -> dict[str, Any]:
    """Return the filling of the nth series of bars: colour and hatching differ."""
    return {
        "color": COLORS[index % len(COLORS)],
        "pattern": {
            "shape": PATTERNS[index % len(PATTERNS)],
            "fgcolor": "$card",
            "fillmode": "overlay",
            "size": 7,
            "solidity": 0.35,
        },
    }


def named(text: str) -> dict[str, Any]:
    """Return an axis's title, near its axis."""
    return {"text": text, "standoff": 8}


def note_at(text: str, *, x: float | str, y: float, **more: Any) -> dict[str, Any]:
    """Return a text in a plot, without an arrow."""
    return {
        "text": label(text),
        "x": x,
        "y": y,
        "showarrow": False,
        "font": {"color": "$text", "size": 12},
        **more,
    }
