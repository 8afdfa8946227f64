"""Rows that models learn from."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]


class Dataset(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Features, labels and their times; rows sorted by `ts`, then symbol.

    Parameters
    ----------
    names : tuple of str
        Columns of `x`.
    universe : tuple of str
        Symbols; `symbol` holds indices into it.
    symbol : array of int
    ts : array of int
        When the row is known, UTC ns.
    end : array of int
        When its label is known: the close of the last bar the label looks at, UTC ns. The
        information horizon of a row is (ts, end].
    session : array of int
        Number of the row's session, rising from 0 without gaps.
    x : array of float, shape (rows, features)
    y : array of float
        What is learned: 0 or 1 for a classification, a number else.
    gain : array of float
        Log return of one long share from `ts` to `end`, whatever the label: what metrics of
        predictions without a backtest are made from.
    weight : array of float
        Mean 1.
    """

    names: tuple[str, ...]
    universe: tuple[str, ...]
    symbol: Integers
    ts: Integers
    end: Integers
    session: Integers
    x: Floats
    y: Floats
    gain: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: Integers | NDArray[np.bool_] | Sequence[int]) -> "Dataset":
        """Return some of the rows."""
        picked = np.asarray(rows)
        return Dataset(
            names=self.names,
            universe=self.universe,
            symbol=self.symbol[picked],
            ts=self.ts[picked],
            end=self.end[picked],
            session=self.session[picked],
            x=self.x[picked],
            y=self.y[picked],
            gain=self.gain[picked],
            weight=self.weight[picked],
        )


class Fold(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Row numbers of one split; `validation` is empty where a splitter has none."""

    number: int
    train: Integers
    validation: Integers
    test: Integers
