import asyncio
import gc
import sqlite3
import stat
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
import uvloop

from tests.unit.journal.journal_rows import OPENING, audit, fill, order
from tradingd.domain.journal import BookRow, GuardRow, MarkRow, Record, RunRow, StateRow
from tradingd.journal.audit import verify
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import ExitCode, Failure


def written(path: Path, *records: Record) -> None:
    """Write records as one transaction and close the journal."""

    async def work(journal: SqliteJournal) -> None:
        await journal.write(*records)

    with_journal(path, work)


def with_journal(path: Path, work: Callable[[SqliteJournal], Awaitable[None]]) -> None:
    async def run() -> None:
        journal = SqliteJournal(path)
        journal.start()
        try:
            await work(journal)
        finally:
            await asyncio.to_thread(journal.close)

    asyncio.run(run())


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end
        await asyncio.sleep(0.005)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


def test_every_kind_of_record_comes_back_as_it_was_written(path: Path) -> None:
    run = RunRow(
        run_id="r", instance="paper", mode="paper", strategy="swing", config_hash="c",
        git_commit="g", data="sample", started=1,
    )  # fmt: skip
    state = StateRow(
        scope="account", name="", state="HALTED", reason="x", author="me", since=2, expires=None
    )
    guard = GuardRow(
        symbol="AAPL", strategy="swing", stop=5, take_profit=None, parent_id="O-1",
        stop_order_id="O-2", target_order_id="", active=True, ts=3,
    )  # fmt: skip
    book = BookRow(fills=1, state=b'{"cash":1}', ts=4, wall=5)
    working = order("O-1", state="WORKING", limit=190, cancel_asked=True)
    late = fill("F-2", side="SELL", quantity=40, purpose="EXIT")
    written(path, run, state, guard, book, working, fill("F-1"), late, MarkRow(key="k", value="v"))
    recalled = recall(path)
    assert recalled.last_run == run
    assert recalled.runs == 1
    assert recalled.states == (state,)
    assert recalled.guards == (guard,)
    assert recalled.book == book
    assert recalled.open_orders == (working,)
    assert recalled.fills_after_book == (late,)
    assert recalled.fill_ids == {"F-1", "F-2"}
    assert recalled.positions == {"AAPL": 60}
    assert recalled.owners == {"AAPL": "swing"}
    assert recalled.marks == {"k": "v"}
    assert recalled.last_fill_ts == OPENING
    assert recalled.next_seq == 2


def test_a_write_without_await_is_committed_and_a_repeated_fill_changes_nothing(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        for number in range(500):
            journal.write(order(f"O-{number}"), fill(f"F-{number % 10}"))
        await journal.write(order("O-0", state="FILLED"))

    with_journal(path, work)
    recalled = recall(path)
    assert len(recalled.open_orders) == 499
    assert [one.order_id for one in recalled.recent_orders] == ["O-0"]
    assert recalled.positions == {"AAPL": 1000}
    assert recalled.next_seq == 500


def test_a_lock_of_another_program_shows_as_growing_age_while_the_loop_runs_on(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        with closing(other):
            other.execute("BEGIN EXCLUSIVE")
            waiting = journal.write(order("O-1"))
            turns = 0
            while journal.oldest_pending < 0.3:
                turns += 1
                await asyncio.sleep(0.01)
            assert turns > 10
            assert not waiting.done()  # type: ignore[attr-defined]
            other.execute("COMMIT")
        await asyncio.wait_for(waiting, 30)
        assert journal.oldest_pending == 0.0

    with_journal(path, work)


def test_a_lock_beyond_the_busy_timeout_fails_this_and_every_later_write(path: Path) -> None:
    async def run() -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        journal = SqliteJournal(path, busy_timeout=0.1)
        journal.start()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            unread = journal.write(order("O-0"))
            with pytest.raises(Failure, match="cannot be written") as raised:
                await journal.write(order("O-1"))
            assert raised.value.code is ExitCode.JOURNAL
            assert "locked" in raised.value.found
            del unread
        assert journal.failure is raised.value
        with pytest.raises(Failure):
            await journal.write(order("O-2"))
        with pytest.raises(Failure):
            journal.close()
        assert recall(path).open_orders == ()
        gc.collect()
        assert complaints == []

    asyncio.run(run())


def test_a_full_disk_fails_the_journal_and_nothing_of_that_transaction_is_there(path: Path) -> None:
    written(path, order("O-1"))

    async def run() -> None:
        journal = SqliteJournal(path)
        journal.start()
        # SQLite's own limit stands in for the disk's: the very same error.
        await journal.write(order("O-2"))
        await asyncio.to_thread(journal.close)
        full = SqliteJournal(path, page_limit=100)
        full.start()
        many = [full.write(order(f"O-{number}")) for number in range(3, 5000)]
        with pytest.raises(Failure, match="cannot be written") as raised:
            await many[-1]
        assert "full" in raised.value.found
        assert "free space" in raised.value.next_step
        assert full.failure is raised.value
        with pytest.raises(Failure):
            full.close()

    asyncio.run(run())
    assert recall(path).open_orders[:2] == (order("O-1"), order("O-2"))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_refused_and_not_wrapped(path: Path, value: int) -> None:
    async def run() -> None:
        journal = SqliteJournal(path)
        journal.start()
        with pytest.raises(Failure, match="64 bits") as raised:
            await journal.write(order("O-1", paid=value))
        assert "orders.paid of O-1" in raised.value.where
        with pytest.raises(Failure):
            journal.close()

    asyncio.run(run())
    assert recall(path).open_orders == ()


def test_the_extremes_of_64_bits_are_kept(path: Path) -> None:
    rows = (order("O-1", paid=2**63 - 1), order("O-2", paid=-(2**63)))
    written(path, *rows)
    assert recall(path).open_orders == rows


def test_a_held_writer_commits_nothing_and_catches_up_afterwards(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        journal.hold(0.3)
        waiting = journal.write(order("O-1"))
        await until(lambda: journal.oldest_pending > 0.2)
        assert recall(path).open_orders == ()
        await asyncio.wait_for(waiting, 30)
        assert recall(path).open_orders == (order("O-1"),)

    with_journal(path, work)


def test_closing_ends_a_hold_and_keeps_what_was_queued(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        journal.hold(60)
        journal.write(order("O-1"))

    began = time.monotonic()
    with_journal(path, work)
    assert time.monotonic() - began < 30
    assert recall(path).open_orders == (order("O-1"),)


def test_a_whole_batch_is_settled_in_order_a_few_writes_a_turn_of_the_loop(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        journal.hold(0.1)
        writes = [journal.write(order(f"O-{number}")) for number in range(200)]
        ended: list[int] = []
        for number, one in enumerate(writes):
            one.add_done_callback(lambda _, number=number: ended.append(number))  # type: ignore[attr-defined]
        await writes[0]
        turns = [len(ended)]
        while len(ended) < 200 and len(turns) < 20:
            await asyncio.sleep(0)
            turns.append(len(ended))
        # All are committed: nobody waits for the thread again, and nobody holds the loop up.
        assert ended == list(range(200))
        assert max(after - before for before, after in pairwise([0, *turns])) <= 32

    with_journal(path, work)


def test_files_are_private_and_the_thread_has_its_name(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        await journal.write(audit(1))
        assert "journal" in {thread.name for thread in threading.enumerate()}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        files = {one.name for one in path.parent.iterdir()}
        assert files >= {"journal.sqlite", "journal.sqlite-wal", "audit.head"}
        for one in path.parent.iterdir():
            assert stat.S_IMODE(one.stat().st_mode) == 0o600, one

    with_journal(path, work)


def test_a_write_before_start_or_after_close_is_refused(path: Path) -> None:
    async def run() -> None:
        journal = SqliteJournal(path)
        with pytest.raises(Failure, match="not open"):
            await journal.write(order("O-1"))
        journal.start()
        journal.close()
        with pytest.raises(Failure, match="not open"):
            await journal.write(order("O-1"))
        assert journal.failure is None

    asyncio.run(run())


def test_text_without_a_unicode_form_does_not_stop_the_journal(path: Path) -> None:
    written(path, order("O-1", reason="bad \udc80 byte"))
    assert recall(path).open_orders[0].reason == "bad \\udc80 byte"


def test_readers_see_whole_transactions_while_the_writer_is_busy(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        ended = asyncio.Event()

        async def write() -> None:
            number = 0
            while not ended.is_set():
                number += 1
                await journal.write(order(f"O-{number}"), fill(f"F-{number}"), audit(number))

        writing = asyncio.create_task(write())
        seen = 0
        while seen < 200:
            recalled = await asyncio.to_thread(recall, path)
            assert len(recalled.open_orders) == len(recalled.fill_ids)
            report = await asyncio.to_thread(verify, path)
            assert report.broken is None
            assert report.rows >= seen
            seen = report.rows
        ended.set()
        await writing

    with_journal(path, work)


def test_the_loop_of_the_daemon_is_told_too(path: Path) -> None:
    async def run() -> None:
        journal = SqliteJournal(path)
        journal.start()
        journal.write(order("O-1"))
        # A write of nothing ends when everything before it is committed.
        await asyncio.wait_for(journal.write(), 30)
        assert recall(path).open_orders == (order("O-1"),)
        journal.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_who_gives_up_waiting_does_not_stop_the_write(path: Path) -> None:
    async def work(journal: SqliteJournal) -> None:
        journal.hold(0.2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal.write(order("O-1")), 0.05)
        await journal.write()
        assert journal.failure is None
        assert recall(path).open_orders == (order("O-1"),)

    with_journal(path, work)
