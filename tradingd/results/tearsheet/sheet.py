"""Assemble the tear sheet of a recorded run: one file, no network, the same bytes every time."""

from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.orders import Purpose
from tradingd.kits.plotpage.document import document
from tradingd.kits.plotpage.figures import Figure
from tradingd.kits.plotpage.fragments import empty, pair, plot, section
from tradingd.results.folder import RunFolder
from tradingd.results.manifest import Manifest
from tradingd.results.metrics import Metrics
from tradingd.results.performance import drawdowns, series
from tradingd.results.tables import DailyEquity, Floats, daily_equity, floats, read
from tradingd.results.tearsheet import figures, fragments
from tradingd.results.tearsheet.fragments import Trip
from tradingd.results.tearsheet.series import (
    MAX_CANDLES,
    MAX_POINTS,
    candles,
    daily_exposure,
    local_times,
    monthly_returns,
    rolling_sharpe,
    sampled_exposure,
)
from tradingd.results.trading import trip_results

MAX_SYMBOLS: Final = 20
"""Symbols with a plot of trades on prices: those with the most fills."""

MAX_MARKERS: Final = 600
"""Fills shown on one symbol's prices: the latest."""

FEW_SESSIONS: Final = 5
"""A run of fewer sessions is drawn sample by sample: a point a session would show nothing."""

LISTED_TRIPS: Final = 8
ROLLING_WINDOWS: Final = (63, 126)
"""A quarter and half a year of sessions."""

type Prices = Callable[[str], pa.Table]
"""Bars of a symbol (ts_event, open, high, low, close), unadjusted as the fills are."""


def tearsheet(folder: RunFolder, manifest: Manifest, metrics: Metrics, prices: Prices) -> bytes:
    """Return the HTML of a run; `prices` gives the bars of a symbol, one symbol at a time."""
    equity = read(folder, "equity", ["ts", "equity", "long_value", "short_value"])
    daily = daily_equity(equity)
    plots: dict[str, Figure] = {}
    body = [
        fragments.cards(metrics),
        _equity(plots, equity, daily, float(manifest.cash)),
        pair(
            _rolling(plots, daily, float(manifest.cash)),
            _exposure(plots, equity, daily),
        ),
        _months(daily, float(manifest.cash)),
    ]
    trades, on_prices = _trades(folder, manifest, prices)
    trips = read(folder, "positions")
    body += [
        on_prices,
        pair(_distribution(plots, trips), _costs(plots, metrics)),
        _trip_tables(trips),
        _denials(folder, manifest, metrics),
        section(
            "All metrics", "Hover over a row for its definition.", fragments.metric_groups(metrics)
        ),
    ]
    return _page(manifest, "".join(body), {"figures": plots, "trades": trades}).encode()


def _equity(plots: dict[str, Any], samples: pa.Table, daily: DailyEquity, cash: float) -> str:
    title = "Equity and drawdown"
    if not daily.days:
        return section(title, "", empty("no equity sample was recorded"))
    line = _equity_line(samples, daily)
    fall = drawdowns(line.equity, cash)
    plots["equity"] = figures.equity_and_drawdown(line.times, line.equity, fall, cash)
    note = f"{line.what} against the starting cash.{_thinned(len(line.times))}"
    words = f"Equity over time; {figures.drawdown_of(line.times, fall)}."
    button = '<button id="log" type="button" aria-pressed="false">Log scale</button>'
    return section(title, note, plot("equity", words, tall=True), button)


class _Line(NamedTuple):
    times: Sequence[str]
    equity: Floats
    what: str


def _equity_line(samples: pa.Table, daily: DailyEquity) -> _Line:
    """Return the last sample of each session; every sample of a run of few sessions."""
    if len(daily.days) >= FEW_SESSIONS:
        days = [day.isoformat() for day in daily.days]
        return _Line(days, daily.equity, "Last sample of each session")
    times = local_times(samples["ts"], daily=False)
    return _Line(times, floats(samples["equity"]), "Every sample")


def _rolling(plots: dict[str, Any], daily: DailyEquity, cash: float) -> str:
    title = "Rolling Sharpe ratio"
    returns, obstacle = series(daily, cash)
    if obstacle or len(returns) < ROLLING_WINDOWS[0]:
        return section(title, "", empty(f"needs {ROLLING_WINDOWS[0]} sessions"))
    days = [day.isoformat() for day in daily.days]
    windows = {window: rolling_sharpe(returns, window) for window in ROLLING_WINDOWS}
    plots["rolling"] = figures.rolling(days, windows)
    note = "Annual, over the last quarter and half year of sessions."
    return section(title, note, plot("rolling", "Rolling Sharpe ratio over time."))


def _exposure(plots: dict[str, Any], equity: pa.Table, daily: DailyEquity) -> str:
    title = "Exposure"
    if not daily.days:
        return section(title, "", empty("no equity sample was recorded"))
    if len(daily.days) < FEW_SESSIONS:
        long, short = sampled_exposure(equity)
        times = local_times(equity["ts"], daily=False)
        note = "Value of long and short positions over equity, every sample."
    else:
        long, short = daily_exposure(equity, daily)
        times = [day.isoformat() for day in daily.days]
        note = "Value of long and short positions over equity, mean of each session's samples."
    plots["exposure"] = figures.exposure(times, long, short)
    words = f"Mean long exposure {long.mean():.1%}, mean short exposure {-short.mean():.1%}."
    return section(title, note, plot("exposure", words))


def _months(daily: DailyEquity, cash: float) -> str:
    returns, obstacle = series(daily, cash)
    if obstacle:
        return section("Monthly returns", "", empty(obstacle))
    table = fragments.months_table(monthly_returns(daily.days, returns))
    return section("Monthly returns", "Percent, compounded from daily returns.", table)


def _trades(folder: RunFolder, manifest: Manifest, prices: Prices) -> tuple[dict[str, Any], str]:
    fills = read(
        folder, "fills", ["symbol", "side", "quantity", "price", "purpose", "reason", "ts"]
    )
    fills = fills.filter(pc.not_equal(fills["purpose"], Purpose.CORPORATE.value))
    ranked = fills["symbol"].value_counts().to_pylist()
    ranked.sort(key=lambda entry: (-entry["counts"], entry["values"]))
    symbols = [entry["values"] for entry in ranked[:MAX_SYMBOLS]]
    if not symbols:
        return {}, section("Trades on prices", "", empty("nothing was traded"))
    daily = manifest.resolution == "1d"
    plots = {}
    for symbol in symbols:
        bars = prices(symbol)
        shown = candles(bars, daily=daily) if bars is not None and bars.num_rows else None
        mine = fills.filter(pc.equal(fills["symbol"], symbol))
        latest = mine.slice(max(0, mine.num_rows - MAX_MARKERS))
        plots[symbol] = figures.trades_on_price(shown, latest, daily=daily)
    options = "".join(
        f'<option value="{escape(one["values"])}">'
        f"{escape(one['values'])} · {one['counts']:,} fills</option>"
        for one in ranked[:MAX_SYMBOLS]
    )
    note = (
        "Unadjusted prices; hover over a mark for the strategy's reason, drag to zoom. At most "
        f"{MAX_CANDLES:,} candles (bars are joined beyond that) and the latest {MAX_MARKERS} fills."
    )
    if len(ranked) > MAX_SYMBOLS:
        note += f" The {MAX_SYMBOLS} most traded of {len(ranked)} symbols."
    choice = f'<label>Symbol <select id="symbol">{options}</select></label>'
    words = "Candles of the chosen symbol with entries and exits."
    return plots, section("Trades on prices", note, plot("trades", words, tall=True), choice)


def _distribution(plots: dict[str, Any], trips: pa.Table) -> str:
    title = "Results of round trips"
    if not trips.num_rows:
        return section(title, "", empty("no position was closed"))
    results = trip_results(trips)
    plots["distribution"] = figures.trip_distribution(results)
    words = f"{int((results > 0).sum())} of {len(results)} round trips earned money."
    return section(title, "Dollars after all costs.", plot("distribution", words))


def _costs(plots: dict[str, Any], metrics: Metrics) -> str:
    plots["costs"] = figures.cost_bars(metrics.costs)
    words = f"Commission {metrics.costs.commission}, slippage {metrics.costs.slippage} dollars."
    note = "Dollars over the whole run; slippage is part of the fill prices."
    return section("Costs", note, plot("costs", words))


def _trip_tables(trips: pa.Table) -> str:
    if not trips.num_rows:
        return ""
    results = trip_results(trips)
    order = np.argsort(results, kind="stable")
    tables = [
        fragments.trips_table(caption, _trips(trips, rows[:LISTED_TRIPS]))
        for caption, rows in (
            ("Best", order[::-1][: int((results > 0).sum())]),
            ("Worst", order[: int((results <= 0).sum())]),
        )
        if len(rows)
    ]
    return section("Best and worst round trips", "", "<br>".join(tables))


def _trips(trips: pa.Table, rows: np.ndarray) -> list[Trip]:
    chosen = trips.take(pa.array(rows))
    results = trip_results(chosen)
    opened, closed = (
        chosen[name].cast(pa.int64()).to_pylist() for name in ("ts_opened", "ts_closed")
    )
    entry, exit_ = (floats(chosen[name]) for name in ("entry_price", "exit_price"))
    return [
        Trip(
            symbol=row["symbol"],
            side=row["side"],
            quantity=row["quantity"],
            entry_price=float(entry[index]),
            exit_price=float(exit_[index]),
            result=float(results[index]),
            entry_reason=row["entry_reason"],
            exit_reason=row["exit_reason"],
            ts_opened=opened[index],
            ts_closed=closed[index],
        )
        for index, row in enumerate(
            chosen.select(["symbol", "side", "quantity", "entry_reason", "exit_reason"]).to_pylist()
        )
    ]


def _denials(folder: RunFolder, manifest: Manifest, metrics: Metrics) -> str:
    title = "Risk limits"
    if not manifest.gate_counts and not metrics.denials:
        return section(title, "", empty("the gate saw no order"))
    denials = read(folder, "denials", ["limit", "explanation"])
    first = denials.group_by("limit", use_threads=False).aggregate([("explanation", "first")])
    examples = dict(
        zip(first["limit"].to_pylist(), first["explanation_first"].to_pylist(), strict=True)
    )
    note = f"Profile {escape(manifest.risk_profile)}: every order passes every limit."
    table = fragments.denials_table(manifest.gate_counts, metrics.denials, examples)
    return section(title, note, table)


def _thinned(points: int) -> str:
    return "" if points <= MAX_POINTS else f" Thinned to at most {MAX_POINTS:,} points."


def _page(manifest: Manifest, body: str, data: dict[str, Any]) -> str:
    here = files("tradingd.results.tearsheet")
    return document(
        title=f"{manifest.strategy} · {manifest.run_id}",
        header=fragments.header(manifest),
        main=body,
        footer=fragments.footer(manifest),
        data=data,
        style=here.joinpath("page.css").read_text(),
        script=here.joinpath("page.js").read_text(),
    )
