"""Bad input: one clear line, an exit code of its own, nothing half-written."""

import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradingd.kits.failure import ExitCode

BARS_CSV = "symbol,ts_event,open,high,low,close,volume\n"


def stored_files(home):
    """Every file of the store but its lock's, with its bytes."""
    root = home / "data" / "tradingd"
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def assert_one_line(ended, code, *words):
    assert ended.returncode == code, ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    for word in words:
        assert word in lines[0]


def import_tabular(tradingd, path):
    return tradingd("data", "import", "source=tabular", f"source.path={path}")


@pytest.fixture
def good_store(tradingd, home):
    """A store with one good bar, and its content, to show that a bad import changes nothing."""
    (home / "good.csv").write_text(BARS_CSV + "GOOD,2013-01-02,10,11,9,10.5,100\n")
    assert import_tabular(tradingd, home / "good.csv").returncode == 0
    return stored_files(home)


def test_a_truncated_parquet_file_is_refused_by_name(tradingd, home, good_store):
    table = pa.table({"symbol": ["A"] * 1000, "ts_event": ["2013-01-02"] * 1000})
    pq.write_table(table, home / "cut.parquet")
    whole = (home / "cut.parquet").read_bytes()
    (home / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert_one_line(
        import_tabular(tradingd, home / "cut.parquet"), ExitCode.DAMAGED_PARQUET, "cut.parquet"
    )
    assert stored_files(home) == good_store


def test_a_zip_that_is_no_zip_is_refused_by_name(tradingd, home, good_store):
    daily = home / "lean" / "daily"
    daily.mkdir(parents=True)
    (daily / "spy.zip").write_bytes(b"this is not a zip archive")
    ended = tradingd("data", "import", "source=lean", f"source.path={home / 'lean'}")
    assert_one_line(ended, ExitCode.DAMAGED_ARCHIVE, "spy.zip")
    assert stored_files(home) == good_store


def test_a_bar_whose_high_is_below_its_low_is_refused_by_symbol_time_and_rule(
    tradingd, home, good_store
):
    (home / "bad.csv").write_text(
        BARS_CSV + "GOOD,2013-01-03,10,11,9,10.5,100\nGOOD,2013-01-04,10,9,11,10.5,100\n"
    )
    ended = import_tabular(tradingd, home / "bad.csv")
    assert_one_line(ended, ExitCode.INVALID_ROW, "bad.csv", "GOOD", "2013-01-04", "high")
    assert stored_files(home) == good_store


def test_an_unknown_symbol_is_refused_with_the_nearest_one(on_sample):
    ended = on_sample("backtest", "universe=symbols", "universe.symbols=[AAPK]")
    assert_one_line(ended, ExitCode.UNKNOWN_SYMBOL, "AAPK", "AAPL")


def test_an_empty_date_range_is_refused_with_the_range_that_is_there(on_sample):
    ended = on_sample("backtest", "mode.start=2030-01-01", "mode.end=2030-12-31")
    assert_one_line(ended, ExitCode.EMPTY_RANGE, "2030-01-01", "2013-03-01")


def test_an_empty_store_is_refused_with_the_command_that_fills_it(tradingd):
    assert_one_line(tradingd("backtest"), ExitCode.NO_DATA, "tradingd data import")


def test_an_overlay_with_a_misspelt_key_is_refused_naming_the_overlay_file(tradingd, home):
    overlay = home / "overlay" / "strategy"
    overlay.mkdir(parents=True)
    (overlay / "swing_trend.yaml").write_text("kind: swing_trend\ntrail_atrr: 2.5\n")
    ended = tradingd("backtest", "--overlay", str(home / "overlay"))
    assert_one_line(ended, ExitCode.CONFIG, "swing_trend.yaml", "strategy.trail_atrr", "trail_atr")
    assert not (home / "data").exists()


def test_a_misspelt_override_is_refused_with_the_nearest_key(tradingd):
    assert_one_line(
        tradingd("backtest", "risk.positon_percent=3"), ExitCode.CONFIG, "risk.position_percent"
    )


def test_a_refused_backtest_leaves_no_run_folder(on_sample, sample_home):
    before = sorted((sample_home / "data" / "tradingd").rglob("*"))
    assert on_sample("backtest", "mode.start=2030-01-01").returncode == ExitCode.EMPTY_RANGE
    assert sorted((sample_home / "data" / "tradingd").rglob("*")) == before


def test_a_stored_file_that_was_cut_is_named_and_the_rest_stays_readable(tradingd, home):
    (home / "good.csv").write_text(
        BARS_CSV + "ONE,2013-01-02,10,11,9,10.5,100\nTWO,2013-01-02,10,11,9,10.5,100\n"
    )
    assert import_tabular(tradingd, home / "good.csv").returncode == 0
    (path,) = (home / "data").rglob("symbol=ONE/**/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    ended = tradingd("data", "query", "select * from bars where symbol = 'ONE'")
    assert_one_line(ended, ExitCode.DAMAGED_PARQUET, path.name)
    ended = tradingd(
        "backtest", "strategy=buy_and_hold", "universe=symbols", "universe.symbols=[TWO]"
    )
    assert ended.returncode == 0, ended.stderr


def test_an_archive_with_nothing_inside_is_refused(tradingd, home):
    daily = home / "lean" / "daily"
    daily.mkdir(parents=True)
    with zipfile.ZipFile(daily / "spy.zip", "w"):
        pass
    ended = tradingd("data", "import", "source=lean", f"source.path={home / 'lean'}")
    assert_one_line(ended, ExitCode.DAMAGED_ARCHIVE, "spy.zip")
