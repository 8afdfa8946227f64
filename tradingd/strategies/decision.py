"""What a signal decides."""

import msgspec

from tradingd.domain.orders import Side


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Open a position.

    Parameters
    ----------
    side : Side
        Direction.
    stop : float
        Protective stop, in dollars a share.
    reason : str
        Why, with the numbers, for the trader who reads the result.
    strength : float
        Entries of the same moment compete for the free places; the highest goes first.
    """

    side: Side
    stop: float
    reason: str
    strength: float = 0.0
