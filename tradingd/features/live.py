"""The same features one bar at a time, in memory that does not grow.

Nothing here is shared with `tradingd.features.batch`: the two are proved equal by tests and by
`tradingd features check`.
"""

from collections.abc import Callable, Sequence
from math import nan

import numpy as np
from msgspec import structs

from tradingd.domain.feed import Batch, Quote
from tradingd.features.feature import CrossFeature, Live, LiveCross
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import Floats, Integers, LiveBar, Moment
from tradingd.features.sessions import Placer

_NANOS = 1e9
_NO_QUOTE = (nan, nan, nan, nan)


class _One:
    """One symbol's features."""

    __slots__ = ("bar", "column", "lives", "quote", "row", "seen", "ts", "updates")

    def __init__(self, column: int, lives: list[tuple[int, Live]], row: Floats) -> None:
        self.column = column
        self.lives = [live for _, live in lives]
        self.updates: list[Callable[[LiveBar], float]] = [live.update for live in self.lives]
        self.row = row
        self.quote = _NO_QUOTE
        self.bar: LiveBar | None = None
        self.ts = 0
        self.seen = 0


class LiveFeatures:
    """Rows of features of the newest bars.

    Parameters
    ----------
    feature_set : FeatureSet
    symbols : sequence of str
        Symbols that features across symbols compare; the benchmark must be among them where one is
        referred to, else such features stay nan. Bars of other symbols are left out.

    Attributes
    ----------
    passed_over : int
        Bars left out because a price was not positive.
    """

    def __init__(self, feature_set: FeatureSet, symbols: Sequence[str]) -> None:
        self.feature_set = feature_set
        self.symbols = tuple(sorted(set(symbols)))
        self.passed_over = 0
        self._placer = Placer(feature_set.calendar)
        self._rows = np.full((len(self.symbols), len(feature_set)), nan)
        self._singles = np.array(feature_set.singles, np.int64)
        self._dense = len(self._singles) == len(feature_set)
        self._of_quotes = [
            (place, index)
            for place, index in enumerate(feature_set.singles)
            if feature_set.columns[index].quote_only
        ]
        self._ones = {
            symbol: self._one(column, symbol) for column, symbol in enumerate(self.symbols)
        }
        self._across = _Across(feature_set, self.symbols) if feature_set.order else None

    def _one(self, column: int, symbol: str) -> _One:
        lives = []
        for index in self.feature_set.singles:
            feature = self.feature_set.columns[index]
            assert not isinstance(feature, CrossFeature)
            lives.append((index, feature.live_of(symbol)))
        return _One(column, lives, self._rows[column])

    def observe(self, batch: Batch) -> None:
        """Take all bars of one moment; batches come in time order."""
        ts = batch.ts
        session, minute, to_close = self._placer.place(ts)
        ones = self._ones
        present: list[int] = []
        closes: list[float] = []
        for bar in batch.bars:
            one = ones.get(bar.symbol)
            if one is None:
                continue
            # No feature has a value at a price that cannot be; such a bar is no bar.
            if bar.low <= 0 or bar.open <= 0 or bar.close <= 0 or bar.high <= 0:
                self.passed_over += 1
                continue
            close = bar.close / _NANOS
            seen = LiveBar(
                ts,
                bar.open / _NANOS,
                bar.high / _NANOS,
                bar.low / _NANOS,
                close,
                float(bar.volume),
                session,
                minute,
                to_close,
                *one.quote,
            )
            values = [update(seen) for update in one.updates]
            if self._dense:
                one.row[:] = values
            else:
                one.row[self._singles] = values
            one.bar = seen
            one.ts = ts
            one.seen += 1
            present.append(one.column)
            closes.append(close)
        if self._across is not None and present:
            self._across.observe(ts, np.array(present), np.array(closes), self._rows)

    def observe_quote(self, quote: Quote) -> None:
        """Take a quote; it counts from the next bar of its symbol on."""
        one = self._ones.get(quote.symbol)
        if one is not None:
            one.quote = (
                quote.bid / _NANOS if quote.bid else nan,
                quote.ask / _NANOS if quote.ask else nan,
                float(quote.bid_size) if quote.bid else nan,
                float(quote.ask_size) if quote.ask else nan,
            )

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate what is remembered: 1 share became numerator/denominator shares.

        Called before the first bar after the split.
        """
        one = self._ones.get(symbol)
        if one is None:
            return
        factor = denominator / numerator
        for live in one.lives:
            live.rescale(factor)
        bid, ask, bid_size, ask_size = one.quote
        one.quote = (bid * factor, ask * factor, bid_size / factor, ask_size / factor)
        if self._across is not None:
            self._across.rescale(one.column, factor)

    def row(self, symbol: str) -> Floats:
        """Return the features at the symbol's last bar, by `FeatureSet.names`; nan is missing.

        The array is overwritten by the next `observe`.
        """
        row: Floats = self._rows[self._ones[symbol].column]
        return row

    def requoted(self, symbol: str) -> Floats:
        """Return the row of the symbol's last bar with the quote of now; a new array.

        Features that follow from the quote alone (`Feature.quote_only`) are those of the newest
        quote, as if it had been the last before the bar's close. All others keep the bar's value,
        those across symbols included.
        """
        one = self._ones[symbol]
        row: Floats = one.row.copy()
        if one.bar is not None and self._of_quotes:
            bid, ask, bid_size, ask_size = one.quote
            bar = structs.replace(one.bar, bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)
            for place, index in self._of_quotes:
                row[index] = one.updates[place](bar)
        return row

    def ts(self, symbol: str) -> int:
        """Return the time of the symbol's last bar, UTC ns; 0 before the first."""
        return self._ones[symbol].ts

    def seen(self, symbol: str) -> int:
        """Return how many bars of the symbol were taken."""
        return self._ones[symbol].seen


class _Across:
    """Features across symbols, moment by moment."""

    def __init__(self, feature_set: FeatureSet, symbols: tuple[str, ...]) -> None:
        self._size = len(symbols)
        self._lives: list[tuple[int, LiveCross]] = [
            (index, one.live_panel(len(symbols))) for index, one in feature_set.crosses()
        ]
        self._needed = [
            (name, feature_set.names.index(name)) for name in feature_set.panel_columns()
        ]
        self._across = set(feature_set.order)
        self._benchmark = (
            symbols.index(feature_set.benchmark) if feature_set.benchmark in symbols else -1
        )
        self._sectors = np.array(feature_set.sector_numbers(symbols), np.int64)

    def observe(self, ts: int, present: Integers, closes: Floats, rows: Floats) -> None:
        columns = {"close": self._spread(present, closes)}
        for name, index in self._needed:
            if index not in self._across:
                columns[name] = self._spread(present, rows[present, index])
        moment = Moment(ts=ts, columns=columns, benchmark=self._benchmark, sectors=self._sectors)
        later = {index: name for name, index in self._needed if index in self._across}
        for index, live in self._lives:
            found = live.update(moment)
            rows[present, index] = found[present]
            if index in later:
                columns[later[index]] = self._spread(present, found[present])

    def _spread(self, present: Integers, values: Floats) -> Floats:
        column = np.full(self._size, nan)
        column[present] = values
        return column

    def rescale(self, column: int, factor: float) -> None:
        for _, live in self._lives:
            live.rescale(column, factor)
