"""Which side the queues lean to, with hysteresis; knows no engine."""


class Lean:
    """Follows the queue imbalance of one symbol.

    A lean begins where the imbalance reaches `enter` and ends where it falls to `leave`, so that
    an imbalance which trembles about one value is one lean and not a hundred.

    Parameters
    ----------
    enter : float
        Imbalance, in absolute value, that begins a lean; (0, 1].
    leave : float
        Imbalance in the lean's direction at which it is over; [0, enter).
    """

    def __init__(self, enter: float, leave: float) -> None:
        self._enter = enter
        self._leave = leave
        self.side = 0
        self.number = 0

    def update(self, imbalance: float) -> int:
        """Take the next imbalance; return 1 for the bid, -1 for the ask, 0 for neither.

        `number` counts the leans so far: each may be traded once.
        """
        side = self.side
        if side and imbalance * side > self._leave:
            return side
        if imbalance >= self._enter:
            self.side = 1
        elif imbalance <= -self._enter:
            self.side = -1
        else:
            self.side = 0
        if self.side and self.side != side:
            self.number += 1
        return self.side
