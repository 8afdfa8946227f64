"""`tradingd analyze signals` fetches, stores, analyses and prints; it never trades."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tradingd.app.analyze import SignalReport
from tradingd.cli.analyze import SignalsParams
from tradingd.cli.analyze_run import signals
from tradingd.cli.main import tradingd
from tradingd.domain.market import DataKind
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store and no site overlay."""
    monkeypatch.setenv("TRADINGD_CONF", str(tmp_path / "conf"))
    (tmp_path / "conf").mkdir()
    return tmp_path / "history"


def analyse(root: Path, *words: str, **changes: object) -> SignalReport:
    values: dict[str, object] = {"bar_size": "1 day", "duration": "1 Y"} | changes
    return signals(SignalsParams(symbols=(*words, f"store.root={root}"), **values))  # type: ignore[arg-type]


def test_what_the_store_lacks_is_fetched_and_kept(root: Path):
    report = analyse(root, "ibm", "AAPL")
    assert (report.symbols, report.fetched, report.saved) == (2, ("IBM", "AAPL"), True)
    assert {"IBM", "AAPL"} <= set(Store(root).symbols(DataKind.BARS))
    # 2012-03-02 to 2013-03-01 has 251 sessions less two days of hurricane closure: 250 a symbol
    assert report.bars == 2 * 250
    again = analyse(root, "IBM", "AAPL")
    assert (again.fetched, again.saved) == ((), False)
    assert again.rows == report.rows


def test_without_saving_nothing_is_left_and_the_answer_is_the_same(root: Path):
    unsaved = analyse(root, "IBM", no_save=True)
    assert unsaved.saved is False
    assert not root.exists()
    assert unsaved.rows == analyse(root, "IBM").rows


def test_every_signal_has_its_time_close_indicators_and_reason(root: Path):
    report = analyse(root, "IBM")
    told = [row for row in report.rows if row.signal != "-"]
    assert len(told) == report.signals > 5
    assert {row.strategy for row in told} == {"ema_cross", "swing_trend"}
    for row in told:
        assert row.reason
        assert None not in (row.ema_fast, row.ema_slow, row.adx, row.atr, row.rsi)
        assert row.time[10:16] in (" 16:00", " 13:00")
    last = report.rows[-1]
    assert (last.signal, last.time, last.close) == ("-", "2013-03-01 16:00-05:00", 202.91)
    # Bars of whole sessions have no VWAP to revert to.
    assert (last.vwap, last.z) == (None, None)


def test_the_configured_strategys_settings_are_used(root: Path):
    default = analyse(root, "IBM")
    strict = analyse(root, "IBM", "strategy=swing_trend", "strategy.adx_min=35")
    asked = [row for row in strict.rows if row.signal == "BUY" and row.strategy == "swing_trend"]
    assert all(row.adx is not None and row.adx > 35 for row in asked)
    assert strict.signals < default.signals


@pytest.mark.parametrize(
    ("words", "changes", "code", "text"),
    [
        (["IBMM"], {}, ExitCode.UNKNOWN_SYMBOL, "perhaps IBM"),
        (["IBM"], {"bar_size": "5 mins"}, ExitCode.NO_DATA, "1m bars of IBM"),
        (["IBM"], {"duration": "5 H"}, ExitCode.USAGE, '"5 D"'),
        (["I BM"], {}, ExitCode.USAGE, "--symbols"),
        ([], {}, ExitCode.USAGE, "--symbols"),
        (["IBM", "strategy=swing_trnd"], {}, ExitCode.CONFIG, "swing_trend"),
    ],
    ids=["unknown-symbol", "no-minutes", "duration", "no-symbol", "nothing-asked", "config"],
)
def test_bad_input_is_one_clear_line(root: Path, words, changes, code, text):
    with pytest.raises(Failure) as caught:
        analyse(root, *words, **changes)
    assert caught.value.code is code
    assert text in caught.value.line()


def test_the_command_prints_a_table_and_one_summary_line(root: Path, capsys):
    line = ["analyze", "signals", f"store.root={root}", "--symbols", "IBM"]
    assert tradingd([*line, "--bar-size", "1 day", "--duration", "6 M"]) == 0
    printed = capsys.readouterr().out
    assert "swing_trend" in printed
    assert printed.splitlines()[-1].startswith("SUMMARY symbols=1 bars=")
    assert tradingd([*line, "--bar-size", "1 day", "--duration", "6 M", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["symbols"] == 1
    assert tradingd(["analyze", "signals", "--describe"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == "analyze signals"


def test_it_never_imports_the_engine(root: Path):
    script = (
        "import sys; from tradingd.cli.main import tradingd;"
        f"code = tradingd(['analyze', 'signals', 'store.root={root}', '--symbols', 'IBM',"
        " '--bar-size', '1 day']);"
        "sys.exit(code or 'nautilus_trader' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.real_data
def test_minute_bars_of_apple_on_the_last_day_before_its_split(root: Path, real_data: Path):
    report = analyse(
        root,
        "AAPL",
        "source=lean",
        f"source.path={real_data / 'lean'}",
        bar_size="5 mins",
        duration="1 D",
    )
    # 390 minutes are 78 bars; the split of the next Monday (7 for 1) must not move the prices.
    assert report.bars == 78
    last = report.rows[-1]
    assert (last.time, last.close) == ("2014-06-06 16:00-04:00", 645.57)
    assert {row.strategy for row in report.rows} >= {"intraday_mean_reversion", "ema_cross"}
    assert last.vwap is not None
    assert last.z is not None
