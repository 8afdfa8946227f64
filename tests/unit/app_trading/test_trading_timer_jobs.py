"""What jobs of systemd's timers report is kept, shown after a restart, and told when it is bad."""

import asyncio
from pathlib import Path

from tradingd.app.trading.timer_jobs import TimerJobs
from tradingd.control.messages import JobReportRequest
from tradingd.domain.alerts import Alert
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal


def _report(status: str, started: int) -> JobReportRequest:
    return JobReportRequest(
        name="nightly", status=status, started=started, ended=started + 5, detail="exit 1"
    )


def test_a_failed_run_is_told_once_it_works_again_too_and_a_restart_remembers(
    tmp_path: Path,
) -> None:
    told: list[Alert] = []

    async def go() -> None:
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        journal.start()
        jobs = TimerJobs(journal, told.append, {})
        await jobs.report(_report("done", 10))
        await jobs.report(_report("failed", 20))
        await jobs.report(_report("done", 30))
        await asyncio.to_thread(journal.close)

    asyncio.run(go())
    assert [(one.title, one.resolved) for one in told] == [
        ("job nightly failed", False),
        ("job nightly works again", True),
    ]
    marks = recall(tmp_path / "journal.sqlite").marks

    async def later() -> None:
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        (view,) = TimerJobs(journal, told.append, marks).views()
        assert (view.name, view.where, view.last_due, view.last_status) == (
            "nightly",
            "timer",
            30,
            "done",
        )

    asyncio.run(later())
