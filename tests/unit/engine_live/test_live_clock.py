"""The strategy's clock on session time."""

import datetime as dt

import pytest

from tradingd.engine.live.clock import LiveClock
from tradingd.engine.live.present import Present
from tradingd.session.clock import ReplayClock

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Heard:
    """A clock whose callbacks write down (name, due, now)."""

    def __init__(self) -> None:
        self.ticks: list[tuple[str, int, int]] = []
        self.replay = ReplayClock(START)
        self.clock = LiveClock(Present(self.replay), lambda callback, _name: callback, self.hear)

    def hear(self, event) -> None:
        ticks = (event.ts_event - START) // SECOND, (self.replay.now() - START) // SECOND
        self.ticks.append((event.name, *ticks))

    def pass_to(self, seconds: int) -> None:
        self.replay.advance(START + seconds * SECOND)


def test_time_is_the_sessions_in_every_unit() -> None:
    clock = Heard().clock
    assert clock.timestamp_ns() == START
    assert clock.timestamp_us() == START // 1_000
    assert clock.timestamp_ms() == START // 1_000_000
    assert clock.timestamp() == 1_700_000_000.0
    assert clock.utc_now() == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)


def test_an_alert_fires_once_at_its_time() -> None:
    heard = Heard()
    heard.clock.set_time_alert("a", dt.datetime(2023, 11, 14, 22, 13, 25, tzinfo=dt.UTC))
    heard.pass_to(4)
    assert heard.ticks == []
    assert heard.clock.timer_names() == ["a"]
    heard.pass_to(60)
    assert heard.ticks == [("a", 5, 5)]
    assert heard.clock.timer_count() == 0


def test_a_timer_ticks_until_it_stops() -> None:
    heard = Heard()
    heard.clock.set_timer("t", dt.timedelta(seconds=2), None, None, heard.hear)
    heard.clock.set_timer_ns("u", 3 * SECOND, START, START + 7 * SECOND, heard.hear)
    heard.pass_to(7)
    assert heard.ticks == [("t", 2, 2), ("u", 3, 3), ("t", 4, 4), ("u", 6, 6), ("t", 6, 6)]
    assert heard.clock.next_time_ns("t") == START + 8 * SECOND
    assert heard.clock.next_time_ns("u") is None


def test_a_timer_may_begin_at_once() -> None:
    heard = Heard()
    heard.clock.set_timer_ns("t", 5 * SECOND, fire_immediately=True)
    heard.pass_to(6)
    assert heard.ticks == [("t", 0, 0), ("t", 5, 5)]


def test_a_name_that_is_set_again_replaces_its_timer() -> None:
    heard = Heard()
    heard.clock.set_timer_ns("t", SECOND)
    heard.clock.set_timer_ns("t", 4 * SECOND)
    heard.pass_to(5)
    assert heard.ticks == [("t", 4, 4)]


def test_a_cancelled_timer_never_fires() -> None:
    heard = Heard()
    heard.clock.set_timer_ns("t", SECOND)
    heard.clock.set_time_alert_ns("a", START + SECOND)
    heard.clock.cancel_timer("t")
    heard.clock.cancel_timer("unknown")
    heard.pass_to(2)
    assert heard.ticks == [("a", 1, 1)]
    heard.clock.set_timer_ns("t", SECOND)
    heard.clock.cancel_timers()
    heard.pass_to(9)
    assert heard.ticks == [("a", 1, 1)]


def test_a_timer_may_be_cancelled_by_its_own_callback() -> None:
    heard = Heard()

    def once(event) -> None:
        heard.hear(event)
        heard.clock.cancel_timer("t")

    heard.clock.set_timer_ns("t", SECOND, None, None, once)
    heard.pass_to(5)
    assert heard.ticks == [("t", 1, 1)]


def test_an_interval_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Heard().clock.set_timer_ns("t", 0)
