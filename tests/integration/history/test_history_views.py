import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.integration.history.history_samples import (
    DAY_BARS,
    MINUTE_BARS,
    bars,
    daily_bars,
    ns,
    quotes,
)
from tradingd.domain.market import ActionKind, CorporateAction, DataKind, Resolution
from tradingd.history.store import Store

DAYS = ["2014-06-05", "2014-06-06", "2014-06-09", "2014-06-10"]


def action(day: str, kind: ActionKind, **facts: int) -> CorporateAction:
    return CorporateAction(symbol="AAPL", ex_date=dt.date.fromisoformat(day), kind=kind, **facts)


SPLIT = action("2014-06-09", ActionKind.SPLIT, numerator=7, denominator=1)


def stored(root: Path, *actions: CorporateAction, adjusted: bool = False) -> Store:
    store = Store(root)
    with store.batch("test", adjusted=adjusted) as batch:
        batch.bars(DAY_BARS, "AAPL", daily_bars(DAYS, ["647.35", "645.57", "93.70", "94.25"], 10))
        batch.bars(DAY_BARS, "SPY", daily_bars(DAYS, ["1", "2", "3", "4"], 10))
        batch.actions(actions)
    return store


def closes(store: Store, view: str, symbol: str = "AAPL") -> list[Decimal]:
    rows = store.connect().execute(
        f"SELECT close FROM {view} WHERE symbol = ? AND resolution = '1d' ORDER BY ts_event",
        [symbol],
    )
    return [row[0] for row in rows.fetchall()]


def test_a_split_scales_earlier_prices_and_volumes_exactly(tmp_path: Path) -> None:
    store = stored(tmp_path, SPLIT)
    # 647.35 / 7 = 92.478571428..571; 645.57 / 7 = 92.224285714..285: nine decimals, half up
    assert closes(store, "bars_split") == [
        Decimal("92.478571429"),
        Decimal("92.224285714"),
        Decimal("93.700000000"),
        Decimal("94.250000000"),
    ]
    volumes = store.connect().execute(
        "SELECT volume FROM bars_split WHERE symbol = 'AAPL' ORDER BY ts_event"
    )
    assert [row[0] for row in volumes.fetchall()] == [70, 70, 10, 10]
    assert closes(store, "bars_split", "SPY") == [1, 2, 3, 4]


def test_splits_multiply_and_reverse_splits_divide_volumes(tmp_path: Path) -> None:
    reverse = action("2014-06-10", ActionKind.SPLIT, numerator=1, denominator=3)
    store = stored(tmp_path, SPLIT, reverse)
    # before both: x 3 / 7; between: x 3. Volume 10 x 7 / 3 = 23.33 -> 23; 10 / 3 -> 3
    assert closes(store, "bars_split") == [
        Decimal("277.435714286"),
        Decimal("276.672857143"),
        Decimal("281.100000000"),
        Decimal("94.250000000"),
    ]
    table = store.read(DataKind.BARS, "AAPL", DAY_BARS, adjust="split")
    assert table.column("volume").to_pylist() == [23, 23, 3, 10]


def test_a_dividend_scales_earlier_prices_by_one_minus_amount_over_the_close_before(
    tmp_path: Path,
) -> None:
    dividend = action("2014-06-10", ActionKind.DIVIDEND, amount=937_000_000)
    store = stored(tmp_path, SPLIT, dividend)
    # 1 - 0.937 / 93.70 = 0.99; 93.70 x 0.99 = 92.763; 92.478571429 x 0.99 = 91.55378571471
    assert closes(store, "bars_total") == [
        Decimal("91.553785715"),
        Decimal("91.302042857"),
        Decimal("92.763000000"),
        Decimal("94.250000000"),
    ]


def test_a_dividend_on_the_day_of_a_split_is_in_the_shares_before_it(tmp_path: Path) -> None:
    dividend = action("2014-06-09", ActionKind.DIVIDEND, amount=6_455_700_000)
    store = stored(tmp_path, SPLIT, dividend)
    # 1 - 6.4557 / 645.57 = 0.99, on top of the division by 7
    assert closes(store, "bars_total")[1] == Decimal("91.302042857")


def test_prices_adjusted_by_their_source_meet_no_second_split(tmp_path: Path) -> None:
    dividend = action("2014-06-09", ActionKind.DIVIDEND, amount=7 * 6_455_700_000)
    store = stored(tmp_path, SPLIT, dividend, adjusted=True)
    assert closes(store, "bars_split") == closes(store, "bars")
    # the dividend of 45.1899 old dollars is 6.4557 in the units of the stored prices: x 0.99
    assert closes(store, "bars_total")[1] == Decimal("639.114300000")


def test_minute_bars_take_the_daily_close_before_a_dividend(tmp_path: Path) -> None:
    store = stored(tmp_path, action("2014-06-10", ActionKind.DIVIDEND, amount=937_000_000))
    with store.batch("minutes") as batch:
        late = ns("2014-06-09T23:00:00")
        batch.bars(MINUTE_BARS, "AAPL", bars([late, ns("2014-06-10T14:00:00")], ["94", "95"]))
    table = store.read(DataKind.BARS, "AAPL", MINUTE_BARS, adjust="total")
    # 0.99 from the close of 93.70, not from the last print of 94 after hours
    assert [str(one) for one in table.column("close").to_pylist()] == [
        "93.060000000",
        "95.000000000",
    ]


def test_read_and_view_agree_on_a_range(tmp_path: Path) -> None:
    store = stored(tmp_path, SPLIT)
    day = dt.date(2014, 6, 6)
    table = store.read(DataKind.BARS, "AAPL", DAY_BARS, day, day, adjust="split")
    assert table.column("close").to_pylist() == [Decimal("92.224285714")]
    assert table.schema == store.read(DataKind.BARS, "AAPL", DAY_BARS).schema


def test_views_carry_the_folders_as_text_columns(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.batch("odd") as batch:
        for symbol in ("TRUE", "1E5", "BRK.B"):
            batch.bars(DAY_BARS, symbol, daily_bars(["2014-06-05"], ["1"]))
            batch.quotes(symbol, quotes([ns("2014-06-05T14:00:00")], ["1"], [None]))
    connection = store.connect()
    for view in ("bars", "quotes"):
        found = connection.execute(f"SELECT symbol FROM {view} ORDER BY symbol").fetchall()
        assert found == [("1E5",), ("BRK.B",), ("TRUE",)]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{outside}/x.csv'",
        "SELECT * FROM read_csv('{outside}/secret.csv')",
        "SELECT * FROM read_text('{outside}/secret.csv')",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "ATTACH '{outside}/x.db'",
        "INSTALL httpfs",
    ],
)
def test_a_sealed_connection_reaches_nothing_outside_the_store(
    tmp_path: Path, statement: str
) -> None:
    store = stored(tmp_path / "store")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    connection = store.connect(sealed=True)
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(outside=tmp_path)).fetchall()
    assert connection.execute("SELECT count(*) FROM bars").fetchone() == (8,)


@pytest.mark.real_data
def test_total_return_prices_agree_with_lean_factor_files(tmp_path: Path, real_data: Path) -> None:
    from tradingd.config.source import LeanSource
    from tradingd.sources.make import make_source

    lean = real_data / "lean"
    source = make_source(LeanSource(path=str(lean), symbols=("AAPL",)))
    store = Store(tmp_path)
    with store.batch(source.name) as batch:
        for task in source.tasks():
            if task.resolution is Resolution.DAY:
                for symbol, table in task.load():
                    batch.bars(Resolution.DAY, symbol, table)
        batch.actions(source.actions())
    rows = [line.split(",") for line in (lean / "factor_files" / "aapl.csv").read_text().split()]
    plain = store.read(DataKind.BARS, "AAPL", DAY_BARS)
    total = store.read(DataKind.BARS, "AAPL", DAY_BARS, adjust="total")
    stamps = plain.column("ts_event").cast("timestamp[us]").to_pylist()
    for stamp, before, after in zip(
        stamps,
        plain.column("close").to_pylist(),
        total.column("close").to_pylist(),
        strict=True,
    ):
        day = f"{stamp:%Y%m%d}"
        _, dividends, splits = next(row for row in rows if row[0] >= day)[:3]
        # the file's factors carry seven and eight significant digits
        assert float(after) == pytest.approx(
            float(before) * float(dividends) * float(splits), rel=5e-6
        )
