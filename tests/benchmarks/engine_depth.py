"""`python -m tests.benchmarks.engine_depth`: books per CPU second of a run over order books.

Books of ten levels a side are synthetic, every one different from the one before, a tenth of them
with a trade; four cases, and where the time goes. `--memory ROWS` runs one case and prints the
peak of the process.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.integration.engine.engine_kit import CALENDAR, CASH, OPEN, Borrow, PerShare, session_open
from tests.integration.engine_depth.depth_kit import DAY, MadeBooks, MadeFeed
from tradingd.config.strategy import BookImbalance as Settings
from tradingd.config.strategy import StrategyBase
from tradingd.domain.market import ReferenceData
from tradingd.engine.backtest import BacktestPlan, Outcome, run_book_backtest
from tradingd.engine.books.loader import DepthLoader
from tradingd.engine.books.stream import BookStream
from tradingd.engine.books.view import DepthView
from tradingd.engine.strategy import Strategy
from tradingd.engine.venue import instrument_id
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.level2.book import BookChunk, TradeChunk
from tradingd.strategies.book_imbalance.strategy import BookImbalance

LEVELS = 10
STEP_NS = 1_000_000


class Nothing:
    """A recorder that keeps nothing."""

    def order(self, row: object) -> None:
        """Forget."""

    fill = position = equity = denial = cash = order

    def flush(self) -> None:
        """Have nothing to write."""


class Synthetic(MadeBooks):
    """So many books a millisecond apart, made as they are read."""

    def __init__(self, rows: int) -> None:
        super().__init__([])
        self.levels = LEVELS
        self._count = rows

    def chunks(self, rows: int = 250_000) -> Iterator[tuple[BookChunk, TradeChunk]]:
        """Yield books whose prices wander and whose sizes are dice."""
        dice = np.random.default_rng(7)
        first = session_open(DAY)
        for done in range(0, self._count, rows):
            yield chunk(dice, first + done * STEP_NS, min(rows, self._count - done))


def chunk(dice: Any, first: int, rows: int) -> tuple[BookChunk, TradeChunk]:
    """Return one chunk."""
    mid = 1_000_000 + 100 * np.cumsum(dice.integers(-1, 2, rows) * (dice.random(rows) < 0.05))
    steps = [100 * (level + 1) for level in range(LEVELS)]
    sizes = [dice.integers(1, 900, rows).astype(np.int32) for _ in range(2 * LEVELS)]
    ts = first + STEP_NS * np.arange(rows, dtype=np.int64)
    hits = np.flatnonzero(dice.random(rows) < 0.1).astype(np.int64)
    sign = np.where(dice.random(len(hits)) < 0.5, 1, -1).astype(np.int8)
    books = BookChunk(
        ts=ts,
        bid_px=tuple((mid - step).astype(np.int32) for step in steps),
        ask_px=tuple((mid + step).astype(np.int32) for step in steps),
        bid_sz=tuple(sizes[:LEVELS]),
        ask_sz=tuple(sizes[LEVELS:]),
        quality=np.zeros(rows, np.int16),
    )
    trades = TradeChunk(
        ts=ts[hits],
        price=(mid[hits] + 100 * sign).astype(np.int64),
        size=dice.integers(1, 200, len(hits)),
        sign=sign,
        before=hits,
    )
    return books, trades


class Idle(Strategy):
    """Hears every book and does nothing."""

    def on_depth(self, book: DepthView) -> None:
        """Do nothing."""


def run(strategy: Strategy, rows: int) -> Outcome:
    """Run a strategy over synthetic books."""
    book = Book(CASH)
    return run_book_backtest(
        plan=BacktestPlan(
            cash=CASH,
            latency_ms=5,
            participation_percent=0.0,
            account="margin",
            equity_every=300,
            seed=1,
        ),
        feed=MadeFeed([Synthetic(rows)], 8_192),
        strategy=strategy,
        gate=Gate(OPEN, book, reference=ReferenceData(), account="margin", bar_seconds=60),
        book=book,
        commissions=PerShare("0.0035", "0.35"),
        borrow=Borrow(),
        calendar=CALENDAR,
        recorder=Nothing(),
    )


def timed(strategy: Strategy, rows: int) -> dict[str, Any]:
    """Return books per CPU second, and what was traded."""
    started = time.process_time()
    outcome = run(strategy, rows)
    spent = time.process_time() - started
    return {
        "books_per_s": round(rows / spent),
        "orders": outcome.orders,
        "fills": outcome.fills,
        "engine_share": round(outcome.engine_seconds / spent, 2),
        "load_share": round(outcome.load_seconds / spent, 2),
    }


def loading(rows: int) -> dict[str, float]:
    """Return books per CPU second of streaming alone, and with engine objects made."""
    started = time.process_time()
    for _ in BookStream([Synthetic(rows)]).slices():
        pass
    streamed = time.process_time() - started
    loader = DepthLoader({"AAA": instrument_id("AAA")})
    started = time.process_time()
    for piece in BookStream([Synthetic(rows)]).slices():
        for lane in piece.lanes:
            loader.lanes(lane)
    made = time.process_time() - started
    return {
        "streamed_per_s": round(rows / streamed),
        "objects_per_s": round(rows / max(made - streamed, 1e-9)),
    }


def main() -> None:
    """Print each case as a line of JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=200_000)
    words.add_argument("--memory", type=int, default=0, metavar="ROWS")
    words.add_argument("--trading", action="store_true", help="with --memory: trade all the time")
    asked = words.parse_args()
    busy = Settings(levels=3, enter=0.5, wait_seconds=1, hold_seconds=1, entry="aggressive")
    if asked.memory:
        run(BookImbalance(busy) if asked.trading else Idle(StrategyBase()), asked.memory)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        say({"rows": asked.memory, "peak_mb": peak})
        return
    run(Idle(StrategyBase()), 20_000)  # warm up
    rows = asked.rows
    say({"case": "loading", **loading(rows)})
    say({"case": "idle", **timed(Idle(StrategyBase()), rows)})
    calm = Settings(levels=3, enter=0.9)
    say({"case": "imbalance followed, few orders", **timed(BookImbalance(calm), rows)})
    say({"case": "trading all the time", **timed(BookImbalance(busy), rows)})


def say(found: dict[str, Any]) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
