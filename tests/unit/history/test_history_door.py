from decimal import Decimal

import pyarrow as pa
import pytest

from tests.integration.history.history_samples import bars, ns, quotes, trades
from tradingd.domain.market import DataKind, Resolution
from tradingd.history import layout
from tradingd.history.layout import Partition, Series
from tradingd.history.validate import checked
from tradingd.kits.failure import ExitCode, Failure

SPY = Series(DataKind.BARS, "SPY", Resolution.MINUTE)
TIME = ns("2013-10-07T14:00:00")


def changed(table: pa.Table, column: str, value: object) -> pa.Table:
    index = table.column_names.index(column)
    field = table.schema.field(column).with_nullable(True)
    return table.set_column(index, field, pa.array([value] * table.num_rows, field.type))


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("high", Decimal(99), "high >= low"),
        ("high", Decimal("99.5"), "high >= low"),
        ("open", Decimal(101), "high >= open"),
        ("close", Decimal(101), "high >= close"),
        ("open", Decimal(99), "low <= open"),
        ("close", Decimal(99), "low <= close"),
        ("low", Decimal(0), "low > 0"),
        ("volume", -1, "volume >= 0"),
        ("close", None, "a value for close"),
    ],
)
def test_an_impossible_bar_is_refused_with_symbol_time_and_rule(
    column: str, value: object, rule: str
) -> None:
    with pytest.raises(Failure) as refusal:
        checked(SPY, changed(bars([TIME], ["100"]), column, value))
    assert refusal.value.code is ExitCode.INVALID_ROW
    assert refusal.value.where == "SPY 2013-10-07T14:00:00.000000000Z"
    assert refusal.value.expected == rule


@pytest.mark.parametrize(
    ("stamps", "found"),
    [([2, 1], "an earlier time than the row before"), ([1, 1], "a duplicate time")],
)
def test_bars_out_of_order_or_twice_are_refused(stamps: list[int], found: str) -> None:
    with pytest.raises(Failure) as refusal:
        checked(SPY, bars(stamps, ["1", "1"]))
    assert refusal.value.found == found


def test_ticks_may_share_an_instant_and_a_quote_may_be_one_sided_or_crossed() -> None:
    checked(Series(DataKind.TRADES, "SPY"), trades([1, 1], ["1", "2"]))
    checked(Series(DataKind.QUOTES, "SPY"), quotes([1, 2], [None, "3"], ["2", "2"]))


def test_a_table_without_a_column_or_with_another_type_is_refused() -> None:
    with pytest.raises(Failure, match="no close"):
        checked(SPY, bars([1], ["1"]).drop_columns("close"))
    text = changed(bars([1], ["1"]).drop_columns("volume"), "close", Decimal(1))
    wrong = text.append_column("volume", pa.array(["many"]))
    with pytest.raises(Failure) as refusal:
        checked(SPY, wrong)
    assert refusal.value.code is ExitCode.INVALID_ROW


@pytest.mark.parametrize("symbol", ["BRK.B", "TAP.A", "BF-B", "A", "3M"])
def test_usual_symbols_name_a_folder(symbol: str) -> None:
    folder = Partition(Series(DataKind.QUOTES, symbol), "2013-10-07").folder
    assert layout.check_symbol(symbol) in folder.split("=")[1]


@pytest.mark.parametrize("symbol", ["", "../X", "a", "A/B", "A B", ".A", "A" * 21])
def test_a_symbol_that_could_leave_its_folder_is_refused(symbol: str) -> None:
    with pytest.raises(Failure, match="cannot be stored"):
        layout.check_symbol(symbol)


def test_minutes_are_cut_at_the_year_days_not_and_ticks_at_the_day_of_utc() -> None:
    border = ns("2014-01-01T00:00:00")
    parts = list(layout.split(SPY, bars([border - 1, border], ["1", "2"])))
    assert [one.folder for one, _ in parts] == [
        "bars/resolution=1m/symbol=SPY/year=2013",
        "bars/resolution=1m/symbol=SPY/year=2014",
    ]
    [(whole, _)] = layout.split(
        Series(DataKind.BARS, "SPY", Resolution.DAY), bars([border - 1, border], ["1", "2"])
    )
    assert whole.folder == "bars/resolution=1d/symbol=SPY"
    ticks = trades([border - 1, border, border + 1], ["1", "2", "3"])
    sizes = {
        one.period: rows.num_rows for one, rows in layout.split(Series(DataKind.TRADES, "A"), ticks)
    }
    assert sizes == {"2013-12-31": 1, "2014-01-01": 2}
