"""Opens and closes by the clock alone: live trading, where bars come late or not at all."""

import datetime as dt

from tradingd.engine.live.present import Present
from tradingd.engine.live.sessions import GRACE_NS, LiveSessions
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock

CALENDAR = SessionCalendar()
TODAY = CALENDAR.on(dt.date(2024, 7, 3))
NEXT = CALENDAR.on(dt.date(2024, 7, 5))
MINUTE = 60_000_000_000


class Day:
    """Sessions over a clock that a test moves."""

    def __init__(self, start: int, sample_ns: int = 0) -> None:
        self.heard: list[tuple[str, int]] = []
        self.clock = ReplayClock(start)
        self.present = Present(self.clock)
        self.sessions = LiveSessions(
            self.present,
            CALENDAR,
            sample_ns,
            on_open=lambda session: self.hear(f"open {session.day}"),
            on_close=lambda session: self.hear(f"close {session.day}"),
            on_sample=lambda: self.hear("sample"),
        )

    def hear(self, what: str) -> None:
        self.heard.append((what, self.clock.now()))

    def begin(self) -> None:
        self.present.acting = True
        self.sessions.begin()

    def happened(self) -> list[str]:
        return [what for what, _ in self.heard if what != "sample"]


def test_a_half_day_closes_early_and_the_holiday_after_it_is_skipped() -> None:
    day = Day(TODAY.open_ns - MINUTE)
    day.begin()
    day.clock.advance(NEXT.open_ns)
    assert [one for one in day.heard if one[0] != "sample"] == [
        ("open 2024-07-03", TODAY.open_ns),
        ("close 2024-07-03", TODAY.close_ns + GRACE_NS),
        ("open 2024-07-05", NEXT.open_ns),
    ]


def test_the_last_bar_closes_the_session_before_the_grace_is_over() -> None:
    day = Day(TODAY.open_ns - MINUTE)
    day.begin()
    day.clock.advance(TODAY.close_ns + GRACE_NS // 2)
    day.sessions.before_bars(TODAY.close_ns)
    day.sessions.after_bars(TODAY.close_ns)
    assert day.happened() == ["open 2024-07-03", "close 2024-07-03"]
    day.sessions.before_bars(TODAY.close_ns)
    day.clock.advance(TODAY.close_ns + 2 * GRACE_NS)
    assert day.happened() == ["open 2024-07-03", "close 2024-07-03"]


def test_a_start_at_night_waits_for_the_next_open() -> None:
    day = Day(TODAY.close_ns + MINUTE)
    day.begin()
    assert day.heard == []
    day.clock.advance(NEXT.open_ns + MINUTE)
    assert day.happened() == ["open 2024-07-05"]


def test_a_clock_that_does_not_know_its_time_begins_with_the_first_bars() -> None:
    day = Day(0)
    day.begin()
    ts = TODAY.open_ns + MINUTE
    day.clock.advance(ts)
    day.sessions.before_bars(ts)
    assert day.heard == [("open 2024-07-03", ts), ("sample", ts)]


def test_warm_up_days_open_and_close_by_their_bars() -> None:
    day = Day(NEXT.open_ns - MINUTE)
    for ts in (TODAY.open_ns + MINUTE, TODAY.close_ns - MINUTE):
        day.sessions.before_bars(ts)
        day.sessions.after_bars(ts)
    assert day.happened() == ["open 2024-07-03"]
    day.begin()
    assert day.happened() == ["open 2024-07-03", "close 2024-07-03"]
    day.clock.advance(NEXT.open_ns)
    assert day.happened()[2:] == ["open 2024-07-05"]


def test_samples_stop_with_the_session() -> None:
    day = Day(TODAY.open_ns + 90 * 1_000_000_000, sample_ns=30 * MINUTE)
    day.begin()
    day.clock.advance(NEXT.open_ns - 1)
    samples = [ts - TODAY.open_ns for what, ts in day.heard if what == "sample"]
    assert samples[:3] == [90 * 1_000_000_000, 30 * MINUTE + 1, 60 * MINUTE + 1]
    assert samples[-1] == TODAY.close_ns + GRACE_NS - TODAY.open_ns
    assert len(samples) == 1 + 6 + 1


def test_stopped_sessions_say_nothing_more() -> None:
    day = Day(TODAY.open_ns - MINUTE)
    day.begin()
    day.sessions.stop()
    day.clock.advance(NEXT.open_ns)
    assert day.heard == []
