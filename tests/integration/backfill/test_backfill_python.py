"""The three functions of Python, over a folder of DBN files and a trade log."""

import datetime as dt
import json
import logging
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from tests.fakes import dbn_records as made
from tests.fakes.book_shelf import BOOK
from tradingd.app.backfill import backfill_l2, find_warrior_tasks, run_warrior_backfill
from tradingd.backfill.records import Status
from tradingd.backfill.tasks import Filters, Task
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.kits.failure import ExitCode, Failure

DAY = dt.date(2025, 4, 3)
NOON = 1_743_696_000_000_000_000
"""2025-04-03 12:00 in New York."""


@pytest.fixture
def config(tmp_path: Path) -> SystemConfig:
    books = tmp_path / "dbn"
    books.mkdir()
    made.write_dbn(books / "frog.dbn.zst", made.record(0, BOOK), symbols={"FROG": 7})
    log = tmp_path / "trades.csv"
    log.write_text("Date,Symbol\n4/3/2025,FROG\n4/1/2025,AAPL\nx,MSFT\n3/3/2025,FROG\n")
    return load(
        [
            f"store.level2={tmp_path / 'level2'}",
            f"backfill.log={log}",
            "backfill.enabled=true",
            f"backfill.provider={{kind: folder, path: '{books}'}}",
            "backfill.window_start='09:30:00'",
            "backfill.window_end='09:31:00'",
        ]
    ).config


def test_tasks_are_found_by_days_and_last(
    config: SystemConfig, caplog: pytest.LogCaptureFixture
) -> None:
    def names(**keys: object) -> list[str]:
        tasks = find_warrior_tasks(config=config, wall=lambda: NOON, **keys)
        return [f"{one.symbol} {one.day:%m-%d}" for one in tasks]

    with caplog.at_level(logging.WARNING):
        assert names() == ["FROG 04-03", "AAPL 04-01", "FROG 03-03"]
    assert "line 4: no date that can be read: 'x'" in caplog.text
    assert names(since_days=7) == ["FROG 04-03", "AAPL 04-01"]
    assert names(since_days=0) == ["FROG 04-03"]
    assert names(last=1) == ["FROG 04-03"]
    assert names(since_days=100, last=2) == ["FROG 04-03", "AAPL 04-01"]
    assert names(filters=Filters(symbols=("FROG",), max_tasks=1)) == ["FROG 04-03"]


def test_a_run_has_the_result_of_the_command(config: SystemConfig, tmp_path: Path) -> None:
    tasks = find_warrior_tasks(config=config)
    summary = run_warrior_backfill(tasks, config=config)
    assert summary.counts == {
        Status.WRITE: 1,
        Status.SKIP: 0,
        Status.EMPTY: 0,
        Status.ERROR: 2,
        Status.UNAVAIL: 0,
    }
    stored = json.loads((tmp_path / "level2" / "backfill_l2_summary.json").read_text())
    assert stored["counts"]["ERROR"] == 2
    with pytest.raises(Failure) as refused:
        run_warrior_backfill(tasks, strict=True, config=config)
    assert refused.value.code is ExitCode.SOURCE
    assert "2 ERROR" in refused.value.found


def test_one_task_has_status_rows_and_path(config: SystemConfig, tmp_path: Path) -> None:
    path = tmp_path / "level2" / "FROG" / "2025-04-03_snapshots_folder.parquet"
    first = backfill_l2("FROG", DAY, config=config)
    assert (first.status, first.rows, first.path) == (Status.WRITE, 600, path)
    again = backfill_l2("FROG", DAY, config=config)
    assert (again.status, again.rows, again.path) == (Status.SKIP, 600, path)
    assert backfill_l2("FROG", DAY, config=config, force=True).status is Status.WRITE
    closed = backfill_l2("FROG", dt.date(2025, 4, 5), config=config, strict=True)
    assert (closed.status, closed.rows, closed.path) == (Status.EMPTY, 0, None)
    with pytest.raises(Failure):
        backfill_l2("AAPL", DAY, config=config, strict=True)
    lines = (tmp_path / "level2" / "backfill_l2_manifest.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert not (tmp_path / "level2" / "backfill_l2_summary.json").exists()


def test_of_a_file_only_the_symbol_and_the_window_are_taken(
    config: SystemConfig, tmp_path: Path
) -> None:
    minute = 60 * made.SECOND
    other = ((55.0, 55.1, 1, 1, 1, 1),)
    records = made.records(
        made.record(0, BOOK),
        made.record(1, other, instrument=8),
        made.record(2, BOOK, action="T", side="B"),
        made.record(3, other, action="T", side="B", instrument=8),
        made.record(minute, other, action="T", side="A"),
    )
    made.write_dbn(tmp_path / "dbn" / "frog.dbn.zst", records, symbols={"FROG": 7, "OTHER": 8})
    backfill = msgspec.structs.replace(config.backfill, trades=True)
    found = backfill_l2("FROG", DAY, config=msgspec.structs.replace(config, backfill=backfill))
    assert found.path is not None
    assert pq.read_table(found.path)["bid_px_00"].unique().to_pylist() == [100_000]
    (trades,) = found.path.parent.glob("*_trades_*")
    assert pq.read_table(trades).num_rows == 1


def test_nothing_is_fetched_while_backfills_are_off(tmp_path: Path) -> None:
    off = load([f"store.level2={tmp_path / 'level2'}"]).config
    with pytest.raises(Failure) as refused:
        run_warrior_backfill([Task(symbol="FROG", day=DAY)], config=off)
    assert (refused.value.code, refused.value.where) == (ExitCode.CONFIG, "backfill.enabled")
    assert not (tmp_path / "level2").exists()


def test_symbols_a_mapping_does_not_know_are_told(
    config: SystemConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = tmp_path / "mapping.json"

    def mapped() -> SystemConfig:
        backfill = msgspec.structs.replace(config.backfill, mapping=str(mapping))
        return msgspec.structs.replace(config, backfill=backfill)

    assert backfill_l2("FROG", DAY, config=mapped()).status is Status.WRITE
    assert "no symbol mapping at" in caplog.text
    caplog.clear()
    mapping.write_text('{"FROGGY": "FROG"}')
    assert backfill_l2("FROGGY", DAY, config=mapped()).status is Status.WRITE
    assert caplog.text == ""
    backfill_l2("FROG", DAY, config=mapped())
    assert "asked for as the log spells them: FROG" in caplog.text
