"""A folder may be stated with a leading tilde: on the command line as in a file."""

from pathlib import Path

import pytest

from tradingd.cli.main import tradingd
from tradingd.config.load import load
from tradingd.config.paths import results_root, store_root
from tradingd.config.source import TabularSource
from tradingd.kits.failure import ExitCode, Failure


def test_a_tilde_on_the_command_line_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    config = load(["mode=backtest", "store.root=~/my store", "mode.results=~/runs"]).config
    assert store_root(config) == tmp_path / "my store"
    assert results_root(config) == tmp_path / "runs"


def test_an_import_reads_a_source_below_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    row = "SPY,2013-10-07T20:00:00Z,1,1,1,1,10"
    (tmp_path / "a.csv").write_text(f"symbol,ts_event,open,high,low,close,volume\n{row}\n")
    words = ["source=tabular", "source.path=~/a.csv", "store.root=~/x"]
    assert tradingd(["data", "import", *words]) == ExitCode.OK
    assert "rows_new=1 " in capsys.readouterr().out
    assert (tmp_path / "x" / "manifest.jsonl").is_file()


@pytest.mark.parametrize("key", ["store.root", "mode.results", "source.path"])
def test_the_home_of_nobody_is_refused_by_its_key(key: str) -> None:
    with pytest.raises(Failure) as refused:
        load(["mode=backtest", "source=tabular", "source.path=x", f"{key}=~no-such-user/x"])
    assert refused.value.code is ExitCode.CONFIG
    assert key in refused.value.line()
    assert "~no-such-user" in refused.value.line()


def test_several_folders_with_a_tilde_are_several_values() -> None:
    with pytest.raises(Failure) as refused:
        load(["store.root=~/x,~/y"])
    assert refused.value.what == "an override states several values"


def test_a_file_may_state_a_tilde_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    (tmp_path / "site.yaml").write_text("source: {kind: tabular, path: ~/a}\n")
    source = load(["source=tabular"], overlay=tmp_path).config.source
    assert isinstance(source, TabularSource)
    assert source.path == "~/a"
