"""Runs of a backfill: workers, tries, locks, records, limits, interruptions."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

from tests.conftest import REPOSITORY
from tests.fakes.book_shelf import Shelf
from tradingd.backfill.mapping import Mapping
from tradingd.backfill.planning import Setting
from tradingd.backfill.provider import Retry
from tradingd.backfill.records import Status
from tradingd.backfill.run import Options, Ran, run
from tradingd.backfill.tasks import Task
from tradingd.config.backfill import BackfillConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import TRADES, snapshot_schema
from tradingd.session.calendar import SessionCalendar

DAY = dt.date(2025, 4, 3)
NOW = 1_750_000_000_000_000_000
CALENDAR = SessionCalendar("XNYS")


class Desk:
    """A folder of order books, a provider, and how they are brought together."""

    def __init__(self, root: Path, shelf: Shelf) -> None:
        self.root = root
        self.shelf = shelf
        self.keys: dict[str, Any] = {
            "window_start": dt.time(9, 30),
            "window_end": dt.time(9, 31),
            "backoff_initial_ms": 1,
            "backoff_max_ms": 5,
            "levels": 2,
        }
        self.mapping = Mapping()

    def run(self, *symbols: str, day: dt.date = DAY, now: int = NOW, **options: Any) -> Ran:
        return self.run_tasks([Task(symbol=one, day=day) for one in symbols], now=now, **options)

    def run_tasks(self, tasks: list[Task], *, now: int = NOW, **options: Any) -> Ran:
        setting = Setting(
            config=BackfillConfig(**self.keys),
            root=self.root,
            tag=self.shelf.name,
            origin={"dataset": "XNAS.ITCH"},
            mapping=self.mapping,
            calendar=CALENDAR,
        )
        return run(tasks, setting, self.shelf, Options(**options), wall=lambda: now)

    def file(self, symbol: str, kind: str = "snapshots") -> Path:
        return self.root / symbol / f"{DAY}_{kind}_shelf.parquet"

    def manifest(self) -> list[dict[str, Any]]:
        path = self.root / "backfill_l2_manifest.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "backfill_l2_summary.json").read_text())
        return found

    def debris(self) -> list[Path]:
        return [one for one in self.root.rglob(".*") if one.name != ".backfill"] + [
            *(self.root / ".backfill").glob("*")
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "level2", Shelf())


def statuses(ran: Ran) -> list[str]:
    return [f"{one.symbol} {one.status}" for one in ran.lines]


def raising(error: Exception) -> Callable[[], None]:
    def trouble() -> None:
        raise error

    return trouble


BUSY = raising(Retry("429 too many requests", 0.01))
NEVER = raising(Failure("no licence", code=ExitCode.SOURCE, where="XNAS.ITCH"))

# -- what is written ------------------------------------------------------------------------------


def test_a_task_becomes_a_file_of_the_published_layout_and_name(desk: Desk) -> None:
    ran = desk.run("FROG")
    assert statuses(ran) == ["FROG WRITE"]
    table = pq.read_table(desk.file("FROG"))
    assert table.schema.remove_metadata() == snapshot_schema(2)
    assert table.num_rows == ran.lines[0].rows == 600
    assert table["bid_px_00"].unique().to_pylist() == [100_000]
    facts = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert facts["tradingd.contract"] == "l2-snapshots"
    assert facts["tradingd.window_start"] == str(ran.lines[0].window_start)
    assert desk.debris() == []


def test_trades_of_the_window_are_written_when_asked_for(desk: Desk) -> None:
    desk.keys["trades"] = True
    ran = desk.run("FROG")
    table = pq.read_table(desk.file("FROG", "trades"))
    assert table.schema.remove_metadata() == TRADES
    assert table.num_rows == ran.lines[0].trades == 1
    assert ran.lines[0].trades_path == f"FROG/{DAY}_trades_shelf.parquet"
    assert statuses(desk.run("FROG")) == ["FROG SKIP"]


def test_trades_that_are_asked_for_later_leave_the_snapshots_alone(desk: Desk) -> None:
    desk.run("FROG")
    before = desk.file("FROG").stat()
    desk.keys["trades"] = True
    assert statuses(desk.run("FROG")) == ["FROG WRITE"]
    assert desk.file("FROG", "trades").is_file()
    assert desk.file("FROG").stat().st_mtime_ns == before.st_mtime_ns


def test_the_vendor_is_asked_for_its_own_name_and_the_file_keeps_ours(desk: Desk) -> None:
    desk.mapping = Mapping(names={"BRK.B": "BRK B"})
    ran = desk.run("BRK.B")
    assert desk.shelf.fetched == ["BRK B"]
    assert ran.lines[0].vendor_symbol == "BRK B"
    assert pq.read_table(desk.file("BRK.B"))["symbol"].unique().to_pylist() == ["BRK.B"]


def test_no_records_are_empty_and_no_file(desk: Desk) -> None:
    desk.shelf.rows["NONE"] = 0
    ran = desk.run("NONE", "FROG", strict=True)
    assert statuses(ran) == ["NONE EMPTY", "FROG WRITE"]
    assert not desk.file("NONE").exists()
    assert [one["symbol"] for one in desk.summary()["zero_row_tasks"]] == ["NONE"]
    assert not ran.summary.failed


def test_memory_does_not_depend_on_how_the_records_are_cut(desk: Desk) -> None:
    desk.shelf.rows["FROG"] = 40
    desk.run("FROG")
    whole = pq.read_table(desk.file("FROG"))
    desk.keys["chunk_rows"] = 3
    desk.run("FROG", force=True)
    assert pq.read_table(desk.file("FROG")).equals(whole)


# -- what is there already ------------------------------------------------------------------------


def test_what_is_there_is_skipped_without_asking(desk: Desk) -> None:
    desk.run("FROG")
    ran = desk.run("FROG")
    assert statuses(ran) == ["FROG SKIP"]
    assert (ran.lines[0].rows, ran.lines[0].path) == (600, f"FROG/{DAY}_snapshots_shelf.parquet")
    assert desk.shelf.fetched == ["FROG"]
    assert desk.shelf.estimated == [1]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("levels", 5, "levels 2, not 5"),
        ("interval_ms", 50, "interval_ms 100, not 50"),
        ("on_change", True, "on_change false, not true"),
        ("window_end", dt.time(9, 32), "window_end"),
    ],
)
def test_a_file_that_was_sampled_otherwise_is_an_error_until_forced(
    desk: Desk, key: str, value: object, said: str
) -> None:
    desk.run("FROG")
    before = desk.file("FROG").read_bytes()
    desk.keys[key] = value
    (line,) = desk.run("FROG").lines
    assert line.status is Status.ERROR
    assert said in line.reason
    assert "--force" in line.reason
    assert desk.file("FROG").read_bytes() == before
    assert statuses(desk.run("FROG", force=True)) == ["FROG WRITE"]
    assert statuses(desk.run("FROG")) == ["FROG SKIP"]


def test_a_file_that_cannot_be_read_is_never_overwritten_silently(desk: Desk) -> None:
    desk.file("FROG").parent.mkdir(parents=True)
    desk.file("FROG").write_bytes(b"PAR1 torn")
    (line,) = desk.run("FROG").lines
    assert line.status is Status.ERROR
    assert "cannot be read" in line.reason
    assert desk.file("FROG").read_bytes() == b"PAR1 torn"
    assert statuses(desk.run("FROG", force=True)) == ["FROG WRITE"]


def test_forcing_a_day_that_became_empty_keeps_the_file(desk: Desk) -> None:
    desk.run("FROG")
    before = desk.file("FROG").read_bytes()
    desk.shelf.rows["FROG"] = 0
    assert statuses(desk.run("FROG", force=True)) == ["FROG EMPTY"]
    assert desk.file("FROG").read_bytes() == before


def test_leftovers_of_a_kill_are_removed(desk: Desk) -> None:
    folder = desk.root / ".backfill" / "killed" / "0-0"
    folder.mkdir(parents=True)
    (folder / "book.dbn").write_bytes(b"half")
    desk.file("FROG").parent.mkdir(parents=True)
    partial = desk.file("FROG").with_name(f".{desk.file('FROG').name}.99999.partial")
    partial.write_bytes(b"half")
    desk.run("FROG")
    assert desk.debris() == []


# -- what goes wrong ------------------------------------------------------------------------------


def test_trouble_that_passes_is_tried_again(desk: Desk) -> None:
    desk.shelf.fails("FROG", BUSY, BUSY, BUSY)
    (line,) = desk.run("FROG").lines
    assert (line.status, line.tries) == (Status.WRITE, 4)


def test_trouble_that_stays_is_an_error_after_the_last_try(desk: Desk) -> None:
    desk.keys["tries"] = 3
    desk.shelf.fails("FROG", *[BUSY] * 9)
    ran = desk.run("FROG", "AAPL")
    assert statuses(ran) == ["FROG ERROR", "AAPL WRITE"]
    assert (ran.lines[0].tries, ran.lines[0].reason) == (3, "429 too many requests")
    assert desk.shelf.fetched.count("FROG") == 3
    assert ran.summary.failed


def test_a_refusal_is_not_tried_again(desk: Desk) -> None:
    desk.shelf.fails("FROG", NEVER)
    (line,) = desk.run("FROG").lines
    assert (line.status, line.tries) == (Status.ERROR, 1)
    assert line.reason == "no licence | at: XNAS.ITCH"


def test_a_download_that_arrived_cut_is_tried_again(desk: Desk) -> None:
    desk.shelf.cut["FROG"] = 10
    (line,) = desk.run("FROG").lines
    assert (line.status, line.tries, line.rows) == (Status.WRITE, 2, 600)


def test_a_disk_that_refuses_stops_the_run_and_says_so_once(desk: Desk) -> None:
    desk.keys["workers"] = 1
    desk.root.mkdir(parents=True)
    (desk.root / "FROG").write_text("no folder")
    ran = desk.run("FROG", "AAPL", "MSFT")
    assert ran.fatal is not None
    assert ran.fatal.code is ExitCode.STORE_WRITE
    assert statuses(ran) == ["FROG ERROR"]
    assert ran.summary.not_started == 2
    assert desk.shelf.fetched == ["FROG"]


def test_a_bug_in_a_worker_ends_the_run(desk: Desk) -> None:
    desk.shelf.fails("FROG", raising(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError):
        desk.run("AAPL", "FROG")
    assert not list((desk.root / ".backfill").glob("*"))


# -- who cannot be asked --------------------------------------------------------------------------


def test_without_a_key_what_is_missing_is_unavailable(desk: Desk) -> None:
    desk.run("FROG")
    desk.shelf.unavailable = "no key"
    ran = desk.run("AAPL", "FROG")
    assert statuses(ran) == ["AAPL UNAVAIL", "FROG SKIP"]
    assert ran.summary.failed
    assert ran.summary.line()["UNAVAIL"] == 1
    assert desk.shelf.fetched == ["FROG"]


@pytest.mark.parametrize(
    "day", [dt.date(2025, 4, 5), dt.date(2025, 4, 18)], ids=["Saturday", "Good Friday"]
)
def test_a_day_without_a_session_is_empty_and_nobody_is_asked(desk: Desk, day: dt.date) -> None:
    (line,) = desk.run("FROG", day=day).lines
    assert line.status is Status.EMPTY
    assert f"closed on {day:%A}" in line.reason
    assert desk.shelf.fetched == desk.shelf.estimated == []


def test_a_window_that_has_not_ended_is_unavailable(desk: Desk) -> None:
    during = int(dt.datetime(2025, 4, 3, 13, 30, 30, tzinfo=dt.UTC).timestamp()) * 10**9
    assert statuses(desk.run("FROG", now=during)) == ["FROG UNAVAIL"]
    assert statuses(desk.run("FROG", now=during + 30 * 10**9)) == ["FROG WRITE"]


# -- what it costs --------------------------------------------------------------------------------


def test_a_price_over_the_limit_stops_before_anything_is_fetched(desk: Desk) -> None:
    desk.shelf.price = Decimal("0.40")
    with pytest.raises(Failure) as refused:
        desk.run("FROG", "AAPL", "MSFT", limit=Decimal(1))
    assert refused.value.code is ExitCode.SPENDING
    assert refused.value.expected == "at most 1.00 USD"
    assert "1.20 USD for 3 tasks" in refused.value.found
    assert desk.shelf.fetched == []
    assert not desk.root.exists()
    ran = desk.run("FROG", "AAPL", limit=Decimal(1))
    assert (ran.summary.estimate_usd, ran.summary.spending_limit_usd) == ("0.80", "1")


def test_only_what_is_missing_is_priced(desk: Desk) -> None:
    desk.shelf.price = Decimal(1)
    desk.run("FROG", limit=Decimal(1))
    desk.run("FROG", "AAPL", limit=Decimal(1))
    assert desk.shelf.estimated == [1, 1]


# -- order, workers, locks ------------------------------------------------------------------------


def test_the_manifest_is_in_the_order_of_the_tasks_whatever_ends_first(desk: Desk) -> None:
    symbols = [f"S{chr(65 + number)}" for number in range(12)]
    for number, symbol in enumerate(symbols):
        wait = 0.02 * ((number * 5) % 12)
        desk.shelf.fails(symbol, lambda wait=wait: time.sleep(wait))
    desk.run(*symbols)
    assert [one["symbol"] for one in desk.manifest()] == symbols
    assert [one["index"] for one in desk.manifest()] == list(range(12))
    desk.run(*reversed(symbols))
    assert [one["symbol"] for one in desk.manifest()[12:]] == symbols[::-1]
    assert {one["status"] for one in desk.manifest()[12:]} == {"SKIP"}


def test_two_runs_at_the_same_task_fetch_it_once(desk: Desk) -> None:
    begun, go = threading.Event(), threading.Event()

    def slowly() -> None:
        begun.set()
        assert go.wait(30)

    desk.shelf.fails("FROG", slowly)
    ended: list[Ran] = []
    threads = [
        threading.Thread(target=lambda now=NOW + n * 10**9: ended.append(desk.run("FROG", now=now)))
        for n in range(2)
    ]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    deadline = time.monotonic() + 30
    while len(desk.shelf.estimated) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    # The second has seen that the file is missing; without a lock it would fetch now.
    patience = time.monotonic() + 0.5
    while len(desk.shelf.fetched) < 2 and time.monotonic() < patience:
        time.sleep(0.005)
    go.set()
    for thread in threads:
        thread.join(30)
    assert sorted(one.lines[0].status for one in ended) == [Status.SKIP, Status.WRITE]
    assert desk.shelf.fetched == ["FROG"]
    assert desk.debris() == []


def test_a_task_that_is_asked_for_twice_is_done_once(desk: Desk) -> None:
    ran = desk.run("FROG", "AAPL", "FROG", force=True)
    assert statuses(ran) == ["FROG WRITE", "AAPL WRITE"]


def test_no_tasks_are_a_run_too(desk: Desk) -> None:
    ran = desk.run()
    line = ran.summary.line()
    assert line.pop("duration").endswith("s")
    assert line == {"WRITE": 0, "SKIP": 0, "EMPTY": 0, "ERROR": 0, "total": 0, "concurrency": 4}
    assert desk.summary()["total"] == 0


# -- contracts ------------------------------------------------------------------------------------


def test_manifest_and_summary_keep_their_contracts(desk: Desk) -> None:
    desk.shelf.rows["NONE"] = 0
    desk.shelf.price = Decimal("0.000000001")
    desk.shelf.fails("BAD", NEVER)
    desk.keys["trades"] = True
    desk.mapping = Mapping(names={"FROG": "FROG2"})
    desk.run("FROG", "NONE", "BAD", limit=Decimal(10))
    desk.shelf.unavailable = "no key"
    desk.run("FROG", "AAPL")
    desk.run("FROG", day=dt.date(2025, 4, 5))
    folder = REPOSITORY / "contracts" / "schemas"
    line, summary = (
        jsonschema.Draft202012Validator(json.loads((folder / name).read_text()))
        for name in ("backfill-manifest.v1.schema.json", "backfill-summary.v1.schema.json")
    )
    written = desk.manifest()
    assert {one["status"] for one in written} == set(Status)
    for one in written:
        line.validate(one)
    summary.validate(desk.summary())
