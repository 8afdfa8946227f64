"""A replayed day against slow, obvious computations over the vendor's own records."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import databento
import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes.recording import column, message_logs, snapshots, statistics, unfinished
from tradingd.config.depth import ReplayDepth
from tradingd.config.record import RecordConfig
from tradingd.feeds.depth_replay.feed import ReplayDepthFeed
from tradingd.level2.columns import Quality, level_names, snapshot_schema
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.recorder.recorder import Recorder
from tradingd.vendors.databento.dbn import DbnFile

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
AAPL = "dbn/xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst"
CONTRACTS = Path(__file__).resolve().parents[3] / "contracts" / "schemas"

pytestmark = pytest.mark.real_data

type State = dict[str, Any]


def recorded(root: Path, path: Path, **settings: Any) -> None:
    async def go() -> None:
        feed = ReplayDepthFeed(ReplayDepth(path=str(path), speed=0))
        config = RecordConfig(flush_seconds=0.5, **settings)
        recorder = Recorder(config, feed, root, wall=time.time_ns)
        await recorder.start()
        try:
            await recorder.run()
        finally:
            await recorder.stop()

    asyncio.run(go())


def slow_states(path: Path, levels: int) -> list[tuple[int, bool, State]]:
    """Every record as the vendor's own objects have it: time, whole or not, the row it makes."""
    found = []
    for one in databento.DBNStore.from_bytes(path.read_bytes()):
        row: State = {"ts_event": one.ts_event, "ts_recv": one.ts_recv, "sequence": one.sequence}
        for level in range(levels):
            bid_px, ask_px, bid_sz, ask_sz, bid_ct, ask_ct = level_names(level)
            if level >= len(one.levels):
                row |= dict.fromkeys((bid_px, ask_px, bid_ct, ask_ct)) | {bid_sz: 0, ask_sz: 0}
                continue
            pair = one.levels[level]
            none = databento.UNDEF_PRICE
            row[bid_px] = None if pair.bid_px == none else pair.bid_px // 100_000
            row[ask_px] = None if pair.ask_px == none else pair.ask_px // 100_000
            row |= {bid_sz: pair.bid_sz, ask_sz: pair.ask_sz}
            row |= {bid_ct: pair.bid_ct, ask_ct: pair.ask_ct}
        found.append((one.ts_recv, bool(int(one.flags) & 128), row))
    return found


def grid_states(states: list[tuple[int, bool, State]], step: int) -> list[tuple[int, int, State]]:
    """Time, records since the row before, and state of every time of the grid."""
    rows = []
    at = counted = 0
    state: State | None = None
    last = states[-1][0]
    for grid in range(-(-states[0][0] // step) * step, last + 1, step):
        while at < len(states) and states[at][0] <= grid:
            state = states[at][2] if states[at][1] else state
            at += 1
        if state is not None:
            rows.append((grid, at - counted, state))
            counted = at
    return rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "symbol", "levels", "interval_ms"),
    [(FROG, "FROG", 10, 100), (AAPL, "AAPL", 20, 50)],
    ids=["FROG at 100 ms", "AAPL with 20 levels at 50 ms"],
)
def test_every_snapshot_of_a_day_is_the_last_closed_state(
    real_data, tmp_path, source, symbol, levels, interval_ms
):
    path = real_data / source
    recorded(tmp_path, path, symbols=(symbol,), levels=levels, interval_ms=interval_ms)
    table = snapshots(tmp_path, symbol)
    wanted = grid_states(slow_states(path, levels), interval_ms * 1_000_000)
    assert table.schema.remove_metadata() == snapshot_schema(levels)
    assert column(table, "ts") == [ts for ts, _, _ in wanted]
    assert column(table, "events") == [count for _, count, _ in wanted]
    for name in table.column_names:
        if name not in ("symbol", "ts", "events", "on_change", "quality"):
            assert column(table, name) == [state[name] for _, _, state in wanted], name
    crossed = [
        state["bid_px_00"] is not None
        and state["ask_px_00"] is not None
        and state["bid_px_00"] > state["ask_px_00"]
        for _, _, state in wanted
    ]
    assert [bool(one & Quality.CROSSED) for one in column(table, "quality")] == crossed
    assert unfinished(tmp_path) == []


def test_live_capture_and_backfill_have_the_same_rows(real_data, tmp_path):
    path = real_data / FROG
    recorded(tmp_path, path, symbols=("FROG",), interval_ms=1_000, on_change=True, messages=False)
    table = snapshots(tmp_path, "FROG")
    sampling = Sampling(
        levels=10, interval_ns=1_000_000_000, on_change=True, stale_ns=60_000_000_000
    )
    last = column(table, "ts")[-1]
    sampler = GridSampler("FROG", sampling, column(table, "ts")[0], last + 1)
    batches = [sampler.feed(chunk) for chunk in DbnFile(path).open().chunks()]
    batches.append(sampler.finish())
    backfilled = pa.Table.from_batches([one for one in batches if one is not None])
    assert table.replace_schema_metadata().equals(backfilled.replace_schema_metadata())


def test_what_is_published_satisfies_its_contracts(real_data, tmp_path):
    path = real_data / AAPL
    recorded(tmp_path, path, symbols=("AAPL",), interval_ms=60_000)
    (log,) = message_logs(tmp_path, "AAPL")
    (stats,) = statistics(tmp_path)
    for name, document in (("l2-messages", log), ("session-stats", stats)):
        schema = json.loads((CONTRACTS / f"{name}.v1.schema.json").read_bytes())
        jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    records = list(databento.DBNStore.from_bytes(path.read_bytes()))
    assert [one[:3] for one in log["messages"]] == [
        [one.ts_recv, one.ts_event, one.sequence] for one in records
    ]
    assert [one[6] for one in log["messages"]] == [
        (one.price + 50_000) // 100_000 for one in records
    ]
    (capture,) = stats["captures"]
    assert capture["events"] == capture["messages"] == len(records) == 5_000
    assert {one["contract"]: one["rows"] for one in capture["files"]} == {
        "l2-snapshots": capture["rows"],
        "l2-messages": 5_000,
    }
    for one in capture["files"]:
        assert (tmp_path / one["path"]).stat().st_size == one["bytes"]
    (file,) = (tmp_path / "AAPL").glob("*.parquet")
    assert file.name == "2024-10-21_snapshots_075429.parquet"
    assert pq.read_schema(file).metadata[b"tradingd.source"] == b"replay"


def test_our_own_snapshots_replay_to_the_same_snapshots(real_data, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    settings = {"interval_ms": 1_000, "messages": False}
    recorded(first, real_data / AAPL, symbols=("AAPL",), **settings)
    (file,) = (first / "AAPL").glob("*_snapshots_*")
    recorded(second, file, symbols=("AAPL",), **settings)
    one, two = snapshots(first, "AAPL"), snapshots(second, "AAPL")
    # Snapshots do not count orders, and know only the snapshot's own time.
    same = ["ts", "quality", *(name for name in one.column_names if name[3:6] in ("_px", "_sz"))]
    assert one.select(same).equals(two.select(same))
