import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.integration.journal.test_journal_writer import written
from tests.unit.journal.journal_rows import DAY, DOLLAR, OPENING, audit, fill, order, trip
from tradingd.cli.main import tradingd
from tradingd.domain.journal import AdjustmentRow, BookRow, DecisionRow, RunRow, SignalRow
from tradingd.journal.export import export
from tradingd.journal.holdings import holdings
from tradingd.kits.failure import ExitCode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tradingd" / "paper" / "journal.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    """Make a journal with something of everything."""
    written(
        path,
        RunRow(
            run_id="run-1", instance="paper", mode="paper", strategy="swing", config_hash="c",
            git_commit="g", data="sample", started=OPENING,
        ),
        SignalRow(
            run_id="run-1", strategy="swing", symbol="AAPL", action="enter", quantity=100,
            reason="breakout", order_id="O-1", ts=OPENING, wall=OPENING,
        ),
        DecisionRow(
            run_id="run-1", order_id="O-3", strategy="mean", symbol="MSFT", side="BUY", quantity=9,
            reason="dip", limit="risk.max_positions", observed="6", allowed="5",
            explanation="one too many", ts=OPENING, wall=OPENING,
        ),
        order("O-1", state="FILLED", filled=100, paid=19_000 * DOLLAR),
        order("O-2", state="WORKING", symbol="MSFT", ts=OPENING + DAY, limit=400 * DOLLAR),
        order("O-3", state="DENIED", symbol="MSFT", strategy="mean", ts=OPENING + DAY),
        fill("F-1"),
        fill("F-2", symbol="MSFT", strategy="mean", order_id="O-9", ts=OPENING + DAY),
        trip(300 * DOLLAR),
        trip(-100 * DOLLAR, strategy="mean", ts_closed=OPENING + 5 * DAY),
        BookRow(fills=2, state=b"{}", ts=OPENING, wall=OPENING),
        audit(1),
    )  # fmt: skip
    return path


def asked(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> list[dict[str, object]]:
    assert tradingd(["journal", *words, "--file", str(path), "--json"]) == ExitCode.OK
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)["rows"]
    return rows


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["orders"], ["O-1", "O-2", "O-3"]),
        (["orders", "--status", "open"], ["O-2"]),
        (["orders", "--status", "FILLED"], ["O-1"]),
        (["orders", "--symbol", "msft"], ["O-2", "O-3"]),
        (["orders", "--symbol", "MSFT", "--strategy", "mean"], ["O-3"]),
        (["orders", "--day", "2024-01-02"], ["O-1"]),
        (["orders", "--from", "2024-01-03"], ["O-2", "O-3"]),
        (["orders", "--to", "2024-01-02"], ["O-1"]),
        (["orders", "--last", "2"], ["O-2", "O-3"]),
        (["orders", "--last", "0"], ["O-1", "O-2", "O-3"]),
        (["fills", "--strategy", "mean"], ["O-9"]),
        (["signals"], ["O-1"]),
        (["decisions", "--symbol", "MSFT"], ["O-3"]),
        (["decisions", "--symbol", "AAPL"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_filters_select_the_rows_that_fit(
    full: Path, capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]
) -> None:
    assert [row["order_id"] for row in asked(capsys, full, *words)] == found


def test_json_has_exact_money_as_text_and_times_as_nanoseconds(
    full: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = asked(capsys, full, "fills", "--last", "1", "--symbol", "AAPL")[0]
    assert (row["price"], row["commission"], row["slippage"]) == ("190.00", "1.00", "0.50")
    assert row["ts"] == OPENING


def test_trades_and_stats_agree(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trades = asked(capsys, full, "trades")
    mean, swing, together = asked(capsys, full, "stats")
    assert [trade["realised"] for trade in trades] == ["300.00", "-100.00"]
    assert (mean["net"], swing["net"], together["net"]) == ("-100.00", "300.00", "200.00")
    assert (together["win_rate"], together["profit_factor"]) == (0.5, 3.0)
    assert asked(capsys, full, "stats", "--day", "2024-01-03")[-1]["trades"] == 1


@pytest.mark.parametrize(
    "verb", ["runs", "signals", "orders", "fills", "trades", "positions", "decisions", "stats"]
)
@pytest.mark.parametrize("empty", [True, False], ids=["empty", "full"])
def test_a_person_gets_a_table_and_one_summary_line(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], verb: str, empty: bool
) -> None:
    path = request.getfixturevalue("path" if empty else "full")
    if empty:
        written(path, audit(1))
    assert tradingd(["journal", verb, "--file", str(path)]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith("SUMMARY ") for line in lines].count(True) == 1
    assert lines[-1].endswith(f"file={path}")
    if not empty:
        assert any("AAPL" in line or "swing" in line or "MSFT" in line for line in lines)


def test_a_person_reads_exchange_time(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tradingd(["journal", "orders", "--file", str(full)]) == ExitCode.OK
    assert "2024-01-02 09:30:00" in capsys.readouterr().out


def test_an_instance_is_found_in_its_state_folder(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert tradingd(["journal", "orders"]) == ExitCode.OK
    assert f"file={full}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["orders", "--status", "DONE"], ExitCode.USAGE, "OPEN, INTENT"),
        (["fills", "--day", "soon"], ExitCode.USAGE, "YYYY-MM-DD"),
        (["fills", "--last", "-1"], ExitCode.USAGE, "--last"),
        (["fills", "--instance", "../x"], ExitCode.USAGE, "--instance"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_words_are_refused_with_what_would_be_right(
    full: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: ExitCode,
    told: str,
) -> None:
    assert tradingd(["journal", *words, "--file", str(full)]) == code
    assert told in capsys.readouterr().err


def test_a_missing_journal_is_its_own_refusal(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["journal", "orders", "--file", str(path)]) == ExitCode.JOURNAL
    assert str(path) in capsys.readouterr().err


def test_positions_follow_fills_splits_and_flips(path: Path) -> None:
    split = AdjustmentRow(
        adjustment_id="A-1", kind="split", symbol="AAPL", shares=180, cash=0, numerator=4,
        denominator=1, ts=OPENING + 3, wall=OPENING + 3,
    )  # fmt: skip
    written(
        path,
        fill("F-1", quantity=100, price=190 * DOLLAR, wall=1),
        fill("F-2", quantity=20, price=250 * DOLLAR, wall=2),
        fill("F-3", side="SELL", quantity=60, price=300 * DOLLAR, wall=3, purpose="EXIT"),
        split,
        fill("F-4", symbol="MSFT", quantity=10, price=400 * DOLLAR, wall=5),
        fill(
            "F-5", symbol="MSFT", side="SELL", quantity=15, price=410 * DOLLAR, strategy="mean",
            wall=6, ts=OPENING + 9,
        ),
        fill("F-6", symbol="IBM", quantity=5, wall=7),
        fill("F-7", symbol="IBM", side="SELL", quantity=5, wall=8, purpose="EXIT"),
    )  # fmt: skip
    apple, microsoft = holdings(path)
    assert (apple.symbol, apple.quantity, apple.cost) == ("AAPL", 240, 12_000 * DOLLAR)
    assert apple.entry_price == 50 * DOLLAR
    assert (microsoft.quantity, microsoft.strategy) == (-5, "mean")
    assert (microsoft.entry_price, microsoft.ts_opened) == (410 * DOLLAR, OPENING + 9)
    assert [one.symbol for one in holdings(path, strategy="mean")] == ["MSFT"]


def test_exported_tables_are_read_by_others_with_exact_prices_and_times(
    full: Path, tmp_path: Path
) -> None:
    files = {one.table: one for one in export(full, tmp_path / "out")}
    assert files["orders"].rows == 3
    assert files["audit"].rows == 2
    with duckdb.connect() as connection:
        kinds = {
            row[0]: row[1]
            for row in connection.execute(f"DESCRIBE FROM '{files['fills'].file}'").fetchall()
        }
        assert (kinds["price"], kinds["commission"]) == ("DECIMAL(18,9)", "DECIMAL(28,9)")
        assert (kinds["ts"], kinds["wall"]) == ("TIMESTAMP_NS", "TIMESTAMP_NS")
        price, day = connection.execute(
            f"SELECT price, CAST(ts AS VARCHAR) FROM '{files['fills'].file}' LIMIT 1"
        ).fetchone()  # type: ignore[misc]
        assert price == Decimal(190)
        assert day.startswith("2024-01-02 14:30:00")
        for one in files.values():
            found = connection.execute(f"SELECT count(*) FROM '{one.file}'").fetchone()
            assert found == (one.rows,)


def test_export_into_a_file_is_refused(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("")
    words = ["journal", "export", "--to", str(tmp_path / "out"), "--file", str(full)]
    assert tradingd(words) == ExitCode.USAGE
    assert "no folder" in capsys.readouterr().err


def test_the_operators_audit_imports_nothing_heavy(full: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tradingd.cli.audit import TailParams\n"
        "from tradingd.cli.audit_run import render_tail, tail\n"
        "render_tail(tail(TailParams(file=sys.argv[1])))\n"
        "heavy = {'nautilus_trader', 'duckdb', 'pyarrow', 'pandas', 'numpy', 'hydra', 'aiohttp',"
        " 'uvloop', 'exchange_calendars'}\n"
        "sys.stderr.write(' '.join(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(full)], capture_output=True, text=True, check=True
    )
    assert "anna1" in ended.stdout
    assert ended.stderr == ""
