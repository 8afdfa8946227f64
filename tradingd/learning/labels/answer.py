"""What a label is."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.learning.dataset import Floats, Integers


class Labels(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The answers of one symbol, one a bar; every array has the length of `ts`.

    Parameters
    ----------
    ts : array of int
        Close of each bar, UTC ns.
    y : array of float
        What is learned: 0 or 1 for a classification, a number else; nan where not `valid`.
    gain : array of float
        Log return of one long share from `ts` to `end`, close to close, whatever the label.
    end : array of int
        Close of the last bar the answer looks at, UTC ns; `ts` where not `valid`.
    valid : array of bool
        Whether the answer is known: its whole horizon is over and all that it needs was there.
    """

    ts: Integers
    y: Floats
    gain: Floats
    end: Integers
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ts)


def answered(
    ts: Integers, close: Floats, y: Floats, last: Integers, valid: NDArray[np.bool_]
) -> Labels:
    """Return labels whose answers look at the bars up to number `last`; blank where not valid."""
    bars = np.arange(len(ts))
    last = np.where(valid, last, bars)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.log(close[last]) - np.log(close)
    valid = valid & np.isfinite(gain) & np.isfinite(y)
    return Labels(
        ts=ts,
        y=np.where(valid, y, np.nan),
        gain=np.where(valid, gain, np.nan),
        end=np.where(valid, ts[last], ts),
        valid=valid,
    )
