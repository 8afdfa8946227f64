"""Which rules apply to which rows, and how serious each is."""

from collections.abc import Iterator

import msgspec

from tradingd.domain.market import DataKind, Resolution
from tradingd.quality.report import Severity
from tradingd.quality.rules import gaps, jumps, prices, quotes, times
from tradingd.quality.thresholds import Thresholds


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready to run: its query yields symbol, ts and detail of each finding."""

    name: str
    severity: Severity
    query: str


def rules_for(
    kind: DataKind, resolution: Resolution | None, limits: Thresholds
) -> tuple[Rule, ...]:
    """Return the rules for rows of one kind and bar length."""
    if kind is DataKind.BARS and resolution is not None:
        return tuple(_bar_rules(resolution, limits))
    closed = Rule("out_of_session", Severity.ERROR, times.out_of_session())
    if kind is DataKind.TRADES:
        return (closed,)
    return (
        closed,
        Rule("crossed_quote", Severity.ERROR, quotes.crossed()),
        Rule("locked_quote", Severity.INFO, quotes.locked()),
    )


def _bar_rules(resolution: Resolution, limits: Thresholds) -> Iterator[Rule]:
    daily = resolution is Resolution.DAY
    yield Rule("duplicate", Severity.ERROR, times.duplicates())
    yield Rule("non_positive_price", Severity.ERROR, prices.non_positive())
    yield Rule("inverted_bar", Severity.ERROR, prices.inverted())
    yield Rule(
        "out_of_session",
        Severity.ERROR,
        times.daily_out_of_session() if daily else times.out_of_session(),
    )
    if not daily:
        yield Rule("extended_hours", Severity.INFO, times.extended_hours())
    yield Rule("missing_session", Severity.WARNING, gaps.missing_sessions())
    if resolution is Resolution.MINUTE:
        query = gaps.missing_minutes(limits.liquid_percent, limits.missing_minutes)
        yield Rule("missing_minutes", Severity.WARNING, query)
    yield from _jump_rules(resolution, limits)
    yield Rule("stale", Severity.WARNING, prices.stale(limits.stale_bars(resolution)))
    yield Rule("zero_volume", Severity.WARNING, prices.zero_volume())


def _jump_rules(resolution: Resolution, limits: Thresholds) -> Iterator[Rule]:
    tolerance, days = limits.split_tolerance_percent, limits.split_volume_days
    sure = jumps.suspected_splits(tolerance, days, volume_agrees=True)
    unsure = jumps.suspected_splits(tolerance, days, volume_agrees=False)
    yield Rule("suspected_split", Severity.ERROR, sure)
    yield Rule("split_like_jump", Severity.WARNING, unsure)
    outliers = jumps.outliers(
        limits.outlier_deviations,
        limits.outlier_return(resolution),
        within_day=resolution is not Resolution.DAY,
        tolerance_percent=tolerance,
    )
    yield Rule("outlier", Severity.WARNING, outliers)
