import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from tests.integration.history.history_samples import bars
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.history.schema import BARS
from tradingd.quality.candidate import Candidate, Judge
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
SESSIONS = CALENDAR.between(dt.date(2024, 1, 2), dt.date(2024, 1, 31))
NOTHING = BARS.empty_table()
MINUTE = Resolution.MINUTE.nanoseconds


def moving(count: int, price: float = 100.0) -> list[str]:
    return [f"{price + step % 5 + step / 10:.2f}" for step in range(count)]


def days(first: int, last: int, closes: Sequence[str]) -> pa.Table:
    return bars([one.close_ns for one in SESSIONS[first:last]], list(closes))


def found(
    rows: pa.Table,
    asked: slice,
    context: pa.Table = NOTHING,
    actions: Sequence[CorporateAction] = (),
    resolution: Resolution = Resolution.DAY,
    min_coverage: float = 100.0,
) -> list[str]:
    candidate = Candidate(
        symbol="SPY",
        resolution=resolution,
        rows=rows,
        context=context,
        sessions=SESSIONS[asked],
        actions=actions,
    )
    with Judge(CALENDAR) as judge:
        return [one.rule for one in judge.findings(candidate, min_coverage=min_coverage)]


def test_sound_rows_have_no_findings() -> None:
    assert found(days(0, 21, moving(21)), slice(0, 21)) == []


def test_a_price_that_stands_still_since_before_is_found() -> None:
    context, rows = days(0, 8, [*moving(4), *["50"] * 4]), days(8, 12, ["50"] * 4)
    assert found(rows, slice(8, 12), context) == ["stale"]
    assert found(rows, slice(8, 12)) == []


def test_what_is_wrong_with_the_stored_rows_is_not_held_against_a_candidate() -> None:
    context = days(0, 10, [*moving(5), "500", *moving(4)])
    assert found(days(10, 21, moving(11)), slice(10, 21), context) == []


def test_a_jump_at_either_seam_is_found() -> None:
    after = days(15, 21, moving(6))
    assert found(days(10, 15, moving(5, 50)), slice(10, 15), after) == ["outlier"]
    assert found(days(10, 15, moving(5, 50)), slice(10, 15)) == []
    before = days(0, 10, moving(10))
    assert found(days(10, 21, moving(11, 300)), slice(10, 21), before) != []


def test_a_split_on_file_is_no_jump() -> None:
    split = CorporateAction(
        symbol="SPY",
        ex_date=SESSIONS[10].day,
        kind=ActionKind.SPLIT,
        numerator=2,
        denominator=1,
    )
    rows = days(0, 21, [*moving(10), *moving(11, 50)])
    assert found(rows, slice(0, 21)) != []
    assert found(rows, slice(0, 21), actions=[split]) == []


def test_sessions_without_rows_are_found_at_the_ends_and_within_the_tolerance_forgiven() -> None:
    rows = days(2, 20, moving(18))
    assert found(rows, slice(0, 21)) == ["coverage"]
    assert found(rows, slice(0, 21), min_coverage=85.0) == []
    assert found(rows, slice(0, 21), min_coverage=86.0) == ["coverage"]


def test_a_hole_between_the_candidate_and_the_stored_rows_is_not_the_candidates() -> None:
    assert found(days(10, 21, moving(11)), slice(10, 21), days(0, 5, moving(5))) == []


def test_minutes_missing_within_a_session_are_found() -> None:
    opened = SESSIONS[0].open_ns
    stamps = [opened + step * MINUTE for step in range(1, 391) if not 100 <= step < 120]
    rows = bars(stamps, moving(len(stamps), 500))
    assert found(rows, slice(0, 1), resolution=Resolution.MINUTE) == ["missing_minutes"]
