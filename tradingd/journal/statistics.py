"""Results of round trips by strategy: win rate, net result, averages. Pure, exact sums."""

from collections.abc import Iterable

import msgspec

from tradingd.domain.journal import TripRow
from tradingd.domain.money import Nanos


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Closed round trips of one strategy, or of all (`strategy` empty).

    `gross` - `fees` = `net`; `slippage` is part of gross. A trip that neither won nor lost counts
    as a trade only. `win_rate` is wins / trades; `profit_factor` what was won / what was lost.
    None where a figure has no meaning (no trades, no losses). Money in Nanos.
    """

    strategy: str
    trades: int
    wins: int
    losses: int
    win_rate: float | None
    gross: Nanos
    fees: Nanos
    net: Nanos
    average: Nanos | None
    average_win: Nanos | None
    average_loss: Nanos | None
    largest_win: Nanos | None
    largest_loss: Nanos | None
    profit_factor: float | None
    slippage: Nanos


def by_strategy(trips: Iterable[TripRow]) -> tuple[Statistics, ...]:
    """Return the statistics of each strategy by name, then those of all together."""
    groups: dict[str, list[TripRow]] = {}
    for trip in trips:
        groups.setdefault(trip.strategy, []).append(trip)
    everything = [trip for group in groups.values() for trip in group]
    return (*(measured(name, groups[name]) for name in sorted(groups)), measured("", everything))


def measured(strategy: str, trips: Iterable[TripRow]) -> Statistics:
    """Return the statistics of some round trips."""
    known = list(trips)
    results = [trip.realised for trip in known]
    won = [result for result in results if result > 0]
    lost = [result for result in results if result < 0]
    fees = sum(trip.commission for trip in known)
    return Statistics(
        strategy=strategy,
        trades=len(known),
        wins=len(won),
        losses=len(lost),
        win_rate=len(won) / len(known) if known else None,
        gross=sum(results) + fees,
        fees=fees,
        net=sum(results),
        average=_average(results),
        average_win=_average(won),
        average_loss=_average(lost),
        largest_win=max(won, default=None),
        largest_loss=min(lost, default=None),
        profit_factor=_ratio(sum(won), -sum(lost)),
        slippage=sum(trip.slippage for trip in known),
    )


def _average(amounts: list[Nanos]) -> Nanos | None:
    """Return the mean, rounded half up to a whole nano."""
    parts = len(amounts)
    return (2 * sum(amounts) + parts) // (2 * parts) if parts else None


def _ratio(won: Nanos, lost: Nanos) -> float | None:
    return won / lost if lost else None
