"""How series differ without colour, and where plots leave room."""

from typing import Any, Final

from tradingd.kits.plotpage.figures import Figure
from tradingd.kits.plotpage.words import label

type Figures = dict[str, Figure]

COLORS: Final = ("$accent", "$second", "$gain", "$loss", "$muted")
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "x")
MARGIN: Final = {"l": 60, "r": 14, "t": 60, "b": 44}
"""Above the plot: the tools of the library, then the legend."""
BARE_MARGIN: Final = MARGIN | {"t": 34}
"""Of a plot without a legend."""
PATTERNS: Final = ("", "/", ".", "x", "-")


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
