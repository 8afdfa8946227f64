"""Run `tradingd analyze depth` for a person: the numbers one looks at first, one SUMMARY line."""

from pathlib import Path

from tradingd.app.analyze_depth import Analysed, analyze_depth
from tradingd.cli import screen
from tradingd.cli.analyze_depth import DepthParams
from tradingd.microstructure.depth import LevelDepth
from tradingd.microstructure.regression import Fit
from tradingd.microstructure.report import DepthReport

_FITS = (
    ("order flow, best level", "contemporaneous"),
    ("order flow, next interval", "predictive"),
    ("order flow, all levels", "multi_level"),
    ("order flow, integrated", "integrated"),
    ("signed volume", "trade_imbalance"),
)


def depth(params: DepthParams) -> Analysed:
    """Analyse the files."""
    with screen.progress("books, states") as meter:
        last = 0

        def reached(name: str, states: int) -> None:
            nonlocal last
            meter.advance(states - last if states > last else states, name)
            last = states

        return analyze_depth(
            [Path(one).expanduser() for one in params.files],
            symbol=params.symbol,
            horizons_s=params.horizons,
            levels=params.levels,
            out=Path(params.out).expanduser() if params.out else None,
            progress=reached,
        )


def render(analysed: Analysed) -> None:
    """Print the main numbers of each report."""
    for report in analysed.reports:
        _book(report)
        _impact(report)
        _trades(report)
    for one in analysed.refused:
        screen.console().print(f"not analysed: {one.path}: {one.what}", markup=False)
    screen.summary(
        {
            "files": len(analysed.reports) + len(analysed.refused),
            "reports": len(analysed.reports),
            "refused": len(analysed.refused),
            "states": sum(report.counts.states for report in analysed.reports),
            "trades": sum(report.counts.trades for report in analysed.reports),
            "written": len(analysed.written),
            "page": ",".join(map(_one_word, analysed.pages)) or "-",
        }
    )


def _one_word(path: str) -> str:
    """Return a path that cannot end the line or look like another value."""
    return path if path.isprintable() and " " not in path else repr(path)


def _book(report: DepthReport) -> None:
    counts, spread, queue = report.counts, report.spread, report.queue
    levels = report.depth.levels
    left_out = counts.states - counts.usable
    rows = [
        ("states", f"{counts.states:,}", f"{left_out:,} left out, {counts.gaps:,} after gaps"),
        ("spread, ticks", _number(spread.mean_ticks), f"{_number(spread.mean_bps)} bps"),
        ("best size, shares", _sizes(levels[:1]), "bid x ask, mean over time"),
        ("all levels, shares", _sizes(levels), f"{report.source.levels_used} levels a side"),
        (
            "queue imbalance",
            f"AUC {_number(queue.model.auc, 3)}",
            queue.reason or f"next of {queue.moves:,} moves of the mid",
        ),
    ]
    title = f"{report.source.symbol} {report.source.day}: {report.source.label}"
    screen.table(title, ("measure", "value", "note"), rows)


def _sizes(levels: tuple[LevelDepth, ...]) -> str:
    if not levels:
        return "-"
    return f"{levels[-1].bid_cumulative:,.0f} x {levels[-1].ask_cumulative:,.0f}"


def _impact(report: DepthReport) -> None:
    rows = [
        (f"{horizon.seconds} s", name, *_cells(getattr(horizon, field)))
        for horizon in report.impact.horizons
        for name, field in _FITS
    ]
    columns = ("horizon", "regressor", "n", "R2", "rank corr", "slope", "t (HAC)", "note")
    screen.table(f"What explains the mid's change, in ticks {_hours(report)}", columns, rows)


def _hours(report: DepthReport) -> str:
    horizons = report.impact.horizons
    return "(regular hours)" if horizons and horizons[0].regular_hours_only else "(all hours)"


def _cells(fit: Fit) -> tuple[object, ...]:
    single = len(fit.slopes) == 1
    return (
        fit.n,
        _number(fit.r2, 4),
        _number(fit.rank_correlation),
        _number(fit.slopes[0]) if single else "-",
        _number(fit.t_hac[0]) if single else "-",
        fit.reason,
    )


def _trades(report: DepthReport) -> None:
    if report.cost.reason:
        screen.console().print(f"no costs of trades: {report.cost.reason}", markup=False)
        return
    rows = [
        (
            f"{lag.seconds} s",
            _number(lag.effective.bps),
            _number(lag.realised.bps),
            _number(lag.impact.bps),
            lag.effective.trades,
        )
        for lag in report.cost.by_lag
    ]
    columns = ("after", "effective, bps", "realised, bps", "impact, bps", "trades")
    screen.table("Costs of trades, weighted by size", columns, rows)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
