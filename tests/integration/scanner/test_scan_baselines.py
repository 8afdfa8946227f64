"""What is usual for a symbol, out of a real store and out of a feed's bars: one arithmetic."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.integration.history.history_samples import bars, daily_bars, ns
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.domain.money import nanos
from tradingd.history.store import Store
from tradingd.scanner.baseline import Baseline
from tradingd.scanner.stored import StoredBaselines
from tradingd.scanner.told import baselines_of
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
DAY = dt.date(2024, 3, 13)
# Friday in winter time; Monday and Tuesday after the clocks went forward.
SESSIONS = ("2024-03-08", "2024-03-11", "2024-03-12")
FOUR = {"2024-03-08": "09:00", "2024-03-11": "08:00", "2024-03-12": "08:00"}
OPEN = {"2024-03-08": "14:30", "2024-03-11": "13:30", "2024-03-12": "13:30"}
MINUTE = 60_000_000_000
FOUR_MINUTE, OPEN_MINUTE = 4 * 60, 9 * 60 + 30

SPLIT = CorporateAction(
    symbol="A", ex_date=dt.date(2024, 3, 12), kind=ActionKind.SPLIT, numerator=2, source="test"
)


def _rows() -> list[tuple[int, str, int]]:
    """(close, price, volume): one bar after 4:00 and one after the open of each session."""
    found = []
    for number, day in enumerate(SESSIONS):
        price = "20" if day < "2024-03-12" else "10"
        volume = 100 * (number + 1)
        found.append((ns(f"{day}T{FOUR[day]}:00") + MINUTE, price, volume))
        found.append((ns(f"{day}T{OPEN[day]}:00") + MINUTE, price, 10 * volume))
    return found


def _stored(root: Path, *, split: bool = False, daily: bool = False) -> Baseline:
    store = Store(root / "store")
    with store.batch("test") as batch:
        for close, price, volume in _rows():
            batch.bars(Resolution.MINUTE, "A", bars([close], [price], volume))
        if daily:
            batch.bars(Resolution.DAY, "A", daily_bars(["2024-03-12"], ["10.25"]))
        if split:
            batch.actions([SPLIT])
    return StoredBaselines(store, CALENDAR, 20).of(DAY, ["A", "B"])["A"]


def _told(*, split: bool = False) -> Baseline:
    batches: Iterable[Batch] = [
        Batch(close, (MarketBar("A", *([nanos(price)] * 4), volume),))
        for close, price, volume in _rows()
    ]
    actions = [SPLIT] if split else []
    return baselines_of(batches, DAY, CALENDAR, sessions=20, actions=actions)["A"]


def test_the_mean_of_the_same_minutes_over_the_clock_change(tmp_path: Path) -> None:
    found = _stored(tmp_path)
    assert found.sessions == 3
    # 100, 200 and 300 shares in the minute after 4:00, ten times that after the open.
    assert found.between(FOUR_MINUTE, FOUR_MINUTE + 1) == pytest.approx(200.0)
    assert found.between(FOUR_MINUTE + 1, OPEN_MINUTE) == 0.0
    assert found.between(0, OPEN_MINUTE + 1) == pytest.approx(2_200.0)
    assert found.average_volume == pytest.approx(2_000.0)


def test_a_split_restates_the_volumes_before_it(tmp_path: Path) -> None:
    found = _stored(tmp_path, split=True)
    assert found.between(FOUR_MINUTE, FOUR_MINUTE + 1) == pytest.approx((200 + 400 + 300) / 3)
    assert found.prior_close == nanos(10)


def test_a_split_on_the_day_itself_restates_the_prior_close(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    on_the_day = CorporateAction(
        symbol="A", ex_date=DAY, kind=ActionKind.SPLIT, numerator=4, source="test"
    )
    with store.batch("test") as batch:
        for close, price, volume in _rows():
            batch.bars(Resolution.MINUTE, "A", bars([close], [price], volume))
        batch.actions([on_the_day])
    found = StoredBaselines(store, CALENDAR, 20).of(DAY, ["A"])["A"]
    assert found.prior_close == nanos("2.5")


def test_the_daily_bars_close_is_the_prior_close_where_it_is_stored(tmp_path: Path) -> None:
    assert _stored(tmp_path, daily=True).prior_close == nanos("10.25")


def test_the_last_regular_minute_is_the_prior_close_elsewhere(tmp_path: Path) -> None:
    assert _stored(tmp_path).prior_close == nanos(10)


@pytest.mark.parametrize("split", [False, True])
def test_a_feeds_bars_lead_to_the_same_as_the_store(tmp_path: Path, split: bool) -> None:
    stored, told = _stored(tmp_path, split=split), _told(split=split)
    assert told.usual == pytest.approx(stored.usual)
    assert told.prior_close == stored.prior_close
    assert told.sessions == stored.sessions
    assert told.average_volume == pytest.approx(stored.average_volume)


def test_nothing_of_the_day_itself_is_used(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.batch("test") as batch:
        for close, price, volume in _rows():
            batch.bars(Resolution.MINUTE, "A", bars([close], [price], volume))
        batch.bars(Resolution.MINUTE, "A", bars([ns("2024-03-13T08:01:00")], ["99"], 1_000_000))
    found = StoredBaselines(store, CALENDAR, 20).of(DAY, ["A"])["A"]
    assert found == _stored(tmp_path / "other")


def test_only_the_asked_sessions_make_the_mean(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.batch("test") as batch:
        for close, price, volume in _rows():
            batch.bars(Resolution.MINUTE, "A", bars([close], [price], volume))
    found = StoredBaselines(store, CALENDAR, 1).of(DAY, ["A"])["A"]
    assert found.sessions == 1
    assert found.between(FOUR_MINUTE, FOUR_MINUTE + 1) == pytest.approx(300.0)


def test_a_symbol_without_the_session_before_has_no_prior_close(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.batch("test") as batch:
        close, price, volume = _rows()[0]
        batch.bars(Resolution.MINUTE, "A", bars([close], [price], volume))
    assert StoredBaselines(store, CALENDAR, 20).of(DAY, ["A"])["A"].prior_close is None
