"""How many shares one bar can give: a share of its volume, used up fill by fill."""

from tradingd.engine.tape import Tape, TapeBar

UNLIMITED = 1 << 40


class Liquidity:
    """Participation cap per symbol and bar.

    Parameters
    ----------
    tape : Tape
        Knows the volume of the bar in progress.
    percent : float
        Share of a bar's volume that all fills in it may take together, in percent; 0: no cap.
    """

    def __init__(self, tape: Tape, percent: float) -> None:
        self._tape = tape
        # Parts per million keep the arithmetic in integers.
        self._ppm = round(percent * 10_000)
        self._used: dict[str, tuple[int, int]] = {}

    def available(self, symbol: str, now: int) -> int:
        """Return the shares that can still be filled in the bar at `now`; 0 without a bar."""
        if not self._ppm:
            return UNLIMITED
        bar = self._tape.bar_until(symbol, now)
        return 0 if bar is None else self._left(symbol, bar)

    def take(self, symbol: str, now: int, quantity: int) -> None:
        """Use up shares of the bar at `now`."""
        bar = self._tape.bar_until(symbol, now) if self._ppm else None
        if bar is None:
            return
        end, used = self._used.get(symbol, (0, 0))
        self._used[symbol] = (bar.end, quantity + (used if end == bar.end else 0))

    def _left(self, symbol: str, bar: TapeBar) -> int:
        end, used = self._used.get(symbol, (0, 0))
        cap = bar.volume * self._ppm // 1_000_000
        return max(0, cap - (used if end == bar.end else 0))
