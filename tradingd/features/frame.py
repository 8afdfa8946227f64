"""Computed features of many symbols as rows."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tradingd.features.series import Floats, Integers

if TYPE_CHECKING:
    import pyarrow as pa


class FeatureFrame(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row per symbol and bar, sorted by `ts`, then symbol.

    Parameters
    ----------
    names : tuple of str
        Columns of `x`.
    symbols : tuple of str
        Sorted; `symbol` holds indices into it.
    symbol : array of int
    ts : array of int
        Close of the bar, UTC ns.
    session : array of int
        As in `Series`.
    x : array of float, shape (rows, features)
        In C order; nan where a feature has no value.
    close : array of float
        In the share units of the symbol's last bar.
    """

    names: tuple[str, ...]
    symbols: tuple[str, ...]
    symbol: Integers
    ts: Integers
    session: Integers
    x: Floats
    close: Floats

    def __len__(self) -> int:
        return len(self.ts)

    def of(self, symbol: str) -> Integers:
        """Return the row numbers of a symbol in time order; none for an unknown one."""
        if symbol not in self.symbols:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.symbol == self.symbols.index(symbol)).astype(np.int64)

    def table(self) -> "pa.Table":
        """Return symbol, ts_event (naive UTC ns) and one float64 column per feature."""
        import pyarrow as pa

        names = pa.DictionaryArray.from_arrays(
            pa.array(self.symbol.astype(np.int32)), pa.array(self.symbols, pa.string())
        ).cast(pa.string())
        columns = {"symbol": names, "ts_event": pa.array(self.ts).cast(pa.timestamp("ns"))}
        columns |= {
            name: pa.array(np.ascontiguousarray(self.x[:, number]))
            for number, name in enumerate(self.names)
        }
        return pa.table(columns)
