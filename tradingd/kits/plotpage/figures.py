"""Plot specifications as plain dictionaries for plotly.js.

A string that starts with ``$`` names a CSS variable of the page; the page's script puts the colour
of the light or the dark scheme in its place.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

type Figure = dict[str, Any]


def line(
    x: Sequence[Any], y: Iterable[float], name: str, color: str, *, digits: int = 6, **more: Any
) -> Figure:
    """Return a line; values are rounded, NaN is a gap in it."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": numbers(y, digits),
        "line": {"color": color, "width": 1.6},
        **more,
    }


def numbers(values: Iterable[float], digits: int) -> list[float | None]:
    """Round for the page; NaN becomes a gap."""
    return [None if math.isnan(value) else round(float(value), digits) for value in values]


def axis(**more: Any) -> dict[str, Any]:
    """Return an axis in the page's colours."""
    return {
        "gridcolor": "$line",
        "linecolor": "$line",
        "zerolinecolor": "$line",
        "zeroline": False,
        "automargin": True,
        **more,
    }


def figure(data: Sequence[Figure], **layout: Any) -> Figure:
    """Return traces with the page's layout; `layout` replaces parts of it."""
    base: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "$muted", "family": "system-ui, sans-serif", "size": 12},
        "margin": {"l": 56, "r": 16, "t": 16, "b": 36},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "$card",
            "bordercolor": "$line",
            "align": "left",
            "font": {"color": "$text"},
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": "$faint",
            "activecolor": "$accent",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "xaxis": axis(),
        "yaxis": axis(),
    }
    return {"data": list(data), "layout": base | layout}
