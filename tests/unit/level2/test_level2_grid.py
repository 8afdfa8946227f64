"""Sampling, by hand and against the scalar form that live capture uses."""

from typing import Any

import databento_dbn as vendor
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.dbn_records import SECOND, START, SUSPECT, UNDEF_PRICE, record, records
from tradingd.domain.depth import Ladder
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import Quality, snapshot_schema
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.level2.quality import QualityWatch
from tradingd.level2.snapshots import SnapshotRows

A = [(10.0, 10.01, 100, 100, 1, 1)]
B = [(10.0, 10.02, 100, 300, 1, 2)]
C = [(9.99, 10.02, 50, 300, 1, 2)]
GRID = Sampling(levels=2, interval_ns=100, on_change=False, stale_ns=0)
CHANGES = Sampling(levels=2, interval_ns=0, on_change=True, stale_ns=0)
BOTH = Sampling(levels=2, interval_ns=100, on_change=True, stale_ns=0)


def sampled(
    made: Any, sampling: Sampling, start: int, end: int, cuts: tuple[int, ...] = ()
) -> pa.Table:
    sampler = GridSampler("ABC", sampling, START + start, START + end)
    batches = [sampler.feed(part) for part in np.split(made, cuts)]
    batches.append(sampler.finish())
    assert sampler.records_in == len(made)
    found = [batch for batch in batches if batch is not None]
    assert all(batch.num_rows for batch in found)
    return pa.Table.from_batches(found, snapshot_schema(sampling.levels))


def shown(table: pa.Table) -> list[tuple[Any, ...]]:
    """Time after START, best ask, events, on_change."""
    ts = [value - START for value in table["ts"].cast("int64").to_pylist()]
    columns = (table[name].to_pylist() for name in ("ask_px_00", "events", "on_change"))
    return list(zip(ts, *columns, strict=True))


def test_a_snapshot_is_the_state_after_the_last_closing_record_up_to_its_time() -> None:
    made = records(record(50, A), record(100, B), record(101, A), record(250, B))
    assert shown(sampled(made, GRID, 0, 500)) == [
        (100, 100_200, 2, False),
        (200, 100_100, 1, False),
        (300, 100_200, 1, False),
        (400, 100_200, 0, False),
    ]


def test_an_open_event_is_not_shown_before_it_closes() -> None:
    made = records(record(50, A), record(90, B, flags=0), record(150, B))
    assert shown(sampled(made, GRID, 0, 300)) == [
        (100, 100_100, 2, False),
        (200, 100_200, 1, False),
    ]


def test_the_window_includes_its_start_and_excludes_its_end() -> None:
    made = records(record(-500, A), record(400, B))
    assert [row[0] for row in shown(sampled(made, GRID, 100, 400))] == [100, 200, 300]
    assert [row[0] for row in shown(sampled(made, GRID, 150, 401))] == [200, 300, 400]


def test_rows_begin_with_the_first_known_state() -> None:
    made = records(record(10, A, flags=0), record(230, A))
    assert shown(sampled(made, GRID, 0, 500)) == [
        (300, 100_100, 2, False),
        (400, 100_100, 0, False),
    ]
    assert sampled(made[:1], GRID, 0, 500).num_rows == 0
    assert sampled(made[:0], GRID, 0, 500).num_rows == 0


def test_a_change_is_a_row_and_an_equal_state_is_none() -> None:
    made = records(record(50, A), record(60, A), record(70, B, flags=0), record(80, B))
    assert shown(sampled(made, CHANGES, 0, 500)) == [
        (50, 100_100, 1, True),
        (80, 100_200, 3, True),
    ]


def test_levels_that_are_not_kept_make_no_change() -> None:
    deep = [*A, (9.9, 10.1, 1, 1, 1, 1), (9.8, 10.2, 1, 1, 1, 1)]
    made = records(record(50, A + deep[1:2]), record(60, deep))
    assert sampled(made, CHANGES, 0, 500).num_rows == 1


def test_a_change_comes_before_the_grid_of_the_same_time() -> None:
    made = records(record(50, A), record(100, B), record(100, A), record(170, A))
    assert shown(sampled(made, BOTH, 0, 200)) == [
        (50, 100_100, 1, True),
        (100, 100_200, 1, True),
        (100, 100_100, 1, True),
        (100, 100_100, 0, False),
    ]


def test_the_first_change_in_the_window_is_a_row_though_the_state_was_known() -> None:
    made = records(record(-50, A), record(50, A), record(60, A))
    assert shown(sampled(made, CHANGES, 0, 500)) == [(50, 100_100, 2, True)]


def test_a_time_that_goes_back_counts_at_the_latest_before_it() -> None:
    made = records(record(150, A), record(90, B), record(350, A))
    assert shown(sampled(made, GRID, 0, 300)) == [(200, 100_200, 2, False)]


def test_a_doubted_state_stays_doubted_until_the_next() -> None:
    made = records(record(50, A, flags=128 | SUSPECT), record(250, B))
    quality = sampled(made, GRID, 0, 400)["quality"].to_pylist()
    assert quality == [Quality.SUSPECT, Quality.SUSPECT, 0]


def test_a_silent_hour_comes_in_pieces() -> None:
    sampler = GridSampler(
        "ABC",
        Sampling(levels=1, interval_ns=SECOND // 100, on_change=False, stale_ns=0),
        START,
        START + 3600 * SECOND,
    )
    made = records(record(0, A), record(3599 * SECOND, B))
    sizes = [batch.num_rows for batch in sampler.sampled(made)]
    sizes += [batch.num_rows for batch in sampler.rest()]
    assert sum(sizes) == 360_000
    assert max(sizes) <= 65_536


def test_a_price_finer_than_the_columns_is_refused_with_its_place() -> None:
    made = records(record(50, A), record(60, [(10.00005, 10.01, 1, 1, 1, 1)]))
    with pytest.raises(Failure) as refused:
        sampled(made, CHANGES, 0, 500)
    assert refused.value.code == ExitCode.INVALID_ROW
    assert refused.value.where == "ABC 2025-04-03T13:30:00.000000060Z, record 1, bid_px_00"
    assert refused.value.found == "10.00005"


def test_a_size_beyond_the_columns_is_refused_with_its_record() -> None:
    made = records(record(50, A), record(60, [(10, 10.01, 2**31, 1, 1, 1)]))
    with pytest.raises(Failure, match="record 1, bid_sz_00"):
        sampled(made, CHANGES, 0, 500)


def test_records_without_books_are_refused() -> None:
    trades = np.zeros(1, np.dtype(vendor.TradeMsg._dtypes))
    with pytest.raises(Failure, match="no order books"):
        sampled(trades, CHANGES, 0, 500)


PRICES = st.one_of(st.none(), st.sampled_from([9.98, 9.99, 10.0, 10.01]))


@st.composite
def books(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    levels = []
    for _ in range(draw(st.integers(0, 3))):
        bid, ask = draw(PRICES), draw(PRICES)
        counts = st.integers(1, 2)
        of_bid = (draw(counts), draw(counts)) if bid is not None else (0, 0)
        of_ask = (draw(counts), draw(counts)) if ask is not None else (0, 0)
        levels.append((bid, ask, of_bid[0], of_ask[0], of_bid[1], of_ask[1]))
    return levels


@st.composite
def histories(draw: st.DrawFn) -> Any:
    pool = [record(0, book) for book in draw(st.lists(books(), min_size=2, max_size=4))]
    step = st.tuples(
        st.sampled_from([-20, 0, 0, 10, 20, 30, 50, 100, 260, 1]),
        st.sampled_from([128, 128, 128, 132, 0]),
        st.integers(0, len(pool) - 1),
    )
    at, made = START, []
    for number, (after, flags, book) in enumerate(
        draw(st.lists(step, min_size=draw(st.sampled_from([12, 6, 0])), max_size=24))
    ):
        at += after
        one = pool[book].copy()
        one["ts_recv"], one["ts_event"], one["flags"], one["sequence"] = at, at - 5, flags, number
        made.append(one)
    return records(*made)


def ladder(row: Any, levels: int) -> Ladder:
    values: list[int | None] = []
    for level in range(levels):
        for name in ("bid_px", "ask_px"):
            price = int(row[f"{name}_{level:02d}"])
            values.append(None if price == UNDEF_PRICE else price)
        values += [int(row[f"{n}_{level:02d}"]) for n in ("bid_sz", "ask_sz", "bid_ct", "ask_ct")]
    return tuple(values)


class Scalar:
    """The rule, one record at a time."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.rows = SnapshotRows("ABC", sampling.levels)
        self.watch = QualityWatch(sampling.levels, sampling.stale_ns)
        self.state: Any = None
        self.written: Ladder | None = None
        self.events = 0

    def row(self, ts: int, *, on_change: bool) -> None:
        kept = ladder(self.state, self.sampling.levels)
        if on_change and kept == self.written:
            return
        self.rows.append(
            ts=ts,
            ts_event=int(self.state["ts_event"]),
            ts_recv=int(self.state["ts_recv"]),
            sequence=int(self.state["sequence"]),
            events=self.events,
            on_change=on_change,
            quality=self.watch.assess(kept, ts, suspect=bool(self.state["flags"] & SUSPECT)),
            ladder=kept,
        )
        self.written, self.events = kept, 0

    def run(self, made: Any, start: int, end: int) -> pa.RecordBatch:
        step = self.sampling.interval_ns
        due = -(-start // step) * step if step else end
        latest = 0
        for one in made:
            latest = max(latest, int(one["ts_recv"]))
            while due < min(latest, end):
                if self.state is not None:
                    self.row(due, on_change=False)
                due += step
            self.events += 1
            if one["flags"] & 128:
                self.state = one
                if self.sampling.on_change and start <= latest < end:
                    self.row(latest, on_change=True)
        while due < end and self.state is not None:
            self.row(due, on_change=False)
            due += step
        return self.rows.take()


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    made=histories(),
    levels=st.integers(1, 3),
    interval=st.sampled_from([50, 10, 100, 0]),
    on_change=st.sampled_from([True, True, False]),
    stale=st.sampled_from([0, 50, 200]),
    start=st.sampled_from([0, -30, 45, 100]),
    length=st.sampled_from([600, 1500, 250, 10]),
    cuts=st.lists(st.integers(0, 30), max_size=3),
)
def test_chunks_and_single_records_make_the_same_rows(
    made: Any,
    levels: int,
    interval: int,
    on_change: bool,
    stale: int,
    start: int,
    length: int,
    cuts: list[int],
) -> None:
    on_change = on_change or not interval
    sampling = Sampling(levels=levels, interval_ns=interval, on_change=on_change, stale_ns=stale)
    expected = Scalar(sampling).run(made, START + start, START + start + length)
    found = sampled(made, sampling, start, start + length, tuple(sorted(cuts)))
    assert found.to_pylist() == expected.to_pylist()
