import datetime as dt

import numpy as np
import pytest

from tests.integration.history.history_samples import MINUTE, ns
from tradingd.history.span import SessionCut, Span
from tradingd.history.windows import DAY_NS, DayCounts, chunk_ends
from tradingd.session.calendar import SessionCalendar


def test_a_day_spans_from_new_york_midnight_to_the_next_inclusive() -> None:
    span = Span.of_days(dt.date(2013, 10, 7), dt.date(2013, 10, 7))
    # summer: New York is four hours behind UTC
    assert span == Span(ns("2013-10-07T04:00:00"), ns("2013-10-08T04:00:00"))
    stamps = np.array([span.start_ns, span.start_ns + 1, span.end_ns, span.end_ns + 1])
    assert span.slice_of(stamps) == (1, 2)


def test_a_session_keeps_bars_after_the_open_up_to_the_close_on_a_half_day() -> None:
    # 2013-11-29: XNYS closes at 13:00 New York, 18:00 UTC
    first = ns("2013-11-29T09:00:00")
    stamps = first + np.arange(1, 24 * 60, dtype=np.int64) * MINUTE
    [(offset, length)] = SessionCut.of(SessionCalendar()).slices_of(stamps)
    assert int(stamps[offset]) == ns("2013-11-29T14:31:00")
    assert int(stamps[offset + length - 1]) == ns("2013-11-29T18:00:00")
    assert length == 210


def test_a_weekend_has_no_session() -> None:
    stamps = ns("2013-10-05T00:00:00") + np.arange(48 * 60, dtype=np.int64) * MINUTE
    assert SessionCut.of(SessionCalendar()).slices_of(stamps) == []


def test_windows_hold_whole_days_up_to_the_bound() -> None:
    counts = DayCounts(0, 4 * DAY_NS - 1)
    for day, rows in enumerate([3, 4, 2, 9]):
        counts.add(day * DAY_NS + 1 + np.arange(rows, dtype=np.int64))
    assert counts.total == 18
    # 3 + 4 fit into 8; 2 alone, because 2 + 9 do not fit; 9 rows need two halves of a day
    assert counts.windows(8) == [
        Span(0, 2 * DAY_NS),
        Span(2 * DAY_NS, 3 * DAY_NS),
        Span(3 * DAY_NS, 3 * DAY_NS + DAY_NS // 2),
        Span(3 * DAY_NS + DAY_NS // 2, 4 * DAY_NS),
    ]


@pytest.mark.parametrize(
    ("stamps", "most", "ends"),
    [
        ([1, 2, 3, 4, 5, 6], 3, [3, 6]),
        ([1, 2, 2, 2, 3], 3, [1, 2, 3]),
        ([5, 5, 5, 5, 6], 2, [5, 6]),
        ([3, 1, 2], 10, [3]),
        ([], 10, []),
    ],
    ids=["even", "instant stays whole", "one instant beyond the bound", "unsorted", "nothing"],
)
def test_chunks_end_between_instants(stamps: list[int], most: int, ends: list[int]) -> None:
    assert chunk_ends(np.array(stamps, dtype=np.int64), most) == ends
