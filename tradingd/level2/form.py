"""What the shape of books says against them; the vectorised twin of `quality`."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tradingd.level2.book import NO_ASK, NO_BID, Ints32
from tradingd.level2.columns import Quality


def form_bits(bid_px: Sequence[Ints32], ask_px: Sequence[Ints32]) -> NDArray[np.int16]:
    """Return the `columns.Quality` bits that one book alone decides.

    Parameters
    ----------
    bid_px, ask_px : L arrays (n,)
        Stored prices by level, `NO_BID` / `NO_ASK` where there is none.
    """
    bid, ask = bid_px[0], ask_px[0]
    no_bid, no_ask = bid == NO_BID, ask == NO_ASK
    whole = ~(no_bid | no_ask)
    bits = no_bid * np.int16(Quality.NO_BID) | no_ask * np.int16(Quality.NO_ASK)
    bits |= ((bid > ask) & whole) * np.int16(Quality.CROSSED)
    bits |= ((bid == ask) & whole) * np.int16(Quality.LOCKED)
    disorder = np.zeros(len(bid), bool)
    for better, worse in itertools.pairwise(bid_px):
        disorder |= (worse >= better) & (worse != NO_BID)
    for better, worse in itertools.pairwise(ask_px):
        disorder |= (worse <= better) & (worse != NO_ASK)
    bits |= disorder * np.int16(Quality.DISORDER)
    result: NDArray[np.int16] = bits.astype(np.int16, copy=False)
    return result
