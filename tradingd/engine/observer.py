"""Shows the slippage model the closes it needs, when it needs them.

Bars outnumber fills by far, and a model remembers a few closes only: instead of one call per bar,
the closes since the last look are shown just before a fill, a split, or the end of a chunk.
"""

from tradingd.domain.ports import SlippageModel
from tradingd.engine.tape import Tape

_END_OF_TIME = (1 << 63) - 1


class Observer:
    """Keeps one slippage model up to date, symbol by symbol."""

    def __init__(self, slippage: SlippageModel, tape: Tape) -> None:
        self.slippage = slippage
        self._tape = tape
        self._shown: dict[str, int] = {}

    def catch_up(self, symbol: str, before_ts: int) -> None:
        """Show the closes of bars that ended before a time: what an order then could know."""
        memory = self.slippage.memory
        if not memory:
            return
        shown = self._shown.get(symbol, 0)
        closes = self._tape.closes(symbol, shown, before_ts, memory)
        if closes:
            for close in closes:
                self.slippage.observe(symbol, close)
            self._shown[symbol] = self._tape.ordinal(symbol, before_ts - 1)

    def split(self, symbol: str, now: int, numerator: int, denominator: int) -> None:
        """Restate the model's memory of a symbol after showing it the last old price."""
        self.catch_up(symbol, now + 1)
        self.slippage.split(symbol, numerator, denominator)

    def chunk_done(self) -> None:
        """Show what is left of the chunk before its bars are dropped."""
        if self.slippage.memory:
            for symbol in self._tape.symbols():
                self.catch_up(symbol, _END_OF_TIME)
