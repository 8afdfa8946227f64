"""Last closes and the standard deviation of their returns, symbol by symbol."""

import itertools
import math
from collections import deque

from tradingd.domain.money import Nanos


class Closes:
    """Remembers as many closes as the deviation needs.

    The caller shows every bar as it becomes known, in a backtest as in a session, so that both
    compute the same number from the same bars.

    Parameters
    ----------
    window : int
        Returns that the deviation is taken over; with fewer it is taken over those there are.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._closes: dict[str, deque[Nanos]] = {}

    def observe(self, symbol: str, close: Nanos) -> None:
        """Take the next bar's close."""
        known = self._closes.get(symbol)
        if known is None:
            known = self._closes[symbol] = deque(maxlen=self._window + 1)
        known.append(close)

    def last(self, symbol: str) -> Nanos:
        """Return the last close, 0 before the first."""
        known = self._closes.get(symbol)
        return known[-1] if known else 0

    def sigma(self, symbol: str) -> float:
        """Return the sample standard deviation of the simple returns; 0 with fewer than two."""
        closes = list(self._closes.get(symbol, ()))
        returns = [now / before - 1.0 for before, now in itertools.pairwise(closes)]
        if len(returns) < 2:
            return 0.0
        mean = math.fsum(returns) / len(returns)
        squares = math.fsum([(one - mean) ** 2 for one in returns])
        return math.sqrt(squares / (len(returns) - 1))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Restate the closes, so that a split is not taken for volatility."""
        known = self._closes.get(symbol)
        if known is not None:
            self._closes[symbol] = deque(
                (close * denominator // numerator for close in known), maxlen=self._window + 1
            )
