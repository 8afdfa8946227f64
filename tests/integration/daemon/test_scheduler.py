"""Jobs on real exchange days, with a real journal, in data time: half days, DST, restarts."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tradingd.config.schedule import ScheduleConfig
from tradingd.daemon.jobs import AtClose, AtOpen, Every, Job, SessionWork, session_jobs
from tradingd.daemon.scheduler import Scheduler
from tradingd.domain.alerts import Alert, Severity
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock, WallClock

NY = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
XNYS = SessionCalendar("XNYS")


def at(day: str, time: str = "00:00") -> int:
    moment = dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=NY)
    return int(moment.timestamp()) * SECOND


def shown(ts: int | None) -> str:
    assert ts is not None
    return f"{dt.datetime.fromtimestamp(ts // SECOND, NY):%Y-%m-%d %H:%M}"


class World:
    """A journal file, a data clock and a list of what was done; a restart keeps the file."""

    def __init__(self, path: Path, now: int, **settings: int) -> None:
        self.path = path
        self.clock = ReplayClock(now)
        self.config = ScheduleConfig(**settings)
        self.done: list[str] = []
        self.alerts: list[Alert] = []
        self.failing: set[str] = set()

    def work(self, name: str) -> Callable[[int], Awaitable[str]]:
        async def do(due: int) -> str:
            await asyncio.sleep(0)
            if name in self.failing:
                raise RuntimeError("broken")
            self.done.append(f"{name} {shown(due)}")
            return "well done"

        return do

    def jobs(self) -> tuple[Job, ...]:
        names = ("open", "flatten", "snapshot", "reconcile", "close")
        return session_jobs(self.config, SessionWork(**{name: self.work(name) for name in names}))

    async def play(
        self,
        until: int | None = None,
        *,
        step: int = 60,
        jobs: tuple[Job, ...] | None = None,
        absence_counts: bool = True,
        scene: Callable[[Scheduler], Coroutine[Any, Any, None]] | None = None,
    ) -> Scheduler:
        """Start on the journal as it is, move data time, stop."""
        marks = recall(self.path).marks if self.path.exists() else {}
        journal = SqliteJournal(self.path)
        journal.start()
        scheduler = Scheduler(
            self.jobs() if jobs is None else jobs,
            self.clock,
            XNYS,
            journal,
            self.alerts.append,
            grace_minutes=self.config.grace_minutes,
            absence_counts=absence_counts,
        )
        try:
            scheduler.start(marks)
            await scheduler.settle(2)
            while until is not None and self.clock.now() < until:
                self.clock.advance(min(self.clock.now() + step * SECOND, until))
                await scheduler.settle(2)
            if scene is not None:
                await scene(scheduler)
            assert await scheduler.stop(grace=2) == ()
        finally:
            journal.close()
        return scheduler

    def rows(self) -> list[tuple[str, str, str]]:
        with sqlite3.connect(self.path) as connection:
            columns = "name, due, status, detail"
            found = connection.execute(f"SELECT {columns} FROM jobs ORDER BY due, rowid").fetchall()
        connection.close()
        return [(f"{name} {shown(due)}", status, detail) for name, due, status, detail in found]


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    return lambda now, **settings: World(tmp_path / "journal.sqlite", now, **settings)


def test_an_ordinary_day_opens_flattens_reconciles_and_closes(world) -> None:
    one = world(at("2024-03-13"), flatten_before_close_minutes=10, snapshot_seconds=0)
    asyncio.run(one.play(at("2024-03-14")))
    assert one.done == [
        "open 2024-03-13 09:30",
        "flatten 2024-03-13 15:50",
        "reconcile 2024-03-13 16:00",
        "close 2024-03-13 16:00",
    ]
    assert {status for _, status, _ in one.rows()} == {"done"}
    assert one.alerts == []


def test_a_half_day_ends_at_one(world) -> None:
    one = world(at("2024-11-29"), flatten_before_close_minutes=10, snapshot_seconds=0)
    asyncio.run(one.play(at("2024-12-01")))
    assert one.done == [
        "open 2024-11-29 09:30",
        "flatten 2024-11-29 12:50",
        "reconcile 2024-11-29 13:00",
        "close 2024-11-29 13:00",
    ]


def test_nothing_is_due_on_holidays_and_week_ends(world) -> None:
    one = world(at("2024-11-28"), snapshot_seconds=0)
    asyncio.run(one.play(at("2024-11-29"), step=3_600))
    assert one.done == []
    asyncio.run(one.play(at("2024-12-02"), step=3_600))
    assert [text[-16:] for text in one.done if text.startswith("open")] == ["2024-11-29 09:30"]


def test_the_day_after_the_clocks_change_opens_at_half_past_nine_in_new_york() -> None:
    before = AtOpen().next_after(at("2024-03-08"), XNYS)
    after = AtOpen().next_after(at("2024-03-11"), XNYS)
    assert shown(before) == "2024-03-08 09:30"
    assert shown(after) == "2024-03-11 09:30"
    assert before is not None
    assert after is not None
    assert (after - before) == (3 * 24 - 1) * 3_600 * SECOND


@pytest.mark.parametrize(
    ("rule", "after", "due"),
    [
        (AtOpen(-30), "2024-03-11 09:00", "2024-03-12 09:00"),
        (AtOpen(), "2024-03-11 09:29", "2024-03-11 09:30"),
        (AtClose(30), "2024-07-03 13:00", "2024-07-03 13:30"),
        (AtClose(60 * 20), "2024-03-12 11:59", "2024-03-12 12:00"),
        (Every(60), "2024-11-29 12:59", "2024-11-29 13:00"),
        (Every(60), "2024-11-29 13:00", "2024-12-02 09:31"),
        (Every(7_200), "2024-11-29 11:30", "2024-12-02 11:30"),
        (AtOpen(), "2001-09-10 10:00", "2001-09-17 09:30"),
        (AtOpen(), "2012-10-26 10:00", "2012-10-31 09:30"),
    ],
)
def test_a_rule_finds_its_next_time_strictly_after_now(rule, after: str, due: str) -> None:
    day, time = after.split()
    assert shown(rule.next_after(at(day, time), XNYS)) == due


def test_no_rule_goes_beyond_the_calendar() -> None:
    for rule in (AtOpen(), AtClose(), Every(60)):
        assert rule.next_after(at("2036-01-05"), XNYS) is None


def test_a_jump_over_days_runs_every_job_at_its_own_time(world) -> None:
    one = world(at("2024-03-13"), snapshot_seconds=0)
    asyncio.run(one.play(at("2024-03-16"), step=600))
    assert len(one.done) == 9


def test_snapshots_come_while_the_session_is_open(world) -> None:
    one = world(at("2024-11-29"), snapshot_seconds=600)
    asyncio.run(one.play(at("2024-11-30"), step=600))
    snapshots = [text for text in one.done if text.startswith("snapshot")]
    assert len(snapshots) == 21
    assert snapshots[-1] == "snapshot 2024-11-29 13:00"
    assert len([name for name, _, _ in one.rows() if name.startswith("snapshot")]) == 1


def test_a_restart_in_the_middle_of_the_day_runs_nothing_twice(world) -> None:
    one = world(at("2024-03-13"), snapshot_seconds=0, flatten_before_close_minutes=10)
    asyncio.run(one.play(at("2024-03-13", "11:00")))
    asyncio.run(one.play(at("2024-03-13", "15:55")))
    asyncio.run(one.play(at("2024-03-13", "23:00")))
    assert len(one.done) == 4
    assert one.alerts == []


def test_data_that_is_replayed_again_after_a_crash_does_not_run_a_job_again(world) -> None:
    one = world(at("2024-03-13"), snapshot_seconds=0)
    asyncio.run(one.play(at("2024-03-13", "09:40")))
    one.clock = ReplayClock(at("2024-03-13", "09:00"))
    asyncio.run(one.play(at("2024-03-13", "12:00")))
    assert one.done == ["open 2024-03-13 09:30"]


def test_marks_of_later_data_do_not_silence_the_jobs_of_earlier_data(world) -> None:
    one = world(at("2024-03-13"), snapshot_seconds=0)
    asyncio.run(one.play(at("2024-03-14")))
    one.clock, one.done = ReplayClock(at("2012-03-13")), []
    asyncio.run(one.play(at("2012-03-14"), absence_counts=False))
    assert len(one.done) == 3


def test_what_was_due_while_the_daemon_was_down_is_missed_and_told(world) -> None:
    one = world(at("2024-03-11", "12:00"), snapshot_seconds=60)
    asyncio.run(one.play(at("2024-03-11", "12:05")))
    one.done, one.clock = [], ReplayClock(at("2024-03-13", "20:00"))
    asyncio.run(one.play())
    assert one.done == ["reconcile 2024-03-13 16:00", "close 2024-03-13 16:00"]
    rows = {name: status for name, status, _ in one.rows() if not name.startswith("snapshot")}
    assert rows == {
        "session_open 2024-03-12 09:30": "missed",
        "session_open 2024-03-13 09:30": "missed",
        "reconcile 2024-03-11 16:00": "missed",
        "reconcile 2024-03-12 16:00": "missed",
        "reconcile 2024-03-13 16:00": "done",
        "session_close 2024-03-11 16:00": "missed",
        "session_close 2024-03-12 16:00": "missed",
        "session_close 2024-03-13 16:00": "done",
    }
    told = {alert.key for alert in one.alerts if not alert.resolved}
    assert told == {"job:session_open", "job:reconcile", "job:session_close"}
    assert {a.severity for a in one.alerts if a.key == "job:reconcile"} == {
        Severity.PAGE,
        Severity.INFO,
    }


def test_a_missed_job_is_told_only_once_over_restarts(world) -> None:
    one = world(at("2024-03-11", "12:00"), snapshot_seconds=0)
    asyncio.run(one.play())
    one.clock = ReplayClock(at("2024-03-12", "08:00"))
    asyncio.run(one.play())
    first = len(one.alerts)
    asyncio.run(one.play())
    assert first > 0
    assert len(one.alerts) == first


@pytest.mark.parametrize(
    ("back", "done", "alerts"),
    [("15:53", 1, 0), ("15:57", 1, 2), ("16:01", 0, 1)],
    ids=["within grace", "late, still of use", "after the close"],
)
def test_a_late_start_flattens_while_that_is_of_use(
    world, back: str, done: int, alerts: int
) -> None:
    one = world(at("2024-03-13", "15:00"), snapshot_seconds=0, flatten_before_close_minutes=10)
    asyncio.run(one.play())
    one.clock = ReplayClock(at("2024-03-13", back))
    asyncio.run(one.play())
    assert len([text for text in one.done if text.startswith("flatten")]) == done
    assert len([one for one in one.alerts if one.key == "job:flatten_before_close"]) == alerts


def test_a_run_that_a_crash_cut_short_counts_as_not_run(world) -> None:
    one = world(at("2024-03-13", "15:59"), snapshot_seconds=0)

    async def hangs(due: int) -> str:
        await asyncio.Event().wait()
        return ""

    hanging = (Job(name="reconcile", description="", rule=AtClose(), work=hangs),)

    async def crash() -> None:
        journal = SqliteJournal(one.path)
        journal.start()
        scheduler = Scheduler(hanging, one.clock, XNYS, journal, print, grace_minutes=5)
        scheduler.start({})
        one.clock.advance(at("2024-03-13", "16:00"))
        await scheduler.settle(0.05)
        assert scheduler.running == ("reconcile",)
        assert await scheduler.stop(grace=0.05) == ("reconcile",)
        journal.close()

    asyncio.run(crash())
    assert [status for _, status, _ in one.rows()] == ["running"]
    asyncio.run(one.play())
    assert "reconcile 2024-03-13 16:00" in one.done
    assert [status for name, status, _ in one.rows() if name.startswith("reconcile")] == ["done"]


def test_a_failed_job_is_told_and_its_recovery_too(world) -> None:
    one = world(at("2024-03-13"), snapshot_seconds=0)
    one.failing = {"reconcile"}
    asyncio.run(one.play(at("2024-03-14")))
    (alert,) = one.alerts
    assert alert.key == "job:reconcile"
    assert "RuntimeError('broken')" in alert.body
    assert ("reconcile 2024-03-13 16:00", "failed", "RuntimeError('broken')") in one.rows()

    async def by_hand(scheduler: Scheduler) -> None:
        row = await scheduler.run_now("reconcile", by="alice")
        assert row.status == "failed"
        one.failing = set()
        row = await scheduler.run_now("reconcile", by="alice")
        assert (row.status, row.detail) == ("done", "by alice: well done")

    asyncio.run(one.play(scene=by_hand))
    assert [alert.resolved for alert in one.alerts] == [False, False, True]


def test_a_refusal_of_a_job_is_one_line_and_a_bug_has_its_traceback(
    world, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_due: int) -> str:
        raise Failure("journal and broker differ", code=ExitCode.RECONCILE)

    async def break_down(_due: int) -> str:
        raise RuntimeError("broken")

    jobs = tuple(
        Job(name=name, description="It fails.", rule=AtClose(), work=work)
        for name, work in (("refused", refuse), ("broken", break_down))
    )
    one = world(at("2024-03-13", "15:59"))
    asyncio.run(one.play(at("2024-03-13", "16:01"), jobs=jobs))
    assert {name.split()[0]: detail for name, _, detail in one.rows()} == {
        "refused": "journal and broker differ",
        "broken": "RuntimeError('broken')",
    }
    told = {
        line.getMessage(): (line.levelname, line.exc_info is not None) for line in caplog.records
    }
    assert told == {
        "job refused failed: journal and broker differ": ("WARNING", False),
        "job broken failed": ("ERROR", True),
    }


def test_a_run_by_hand_does_not_take_the_place_of_the_scheduled_one(world) -> None:
    one = world(at("2024-03-13", "15:00"), snapshot_seconds=0)

    async def by_hand(scheduler: Scheduler) -> None:
        await scheduler.settle(2)
        before = recall(one.path).marks["job:reconcile"]
        one.clock.advance(at("2024-03-13", "15:01"))
        await scheduler.run_now("reconcile", by="alice")
        assert recall(one.path).marks["job:reconcile"] == before
        one.clock.advance(at("2024-03-13", "16:01"))
        await scheduler.settle(2)

    asyncio.run(one.play(scene=by_hand))
    assert [text for text in one.done if text.startswith("reconcile")] == [
        "reconcile 2024-03-13 15:01",
        "reconcile 2024-03-13 16:00",
    ]
    assert len([name for name, _, _ in one.rows() if name.startswith("reconcile")]) == 2


def test_a_job_that_takes_too_long_fails(world) -> None:
    one = world(at("2024-03-13", "15:59"))

    async def hangs(due: int) -> str:
        await asyncio.Event().wait()
        return ""

    job = Job(name="hang", description="", rule=AtClose(), work=hangs, longest=0.01)
    asyncio.run(one.play(at("2024-03-13", "16:01"), jobs=(job,)))
    assert one.rows() == [("hang 2024-03-13 16:00", "failed", "not done within 0.01 s")]


def test_a_job_never_runs_beside_itself(world) -> None:
    one = world(at("2024-03-13", "15:59"))
    release = asyncio.Event()
    begun = []

    async def waits(due: int) -> str:
        begun.append(due)
        await release.wait()
        return ""

    async def scene(scheduler: Scheduler) -> None:
        one.clock.advance(at("2024-03-13", "16:00"))
        await scheduler.settle(0.05)
        with pytest.raises(Failure, match="is running") as refused:
            await scheduler.run_now("slow", by="alice")
        assert refused.value.code is ExitCode.REFUSED
        one.clock.advance(at("2024-03-14", "16:00"))
        release.set()
        await scheduler.settle(2)

    job = Job(name="slow", description="", rule=AtClose(), work=waits)
    asyncio.run(one.play(jobs=(job,), scene=scene))
    assert len(begun) == 1
    assert [status for _, status, _ in one.rows()] == ["done", "missed"]


def test_states_show_what_is_next_and_how_the_last_run_went(world) -> None:
    one = world(at("2024-03-13", "12:00"), snapshot_seconds=0)

    async def scene(scheduler: Scheduler) -> None:
        state = next(one for one in scheduler.states() if one.name == "reconcile")
        assert (shown(state.next_due), state.last_status) == ("2024-03-13 16:00", "")
        one.clock.advance(at("2024-03-13", "16:00"))
        await scheduler.settle(2)
        state = next(one for one in scheduler.states() if one.name == "reconcile")
        assert (shown(state.next_due), state.last_status) == ("2024-03-14 16:00", "done")
        assert shown(scheduler.next_due("session_open")) == "2024-03-14 09:30"
        with pytest.raises(Failure, match="no job reconcil") as refused:
            scheduler.next_due("reconcil")
        assert "did you mean reconcile?" in refused.value.line()

    asyncio.run(one.play(scene=scene))


def test_a_reloaded_schedule_is_in_force_at_once(world) -> None:
    one = world(at("2024-03-13", "15:00"), snapshot_seconds=0, flatten_before_close_minutes=10)

    async def scene(scheduler: Scheduler) -> None:
        one.config = ScheduleConfig(flatten_before_close_minutes=30, snapshot_seconds=0)
        scheduler.replace(one.jobs(), grace_minutes=5)
        one.clock.advance(at("2024-03-13", "15:58"))
        await scheduler.settle(2)

    asyncio.run(one.play(scene=scene))
    assert one.done == ["flatten 2024-03-13 15:30"]


def test_the_wall_clock_fires_jobs_too(tmp_path: Path) -> None:
    async def scene() -> list[str]:
        clock, done = WallClock(), asyncio.Event()

        class Soon:
            def next_after(self, ts: int, calendar: SessionCalendar) -> int | None:
                return ts + SECOND // 20

        async def work(due: int) -> str:
            done.set()
            return "ran"

        journal = SqliteJournal(tmp_path / "journal.sqlite")
        journal.start()
        job = Job(name="soon", description="", rule=Soon(), work=work)
        scheduler = Scheduler([job], clock, XNYS, journal, print, grace_minutes=5)
        scheduler.start({})
        await asyncio.wait_for(done.wait(), 30)
        await scheduler.stop(grace=2)
        journal.close()
        return [state.last_status for state in scheduler.states()]

    assert asyncio.run(scene()) == ["done"]
