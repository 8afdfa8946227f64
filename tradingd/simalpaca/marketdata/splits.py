"""Split adjustment of stored bars, exact: integer products, rounded half up."""

from collections.abc import Sequence

from tradingd.simalpaca.marketdata.store import StoredAction, StoredBar


class Splits:
    """The splits of one symbol that have taken effect.

    Parameters
    ----------
    actions : Sequence of StoredAction
        Other kinds of action are passed over.
    """

    def __init__(self, actions: Sequence[StoredAction]) -> None:
        splits = sorted(
            (one for one in actions if one.kind == "split"), key=lambda one: -one.effective
        )
        # Newest first: a bar before several splits is divided by the product of them all.
        self._steps: list[tuple[int, int, int]] = []
        numerator = denominator = 1
        for one in splits:
            numerator *= one.numerator
            denominator *= one.denominator
            self._steps.append((one.effective, numerator, denominator))

    def apply(self, bar: StoredBar) -> StoredBar:
        """Return the bar in the shares of now: prices x D / N, volume x N / D."""
        step = next((one for one in reversed(self._steps) if bar.close_ts <= one[0]), None)
        if step is None:
            return bar
        _, n, d = step
        return StoredBar(
            close_ts=bar.close_ts,
            open=_ratio(bar.open, d, n),
            high=_ratio(bar.high, d, n),
            low=_ratio(bar.low, d, n),
            close=_ratio(bar.close, d, n),
            volume=_ratio(bar.volume, n, d),
        )


def _ratio(value: int, numerator: int, denominator: int) -> int:
    return (2 * value * numerator + denominator) // (2 * denominator)
