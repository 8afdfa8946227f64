"""Backfills that meet trouble: what is paid, what is left, what the next run does."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.integration.backfill_databento.reference import records_of
from tests.integration.backfill_databento.running import AAPL, FROG, Backfill, summary_line
from tests.servers.databento_history import KEY, Fault, HistoryServer, books, history_server, until

pytestmark = pytest.mark.real_data

SHORT = ("backfill.window_start=09:30:00", "backfill.window_end=09:40:00")
OPEN = 1_743_687_000 * 10**9
"""09:30 in New York on FROG's day: where SHORT begins."""
ALIASES = [(f"FROG{number}", FROG[1]) for number in range(12)]


@pytest.fixture(scope="module")
def shared(real_data: Path) -> Iterator[HistoryServer]:
    names = {symbol: "FROG" for symbol, _ in ALIASES}
    with history_server(books(real_data), unit_price=Decimal(100), aliases=names) as found:
        yield found


@pytest.fixture
def server(shared: HistoryServer) -> HistoryServer:
    shared.forget()
    return shared


@pytest.fixture
def backfill(server: HistoryServer, tmp_path: Path) -> Backfill:
    return Backfill(tmp_path, server)


def price(server: HistoryServer) -> Decimal:
    """Return what FROG costs in SHORT."""
    return server.price(368 * len(records_of(server, "FROG", OPEN, OPEN + 600 * 10**9)))


def test_busy_cut_and_broken_answers_are_tried_again_until_the_file_is_whole(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.fail("get_range", Fault("status", 429, retry_after="0.2"), Fault("status", 503))
    server.fail("get_range", Fault("cut"), Fault("frame_clean"))
    server.fail("get_cost", Fault("status", 429), Fault("status", 500))
    ended = backfill.run([FROG], *SHORT)
    assert ended.returncode == 0, ended.stderr
    assert summary_line(ended) == "SUMMARY WRITE=1 SKIP=0 EMPTY=0 ERROR=0 total=1 concurrency=4"
    (line,) = backfill.manifest()
    assert (line["tries"], line["rows"]) == (5, 5_998)
    assert server.downloads.total() == 3, "two of them were cut, and charged for"
    assert backfill.debris() == []


def test_a_vendor_that_names_no_price_is_asked_so_often_and_nothing_is_fetched(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.fail("get_cost", *[Fault("status", 503)] * 20)
    ended = backfill.run([FROG], *SHORT, "backfill.tries=3")
    assert ended.returncode == 35, ended.stderr
    assert "does not say what the backfill would cost" in ended.stderr
    assert (server.count("get_cost"), server.count("get_range")) == (3, 0)


def test_a_task_whose_count_never_comes_is_tried_so_often_and_not_paid(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.fail("get_record_count", *[Fault("status", 503)] * 20)
    ended = backfill.run([FROG], *SHORT, "backfill.tries=3")
    assert ended.returncode == 0, ended.stderr
    assert backfill.statuses() == [("FROG", "ERROR")]
    assert (server.count("get_record_count"), server.billed) == (3, 0)


def test_a_lead_makes_the_book_known_when_the_window_begins_and_is_paid(
    backfill: Backfill, server: HistoryServer
) -> None:
    # 09:31: its first record comes 0.4 s later.
    later = ("backfill.window_start=09:31", "backfill.window_end=09:40")
    backfill.run([FROG], *later)
    bare, without = pq.read_table(backfill.file(FROG)), server.billed
    refused = backfill.run([FROG], *later, "backfill.provider.lead_minutes=1")
    assert "lead_minutes unknown, not 1; use --force" in refused.stdout
    backfill.run([FROG], *later, "backfill.provider.lead_minutes=1", "--force")
    led = pq.read_table(backfill.file(FROG))
    start = OPEN + 60 * 10**9
    assert led["ts"][0].value == start < bare["ts"][0].value
    assert led["ts_recv"][0].value < start
    rest = led.filter(pc.greater_equal(led["ts"], bare["ts"][0]))
    known = [name for name in bare.column_names if name not in ("events", "quality")]
    assert rest.select(known).equals(bare.select(known))
    assert server.billed - without > without > 0


def test_a_window_without_records_is_empty_and_no_file(
    backfill: Backfill, server: HistoryServer
) -> None:
    ended = backfill.run(
        [FROG, AAPL], "backfill.window_start=08:00:00", "backfill.window_end=09:00:00"
    )
    assert ended.returncode == 0, ended.stderr
    assert backfill.statuses() == [("FROG", "EMPTY"), ("AAPL", "WRITE")]
    assert [one["symbol"] for one in backfill.summary()["zero_row_tasks"]] == ["FROG"]
    assert not backfill.file(FROG).exists()
    assert "EMPTY=1 ERROR=0" in summary_line(ended)


def test_a_second_run_skips_and_asks_nobody_and_force_fetches_again(
    backfill: Backfill, server: HistoryServer
) -> None:
    bought = backfill.run([FROG], *SHORT)
    first = backfill.file(FROG).read_bytes()
    shown = price(server).quantize(Decimal("0.0001"), ROUND_CEILING)
    assert f"{shown} USD by the vendor's estimate; the limit is 1000.00 USD\n" in bought.stdout
    server.forget()
    again = backfill.run([FROG], *SHORT)
    assert summary_line(again) == "SUMMARY WRITE=0 SKIP=1 EMPTY=0 ERROR=0 total=1 concurrency=4"
    assert server.asked == []
    shifted = backfill.run([FROG], SHORT[0], "backfill.window_end=09:45")
    assert "window_end 09:40:00, not 09:45:00" in " ".join(shifted.stdout.split())
    forced = backfill.run([FROG], *SHORT, "--force")
    assert summary_line(forced) == "SUMMARY WRITE=1 SKIP=0 EMPTY=0 ERROR=0 total=1 concurrency=4"
    assert server.downloads.total() == 1
    assert backfill.file(FROG).read_bytes() == first, "the same records are the same bytes"
    assert [one["status"] for one in backfill.manifest()] == ["WRITE", "SKIP", "ERROR", "WRITE"]


def test_the_manifest_keeps_the_logs_order_whatever_finishes_first(
    backfill: Backfill, server: HistoryServer
) -> None:
    chance = random.Random(7)
    waits = {symbol: chance.random() * 0.4 for symbol, _ in ALIASES}
    server.delay = lambda asked: waits[asked.symbols[0]] if "range" in asked.method else 0.0
    tasks = chance.sample(ALIASES, len(ALIASES))
    ended = backfill.run(tasks, *SHORT, "backfill.workers=6")
    assert ended.returncode == 0, ended.stderr
    assert backfill.statuses() == [(symbol, "WRITE") for symbol, _ in tasks]
    assert 2 <= server.most_running <= 8


def test_an_estimate_over_the_limit_stops_before_the_first_paid_byte(
    backfill: Backfill, server: HistoryServer
) -> None:
    limit = price(server) * Decimal("2.9")
    ended = backfill.run([FROG, *ALIASES[:2]], *SHORT, limit=f"{limit:f}")
    assert ended.returncode != 0
    assert "backfill.provider.spending_limit" in ended.stderr
    assert (server.billed, server.downloads.total(), server.count("get_range")) == (0, 0, 0)
    assert server.count("get_cost") == 3
    assert backfill.debris() == []
    shown = (price(server) * 3).quantize(Decimal("0.0001"), ROUND_CEILING)
    assert f"an estimate of {shown} USD for 3 tasks" in ended.stderr


def test_a_second_purchase_without_room_is_an_error_that_says_so(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.fail("get_range", Fault("cut"))
    ended = backfill.run([FROG], *SHORT, limit=f"{price(server) * Decimal('1.9'):f}")
    assert backfill.statuses() == [("FROG", "ERROR")]
    assert "may have been charged for" in backfill.manifest()[0]["reason"]
    assert server.downloads.total() == 1
    assert ended.returncode == 0, "an ERROR fails a run only under --strict"


def test_a_wrong_key_is_said_without_the_key(backfill: Backfill, server: HistoryServer) -> None:
    wrong = "db-" + KEY[:2:-1]
    ended = backfill.run([FROG], *SHORT, key=wrong)
    assert ended.returncode != 0
    assert "does not accept the key" in ended.stderr
    everything = ended.stdout + ended.stderr
    everything += "".join(p.read_text() for p in backfill.home.rglob("*.json*") if p.is_file())
    assert wrong[3:] not in everything
    assert server.downloads.total() == 0


def test_without_a_key_tasks_are_unavailable_and_only_strict_fails(
    backfill: Backfill, server: HistoryServer
) -> None:
    ended = backfill.run([FROG], *SHORT, key="")
    assert ended.returncode == 0, ended.stderr
    line = summary_line(ended)
    assert "WRITE=0 SKIP=0 EMPTY=0 ERROR=0 UNAVAIL=1 total=1" in line
    assert backfill.run([FROG], *SHORT, "--strict", key="").returncode != 0
    assert server.asked == []


def test_an_unknown_symbol_is_its_own_error_and_the_others_are_written(
    backfill: Backfill, server: HistoryServer
) -> None:
    backfill.run([("ZZZZ", FROG[1]), FROG], *SHORT)
    assert backfill.statuses() == [("ZZZZ", "ERROR"), ("FROG", "WRITE")]
    assert "does not know the symbol" in backfill.manifest()[0]["reason"]


def test_two_processes_at_the_same_task_download_it_once(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.delay = lambda asked: 1.0 if "range" in asked.method else 0.0
    both = [backfill.start([FROG, FROG], *SHORT) for _ in range(2)]
    said = [one.communicate(timeout=60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert server.downloads.total() == 1
    assert sorted(one["status"] for one in backfill.manifest()) == ["SKIP", "WRITE"]
    assert all(one.count("SUMMARY") == 1 for one in said)
    assert backfill.debris() == []


# -- killed ----------------------------------------------------------------------------------------


def asked_for(method: str) -> Callable[[Backfill], bool]:
    return lambda backfill: backfill.server.count(method) > 0


def writing(backfill: Backfill) -> bool:
    return any(backfill.root.glob("*/.*.partial"))


def downloading(backfill: Backfill) -> bool:
    return any(path.stat().st_size for path in backfill.root.glob(".backfill/**/*.part"))


def first_is_there(backfill: Backfill) -> bool:
    return any(backfill.root.glob("*/*.parquet"))


MOMENTS = {
    "asked the price": asked_for("get_cost"),
    "asked for the data": asked_for("get_range"),
    "in the middle of a download": downloading,
    "in the middle of a file": writing,
    "between two files": first_is_there,
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", list(MOMENTS))
def test_a_kill_leaves_whole_files_only_and_the_next_run_completes_them(
    backfill: Backfill, server: HistoryServer, moment: str
) -> None:
    tasks = [FROG, *ALIASES[:3]]
    server.fail("get_range", *[Fault("drip", seconds=0.05)] * 2)
    process = backfill.start(tasks, "backfill.workers=2")
    try:
        until(lambda: MOMENTS[moment](backfill) or process.poll() is not None, 60)
        assert process.poll() is None, process.communicate()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    for path in backfill.root.glob("*/*.parquet"):
        assert pq.read_table(path).num_rows > 50_000
    before = {path: path.stat().st_ino for path in backfill.root.glob("*/*.parquet")}
    ended = backfill.run(tasks)
    assert ended.returncode == 0, ended.stderr
    for task in tasks:
        assert pq.read_table(backfill.file(task)).num_rows > 50_000
        kept = before.get(backfill.file(task))
        assert kept in (None, backfill.file(task).stat().st_ino)
    assert {status for _, status in backfill.statuses()} <= {"WRITE", "SKIP"}
    assert backfill.debris() == []


def test_an_interrupted_run_ends_soon_although_the_vendor_hangs(
    backfill: Backfill, server: HistoryServer
) -> None:
    server.fail("get_range", Fault("drip", seconds=1.5))
    process = backfill.start([FROG, *ALIASES[:1]], *SHORT, "backfill.workers=1")
    until(lambda: server.count("get_range") == 1 or process.poll() is not None, 60)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert time.monotonic() - began < 25
    assert server.count("get_range") == 1
    assert backfill.debris() == []
