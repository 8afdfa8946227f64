"""Batches out of bars in any order: sorted, each bar at most once, nothing after its time."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from tradingd.domain.feed import Batch, MarketBar
from tradingd.feeds.alpaca.days import NEVER as NEVER_DAY
from tradingd.feeds.alpaca.days import Days
from tradingd.feeds.alpaca.ears import Ears
from tradingd.feeds.alpaca.hours import Hours
from tradingd.feeds.alpaca.minutes import NEVER, Assembler
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
NAMES = ("A", "B", "C")
MINUTE = 60 * 10**9


def bar(name: str, price: int = 5) -> MarketBar:
    return MarketBar(name, price, price + 1, price - 1, price, 10)


arrivals = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 8), st.floats(0, 2, allow_subnormal=False)),
    max_size=60,
)


@given(arrivals, st.booleans())
def test_any_arrival_gives_ordered_batches_and_every_bar_is_accounted_for(
    arrived: list[tuple[str, int, float]], quiet: bool
) -> None:
    one = Assembler(NAMES, after=0, grace=1.0, quiet=quiet)
    now, got = 0.0, list[Batch]()
    for name, close, wait in arrived:
        now += wait
        got += one.ready(now)
        one.add(close, bar(name), now)
        got += one.ready(now)
    got += one.ready(now + 1.0)
    times = [batch.ts for batch in got]
    assert times == sorted(set(times))
    delivered = [(batch.ts, item.symbol) for batch in got for item in batch.bars]
    assert len(delivered) == len(set(delivered))
    assert len(delivered) + one.late + one.twice == len(arrived)
    assert one.due() == NEVER


def test_everybody_has_spoken_means_at_once() -> None:
    one = Assembler(NAMES, after=0, grace=3.0)
    for name in NAMES:
        assert one.ready(0.0) == []
        one.add(1, bar(name), 0.0)
    assert [batch.ts for batch in one.ready(0.0)] == [1]


def test_a_later_bar_closes_what_was_before_it() -> None:
    one = Assembler(NAMES, after=0, grace=3.0)
    one.add(1, bar("A"), 0.0)
    one.add(2, bar("A"), 0.1)
    assert [batch.ts for batch in one.ready(0.1)] == [1]
    assert one.due() == 3.1


def test_the_grace_begins_with_the_first_bar_or_with_the_last() -> None:
    first, last = (Assembler(NAMES, after=0, grace=1.0, quiet=quiet) for quiet in (False, True))
    for one in (first, last):
        one.add(1, bar("A"), 0.0)
        one.add(1, bar("B"), 0.9)
    assert (first.due(), last.due()) == (1.0, 1.9)
    assert first.ready(1.0)
    assert not last.ready(1.0)


def test_nothing_is_delivered_while_history_is_read_and_history_completes_it() -> None:
    one = Assembler(NAMES, after=0, grace=1.0)
    one.held = True
    one.add(3, bar("A"), 0.0)
    assert one.ready(100.0) == []
    assert one.due() == NEVER
    for close in (1, 2, 3):
        one.add(close, bar("B"), 100.0)
    one.settle(3)
    one.held = False
    assert [(batch.ts, len(batch.bars)) for batch in one.ready(100.0)] == [(1, 1), (2, 1), (3, 2)]


def test_hours_cut_at_the_close_of_a_half_day() -> None:
    session = CALENDAR.on(dt.date(2024, 7, 3))
    assert session is not None
    hours = Hours(CALENDAR)
    got = []
    for close in range(session.open_ns + MINUTE, session.close_ns + 1, MINUTE):
        got += hours.add(Batch(close, (bar("A"),)))
    assert [(batch.ts - session.open_ns) // MINUTE for batch in got] == [30, 90, 150, 210]
    assert [batch.bars[0].volume for batch in got] == [300, 600, 600, 600]
    assert hours.pending == 0


def test_an_hour_whose_last_minute_is_missing_ends_with_the_next_one() -> None:
    session = CALENDAR.on(dt.date(2024, 7, 2))
    assert session is not None
    hours = Hours(CALENDAR)
    assert hours.add(Batch(session.open_ns + 29 * MINUTE, (bar("A"),))) == []
    (hour,) = hours.add(Batch(session.open_ns + 31 * MINUTE, (bar("B"),)))
    assert hour.ts == session.open_ns + 30 * MINUTE
    assert hours.through(hour.ts) == []


def midnight(day: dt.date) -> int:
    session = CALENDAR.on(day)
    assert session is not None
    return session.open_ns - 570 * MINUTE


def test_a_day_is_over_when_session_time_says_so_and_not_in_a_pause() -> None:
    day = dt.date(2024, 7, 2)
    session = CALENDAR.on(day)
    assert session is not None
    days = Days(CALENDAR, after=0, grace=0.1)
    days.tell_time(session.open_ns + MINUTE, 0.0)
    days.add(midnight(day), bar("A", 5), 0.0)
    assert days.ready(50.0) == []
    assert days.due(50.0) == NEVER_DAY
    days.tell_time(session.close_ns, 60.0)
    days.add(midnight(day), bar("A", 7), 60.0)
    assert days.due(60.0) == 60.1
    (batch,) = days.ready(60.2)
    assert (batch.ts, batch.bars[0].close) == (session.close_ns, 7)
    days.add(midnight(day), bar("A", 8), 61.0)
    assert days.late == 1
    assert days.ready(70.0) == []


def test_history_does_not_replace_what_the_stream_has_told() -> None:
    days = Days(CALENDAR, after=0, grace=0.1)
    start = midnight(dt.date(2024, 7, 2))
    days.add(start, bar("A", 7), 0.0)
    days.add(start, bar("A", 5), 0.0, older=True)
    days.add(start, bar("B", 5), 0.0, older=True)
    (batch,) = days.ready(1.0)
    assert [one.close for one in batch.bars] == [7, 5]


def test_a_daily_bar_of_a_holiday_is_left_out() -> None:
    days = Days(CALENDAR, after=0, grace=0.1)
    days.add(midnight(dt.date(2024, 7, 3)) + 24 * 60 * MINUTE, bar("A"), 0.0)
    assert days.ready(1.0) == []
    assert days.late == 1


def test_the_first_word_after_a_night_makes_nobody_mute() -> None:
    ears = Ears(NAMES, 10.0)
    for name in NAMES:
        ears.hear(name, 0.0)
    assert ears.mute(1_000.0) == ()
    ears.hear("A", 1_000.0)
    assert list(ears.mute(1_005.0)) == []
    ears.hear("A", 1_009.0)
    assert list(ears.mute(1_011.0)) == ["B", "C"]
    ears.hear("B", 1_011.0)
    assert list(ears.mute(1_012.0)) == ["C"]


def test_a_mute_symbol_is_subscribed_anew_once_in_that_time() -> None:
    ears = Ears(NAMES[:2], 10.0)
    due = []
    for second in range(36):
        ears.hear("A", float(second))
        due += [(second, name) for name in ears.due_again(float(second))]
    assert due == [(11, "B"), (22, "B"), (33, "B")]


def test_only_data_proves_a_subscription() -> None:
    ears = Ears(NAMES, 10.0)
    ears.hear("A", 0.0)
    ears.hear("OTHER", 0.0)
    assert ears.proven == {"A"}
    ears.subscribed()
    assert not ears.proven
