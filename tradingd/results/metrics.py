"""The numbers of a run, by name; labels, units and definitions stand beside the fields.

Terminal tables, the tear sheet and the JSON schema are all derived from these structs. A ratio
that is not defined for a run (no trades, no variation) is None, with the reason in `undefined`.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

type Unit = Literal["percent", "ratio", "dollars", "days", "count", "bars", "date"]

SIGNIFICANT_DIGITS: Final = 10
"""Digits kept of every computed ratio, so that files do not carry the last bits of a float."""


def _meta(title: str, unit: Unit, description: str) -> Meta:
    return Meta(title=title, description=description, extra={"unit": unit})


Fraction = float | None
"""0.05 is five percent."""


class AccountMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Where the account started and ended."""

    starting_cash: Annotated[Decimal, _meta("Starting cash", "dollars", "Cash before the run.")]
    final_equity: Annotated[Decimal, _meta("Final equity", "dollars", "Last equity sample.")]
    first_day: Annotated[
        dt.date | None, _meta("First session", "date", "First session day with an equity sample.")
    ]
    last_day: Annotated[dt.date | None, _meta("Last session", "date", "The last such day.")]
    sessions: Annotated[int, _meta("Sessions", "count", "Session days with an equity sample.")]


class ReturnMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of daily returns; a day's equity is its last sample, day 0 the starting cash.

    252 sessions a year, no risk-free rate.
    """

    total_return: Annotated[
        Fraction, _meta("Total return", "percent", "Final equity over starting cash, less one.")
    ]
    annual_return: Annotated[
        Fraction, _meta("Annual return", "percent", "Compound growth per 252 sessions.")
    ]
    annual_volatility: Annotated[
        Fraction,
        _meta("Annual volatility", "percent", "Sample deviation of daily returns x sqrt(252)."),
    ]
    sharpe: Annotated[
        Fraction,
        _meta("Sharpe ratio", "ratio", "Mean over sample deviation of daily returns x sqrt(252)."),
    ]
    sortino: Annotated[
        Fraction,
        _meta("Sortino ratio", "ratio", "Annual mean over annual downside deviation below zero."),
    ]
    calmar: Annotated[
        Fraction, _meta("Calmar ratio", "ratio", "Annual return over the largest drawdown.")
    ]
    max_drawdown: Annotated[
        Fraction, _meta("Max drawdown", "percent", "Largest fall from a high of daily equity.")
    ]
    longest_drawdown: Annotated[
        int | None,
        _meta(
            "Longest drawdown", "days", "Sessions from a high until it was regained, or the end."
        ),
    ]
    best_day: Annotated[Fraction, _meta("Best day", "percent", "Largest daily return.")]
    best_day_date: Annotated[dt.date | None, _meta("Best day on", "date", "Its session.")]
    worst_day: Annotated[Fraction, _meta("Worst day", "percent", "Smallest daily return.")]
    worst_day_date: Annotated[dt.date | None, _meta("Worst day on", "date", "Its session.")]


class TradeMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of orders and of round trips (flat to flat); dollars are net of every cost.

    A trip's result is its realised profit plus dividends less borrow fees.
    """

    orders: Annotated[int, _meta("Orders", "count", "Orders, denied ones included, splits not.")]
    fills: Annotated[int, _meta("Fills", "count", "Executions; splits are not counted.")]
    trips: Annotated[int, _meta("Round trips", "count", "Closed positions.")]
    win_rate: Annotated[Fraction, _meta("Win rate", "percent", "Trips that earned money.")]
    average_win: Annotated[Fraction, _meta("Average win", "dollars", "Mean of winning trips.")]
    average_loss: Annotated[
        Fraction, _meta("Average loss", "dollars", "Mean of losing trips, negative.")
    ]
    profit_factor: Annotated[
        Fraction, _meta("Profit factor", "ratio", "Sum of wins over sum of losses.")
    ]
    expectancy: Annotated[Fraction, _meta("Expectancy", "dollars", "Mean result of a trip.")]
    average_bars_held: Annotated[
        Fraction, _meta("Average holding", "bars", "Mean bars from entry to exit.")
    ]
    exposure_time: Annotated[
        Fraction, _meta("Time in the market", "percent", "Equity samples with an open position.")
    ]
    exposure_value: Annotated[
        Fraction,
        _meta("Average exposure", "percent", "Mean of (long + short value) over equity."),
    ]
    turnover: Annotated[
        Fraction,
        _meta(
            "Annual turnover", "ratio", "Half the traded value over mean equity, per 252 sessions."
        ),
    ]


class CostMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What trading cost, exact dollars; positive is paid. Dividends are income when positive."""

    commission: Annotated[Decimal, _meta("Commission", "dollars", "Sum of all fees.")]
    fee_broker: Annotated[Decimal, _meta("  broker", "dollars", "The broker's part.")]
    fee_exchange: Annotated[Decimal, _meta("  exchange", "dollars", "The exchanges' part.")]
    fee_regulatory: Annotated[Decimal, _meta("  regulatory", "dollars", "SEC, FINRA and such.")]
    slippage: Annotated[
        Decimal, _meta("Slippage", "dollars", "Paid in prices against the touch; in the fills.")
    ]
    borrow: Annotated[Decimal, _meta("Borrow fees", "dollars", "Paid on short positions.")]
    dividends: Annotated[
        Decimal, _meta("Dividends", "dollars", "Received on longs less paid on shorts.")
    ]
    other_cash: Annotated[
        Decimal, _meta("Other cash", "dollars", "Cash in lieu and other movements, net received.")
    ]


class LuckMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """How likely the Sharpe ratio is to be luck; formulas and sources in `tradingd.luck`."""

    probabilistic_sharpe: Annotated[
        Fraction,
        _meta("Probabilistic Sharpe", "percent", "Probability that the true Sharpe is above zero."),
    ]
    sharpe_low: Annotated[
        Fraction, _meta("Sharpe 95 % low", "ratio", "Lower end of the bootstrap interval.")
    ]
    sharpe_high: Annotated[
        Fraction, _meta("Sharpe 95 % high", "ratio", "Upper end of the bootstrap interval.")
    ]
    t_statistic: Annotated[
        Fraction, _meta("t statistic", "ratio", "Mean daily return over its standard error.")
    ]
    minimum_track_record: Annotated[
        Fraction,
        _meta(
            "Minimum track record", "days", "Sessions needed to be 95 % sure of a Sharpe above 0."
        ),
    ]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `metrics.json`; `undefined` gives the reason of every null."""

    account: AccountMetrics
    returns: ReturnMetrics
    trades: TradeMetrics
    costs: CostMetrics
    luck: LuckMetrics
    denials: Annotated[dict[str, int], Meta(description="Limit -> orders it denied.")] = {}
    undefined: Annotated[dict[str, str], Meta(description="Metric -> why it is null.")] = {}

    def value(self, name: str) -> Any:
        """Return a metric by its own name, e.g. ``sharpe``; KeyError when there is none."""
        for metric in self.lines():
            if metric.name == name:
                return metric.value
        raise KeyError(name)

    def lines(self) -> Iterator["Line"]:
        """Yield every metric with its label and unit, in reading order."""
        for group in GROUPS:
            part = getattr(self, group)
            for definition in DEFINITIONS[group]:
                value = getattr(part, definition.name)
                yield Line(group, definition.name, definition.title, definition.unit, value)


class Definition(msgspec.Struct, frozen=True):
    """What a metric is called and means."""

    name: str
    title: str
    unit: str
    description: str


class Line(msgspec.Struct, frozen=True):
    """One metric of one run, ready to print."""

    group: str
    name: str
    title: str
    unit: str
    value: Any

    @property
    def text(self) -> str:
        """The value as a person reads it."""
        return show(self.value, self.unit)


GROUPS: Final = ("account", "returns", "trades", "costs", "luck")


def _definitions(kind: type[msgspec.Struct]) -> tuple[Definition, ...]:
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        meta = next(one for one in get_args(hint) if isinstance(one, Meta))
        unit = (meta.extra or {})["unit"]
        found.append(Definition(name, meta.title or name, unit, meta.description or ""))
    return tuple(found)


DEFINITIONS: Final = {
    group: _definitions(hint)
    for group, hint in get_type_hints(Metrics).items()
    if group in GROUPS and get_origin(hint) is None
}


def show(value: Any, unit: str) -> str:
    """Format a metric's value; a null is a dash."""
    if value is None:
        return "-"
    if unit == "percent":
        return f"{value * 100:,.2f} %"
    if unit == "dollars":
        return f"{value:,.2f}"
    if unit == "ratio":
        return f"{value:,.2f}"
    if unit in ("days", "bars"):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
