"""Order flow, spread and depth by our measures; also the whole report."""

from pathlib import Path
from typing import Any

import numpy as np

from tradingd.level2.open import open_book
from tradingd.microstructure.ahead import ahead
from tradingd.microstructure.depth import Depth
from tradingd.microstructure.halfhours import HalfHours
from tradingd.microstructure.ofi import OrderFlow
from tradingd.microstructure.report import CHUNK_ROWS, analyse
from tradingd.microstructure.spread import Spread


def measures(path: Path) -> dict[str, Any]:
    """The two measures that are compared."""
    source = open_book(path)
    hours = HalfHours(source.day)
    flow, spread, depth = OrderFlow(source.levels), Spread(hours), Depth(source.levels, hours)
    for book, trades in ahead(source.chunks(CHUNK_ROWS)):
        flow.feed(book, trades)
        spread.feed(book, trades)
        depth.feed(book, trades)
    _, shares, _ = flow.seconds()
    levels = depth.result().levels
    return {
        "flow": shares.sum(axis=0).tolist(),
        "flow_square": np.square(shares.astype(np.float64)).sum(axis=0).tolist(),
        "seconds": len(shares),
        "spread": spread.result().mean_ticks,
        "bid": [level.bid_size for level in levels],
        "ask": [level.ask_size for level in levels],
    }


def read(path: Path) -> dict[str, Any]:
    """Only the reader: what any measure pays."""
    rows = sum(book.rows for book, _ in open_book(path).chunks(CHUNK_ROWS))
    return {"rows": rows}


def report(path: Path) -> dict[str, Any]:
    """Everything `tradingd analyze depth` measures."""
    return {"rows": analyse(open_book(path)).counts.states}
