"""Plots of a run."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
import pyarrow as pa

from tradingd.domain.orders import Purpose, Side
from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.results.metrics import CostMetrics
from tradingd.results.tables import Floats, floats
from tradingd.results.tearsheet.series import Candles, histogram, local_times, thin

_MAX_REASON = 240


def equity_and_drawdown(
    times: Sequence[str], equity: Floats, drawdown: Floats, cash: float
) -> Figure:
    """Equity against the starting cash, and below it the fall from the last high."""
    keep = thin(equity)
    shown = [times[index] for index in keep]
    value = line(shown, equity[keep], "Equity", "$accent", digits=2)
    value["hovertemplate"] = "%{y:$,.2f}<extra>Equity</extra>"
    fall = line(shown, drawdown[keep], "Drawdown", "$loss", yaxis="y2", fill="tozeroy")
    fall["fillcolor"] = "$loss-soft"
    fall["hovertemplate"] = "%{y:.2%}<extra>Drawdown</extra>"
    start = line([shown[0], shown[-1]], np.array([cash, cash]), "Starting cash", "$muted")
    start["line"] = {"color": "$muted", "width": 1, "dash": "dot"}
    start["hoverinfo"] = "skip"
    return figure(
        [start, value, fall],
        xaxis=axis(anchor="y2"),
        yaxis=axis(domain=[0.32, 1], tickprefix="$", tickformat=",.6~s"),
        yaxis2=axis(domain=[0, 0.24], tickformat=".3~%"),
    )


def rolling(times: Sequence[str], windows: dict[int, Floats]) -> Figure:
    """Show rolling annual Sharpe ratios, one line per window length."""
    colors = ("$accent", "$second")
    traces = []
    for color, (window, values) in zip(colors, windows.items(), strict=True):
        keep = thin(values)
        name = f"{window} sessions"
        trace = line([times[index] for index in keep], values[keep], name, color, digits=4)
        trace["hovertemplate"] = "%{y:.2f}<extra>" + name + "</extra>"
        traces.append(trace)
    return figure(traces, yaxis=axis(zeroline=True))


def exposure(times: Sequence[str], long: Floats, short: Floats) -> Figure:
    """Long and short share of equity as areas above and below zero."""
    keep = thin(long)
    shown = [times[index] for index in keep]
    traces = []
    for name, values, color in (("Long", long, "$gain"), ("Short", short, "$loss")):
        trace = line(shown, values[keep], name, color, fill="tozeroy")
        trace["fillcolor"] = color + "-soft"
        trace["hovertemplate"] = "%{y:.1%}<extra>" + name + "</extra>"
        traces.append(trace)
    return figure(traces, yaxis=axis(tickformat=".0%", zeroline=True))


def trip_distribution(results: Floats) -> Figure:
    """How many round trips ended with how much profit or loss."""
    centres, counts = histogram(results)
    bars = {
        "type": "bar",
        "x": numbers(centres, 2),
        "y": numbers(counts, 0),
        "marker": {"color": ["$gain" if centre > 0 else "$loss" for centre in centres]},
        "hovertemplate": "%{y} trips around %{x:$,.2f}<extra></extra>",
    }
    return figure(
        [bars],
        xaxis=axis(tickprefix="$", tickformat=",.6~s"),
        yaxis=axis(title={"text": "trips"}),
        bargap=0.04,
        hovermode="closest",
    )


def cost_bars(costs: CostMetrics) -> Figure:
    """Show what each kind of cost took, in dollars."""
    parts = (
        ("Broker", costs.fee_broker),
        ("Exchange", costs.fee_exchange),
        ("Regulatory", costs.fee_regulatory),
        ("Slippage", costs.slippage),
        ("Borrow", costs.borrow),
    )
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [name for name, _ in parts],
        "x": [float(amount) for _, amount in parts],
        "text": [f"${amount:,.2f}" for _, amount in parts],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": "$accent"},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout_x = axis(tickprefix="$", tickformat=",.6~s", rangemode="tozero")
    return figure(
        [bars],
        xaxis=layout_x,
        yaxis=axis(autorange="reversed", showgrid=False, automargin=True),
        hovermode="closest",
        margin={"l": 80, "r": 70, "t": 16, "b": 36},
    )


def trades_on_price(candles: Candles | None, fills: pa.Table, *, daily: bool) -> Figure:
    """Candles of one symbol with its entries and exits; the reason is in the hover text."""
    traces = [] if candles is None else [_candles(candles)]
    traces += [
        _markers(fills, "Long entry", Side.BUY, True, "triangle-up", "$gain", daily),
        _markers(fills, "Short entry", Side.SELL, True, "triangle-down", "$loss", daily),
        _markers(fills, "Sell to exit", Side.SELL, False, "x-thin-open", "$second", daily),
        _markers(fills, "Buy to exit", Side.BUY, False, "cross-thin-open", "$second", daily),
    ]
    return figure(
        [trace for trace in traces if trace["x"]],
        xaxis=axis(rangebreaks=_closed_times(daily), rangeslider={"visible": False}),
        yaxis=axis(tickprefix="$"),
        hovermode="closest",
    )


def drawdown_of(times: Sequence[str], drawdown: Floats) -> str:
    """Describe the deepest drawdown in words, for readers who cannot see the plot."""
    if not len(drawdown):
        return "no equity samples"
    deepest = int(drawdown.argmin())
    return f"deepest {-drawdown[deepest]:.2%} on {times[deepest]}"


def _candles(candles: Candles) -> Figure:
    return {
        "type": "candlestick",
        "name": "Price",
        "showlegend": False,
        "x": candles.times,
        "open": numbers(candles.open, 4),
        "high": numbers(candles.high, 4),
        "low": numbers(candles.low, 4),
        "close": numbers(candles.close, 4),
        "increasing": {"line": {"color": "$muted", "width": 1}, "fillcolor": "$card"},
        "decreasing": {"line": {"color": "$muted", "width": 1}, "fillcolor": "$muted"},
    }


def _markers(
    fills: pa.Table, name: str, side: Side, entry: bool, symbol: str, color: str, daily: bool
) -> Figure:
    rows = [
        index
        for index, (one, purpose) in enumerate(
            zip(fills["side"].to_pylist(), fills["purpose"].to_pylist(), strict=True)
        )
        if one == side and (purpose == Purpose.ENTRY) == entry
    ]
    chosen = fills.take(pa.array(rows, pa.int64()))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": local_times(chosen["ts"], daily=daily),
        "y": numbers(floats(chosen["price"]), 4),
        "text": [_hover(row) for row in chosen.to_pylist()],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": symbol,
            "size": 9,
            "color": color,
            "line": {"width": 2, "color": color},
        },
    }


def _hover(fill: dict[str, Any]) -> str:
    """Text of one marker; plotly reads tags in it, so what a strategy wrote is escaped."""
    reason = wrap(fill["reason"][:_MAX_REASON], 60)
    what = f"{fill['side']} {fill['quantity']:,} at {fill['price']:,.4f}"
    lines = [f"<b>{escape(what, quote=False)}</b>", fill["purpose"].lower()]
    lines += [escape(line, quote=False) for line in reason]
    return "<br>".join(lines)


def _closed_times(daily: bool) -> list[dict[str, Any]]:
    weekend = {"bounds": ["sat", "mon"]}
    return [weekend] if daily else [weekend, {"bounds": [16, 9.5], "pattern": "hour"}]
