import csv
import json
from pathlib import Path

import pytest

from tradingd.cli.main import tradingd
from tradingd.kits.failure import ExitCode

HEADER = ["symbol", "ts_event", "open", "high", "low", "close", "volume"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's configuration nor its store."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "overlay"))
    (tmp_path / "overlay").mkdir()


def write_csv(path: Path, symbol: str, closes: list[str], high: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for day, close in enumerate(closes, start=7):
            row = [symbol, f"2013-10-{day:02d}T20:00:00Z", close, high or close, close, close, 10]
            writer.writerow(row)


def run(*words: str) -> int:
    return tradingd(["data", *words])


def source(folder: Path) -> tuple[str, str]:
    return "source=tabular", f"source.path={folder}"


def test_import_scan_query_and_compact_end_in_one_summary_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1", "2", "3"])
    write_csv(tmp_path / "in" / "b.csv", "BRK.B", ["4", "5"])
    assert run("import", *source(tmp_path / "in")) == 0
    assert (
        "files=2 files_refused=0 rows_new=5 rows_same=0 rows_revised=0" in capsys.readouterr().out
    )
    assert run("import", *source(tmp_path / "in")) == 0
    assert "rows_new=0 rows_same=5 rows_revised=0" in capsys.readouterr().out
    for words in (
        ["scan", "--verify"],
        ["compact"],
        ["query", "SELECT close FROM bars"],
        ["check"],
    ):
        assert run(*words) == 0
        out = capsys.readouterr().out
        assert out.splitlines()[-1].startswith("SUMMARY ")
        assert out.count("SUMMARY") == 1


def test_query_prints_exact_prices_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1.25", "2"])
    run("import", *source(tmp_path / "in"))
    capsys.readouterr()
    sql = "SELECT ts_event, close FROM bars ORDER BY ts_event"
    assert run("query", sql, "--limit", "1", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "columns": ["ts_event", "close"],
        "rows": [["2013-10-07T20:00:00", "1.25"]],
        "more": True,
    }


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM bars WHERE symbol = 'AAB'", ExitCode.UNKNOWN_SYMBOL),
        (
            "SELECT * FROM bars WHERE symbol IN ('AAA', 'ZZZ') AND close > 99",
            ExitCode.UNKNOWN_SYMBOL,
        ),
        ("SELECT * FROM bars WHERE symbol = 'AAA' AND close > 99", ExitCode.OK),
        ("SELECT * FROM nothing", ExitCode.USAGE),
        ("DROP VIEW bars", ExitCode.USAGE),
        ("SELECT 1; SELECT 2", ExitCode.USAGE),
        ("COPY bars TO 'x.csv'", ExitCode.USAGE),
        ("", ExitCode.USAGE),
    ],
)
def test_a_query_is_one_select_over_what_is_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sql: str, code: ExitCode
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1"])
    run("import", *source(tmp_path / "in"))
    capsys.readouterr()
    assert run("query", sql) == code
    assert len(capsys.readouterr().err.splitlines()) == (code != ExitCode.OK)


def test_a_bad_file_ends_the_import_and_files_before_it_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1", "2"])
    write_csv(tmp_path / "in" / "b.csv", "BBB", ["4", "5"], high="0.5")
    write_csv(tmp_path / "in" / "c.csv", "CCC", ["6"])
    assert run("import", *source(tmp_path / "in")) == ExitCode.INVALID_ROW
    [line] = capsys.readouterr().err.splitlines()
    assert "b.csv" in line
    run("query", "SELECT DISTINCT symbol FROM bars", "--json")
    assert json.loads(capsys.readouterr().out)["rows"] == [["AAA"]]


def test_keep_going_imports_the_rest_and_ends_with_the_first_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["4", "5"], high="0.5")
    (tmp_path / "in" / "b.parquet").write_bytes(b"PAR1 nonsense")
    write_csv(tmp_path / "in" / "c.csv", "CCC", ["6"])
    assert run("import", *source(tmp_path / "in"), "--keep-going") == ExitCode.INVALID_ROW
    out = capsys.readouterr().out
    assert "a.csv" in out
    assert "b.parquet" in out
    assert "files=1 files_refused=2 rows_new=1" in out


@pytest.mark.parametrize(
    "words",
    [
        ["scan"],
        ["query", "SELECT 1"],
        ["compact"],
        ["snapshot", "a"],
        ["actions", "SPY"],
        ["check"],
    ],
    ids=lambda words: words[0],
)
def test_an_empty_store_is_one_line_and_its_own_exit_code(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run(*words) == ExitCode.NO_DATA
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_snapshot_and_its_restore_report_what_they_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1", "2"])
    run("import", *source(tmp_path / "in"))
    assert run("snapshot", "one") == 0
    assert run("restore", "one") == 0
    assert capsys.readouterr().out.count("SUMMARY name=one") == 2
    assert run("restore", "two") == ExitCode.SNAPSHOT


def test_a_scan_of_a_damaged_store_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "in" / "a.csv", "AAA", ["1", "2"])
    run("import", *source(tmp_path / "in"))
    [path] = (tmp_path / "home").rglob("bars/**/*.parquet")
    path.write_bytes(path.read_bytes()[:-30])
    capsys.readouterr()
    assert run("query", "SELECT count(*) FROM bars") == ExitCode.DAMAGED_PARQUET
    assert path.name in capsys.readouterr().err
    assert run("scan", "--verify") == ExitCode.DAMAGED_PARQUET


def test_a_verifying_scan_lists_every_damaged_file_and_shows_the_other_series(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for symbol in ("AAA", "BBB", "CCC", "DDD"):
        write_csv(tmp_path / "in" / f"{symbol}.csv", symbol, ["1", "2"])
    assert run("import", *source(tmp_path / "in")) == 0
    store = tmp_path / "home" / "tradingd" / "history"
    files = {one: next(store.glob(f"bars/*/symbol={one}/*.parquet")) for one in ("AAA", "CCC")}
    files["AAA"].write_bytes(files["AAA"].read_bytes()[:-20])
    files["CCC"].unlink()
    capsys.readouterr()
    assert run("scan", "--verify", "--json") == ExitCode.DAMAGED_PARQUET
    report = json.loads(capsys.readouterr().out)
    assert [one["path"] for one in report["damaged"]] == [
        files[one].relative_to(store).as_posix() for one in ("AAA", "CCC")
    ]
    assert report["damaged"][1]["problem"] == "missing"
    assert [one["symbol"] for one in report["series"]] == ["BBB", "DDD"]
    assert run("scan") == ExitCode.DAMAGED_PARQUET
