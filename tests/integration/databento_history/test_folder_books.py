"""DBN files that are already here, found by what they say of themselves."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from tests.servers.databento_history import books
from tradingd.backfill.provider import Window
from tradingd.backfill.providers.folder import FolderBookProvider, make
from tradingd.config.backfill import BackfillConfig, FolderBooks
from tradingd.kits.failure import ExitCode, Failure

pytestmark = pytest.mark.real_data

HOUR = 3_600 * 10**9
DAY = dt.date(2025, 4, 3)
NINE = 1_743_685_200 * 10**9
"""2025-04-03 13:00 UTC: nine in New York."""

WINDOW = Window(start_ns=NINE, end_ns=NINE + 2 * HOUR)


@pytest.fixture
def folder(real_data: Path, tmp_path: Path) -> Path:
    """Two real books under names that say nothing, one of them deep below, and rubbish."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    apple, frog = books(real_data)
    shutil.copy(apple, tmp_path / "one.dbn.zst")
    shutil.copy(frog, tmp_path / "a" / "b" / "two.dbn.zst")
    (tmp_path / "broken.dbn").write_bytes(b"DBN\x03nothing of the kind")
    return tmp_path


def provider(folder: Path) -> FolderBookProvider:
    return make(FolderBooks(path=str(folder)), BackfillConfig())


def test_a_file_is_found_by_symbol_and_time(folder: Path, tmp_path: Path) -> None:
    made = provider(folder)
    assert made.fetch_l2(DAY, "FROG", WINDOW, tmp_path) == folder / "a" / "b" / "two.dbn.zst"
    autumn = Window(start_ns=1_729_512_000 * 10**9, end_ns=1_729_519_200 * 10**9)
    found = made.fetch_l2(dt.date(2024, 10, 21), "AAPL", autumn, tmp_path)
    assert found == folder / "one.dbn.zst"


def test_other_data_in_the_folder_are_no_news_and_a_damaged_file_is_named(
    folder: Path, real_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "cut.dbn.zst").write_bytes(books(real_data)[1].read_bytes()[:60])
    bars = real_data / "dbn" / "databento-python" / "XNAS.ITCH"
    shutil.copy(bars / "test_data.ohlcv-1d.dbn.zst", folder / "bars.dbn.zst")
    provider(folder).fetch_l2(DAY, "FROG", WINDOW, tmp_path)
    said = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert all("bars.dbn.zst" not in one for one in said)
    assert any("cut.dbn.zst" in one for one in said)


def test_files_cost_nothing(folder: Path) -> None:
    assert provider(folder).estimate([(DAY, "FROG", WINDOW)]) is None


def test_ten_levels_are_preferred_to_one(folder: Path, real_data: Path, tmp_path: Path) -> None:
    bars = real_data / "dbn" / "databento-python" / "XNAS.ITCH"
    shutil.copy(bars / "test_data.mbp-1.dbn.zst", folder / "level.dbn.zst")
    shutil.copy(bars / "test_data.ohlcv-1d.dbn.zst", folder / "bars.dbn.zst")
    found = provider(folder).fetch_l2(DAY, "FROG", WINDOW, tmp_path)
    assert found.name == "two.dbn.zst"


@pytest.mark.parametrize(
    ("symbol", "window"),
    [("ZZZZ", WINDOW), ("AAPL", WINDOW)],
    ids=["no such symbol", "another day"],
)
def test_a_book_that_is_nowhere_is_refused_with_the_place(
    folder: Path, tmp_path: Path, symbol: str, window: Window
) -> None:
    with pytest.raises(Failure, match=f"no DBN file has books of {symbol}") as caught:
        provider(folder).fetch_l2(DAY, symbol, window, tmp_path)
    assert caught.value.code is ExitCode.NO_DATA
    assert caught.value.where == str(folder)


def test_half_a_window_is_not_taken_for_a_whole_one(folder: Path, tmp_path: Path) -> None:
    late = Window(start_ns=NINE + 9 * HOUR, end_ns=NINE + 12 * HOUR)
    with pytest.raises(Failure, match="no DBN file has the whole window") as caught:
        provider(folder).fetch_l2(DAY, "FROG", late, tmp_path)
    assert caught.value.found == "2025-04-03 00:00:00 to 2025-04-04 00:00:00 UTC"


def test_a_folder_that_is_not_there_is_not_available(folder: Path) -> None:
    assert provider(folder).is_available() == ""
    assert "there is no folder" in provider(folder / "elsewhere").is_available()
