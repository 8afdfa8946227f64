"""What a scan cannot do is refused by name; what it can, it shows."""

from pathlib import Path

import pytest

from tests.integration.history.history_samples import bars, ns
from tradingd.app.scan import floats
from tradingd.cli.scan import ScanParams
from tradingd.cli.scan_run import run
from tradingd.config.scan import ScanConfig
from tradingd.domain.market import Resolution
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure


@pytest.mark.parametrize(
    "row",
    ["A,abc", "A,", "A", ",5", "A,-5", "A,²", "A,1,000,000", "B,5\nb,6"],
    ids=["word", "empty", "short", "nameless", "negative", "power", "thousands", "twice"],
)
def test_a_row_that_is_no_float_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    file = tmp_path / "floats.csv"
    file.write_text(f"symbol,float\n{row}\n", encoding="utf-8")
    with pytest.raises(Failure) as refused:
        floats(ScanConfig(floats=str(file)))
    assert refused.value.code is ExitCode.INVALID_ROW
    assert str(refused.value.where) == f"{file}:{1 + len(row.splitlines())}"
    assert "None" not in str(refused.value.found)


def test_floats_are_read_with_thousands_in_quotes(tmp_path: Path) -> None:
    file = tmp_path / "floats.csv"
    file.write_text('symbol,float\nA,"1,000"\nb, 2_000\n\n', encoding="utf-8")
    assert floats(ScanConfig(floats=str(file))) == {"A": 1_000, "B": 2_000}


@pytest.mark.parametrize(
    ("params", "where"),
    [
        (ScanParams(overrides=("feed=alpaca",), day="2024-07-02"), "--day, --at"),
        (ScanParams(overrides=("feed=alpaca",), at="09:25"), "--day, --at"),
        (
            ScanParams(
                overrides=("feed=alpaca", "feed.clock=data", "feed.endpoint=http://127.0.0.1:1")
            ),
            "feed.clock",
        ),
    ],
    ids=["day", "moment", "test-server"],
)
def test_what_a_live_feed_has_no_answer_to_is_refused(params: ScanParams, where: str) -> None:
    with pytest.raises(Failure) as refused:
        run(params)
    assert refused.value.where == where


def test_a_scan_of_invented_bars_has_rows_by_default() -> None:
    wide = ("feed=synthetic", "scan.max_price=1000", "scan.min_gap_percent=-5")
    scan = run(ScanParams(overrides=wide))
    assert scan.rows
    assert scan.day == "2024-01-02"


def test_before_the_first_bar_the_day_is_named_and_every_symbol_is_silent() -> None:
    scan = run(ScanParams(overrides=("feed=synthetic",), at="09:00"))
    assert (scan.day, scan.seen, scan.silent) == ("2024-01-02", 0, 5)


def test_a_symbol_listed_on_the_day_has_no_baseline_and_is_named(tmp_path: Path) -> None:
    with Store(tmp_path).batch("test") as batch:
        days = ("2024-07-01", "2024-07-02")
        old = [ns(f"{day}T13:31:00") for day in days]
        batch.bars(Resolution.MINUTE, "OLD", bars(old, ["10", "11"], 100))
        batch.bars(Resolution.MINUTE, "NEW", bars(old[1:], ["12"], 100))
    scan = run(ScanParams(overrides=(f"store.root={tmp_path}",), at="09:31"))
    assert scan.without_baseline == ("NEW",)
    assert scan.left_out == {"no prior close": 1}
    assert [row.symbol for row in scan.rows] == ["OLD"]
