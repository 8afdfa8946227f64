"""Bars as they arrive become batches: in order, each bar once, none twice, none too late."""

from collections.abc import Collection
from typing import Final

from tradingd.domain.feed import Batch, MarketBar

NEVER: Final = float("inf")


class Assembler:
    """Collects bars by their close. Pure: it is told the time, and sets no timer.

    A batch is complete when every symbol has spoken, when a bar with a later close has come, when
    it was settled from history, or when its grace is over. Bars at or before the last batch are
    counted and left out.

    Parameters
    ----------
    symbols : collection of str
        Those that are subscribed to.
    after : int
        Close of the last batch that was delivered, UTC ns.
    grace : float
        Seconds to wait for the other bars, from the first one on.
    quiet : bool
        True: `grace` begins anew with every bar, so it is the length of a silence.
    """

    def __init__(
        self, symbols: Collection[str], *, after: int, grace: float, quiet: bool = False
    ) -> None:
        self.after = after
        self.late = 0
        self.twice = 0
        self.held = False
        self._symbols = len(symbols)
        self._grace = grace
        self._quiet = quiet
        self._settled = 0
        self._waiting: dict[int, dict[str, MarketBar]] = {}
        self._deadlines: dict[int, float] = {}
        self._last: Collection[str] = ()

    def add(self, close: int, bar: MarketBar, now: float) -> None:
        """Take a bar that closes at `close` (UTC ns); `now` is monotonic seconds."""
        if close <= self.after:
            if close == self.after and bar.symbol in self._last:
                self.twice += 1
            else:
                self.late += 1
            return
        bars = self._waiting.setdefault(close, {})
        if bar.symbol in bars:
            self.twice += 1
            return
        bars[bar.symbol] = bar
        if self._quiet or close not in self._deadlines:
            self._deadlines[close] = now + self._grace

    def settle(self, through: int) -> None:
        """Know that all bars up to a close are there: history has been read up to it."""
        self._settled = max(self._settled, through)

    def ready(self, now: float) -> list[Batch]:
        """Return the batches that are complete, in order; they are delivered with this."""
        if self.held:
            return []
        batches = []
        closes = sorted(self._waiting)
        for close in closes:
            if close == closes[-1] and not self._complete(close, now):
                break
            bars = self._waiting.pop(close)
            self._deadlines.pop(close, None)
            self.after, self._last = close, bars.keys()
            batches.append(Batch(close, tuple(bars[name] for name in sorted(bars))))
        return batches

    def due(self) -> float:
        """Return when `ready` is to be asked again at the latest; NEVER without bars."""
        return NEVER if self.held else min(self._deadlines.values(), default=NEVER)

    def _complete(self, close: int, now: float) -> bool:
        return (
            close <= self._settled
            or len(self._waiting[close]) >= self._symbols
            or now >= self._deadlines[close]
        )
