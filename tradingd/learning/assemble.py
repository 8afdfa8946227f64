"""Features and labels brought together, row by row."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.learning.dataset import Dataset, Floats, Integers
from tradingd.learning.labels.answer import Labels


class Assembled(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The data set, and how many bars became no row, by the reason.

    Reasons, in the order they are looked for: ``outside_sessions``, ``warming_up``,
    ``not_a_member``, ``no_label`` (its horizon is not over, no signal, no volatility yet) and
    ``no_features`` (all of them missing).
    """

    dataset: Dataset
    dropped: dict[str, int]


def assemble(
    *,
    names: Sequence[str],
    universe: Sequence[str],
    symbol: Integers,
    ts: Integers,
    session: Integers,
    x: Floats,
    labels: Mapping[str, Labels],
    member: NDArray[np.bool_] | None = None,
    warmup: int = 0,
) -> Assembled:
    """Join feature rows with the labels of the same symbol and time.

    Parameters
    ----------
    names, universe : sequence of str
        Columns of `x`; symbols that `symbol` counts.
    symbol, ts, session : array of int
        Of each row: number of its symbol, close of its bar (UTC ns), number of its session in a
        calendar, negative outside sessions. Any order; the result is sorted by time, then symbol.
    x : array of float, shape (rows, features)
    labels : mapping of str to Labels
        By symbol; a symbol without has no rows.
    member : array of bool, optional
        Which rows belonged to the universe on their day; none: all.
    warmup : int
        First bars of each symbol that are left out, since its features do not yet remember enough.

    Returns
    -------
    Assembled
        Sessions are numbered anew from 0 without gaps; weights are 1.
    """
    order = np.lexsort((symbol, ts))
    symbol, ts, session = symbol[order], ts[order], session[order]
    y, gain, end, known = _joined(universe, symbol, ts, labels)
    reasons = {
        "outside_sessions": session < 0,
        "warming_up": _place(symbol) < warmup,
        "not_a_member": np.zeros(len(ts), dtype=np.bool_) if member is None else ~member[order],
        "no_label": ~known,
        "no_features": np.isnan(x).all(axis=1)[order],
    }
    kept = np.ones(len(ts), dtype=np.bool_)
    dropped = {}
    for reason, affected in reasons.items():
        if count := int((kept & affected).sum()):
            dropped[reason] = count
        kept &= ~affected
    dataset = Dataset(
        names=tuple(names),
        universe=tuple(universe),
        symbol=symbol[kept],
        ts=ts[kept],
        end=end[kept],
        session=np.unique(session[kept], return_inverse=True)[1].astype(np.int64),
        x=np.ascontiguousarray(x[order[kept]]),
        y=y[kept],
        gain=gain[kept],
        weight=np.ones(int(kept.sum())),
    )
    return Assembled(dataset=dataset, dropped=dropped)


def _joined(
    universe: Sequence[str], symbol: Integers, ts: Integers, labels: Mapping[str, Labels]
) -> tuple[Floats, Floats, Integers, NDArray[np.bool_]]:
    """Return answer, gain, end and whether there is one, of each row."""
    y, gain = np.full(len(ts), np.nan), np.full(len(ts), np.nan)
    end, known = ts.copy(), np.zeros(len(ts), dtype=np.bool_)
    by_symbol = np.argsort(symbol, kind="stable")
    cuts = np.flatnonzero(np.diff(symbol[by_symbol])) + 1
    for rows in np.split(by_symbol, cuts):
        answers = labels.get(universe[symbol[rows[0]]]) if len(rows) else None
        if answers is None or not len(answers):
            continue
        place = np.minimum(np.searchsorted(answers.ts, ts[rows]), len(answers) - 1)
        met = (answers.ts[place] == ts[rows]) & answers.valid[place]
        rows, place = rows[met], place[met]
        y[rows], gain[rows], end[rows] = answers.y[place], answers.gain[place], answers.end[place]
        known[rows] = True
    return y, gain, end, known


def _place(symbol: Integers) -> Integers:
    """Return how many rows of the same symbol come before each row."""
    by_symbol = np.argsort(symbol, kind="stable")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(symbol[by_symbol])) + 1))
    lengths = np.diff(np.concatenate((starts, [len(symbol)])))
    place = np.empty(len(symbol), dtype=np.int64)
    place[by_symbol] = np.arange(len(symbol)) - np.repeat(starts, lengths)
    return place
