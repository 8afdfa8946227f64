"""Trailing windows item by item: the live twins of `tradingd.features.rolling`.

A window lives in two blocks: the present one with its running sum, and the one before with the
sums of its tails. The window's sum is the running one plus one tail, so every partial sum lies
inside the window, as in `rolling`. Memory is two blocks; the cost is a few additions an item and
one pass over a block whenever it is full.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable
from itertools import accumulate
from math import nan, sqrt


def restated(values: Iterable[float], factor: float, *, volume: bool) -> list[float]:
    """Return prices times `factor`, or volumes divided by it, as `Series` restates them."""
    return [one / factor if volume else one * factor for one in values]


class LiveShift:
    """The value of `bars` items before."""

    __slots__ = ("_held",)

    def __init__(self, bars: int) -> None:
        self._held: deque[float] = deque([nan] * bars, bars)

    def update(self, value: float) -> float:
        """Take the next item; return the delayed one, nan while there is none."""
        late = self._held[0]
        self._held.append(value)
        return late

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        self._held = deque(restated(self._held, factor, volume=volume), self._held.maxlen)


class LiveSum:
    """Sum of the last `length` values."""

    __slots__ = ("_block", "_length", "_previous", "_sum", "_tails", "value")

    def __init__(self, length: int) -> None:
        self.value = nan
        self._length = length
        self._start()

    def _start(self) -> None:
        self._block: list[float] = []
        self._previous: list[float] = []
        self._tails = [nan] * self._length
        self._sum = 0.0

    def update(self, value: float) -> float:
        """Take the next item; return the sum, nan until the window is full."""
        block = self._block
        block.append(value)
        total = self._sum + value
        count = len(block)
        if count < self._length:
            self._sum = total
            self.value = total + self._tails[count]
        else:
            self.value = total
            self._tails = list(accumulate(reversed(block)))[::-1]
            self._previous = block
            self._block = []
            self._sum = 0.0
        return self.value

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        held = self._previous[len(self._block) :] + self._block
        self._start()
        self.value = nan
        for item in restated(held, factor, volume=volume):
            self.update(item)


class LiveMoments:
    """Mean and squared deviations of the last `length` values, about an item of the window.

    Deviations are taken from an item inside the window, whose own share in the variance bounds the
    rounding by about `length` units in the last place; equal items give exactly zero.

    Attributes
    ----------
    mean, squares : float
        Mean, and sum of squared deviations from it; nan until the window is full.
    away : float
        Last item less the mean, with the digits that a difference of the two would lose.
    """

    __slots__ = (
        "_anchor",
        "_block",
        "_length",
        "_previous",
        "_square",
        "_sum",
        "_tail_squares",
        "_tail_sums",
        "away",
        "mean",
        "squares",
    )

    def __init__(self, length: int) -> None:
        self._length = length
        self._start()

    def _start(self) -> None:
        self.away = self.mean = self.squares = nan
        self._block: list[float] = []
        self._previous: list[float] = []
        self._tail_sums = self._tail_squares = [nan] * self._length
        self._anchor = self._sum = self._square = 0.0

    def update(self, value: float) -> None:
        """Take the next item."""
        block = self._block
        if not block:
            self._anchor = value
            self._turn()
        block.append(value)
        away = value - self._anchor
        total = self._sum = self._sum + away
        square = self._square = self._square + away * away
        count = len(block)
        length = self._length
        if count < length:
            total += self._tail_sums[count]
            square += self._tail_squares[count]
        else:
            self._previous = block
            self._block = []
            self._sum = self._square = 0.0
        mean = total / length
        self.away = away - mean
        self.mean = self._anchor + mean
        self.squares = square - total * mean

    def _turn(self) -> None:
        if self._previous:
            away = [item - self._anchor for item in reversed(self._previous)]
            self._tail_sums = list(accumulate(away))[::-1]
            self._tail_squares = list(accumulate([item * item for item in away]))[::-1]

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        held = self._previous[len(self._block) :] + self._block
        self._start()
        for item in restated(held, factor, volume=volume):
            self.update(item)


class LiveExtreme:
    """Largest (or with `sign` -1 smallest) of the last `length` values."""

    __slots__ = ("_best", "_block", "_length", "_previous", "_sign", "_tails", "value")

    def __init__(self, length: int, sign: float = 1.0) -> None:
        self._length = length
        self._sign = sign
        self._start()

    def _start(self) -> None:
        self.value = nan
        self._block: list[float] = []
        self._previous: list[float] = []
        self._tails = [nan] * self._length
        self._best = -float("inf")

    def update(self, value: float) -> float:
        """Take the next item; return the extreme, nan until the window is full."""
        block = self._block
        signed = value * self._sign
        block.append(signed)
        best = self._best = _larger(self._best, signed)
        count = len(block)
        if count < self._length:
            tail = self._tails[count]
            self.value = self._sign * (best if best >= tail or best != best else tail)
        else:
            self.value = self._sign * best
            self._tails = list(accumulate(reversed(block), _larger))[::-1]
            self._previous = block
            self._block = []
            self._best = -float("inf")
        return self.value

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        held = [item * self._sign for item in self._previous[len(self._block) :] + self._block]
        self._start()
        for item in restated(held, factor, volume=volume):
            self.update(item)


def _larger(best: float, value: float) -> float:
    """Return the larger one, nan where one is nan."""
    return best if best >= value or best != best else value


class LiveCovariance:
    """Moments of two series over the last `length` items, about an item of the window.

    Attributes
    ----------
    products, first_squares, second_squares : float
        Sums of products and squares of deviations from the window's means; nan until it is full.
    first_mean, second_mean : float
        The window's means.
    """

    __slots__ = (
        "_anchors",
        "_block",
        "_length",
        "_previous",
        "_sums",
        "_tails",
        "first_mean",
        "first_squares",
        "products",
        "second_mean",
        "second_squares",
    )

    def __init__(self, length: int) -> None:
        self._length = length
        self._start()

    def _start(self) -> None:
        self.products = self.first_squares = self.second_squares = nan
        self.first_mean = self.second_mean = nan
        self._block: list[tuple[float, float]] = []
        self._previous: list[tuple[float, float]] = []
        self._tails: list[_Sums] = [_NOTHING] * self._length
        self._anchors = (0.0, 0.0)
        self._sums: _Sums = _ZERO

    def update(self, first: float, second: float) -> None:
        """Take the next pair."""
        block = self._block
        if not block:
            self._anchors = (first, second)
            self._turn()
        block.append((first, second))
        a = first - self._anchors[0]
        b = second - self._anchors[1]
        sa, sb, saa, sbb, sab = self._sums
        sums = self._sums = (sa + a, sb + b, saa + a * a, sbb + b * b, sab + a * b)
        count = len(block)
        if count < self._length:
            self._read(sums, self._tails[count])
        else:
            self._read(sums, _ZERO)
            self._previous = block
            self._block = []
            self._sums = _ZERO

    def _read(self, head: "_Sums", tail: "_Sums") -> None:
        a = head[0] + tail[0]
        b = head[1] + tail[1]
        mean_a = a / self._length
        mean_b = b / self._length
        self.first_mean = self._anchors[0] + mean_a
        self.second_mean = self._anchors[1] + mean_b
        self.first_squares = head[2] + tail[2] - a * mean_a
        self.second_squares = head[3] + tail[3] - b * mean_b
        self.products = head[4] + tail[4] - a * mean_b

    def _turn(self) -> None:
        if self._previous:
            x, y = self._anchors
            sums = _ZERO
            tails: list[_Sums] = []
            for first, second in reversed(self._previous):
                a, b = first - x, second - y
                sa, sb, saa, sbb, sab = sums
                sums = (sa + a, sb + b, saa + a * a, sbb + b * b, sab + a * b)
                tails.append(sums)
            self._tails = tails[::-1]

    @property
    def correlation(self) -> float:
        """Pearson's correlation, -1 to 1; nan where one of the windows is flat."""
        size = sqrt(max(self.first_squares, 0.0)) * sqrt(max(self.second_squares, 0.0))
        return max(-1.0, min(1.0, self.products / size)) if size > 0.0 else nan

    def rescale(self, *, first: float = 1.0, second: float = 1.0, volume: bool = False) -> None:
        """Restate what is remembered after a split; `volume`: the second are volumes."""
        held = self._previous[len(self._block) :] + self._block
        self._start()
        ones = restated((one for one, _ in held), first, volume=False)
        others = restated((other for _, other in held), second, volume=volume)
        for pair in zip(ones, others, strict=True):
            self.update(*pair)


type _Sums = tuple[float, float, float, float, float]
_ZERO: _Sums = (0.0, 0.0, 0.0, 0.0, 0.0)
_NOTHING: _Sums = (nan, nan, nan, nan, nan)


class LiveSlope:
    """Least-squares slope of the last `length` values, in their unit per item."""

    __slots__ = ("_moments", "_scale", "_step")

    def __init__(self, length: int) -> None:
        self._moments = LiveCovariance(length)
        self._scale = 12.0 / (length * (length**2 - 1.0))
        self._step = 0.0

    def update(self, value: float) -> float:
        """Take the next item; return the slope, nan until the window is full."""
        self._moments.update(self._step, value)
        self._step += 1.0
        return self._moments.products * self._scale

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        self._moments.rescale(second=factor, volume=volume)


class LiveRank:
    """Share, 0 to 1, of the other values of the window that the last exceeds; ties count half."""

    __slots__ = ("_held", "_length", "_missing", "_sorted")

    def __init__(self, length: int) -> None:
        self._length = length
        self._start(())

    def _start(self, items: Iterable[float]) -> None:
        self._held = deque(items, self._length)
        self._sorted = sorted(item for item in self._held if item == item)
        self._missing = len(self._held) - len(self._sorted)

    def update(self, value: float) -> float:
        """Take the next item; return the rank, nan until the window is full."""
        if len(self._held) == self._length:
            self._drop(self._held[0])
        self._held.append(value)
        if value != value:
            self._missing += 1
            return nan
        insort(self._sorted, value)
        if len(self._held) < self._length or self._missing:
            return nan
        below = bisect_left(self._sorted, value)
        equal = bisect_right(self._sorted, value) - below - 1
        return (below + equal * 0.5) / (self._length - 1)

    def _drop(self, item: float) -> None:
        if item == item:
            del self._sorted[bisect_left(self._sorted, item)]
        else:
            self._missing -= 1

    def rescale(self, factor: float, *, volume: bool = False) -> None:
        """Restate what is remembered after a split."""
        self._start(restated(self._held, factor, volume=volume))
