"""How many shares one bar can give: a share of its volume, used up fill by fill."""

from typing import Final

from tradingd.engine.tape import TapeBar

UNLIMITED: Final = 1 << 40


class Liquidity:
    """Participation cap per symbol and bar.

    Parameters
    ----------
    percent : float
        Share of a bar's volume that all fills in it may take together, in percent; 0: no cap.
    """

    def __init__(self, percent: float) -> None:
        # Parts per million keep the arithmetic in integers.
        self._ppm = round(percent * 10_000)
        self._used: dict[str, tuple[int, int]] = {}

    def available(self, symbol: str, bar: TapeBar | None) -> int:
        """Return the shares that can still be filled in a bar; 0 without one."""
        if not self._ppm:
            return UNLIMITED
        if bar is None:
            return 0
        end, used = self._used.get(symbol, (0, 0))
        return max(0, self.cap(bar.volume) - (used if end == bar.end else 0))

    def cap(self, volume: int) -> int:
        """Return the most shares that all fills in a bar of this volume may take."""
        return volume * self._ppm // 1_000_000 if self._ppm else UNLIMITED

    def take(self, symbol: str, bar: TapeBar | None, quantity: int) -> None:
        """Use up shares of a bar."""
        if bar is None or not self._ppm:
            return
        end, used = self._used.get(symbol, (0, 0))
        self._used[symbol] = (bar.end, quantity + (used if end == bar.end else 0))
