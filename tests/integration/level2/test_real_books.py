"""Real books: Nasdaq's FROG through DBN, GOOG through LOBSTER."""

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.conftest import REPOSITORY
from tests.fakes.dbn_records import SECOND
from tradingd.level2.columns import level_names, snapshot_schema
from tradingd.level2.facts import snapshot_facts
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.level2.open import open_book
from tradingd.level2.writer import SnapshotWriter
from tradingd.vendors.databento.dbn import DbnFile

pytestmark = pytest.mark.real_data

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
AAPL = "dbn/xnas-itch-20241021.AAPL.first5000.mbp-10.dbn.zst"
GOOG = "lobster/GOOG_2012-06-21_message_5.first20000.csv.gz"
OPEN = 1_743_687_000 * SECOND
COLUMNS = [name for level in range(10) for name in level_names(level)]
BOTH = Sampling(levels=10, interval_ns=SECOND // 10, on_change=True, stale_ns=60 * SECOND)


def converted(source: Path, target: Path, sampling: Sampling, start: int, end: int) -> Path:
    file = DbnFile(source).open()
    (symbol,) = file.symbols
    facts = snapshot_facts(
        symbol=symbol,
        day=dt.date(2025, 4, 3),
        levels=sampling.levels,
        interval_ms=sampling.interval_ns // 1_000_000,
        on_change=sampling.on_change,
        source="databento",
    )
    sampler = GridSampler(symbol, sampling, start, end)
    with SnapshotWriter(target, snapshot_schema(sampling.levels), facts) as writer:
        for records in file.chunks():
            for batch in sampler.sampled(records):
                writer.write(batch)
        for batch in sampler.rest():
            writer.write(batch)
    return target


def test_every_snapshot_of_a_real_day_is_the_last_closed_state(
    real_data: Path, tmp_path: Path
) -> None:
    source = real_data / FROG
    end = OPEN + 3600 * SECOND
    table = pq.read_table(converted(source, tmp_path / "frog.parquet", BOTH, OPEN, end))
    records = np.concatenate(list(DbnFile(source).open().chunks()))
    received = records["ts_recv"].astype(np.int64)
    closes = (records["flags"] & 128) != 0
    assert table.num_rows > 36_000
    ts = table["ts"].cast("int64").to_numpy()
    on_change = table["on_change"].to_numpy()
    assert (np.diff(ts) >= 0).all()
    grid = ts[~on_change]
    assert (np.diff(grid) == SECOND // 10).all()
    assert grid[-1] == end - SECOND // 10
    rows = table.select([*COLUMNS, "ts_recv"]).to_pandas()
    for at in range(0, len(ts), 41):
        candidates = np.flatnonzero(closes & (received <= ts[at]))
        row = rows.iloc[at]
        if on_change[at]:  # several may close at one time: the row is one of them
            shown = [n for n in candidates if received[n] == ts[at] and same(row, records[n])]
            assert shown
        else:
            assert same(row, records[candidates[-1]])


def same(row: Any, state: Any) -> bool:
    stored = [int(row[name]) * (100_000 if "_px_" in name else 1) for name in COLUMNS]
    received = row["ts_recv"].value == state["ts_recv"]
    return received and stored == [int(state[name]) for name in COLUMNS]


def test_snapshots_and_dbn_tell_the_same_books(real_data: Path, tmp_path: Path) -> None:
    changes = Sampling(levels=10, interval_ns=0, on_change=True, stale_ns=0)
    path = converted(real_data / AAPL, tmp_path / "aapl.parquet", changes, 0, 2**62)
    ((book, _),) = open_book(path).chunks()
    ((whole, _),) = open_book(real_data / AAPL).chunks()
    sides = ("bid_px", "ask_px", "bid_sz", "ask_sz")
    levels = np.array([column for side in sides for column in getattr(whole, side)])
    stored = np.array([column for side in sides for column in getattr(book, side)])
    place = np.searchsorted(book.ts, whole.ts, side="right") - 1
    last_of_time = np.append(np.diff(whole.ts) > 0, True)
    assert (stored[:, place[last_of_time]] == levels[:, last_of_time]).all()


def test_any_reader_of_parquet_gets_the_same_rows(real_data: Path, tmp_path: Path) -> None:
    end = OPEN + 600 * SECOND
    path = converted(real_data / FROG, tmp_path / "frog.parquet", BOTH, OPEN, end)
    arrow = pq.read_table(path)
    with duckdb.connect() as connection:
        (dollars,) = connection.execute(
            f"SELECT count(*), sum(bid_px_00 / 10000) FROM '{path}' WHERE bid_sz_00 > 0"
        ).fetchall()
    panda = pd.read_parquet(path)
    bear = pl.read_parquet(path)
    assert dollars[0] == len(panda) == bear.height == arrow.num_rows
    total = sum(arrow["bid_px_00"].to_pylist())
    assert panda["bid_px_00"].sum() == bear["bid_px_00"].sum() == total
    assert dollars[1] == pytest.approx(total / 10_000)
    assert panda["ts"].iloc[-1] == pd.Timestamp(end - SECOND // 10)


def test_visible_executions_print_at_the_best_price_before_them(real_data: Path) -> None:
    source = open_book(real_data / GOOG)
    visible, hidden, inside = 0, 0, 0
    for book, trades in source.chunks():
        known = trades.before >= 0
        bid = book.bid_px[0][trades.before]
        ask = book.ask_px[0][trades.before]
        best = np.where(trades.sign > 0, ask, bid)
        signed = known & (trades.sign != 0)
        assert (trades.price[signed] == best[signed]).all()
        visible += int(signed.sum())
        unsigned = known & (trades.sign == 0)
        hidden += int(unsigned.sum())
        inside += int(((trades.price > bid) & (trades.price < ask))[unsigned].sum())
    # 742 visible executions: the first is the file's first row, before which nothing is known.
    assert visible == 741
    assert (hidden, inside) == (606, 606)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_day(real_data: Path, tmp_path: Path) -> None:
    from tests.benchmarks.level2_files import measure, repeat

    peaks = []
    for copies in (6, 60):
        big = tmp_path / f"{copies}.dbn"
        rows = repeat(real_data / FROG, big, copies)
        told = measure("ours, every change", big, tmp_path / f"{copies}.parquet")
        peaks.append(told["rss"])
        big.unlink()
    assert rows > 1_000_000
    assert peaks[1] < 1.15 * peaks[0]


def test_reading_a_book_needs_neither_pandas_nor_the_vendors_client(real_data: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from tradingd.level2.open import open_book\n"
        "rows = sum(b.rows for b, _ in open_book(pathlib.Path(sys.argv[1])).chunks())\n"
        "print(rows, 'pandas' in sys.modules, 'databento' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(real_data / FROG)],
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.stdout.split() == ["16630", "False", "False"]
