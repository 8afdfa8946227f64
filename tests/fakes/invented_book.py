"""A small file of invented books, for what must run without real data."""

import datetime as dt
from pathlib import Path

from tradingd.level2.columns import snapshot_schema
from tradingd.level2.facts import snapshot_facts
from tradingd.level2.snapshots import SnapshotRows
from tradingd.level2.writer import SnapshotWriter

DAY = dt.date(2024, 3, 11)
OPEN = int(dt.datetime(2024, 3, 11, 13, 30, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
STEP = 100_000_000
CENT = 10_000_000


def invented_book(folder: Path, symbol: str = "FROG", rows: int = 600) -> Path:
    """Write `rows` snapshots, 100 ms apart from the open on; the bid rises a cent a second."""
    batch = SnapshotRows(symbol, 2)
    for number in range(rows):
        ts = OPEN + number * STEP
        bid = 1_000 * CENT + number // 10 * CENT
        ladder = (bid, bid + CENT, 100, 200, 1, 2, bid - CENT, bid + 2 * CENT, 300, 400, 3, 4)
        batch.append(
            ts=ts,
            ts_event=ts,
            ts_recv=ts,
            sequence=number,
            events=1,
            on_change=False,
            quality=0,
            ladder=ladder,
        )
    path = folder / f"{DAY}_snapshots_{symbol}.parquet"
    facts = snapshot_facts(
        symbol=symbol, day=DAY, levels=2, interval_ms=100, on_change=False, source="invented"
    )
    writer = SnapshotWriter(path, snapshot_schema(2), facts)
    writer.write(batch.take())
    writer.commit()
    return path
