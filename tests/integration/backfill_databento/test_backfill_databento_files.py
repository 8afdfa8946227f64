"""Past books end to end: the command, the vendor's real client, real records, exact files."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.backfill_databento.reference import records_of, snapshot_columns
from tests.integration.backfill_databento.running import AAPL, FROG, Backfill, summary_line
from tests.servers.databento_history import HistoryServer, books, history_server
from tradingd.level2.columns import snapshot_schema
from tradingd.level2.facts import read_facts

pytestmark = pytest.mark.real_data

WINDOWS = {
    FROG: (1_743_685_200 * 10**9, 1_743_692_400 * 10**9),
    AAPL: (1_729_515_600 * 10**9, 1_729_522_800 * 10**9),
}
"""09:00 to 11:00 in New York, UTC ns: both in summer time."""


@pytest.fixture(scope="module")
def server(real_data: Path) -> Iterator[HistoryServer]:
    with history_server(books(real_data), unit_price=Decimal(100)) as found:
        yield found


@pytest.fixture(scope="module")
def done(server: HistoryServer, tmp_path_factory: pytest.TempPathFactory) -> Backfill:
    """One backfill of both days, with trades, looked at by several tests."""
    backfill = Backfill(tmp_path_factory.mktemp("home"), server)
    ended = backfill.run([FROG, AAPL], "backfill.trades=true")
    assert ended.returncode == 0, ended.stderr
    assert summary_line(ended) == "SUMMARY WRITE=2 SKIP=0 EMPTY=0 ERROR=0 total=2 concurrency=4"
    return backfill


def columns(path: Path) -> dict[str, list[Any]]:
    table = pq.read_table(path)
    whole = {name: pa.int64() for name in table.column_names if name.startswith("ts")}
    return {
        name: table.column(name).cast(whole.get(name, table.schema.field(name).type)).to_pylist()
        for name in table.column_names
    }


@pytest.mark.parametrize("task", [FROG, AAPL], ids=lambda one: one[0])
def test_every_snapshot_equals_the_book_after_the_last_record_that_closed_an_event(
    done: Backfill, task: tuple[str, str]
) -> None:
    window = WINDOWS[task]
    wanted = snapshot_columns(records_of(done.server, task[0], *window), *window)
    got = columns(done.file(task))
    assert len(got["ts"]) > 50_000
    assert set(got) - set(wanted) == {"symbol", "quality"}
    for name, values in wanted.items():
        assert got[name] == values, name
    assert set(got["symbol"]) == {task[0]}


@pytest.mark.parametrize("task", [FROG, AAPL], ids=lambda one: one[0])
def test_the_columns_are_those_of_a_live_capture(done: Backfill, task: tuple[str, str]) -> None:
    schema = pq.read_schema(done.file(task))
    assert schema.equals(snapshot_schema(10))
    facts = read_facts(schema)
    assert facts["contract"] == "l2-snapshots"
    assert (facts["symbol"], facts["day"], facts["source"]) == (*task, "databento")


def test_the_trades_of_the_window_are_the_vendors(done: Backfill) -> None:
    records = records_of(done.server, "FROG", *WINDOWS[FROG])
    wanted = [
        (one.ts_recv, one.sequence, Decimal(one.price) / 10**9, one.size)
        for one in records
        if str(one.action) == "T"
    ]
    held = columns(done.file(FROG, "trades"))
    got = zip(*(held[name] for name in ("ts_recv", "sequence", "price", "size")), strict=True)
    assert list(got) == wanted
    assert len(wanted) > 500


def test_the_manifest_tells_what_was_done_in_the_order_of_the_log(done: Backfill) -> None:
    lines = done.manifest()
    assert [(one["symbol"], one["day"], one["status"]) for one in lines[:2]] == [
        (*FROG, "WRITE"),
        (*AAPL, "WRITE"),
    ]
    for line, task in zip(lines[:2], (FROG, AAPL), strict=True):
        assert done.root / line["path"] == done.file(task)
        assert line["rows"] == pq.read_metadata(done.file(task)).num_rows
        assert (line["window_start"], line["window_end"]) == WINDOWS[task]


def test_what_was_estimated_was_charged_once_a_task(done: Backfill) -> None:
    assert sorted(done.server.downloads.values()) == [1, 1]
    assert abs(Decimal(done.summary()["estimate_usd"]) - done.server.billed) < Decimal("1e-9")


def test_nothing_but_the_files_is_left(done: Backfill) -> None:
    assert done.debris() == []
    day = dt.date.fromisoformat(FROG[1])
    assert done.file(FROG).name == f"{day}_snapshots_databento.parquet"


def test_files_that_are_already_here_give_the_same_books(done: Backfill, real_data: Path) -> None:
    ended = done.run(
        [FROG, AAPL],
        "backfill.provider.kind=folder",
        f"backfill.provider.path={real_data / 'dbn'}",
        "backfill.trades=true",
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    for task in (FROG, AAPL):
        for kind in ("snapshots", "trades"):
            mine = pq.read_table(done.file(task, kind, "folder"))
            theirs = pq.read_table(done.file(task, kind))
            # What a file has before the window makes books known from the window's start on.
            assert mine.num_rows >= theirs.num_rows
            first = 1 if kind == "snapshots" else 0
            assert mine[mine.num_rows - theirs.num_rows + first :].equals(theirs[first:])
