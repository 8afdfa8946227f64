"""The scan itself: bars of the day in, a table out, at any moment of data time."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from tradingd.config.scan import ScanConfig
from tradingd.domain.feed import Batch, Quote
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import decimal
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline
from tradingd.scanner.filters import left_out, ordered
from tradingd.scanner.row import Scan, ScanRow
from tradingd.scanner.tally import Tally
from tradingd.session.calendar import NEW_YORK

_MINUTE = 60 * NANOSECONDS


class Scanner:
    """Gap and relative volume of one New York day. Pure: no clock, no files.

    Parameters
    ----------
    config : ScanConfig
        Group `scan`.
    day : datetime.date
        The New York day.
    baselines : mapping
        What is usual, by symbol.
    symbols : sequence of str
        Who is asked for; those of `baselines` are in any case.
    floats : mapping
        Shares that float, by symbol, as far as known.
    label : str
        Where the bars come from.
    synthetic : bool
        True when they are invented.
    """

    def __init__(
        self,
        config: ScanConfig,
        day: dt.date,
        baselines: Mapping[str, Baseline],
        *,
        symbols: Sequence[str] = (),
        floats: Mapping[str, int] | None = None,
        label: str = "",
        synthetic: bool = False,
    ) -> None:
        self.day = day
        self.at = 0
        self._config = config
        self._baselines = baselines
        self._asked = {*symbols, *baselines}
        self._floats = floats or {}
        self._label = label
        self._synthetic = synthetic
        self._start = _instant(day, config.window_start)
        self._first_minute = config.window_start.hour * 60 + config.window_start.minute
        self._tallies: dict[str, Tally] = {}

    def take(self, batch: Batch) -> None:
        """Take bars that close together; those that close before the window began are left out."""
        self.at = max(self.at, batch.ts)
        if batch.ts <= self._start:
            return
        for bar in batch.bars:
            self._tally(bar.symbol).add(bar, batch.ts)

    def quote(self, quote: Quote) -> None:
        """Take a symbol's best bid and ask."""
        self._tally(quote.symbol).quote = quote

    def table(self, config: ScanConfig | None = None) -> Scan:
        """Return the table as of the last bar, by other filters where `config` is given."""
        limits = config or self._config
        seen = {name: one for name, one in self._tallies.items() if one.bars}
        rows = [self._row(name, one) for name, one in seen.items()]
        reasons = [left_out(row, limits) for row in rows]
        passed = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
        return Scan(
            label=self._label,
            synthetic=self._synthetic,
            day=str(self.day),
            at=self.at,
            rows=tuple(ordered(passed, limits.sort)[: limits.rows]),
            seen=len(seen),
            passed=len(passed),
            left_out=dict(Counter(reason for reason in reasons if reason)),
            silent=len(self._asked - seen.keys()),
            without_baseline=tuple(sorted(name for name in seen if name not in self._baselines)),
        )

    def _tally(self, symbol: str) -> Tally:
        found = self._tallies.get(symbol)
        if found is None:
            found = self._tallies[symbol] = Tally()
        return found

    def _row(self, symbol: str, tally: Tally) -> ScanRow:
        baseline = self._baselines.get(symbol)
        prior = baseline.prior_close if baseline else None
        usual = self._usual(baseline)
        average = baseline.average_volume if baseline else None
        known = {
            "prior_close": prior,
            "relative_volume": usual,
            "average_volume": average,
            "float_shares": self._floats.get(symbol),
            "spread_percent": tally.spread_percent,
        }
        return ScanRow(
            symbol=symbol,
            last=decimal(tally.last),
            prior_close=None if prior is None else decimal(prior),
            gap_percent=100 * (tally.last / prior - 1) if prior else None,
            high=decimal(tally.high),
            low=decimal(tally.low),
            volume=tally.volume,
            usual_volume=usual,
            relative_volume=tally.volume / usual if usual else None,
            average_volume=average,
            float_shares=self._floats.get(symbol),
            spread_percent=tally.spread_percent,
            at=tally.ts,
            unknown=tuple(name for name, value in known.items() if value is None),
        )

    def _usual(self, baseline: Baseline | None) -> float | None:
        """Return the usual volume of the minutes so far; None when it cannot be told."""
        if baseline is None or baseline.sessions < self._config.min_sessions:
            return None
        minutes = max(0, -(-(self.at - self._start) // _MINUTE))
        last = min(self._first_minute + minutes, MINUTES_A_DAY)
        return baseline.between(self._first_minute, last) or None


def _instant(day: dt.date, time: dt.time) -> int:
    moment = dt.datetime.combine(day, time, tzinfo=NEW_YORK)
    return int(moment.timestamp()) * NANOSECONDS
