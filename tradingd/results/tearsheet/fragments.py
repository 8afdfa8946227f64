"""Pieces of HTML; every text that is not ours passes through `escape`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import msgspec

from tradingd.domain.market import NANOSECONDS
from tradingd.kits.plotpage.fragments import card
from tradingd.results.manifest import Manifest
from tradingd.results.metrics import DEFINITIONS, Metrics, show
from tradingd.results.tearsheet.series import MonthlyReturns
from tradingd.session.calendar import NEW_YORK

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEAST_FULL_COLOR = 0.01
"""The largest month has the strongest colour, unless it is below this: calm runs stay pale."""

_DIRECTIONS = {"BUY": "long", "SELL": "short"}

_TITLES = {
    "account": "Account",
    "returns": "Returns",
    "trades": "Trades",
    "costs": "Costs",
    "luck": "Luck or skill",
}


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A round trip as the tables show it; prices and result in dollars."""

    symbol: str
    side: str
    quantity: int
    entry_price: float
    exit_price: float
    result: float
    entry_reason: str
    exit_reason: str
    ts_opened: int
    ts_closed: int


def header(manifest: Manifest) -> str:
    """Return the title, the run's name and the facts it stands on."""
    dates = [_day(ts) for ts in (manifest.first_ts, manifest.last_ts) if ts]
    facts = {
        "range": " – ".join(dates) or "no bars",
        **_data(manifest),
        "symbols": _symbols(manifest.symbols),
        "risk": manifest.risk_profile,
        "fees": manifest.fees,
        "seed": str(manifest.seed),
    }
    items = "".join(f"<li>{name} <b>{escape(text)}</b></li>" for name, text in facts.items())
    return (
        f"<h1>{escape(manifest.strategy)}</h1>"
        f'<p class="run">Backtest <code>{escape(manifest.run_id)}</code></p>'
        f'<ul class="facts">{items}</ul>'
    )


def _data(manifest: Manifest) -> dict[str, str]:
    if manifest.resolution == "book":
        return {"order books": f"{manifest.rows:,}"}
    return {"bars": f"{manifest.rows:,} × {manifest.resolution}"}


def cards(metrics: Metrics) -> str:
    """Return the metrics a reader looks for first."""
    returns, trades, luck = metrics.returns, metrics.trades, metrics.luck
    interval = (
        "no interval"
        if luck.sharpe_low is None
        else f"95 %: {show(luck.sharpe_low, 'ratio')} to {show(luck.sharpe_high, 'ratio')}"
    )
    final = f"ends at {_dollars(metrics.account.final_equity)}"
    cost = metrics.costs.commission + metrics.costs.slippage + metrics.costs.borrow
    shown = (
        ("Total return", show(returns.total_return, "percent"), final, returns.total_return),
        (
            "Annual return",
            show(returns.annual_return, "percent"),
            f"volatility {show(returns.annual_volatility, 'percent')}",
            returns.annual_return,
        ),
        ("Sharpe ratio", show(returns.sharpe, "ratio"), interval, None),
        (
            "Max drawdown",
            show(returns.max_drawdown, "percent"),
            f"longest {show(returns.longest_drawdown, 'days')} sessions",
            None,
        ),
        (
            "Win rate",
            show(trades.win_rate, "percent"),
            f"{trades.trips:,} round trips",
            None,
        ),
        (
            "Profit factor",
            show(trades.profit_factor, "ratio"),
            f"{_dollars(trades.expectancy)} a trip"
            if trades.expectancy is not None
            else "no closed position",
            None,
        ),
        ("Costs", _dollars(cost, 0), "commission, slippage, borrow", None),
    )
    return f'<dl class="cards">{"".join(_card(*one) for one in shown)}</dl>'


def months_table(months: MonthlyReturns) -> str:
    """Return the heat map of monthly returns as a table that reads aloud well."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Year", *MONTHS, "Total"))
    returns = [abs(value) for row in months.months for value in row if value is not None]
    full = max([_LEAST_FULL_COLOR, *returns])
    rows = []
    for year, row, total in zip(months.years, months.months, months.totals, strict=True):
        cells = "".join(_heat(value, full) for value in row) + _heat(total, full, "total")
        rows.append(f'<tr><th scope="row">{year}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="months"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def trips_table(caption: str, trips: Sequence[Trip]) -> str:
    """Return a table of round trips with the reasons the strategy gave."""
    names = ("Symbol", "Side", "Quantity", "Opened – closed", "Entry", "Exit", "Result", "Reasons")
    numeric = {"Quantity", "Entry", "Exit", "Result"}
    head = "".join(f'<th scope="col"{_class(name in numeric)}>{name}</th>' for name in names)
    rows = "".join(_trip_row(trip) for trip in trips)
    return (
        f'<div class="scroll"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def denials_table(
    gate_counts: Mapping[str, tuple[int, int]],
    denials: Mapping[str, int],
    examples: Mapping[str, str],
) -> str:
    """Return how often each limit was evaluated and denied, with one explanation each."""
    limits = sorted(set(gate_counts) | set(denials), key=lambda name: (-denials.get(name, 0), name))
    rows = []
    for limit in limits:
        evaluated = f"{gate_counts[limit][0]:,}" if limit in gate_counts else "-"
        rows.append(
            f'<tr><th scope="row">{escape(limit)}</th><td class="n">{evaluated}</td>'
            f'<td class="n">{denials.get(limit, 0):,}</td>'
            f'<td class="reason">{escape(examples.get(limit, ""))}</td></tr>'
        )
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Limit</th>'
        '<th scope="col" class="n">Evaluated</th><th scope="col" class="n">Denied</th>'
        '<th scope="col">First denial</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def metric_groups(metrics: Metrics) -> str:
    """Return every metric, grouped; the definition is the row's tooltip."""
    meanings = {one.name: one.description for group in DEFINITIONS.values() for one in group}
    groups: dict[str, list[str]] = {}
    for line in metrics.lines():
        why = metrics.undefined.get(line.name, "")
        title = escape(meanings[line.name] + (f" Not defined here: {why}." if why else ""))
        groups.setdefault(line.group, []).append(
            f'<tr title="{title}"><td>{escape(line.title)}</td>'
            f'<td class="n">{escape(line.text)}</td></tr>'
        )
    tables = "".join(
        f"<table><caption>{_TITLES[group]}</caption><tbody>{''.join(rows)}</tbody></table>"
        for group, rows in groups.items()
    )
    return f'<div class="groups">{tables}</div>'


def footer(manifest: Manifest) -> str:
    """Return everything another person needs to repeat the run."""
    commit = manifest.git_commit or "not a checkout"
    state = {True: " with uncommitted changes", False: "", None: ""}[manifest.git_dirty]
    packages = ", ".join(f"{name} {version}" for name, version in sorted(manifest.packages.items()))
    facts = {
        "Configuration": manifest.config_hash,
        "Data": manifest.data_hash,
        "Code": f"tradingd {manifest.tradingd}, {commit}{state}",
        "Python": manifest.python,
        "Packages": packages,
    }
    rows = "".join(
        f"<dt>{name}</dt><dd><code>{escape(text)}</code></dd>" for name, text in facts.items()
    )
    return f"<h2>Where this comes from</h2><dl>{rows}</dl>"


def _dollars(amount: Decimal | float, decimals: int = 2) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{decimals}f}"


def _card(title: str, value: str, note: str, signed: float | None) -> str:
    tone = "" if not signed else "up" if signed > 0 else "down"
    return card(title, value, note, tone=tone)


def _heat(value: float | None, full: float, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    if value is None:
        return f"<td{name}></td>"
    strength = round(min(abs(value) / full, 1) * 55)
    color = "gain" if value >= 0 else "loss"
    style = f"background:color-mix(in srgb,var(--{color}) {strength}%,transparent)"
    decimals = 1 if full > _LEAST_FULL_COLOR else 2
    return f'<td{name} style="{style}">{value * 100:+.{decimals}f}</td>'


def _trip_row(trip: Trip) -> str:
    tone = "up" if trip.result > 0 else "down"
    side = _DIRECTIONS.get(trip.side, trip.side.lower())
    return (
        f'<tr><th scope="row">{escape(trip.symbol)}</th><td>{escape(side)}</td>'
        f'<td class="n">{trip.quantity:,}</td>'
        f'<td class="dates">{_day(trip.ts_opened)} – {_day(trip.ts_closed)}</td>'
        f'<td class="n">{trip.entry_price:,.2f}</td><td class="n">{trip.exit_price:,.2f}</td>'
        f'<td class="n {tone}">{trip.result:+,.2f}</td>'
        f'<td class="reason">{escape(trip.entry_reason)} → {escape(trip.exit_reason)}</td></tr>'
    )


def _class(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _symbols(symbols: Sequence[str]) -> str:
    shown = ", ".join(symbols[:6])
    return shown if len(symbols) <= 6 else f"{shown} and {len(symbols) - 6} more"


def _day(ts: int) -> str:
    moment: Any = dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=NEW_YORK)
    return str(moment.date())
