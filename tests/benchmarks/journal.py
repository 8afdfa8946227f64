"""What the journal costs: microseconds of the loop per write, commits per second, a restart's read.

Run: ``.venv/bin/python -m tests.benchmarks.journal``; about 20 s.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.unit.journal.journal_rows import DAY, DOLLAR, OPENING, audit, fill, order
from tradingd.domain.journal import BookRow, OrderEventRow, Record
from tradingd.journal.audit import verify
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal

WRITES = 20_000
ORDERS = 100_000


async def _cost_on_the_loop(journal: SqliteJournal) -> Sequence[float]:
    """Return microseconds of each write; one in a hundred yields to the loop as a daemon does."""
    costs = []
    for number in range(WRITES):
        records = (
            order(f"O-{number}", state="FILLED"),
            OrderEventRow(order_id=f"O-{number}", step="intent", detail="", ts=1, wall=1),
        )
        began = time.perf_counter_ns()
        last = journal.write(*records)
        costs.append((time.perf_counter_ns() - began) / 1_000)
        if number % 100 == 99:
            await asyncio.sleep(0)
    await last
    return costs


async def _one_by_one(journal: SqliteJournal, seconds: float) -> tuple[float, Sequence[float]]:
    """Return commits a second and microseconds of each, every write awaited before the next."""
    waits: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter_ns()
        await journal.write(order(f"P-{len(waits) % 1000}", state="FILLED"))
        waits.append((time.perf_counter_ns() - start) / 1_000)
    return len(waits) / seconds, waits


async def _fill(journal: SqliteJournal, rows: int) -> float:
    """Write filled orders of 100 symbols over 100 days; return rows a second."""
    began = time.perf_counter()
    for number in range(rows):
        ts = OPENING + number // (rows // 100) * DAY
        symbol = f"S{number % 100:02d}"
        records: tuple[Record, ...] = (
            order(f"Q-{number}", state="FILLED", symbol=symbol, ts=ts, limit=190 * DOLLAR),
            fill(f"F-{number}", order_id=f"Q-{number}", symbol=symbol, ts=ts),
            audit(number),
        )
        last = journal.write(*records)
        if number % 1000 == 999:
            await last
    await journal.write(BookRow(fills=rows, state=b"{}", ts=OPENING, wall=OPENING))
    return rows * 3 / (time.perf_counter() - began)


def _spread(values: Sequence[float]) -> str:
    cuts = statistics.quantiles(values, n=1000)
    return f"p50 {cuts[499]:.1f}  p99 {cuts[989]:.1f}  p99.9 {cuts[998]:.1f}"


async def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = SqliteJournal(path)
        journal.start()
        costs = await _cost_on_the_loop(journal)
        print(f"write() of 2 records on the loop, us  {_spread(costs)}")
        rate, waits = await _one_by_one(journal, 3)
        print(f"awaited commits/s  {rate:,.0f};  each, us  {_spread(waits)}")
        print(f"queued rows/s (order, fill, audit)  {await _fill(journal, ORDERS):,.0f}")
        await asyncio.to_thread(journal.close)
        print(f"file  {path.stat().st_size / 1e6:.0f} MB, {ORDERS:,} filled orders")
        times = []
        for _ in range(5):
            began = time.perf_counter()
            recalled = recall(path)
            times.append(time.perf_counter() - began)
        print(
            f"recall, ms  {min(times) * 1e3:.0f}-{max(times) * 1e3:.0f} "
            f"({len(recalled.recent_orders):,} recent, {len(recalled.open_orders):,} open orders)"
        )
        began = time.perf_counter()
        report = verify(path)
        print(f"audit verify  {report.rows:,} rows in {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        journal = SqliteJournal(path)
        journal.start()
        print(f"start with its check for damage  {time.perf_counter() - began:.2f} s")
        await asyncio.to_thread(journal.close)


if __name__ == "__main__":
    asyncio.run(main())
