"""What was read, the numbers one looks at first, and what was left out."""

from collections.abc import Iterable
from html import escape
from typing import Any, Final

from tradingd.kits.plotpage.fragments import card, not_told, section, table
from tradingd.kits.plotpage.words import number, percent
from tradingd.microstructure.impact import HorizonImpact
from tradingd.microstructure.page.pieces import definition, local_time
from tradingd.microstructure.report import DepthReport

NANOSECONDS: Final = 1_000_000_000
MAIN_HORIZON_S: Final = 10


def header(report: DepthReport) -> str:
    """Return the title and the facts the report stands on."""
    source, counts = report.source, report.counts
    sampling = "every change" if source.every_change else _grid(source.interval_ns)
    facts = {
        "day": source.day,
        "window": _window(counts.first_ts, counts.last_ts),
        "states": f"{counts.states:,}, {sampling}",
        "levels": f"{source.levels_used} of {source.levels} a side",
        "trades": f"{counts.trades:,}" if source.has_trades else "the source has none",
        "horizons": ", ".join(f"{seconds} s" for seconds in report.horizons_s),
    }
    items = "".join(f"<li>{name} <b>{escape(text)}</b></li>" for name, text in facts.items())
    return (
        f"<h1>{escape(source.symbol or 'No symbol')} {escape(source.day)}</h1>"
        f'<p class="run">Order books of <code>{escape(source.label)}</code></p>'
        f'<ul class="facts">{items}</ul>'
    )


def footer(report: DepthReport) -> str:
    """Return what the file says of itself, and the layout's version."""
    facts = {"Report": f"depth-report {report.schema_version}", **report.source.facts}
    return f"<dl>{''.join(_facts(facts.items()))}</dl>"


def cards(report: DepthReport) -> str:
    """Return the main numbers, each with what it stands on."""
    spread, queue, cost, vpin = report.spread, report.queue, report.cost, report.vpin
    levels = report.depth.levels
    best = f"{levels[0].bid_size:,.0f} × {levels[0].ask_size:,.0f}" if levels else "-"
    shown = [
        ("Spread", number(spread.mean_ticks, unit=" ticks"), _median(report)),
        ("Best size", best, report.depth.reason or "shares, bid × ask, mean over time"),
        *_explained(report),
        (
            "Queue imbalance",
            "-" if queue.model.auc is None else f"AUC {queue.model.auc:.3f}",
            queue.reason or queue.model.reason or f"of {queue.moves:,} moves of the mid",
        ),
        (
            "Effective spread",
            number(cost.effective.bps, unit=" bps"),
            cost.reason or f"by size; {number(cost.effective.ticks_equal)} ticks a trade",
        ),
        ("VPIN", number(vpin.signed.vpin), vpin.reason or vpin.signed.reason or "by signs"),
    ]
    return f'<dl class="cards">{"".join(card(*one) for one in shown)}</dl>'


def main_horizon(report: DepthReport) -> HorizonImpact | None:
    """Return the horizon that single plots show: 10 seconds, else the first that has a fit."""
    horizons = report.impact.horizons
    fitted = [one for one in horizons if one.contemporaneous.slopes] or list(horizons)
    tens = [one for one in fitted if one.seconds == MAIN_HORIZON_S]
    return next(iter(tens or fitted), None)


def left_out(report: DepthReport) -> str:
    """Return what measures did not look at, and why."""
    counts = report.counts
    states = (
        ("crossed: bid above ask", counts.crossed, "spread, mid, depth, queues"),
        ("locked: bid equals ask", counts.locked, "spread, mid, depth, queues"),
        ("no bid", counts.no_bid, "spread, mid, depth, queues"),
        ("no ask", counts.no_ask, "spread, mid, depth, queues"),
        ("empty book", counts.empty, "spread, mid, depth, queues"),
        ("after a gap: records were lost", counts.gaps, "order flow, times, regressions"),
        ("suspect (kept)", counts.suspect, "nothing: counted only"),
        ("stale side (kept)", counts.stale, "nothing: counted only"),
        ("out of order (kept)", counts.disorder, "nothing: counted only"),
    )
    rows = [
        (name, f"{count:,}", percent(count, counts.states), where) for name, count, where in states
    ]
    rows += [
        (
            f"intervals of {one.seconds} s with lost records",
            f"{one.left_out_for_gaps:,}",
            percent(one.left_out_for_gaps, one.observations + one.left_out_for_gaps),
            "regressions of that horizon",
        )
        for one in report.impact.horizons
    ]
    content = table("", ("What", "Count", "Share", "Left out of"), rows, prose=True)
    content += _signs(report) + definition(report, "usable", "every_change", "tick")
    note = f"{counts.usable:,} of {counts.states:,} states are usable."
    return section("What was left out", note, content)


def _signs(report: DepthReport) -> str:
    if not report.source.has_trades:
        return not_told("the source has no trades, so none were signed")
    signs, counts = report.profile.signs, report.counts
    rows = [
        ("by the venue", f"{signs.told:,}", percent(signs.told, counts.trades)),
        ("by the quote before", f"{signs.quote:,}", percent(signs.quote, counts.trades)),
        ("by the last change of price", f"{signs.tick:,}", percent(signs.tick, counts.trades)),
        ("not at all", f"{signs.unknown:,}", percent(signs.unknown, counts.trades)),
    ]
    caption = f"How {counts.trades:,} trades were signed"
    return table(caption, ("Rule", "Trades", "Share"), rows) + definition(report, "signs")


def _explained(report: DepthReport) -> list[tuple[str, str, str]]:
    one = main_horizon(report)
    if one is None:
        return [("Order flow", "-", report.impact.reason or "no horizon was asked for")]
    fit = one.contemporaneous
    note = fit.reason or f"of the mid's change over {one.seconds} s, n {fit.n:,}"
    return [("Order flow explains", "-" if fit.r2 is None else f"R² {fit.r2:.3f}", note)]


def _median(report: DepthReport) -> str:
    middle = [one.ticks for one in report.spread.quantiles if one.share == 0.5]
    if not middle:
        return report.spread.reason
    return f"{number(report.spread.mean_bps)} bps; median {middle[0]:g} ticks"


def _grid(interval_ns: int) -> str:
    return f"snapshots every {interval_ns / 1e6:g} ms" if interval_ns else "snapshots"


def _window(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "no state at all"
    ends = local_time(first // NANOSECONDS), local_time(last // NANOSECONDS)
    days = {end[:10] for end in ends}
    shown = [end[11:] for end in ends] if len(days) == 1 else ends
    return f"{' – '.join(shown)} New York"


def _facts(facts: Iterable[tuple[str, Any]]) -> list[str]:
    return [f"<dt>{escape(str(name))}</dt><dd>{escape(str(text))}</dd>" for name, text in facts]
