"""The day so far: the running daily bar of each symbol, made of the minutes told."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata import derive
from tradingd.simalpaca.marketdata.derive import AlpacaBar
from tradingd.simalpaca.marketdata.store import StoredBar
from tradingd.simalpaca.marketdata.times import midnight, new_york_date

_STEP: Final = 1_000


class _Day(NamedTuple):
    bar: AlpacaBar
    paid: int


class Days:
    """Running daily bars; a symbol's first minute of a New York day begins a new one."""

    def __init__(self) -> None:
        self._days: dict[str, _Day] = {}

    def add(self, ts: int, minutes: Mapping[str, StoredBar]) -> dict[str, AlpacaBar]:
        """Take minutes that closed at `ts` (UTC ns); return the days so far of their symbols."""
        start = midnight(new_york_date(ts - 1))
        for symbol, minute in minutes.items():
            day = self._days.get(symbol)
            self._days[symbol] = (
                _grown(day, minute) if day and day.bar.start == start else _begun(start, minute)
            )
        return {symbol: self._days[symbol].bar for symbol in minutes}


def _begun(start: int, minute: StoredBar) -> _Day:
    return _Day(derive.combined(start, [minute]), derive.average(minute) * minute.volume)


def _grown(day: _Day, minute: StoredBar) -> _Day:
    bar = day.bar
    volume = bar.volume + minute.volume
    paid = day.paid + derive.average(minute) * minute.volume
    mean = paid // volume if volume else bar.average
    grown = bar._replace(
        high=max(bar.high, minute.high),
        low=min(bar.low, minute.low),
        close=minute.close,
        volume=volume,
        trades=bar.trades + 1,
        average=mean // _STEP * _STEP,
    )
    return _Day(grown, paid)
