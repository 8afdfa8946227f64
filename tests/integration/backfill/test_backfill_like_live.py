"""A backfilled day against the live capture of the same records: one layout, the same rows."""

import asyncio
import datetime as dt
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tradingd.app.backfill import backfill_l2
from tradingd.backfill.records import Status
from tradingd.config.depth import ReplayDepth
from tradingd.config.load import load
from tradingd.config.record import RecordConfig
from tradingd.feeds.depth_replay.feed import ReplayDepthFeed
from tradingd.level2.columns import snapshot_schema
from tradingd.level2.facts import read_facts
from tradingd.recorder.recorder import Recorder

pytestmark = pytest.mark.real_data

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
AAPL = "dbn/xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst"

OWN = {"label", "began", "ended", "vendor_symbol", "window_start", "window_end", "source"}
"""What a file says of its own making; the rest describes the rows, and must be the same."""


def captured(root: Path, path: Path) -> Path:
    """Record a file as if it came live."""

    async def go() -> None:
        feed = ReplayDepthFeed(ReplayDepth(path=str(path), speed=0))
        config = RecordConfig(symbols=("FROG",), on_change=True, messages=False)
        recorder = Recorder(config, feed, root, wall=time.time_ns)
        await recorder.start()
        try:
            await recorder.run()
        finally:
            await recorder.stop()

    asyncio.run(go())
    (found,) = (root / "FROG").glob("*_snapshots_*.parquet")
    return found


def test_a_backfilled_file_is_a_live_capture_column_by_column(
    real_data: Path, tmp_path: Path
) -> None:
    config = load(
        [
            f"store.level2={tmp_path / 'past'}",
            "backfill.enabled=true",
            "backfill.on_change=true",
            f"backfill.provider={{kind: folder, path: '{real_data / 'dbn'}'}}",
        ]
    ).config
    done = backfill_l2("FROG", dt.date(2025, 4, 3), config=config)
    assert (done.status, done.reason) == (Status.WRITE, "")
    assert done.path is not None
    live = captured(tmp_path / "live", real_data / FROG)
    past, present = pq.ParquetFile(done.path), pq.ParquetFile(live)
    assert past.schema_arrow.remove_metadata() == snapshot_schema(10)
    assert past.schema_arrow.remove_metadata() == present.schema_arrow.remove_metadata()
    assert past.schema.equals(present.schema), "the same types on disk"
    said, heard = read_facts(past.schema_arrow), read_facts(present.schema_arrow)
    assert {name: said[name] for name in said.keys() - OWN} == {
        name: heard[name] for name in heard.keys() - OWN
    }
    both = past.read(), present.read()
    start = max(one["ts"][0].as_py() for one in both)
    end = min(one["ts"][-1].as_py() for one in both)
    first, second = (_between(one, start, end) for one in both)
    assert first.num_rows > 60_000
    assert first.equals(second)


def _between(table: pa.Table, start: object, end: object) -> pa.Table:
    kept = table.filter((pc.field("ts") >= start) & (pc.field("ts") <= end))
    return kept.replace_schema_metadata().combine_chunks()


def test_a_file_that_ends_long_before_the_window_is_told(real_data: Path, tmp_path: Path) -> None:
    config = load(
        [
            f"store.level2={tmp_path}",
            "backfill.enabled=true",
            f"backfill.provider={{kind: folder, path: '{real_data / 'dbn'}'}}",
        ]
    ).config
    done = backfill_l2("AAPL", dt.date(2024, 10, 21), config=config)
    assert done.status is Status.WRITE
    assert "no record in the last 6939 s" in done.reason
    assert "is repeated there" in done.reason
