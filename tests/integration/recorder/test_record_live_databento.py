"""The whole way from a vendor's gateway to the published files, with the vendor's real records."""

import asyncio
import time
from pathlib import Path

import databento
import pytest

from tests.fakes.recording import column, message_logs, snapshots, statistics, until
from tests.servers.databento_gateway import KEY, DatabentoGateway
from tradingd.app.depth_feeds import make_depth_feed
from tradingd.config.depth import DatabentoDepth
from tradingd.config.record import RecordConfig
from tradingd.recorder.recorder import Recorder

pytestmark = pytest.mark.real_data

AAPL = "dbn/xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst"


def test_records_from_a_gateway_end_in_published_snapshots(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", KEY)
    path = real_data / AAPL
    records = list(databento.DBNStore.from_bytes(path.read_bytes()))
    gateway = DatabentoGateway({"AAPL": 38})

    async def go() -> Recorder:
        config = DatabentoDepth(gateway="127.0.0.1", port=gateway.port)
        wanted = RecordConfig(symbols=("AAPL", "NOPE"), max_streams=1, interval_ms=1_000)
        recorder = Recorder(wanted, make_depth_feed(config), tmp_path, wall=time.time_ns)
        await recorder.start()
        running = asyncio.create_task(recorder.run())
        try:
            await asyncio.to_thread(gateway.pour, b"".join(bytes(one) for one in records))
            await until(lambda: recorder.view().events == len(records))
            assert recorder.view().queue == ("NOPE",)
        finally:
            await recorder.stop()
            await running
        return recorder

    try:
        asyncio.run(go())
    finally:
        gateway.close()
    table = snapshots(tmp_path, "AAPL")
    closed = [one for one in records if int(one.flags) & 128]
    wanted = []
    at = 0
    for ts in column(table, "ts"):
        while at + 1 < len(closed) and closed[at + 1].ts_recv <= ts:
            at += 1
        best = closed[at].levels[0]
        wanted.append((closed[at].ts_recv, best.bid_px // 100_000, best.ask_px // 100_000))
    names = ("ts_recv", "bid_px_00", "ask_px_00")
    assert list(zip(*(column(table, name) for name in names), strict=True)) == wanted
    (log,) = message_logs(tmp_path, "AAPL")
    assert [one[0] for one in log["messages"]] == [one.ts_recv for one in records]
    (stats,) = statistics(tmp_path)
    assert (stats["source"], stats["label"], stats["replayed"]) == (
        "databento", "XNAS.ITCH", False,
    )  # fmt: skip
