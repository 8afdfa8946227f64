"""`analyze depth` over files: what is written, what is refused, what a person sees."""

import logging
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.microstructure.books import write_day
from tradingd.app.analyze_depth import analyze_depth
from tradingd.cli.analyze_depth import DepthParams
from tradingd.cli.analyze_depth_run import depth, render
from tradingd.kits.failure import ExitCode, Failure
from tradingd.microstructure.report import DepthReport


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "2025-04-03_snapshots_093000.parquet"
    write_day(path, 3_000)
    return path


def test_a_report_is_written_beside_what_is_returned(book: Path, tmp_path: Path) -> None:
    analysed = analyze_depth([book], horizons_s=(10,), out=tmp_path / "reports")
    [written] = analysed.written
    assert Path(written).name == "2025-04-03_snapshots_093000.parquet_depth_report.json"
    report = msgspec.json.decode(Path(written).read_bytes(), type=DepthReport)
    assert report == analysed.reports[0]
    assert report.counts.states == 3_000
    assert (analysed.exit_code, analysed.refused) == (0, ())
    [page] = analysed.pages
    assert page == written.removesuffix("json") + "html"
    assert Path(page).read_text().startswith("<!doctype html>")


def test_a_file_that_cannot_be_read_does_not_lose_the_others(book: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(book.read_bytes()[:1_000])
    analysed = analyze_depth([damaged, book, tmp_path / "none.csv"], horizons_s=(10,))
    assert len(analysed.reports) == 1
    assert analysed.exit_code == ExitCode.DAMAGED_PARQUET
    assert [one.code for one in analysed.refused] == [
        ExitCode.DAMAGED_PARQUET,
        ExitCode.UNREADABLE_INPUT,
    ]
    with pytest.raises(Failure) as caught:
        analyze_depth([damaged], horizons_s=(10,))
    assert caught.value.code == ExitCode.DAMAGED_PARQUET


def test_a_folder_that_cannot_be_written_is_named(book: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as caught:
        analyze_depth([book], horizons_s=(10,), out=tmp_path / "file")
    assert caught.value.code == ExitCode.STORE_WRITE


def test_a_damaged_page_in_the_middle_is_a_failure_not_a_hang(book: Path, tmp_path: Path) -> None:
    content = bytearray(book.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 200] = bytes(200)
    path = tmp_path / "2025-04-03_snapshots_100000.parquet"
    path.write_bytes(content)
    with pytest.raises(Failure) as caught:
        analyze_depth([path], horizons_s=(10,))
    assert caught.value.code == ExitCode.DAMAGED_PARQUET


def test_a_person_sees_tables_and_one_summary_line(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render(depth(DepthParams(files=(str(book),), horizons=(10, 60))))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        "SUMMARY files=1 reports=1 refused=0 states=3000 trades=0 written=0 page=-"
    )
    assert any("order flow, best level" in line for line in lines)
    assert any("the source has no trades" in line for line in lines)


def test_the_summary_names_the_pages(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "two words"
    render(depth(DepthParams(files=(str(book),), horizons=(10,), out=str(out))))
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.endswith(
        f" written=1 page={str(out / book.name)!r}".removesuffix("'") + "_depth_report.html'"
    )


def test_the_time_of_each_measure_is_told_at_debug(
    book: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "tradingd.microstructure.report"):
        analyze_depth([book], horizons_s=(10,))
    told = {record.getMessage().split()[0] for record in caplog.records}
    assert {"impact", "spread", "depth", "queue"} <= told
