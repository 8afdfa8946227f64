import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import snapshot_schema
from tradingd.level2.snapshots import SnapshotRows

DOLLAR = 1_000_000_000
ROW = {
    "ts": 5,
    "ts_event": 3,
    "ts_recv": 4,
    "sequence": 9,
    "events": 2,
    "on_change": True,
    "quality": 1,
}
SOUND = (10 * DOLLAR, 10 * DOLLAR + 100_000, 100, 200, 1, 2)


def test_rows_come_back_in_the_published_layout() -> None:
    rows = SnapshotRows("ABC", 1)
    rows.append(**ROW, ladder=SOUND)
    batch = rows.take()
    assert batch.schema == snapshot_schema(1)
    (row,) = batch.to_pylist()
    assert row.pop("ts").value == 5
    assert row.pop("ts_event").value == 3
    assert row.pop("ts_recv").value == 4
    assert row == {
        "symbol": "ABC",
        "sequence": 9,
        "events": 2,
        "on_change": True,
        "quality": 1,
        "bid_px_00": 100_000,
        "ask_px_00": 100_001,
        "bid_sz_00": 100,
        "ask_sz_00": 200,
        "bid_ct_00": 1,
        "ask_ct_00": 2,
    }


def test_levels_that_do_not_exist_have_no_price_and_no_shares() -> None:
    rows = SnapshotRows("ABC", 2)
    rows.append(**ROW, ladder=(None, 11 * DOLLAR, 0, 5, None, None))
    (row,) = rows.take().to_pylist()
    assert [row[name] for name in ("bid_px_00", "bid_sz_00", "bid_ct_00")] == [None, 0, None]
    assert [row[name] for name in ("ask_px_00", "ask_sz_00", "ask_ct_00")] == [110_000, 5, None]
    assert [row[name] for name in ("bid_px_01", "ask_px_01", "bid_sz_01")] == [None, None, 0]


def test_a_longer_book_is_cut() -> None:
    rows = SnapshotRows("ABC", 1)
    rows.append(**ROW, ladder=SOUND * 3)
    assert rows.take().num_columns == 8 + 6


def test_taking_empties_the_buffers() -> None:
    rows = SnapshotRows("ABC", 2)
    for _ in range(3):
        rows.append(**ROW, ladder=SOUND)
    assert len(rows) == 3
    assert rows.take().num_rows == 3
    assert len(rows) == 0
    assert rows.take().num_rows == 0


@pytest.mark.parametrize(
    "bad",
    [(10 * DOLLAR + 1, None, 1, 0, 1, 0), (10 * DOLLAR, None, 2**31, 0, 1, 0)],
    ids=["price", "size"],
)
def test_a_refused_row_names_symbol_and_time_and_leaves_the_others(
    bad: tuple[int | None, ...],
) -> None:
    rows = SnapshotRows("ABC", 1)
    rows.append(**ROW, ladder=SOUND)
    with pytest.raises(Failure) as refused:
        rows.append(**ROW, ladder=bad)
    assert refused.value.code == ExitCode.INVALID_ROW
    assert refused.value.where == "ABC 1970-01-01T00:00:00.000000005Z"
    assert rows.take().num_rows == 1
