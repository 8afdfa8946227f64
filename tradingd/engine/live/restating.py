"""Splits as the model hears of them: each once, before anything of its ex-date or later."""

import datetime as dt
from collections.abc import Iterable

from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction
from tradingd.engine.advising import LiveAdvising
from tradingd.session.calendar import local_date, local_midnight_ns


class Restating:
    """Tells the model of splits as session time passes their midnight in New York.

    Not the open of the ex-date decides, for it may never come: the symbol, or all of them, may have
    no bar that day, and some ex-dates are no session.

    Parameters
    ----------
    advising : LiveAdvising
        Told of them.
    """

    def __init__(self, advising: LiveAdvising) -> None:
        self._advising = advising
        self._coming: list[tuple[int, CorporateAction]] = []
        self._told: set[tuple[str, dt.date]] = set()
        self._last: dict[str, int] = {}

    def know(self, splits: Iterable[CorporateAction]) -> None:
        """Take the splits that are known now, past ones too.

        One that becomes known when its symbol has shown bars of the ex-date or later is left out:
        they are in its units already.
        """
        known = [(local_midnight_ns(one.ex_date), one) for one in splits]
        self._coming = sorted(
            (
                (midnight, one)
                for midnight, one in known
                if (one.symbol, one.ex_date) not in self._told
                and midnight >= self._last.get(one.symbol, 0)
            ),
            key=lambda due: due[0],
        )

    def before(self, ts: int) -> None:
        """Tell those whose midnight lies before a time, UTC ns."""
        coming = self._coming
        if not coming or coming[0][0] >= ts:
            return
        # Before the first bars nothing is remembered that splits of earlier days would restate.
        first = 0 if self._last else local_midnight_ns(local_date(ts))
        while coming and coming[0][0] < ts:
            midnight, one = coming.pop(0)
            if midnight >= first:
                self._told.add((one.symbol, one.ex_date))
                self._advising.split(one.symbol, one.numerator, one.denominator)

    def before_bars(self, batch: Batch) -> None:
        """As `before`, with the bars that are shown next."""
        self.before(batch.ts)
        self._last.update(dict.fromkeys([bar.symbol for bar in batch.bars], batch.ts))
