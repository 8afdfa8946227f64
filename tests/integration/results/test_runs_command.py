import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.results.record_run import record_run
from tradingd.cli.main import tradingd
from tradingd.cli.metrics_screen import show_metrics
from tradingd.kits.failure import ExitCode
from tradingd.results.catalog import find_run, read_run
from tradingd.results.folder import RunFolder


def test_list_prints_a_row_a_run_and_a_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = record_run(tmp_path), record_run(tmp_path)
    assert tradingd(["runs", "list", "--root", str(tmp_path)]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert sum(first.name in line for line in lines) == 2
    assert sum(second.name in line for line in lines) == 1
    assert lines[-1] == f"SUMMARY runs=2 finished=2 root={tmp_path}"


def test_list_of_nothing_says_how_to_make_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tradingd(["runs", "list", "--root", str(tmp_path)]) == ExitCode.OK
    assert "tradingd backtest" in capsys.readouterr().out


def test_list_finds_the_folder_through_the_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_run(tmp_path)
    assert tradingd(["runs", "list", "--json", "--overrides", f"mode.results={tmp_path}"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 1


def test_show_prints_the_metrics_and_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record_run(tmp_path)
    assert tradingd(["runs", "show", "ema", "--root", str(tmp_path)]) == ExitCode.OK
    out = capsys.readouterr().out
    for words in (
        "Sharpe ratio",
        "orders denied or given up",
        str(folder / "tearsheet.html"),
        "c0ffee",
    ):
        assert words in out


def test_show_of_a_failed_run_prints_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder.create(tmp_path, "ema_cross", "ab" * 32, "cd" * 32)
    try:
        raise ZeroDivisionError("on the 50th bar [bold]")
    except ZeroDivisionError as error:
        folder.fail(error)
    assert tradingd(["runs", "show", "--root", str(tmp_path)]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "ZeroDivisionError: on the 50th bar [bold]" in out
    assert "status=failed" in out


def test_compare_prints_both_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = record_run(tmp_path), record_run(tmp_path)
    command = ["runs", "compare", first.name, second.name, "--root", str(tmp_path)]
    assert tradingd(command) == ExitCode.OK
    out = capsys.readouterr().out
    assert "the runs have the same settings, data and code" in out
    assert "difference" in out


def test_an_unknown_run_ends_with_its_own_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_run(tmp_path)
    code = tradingd(["runs", "show", "nope", "--root", str(tmp_path)])
    assert code == ExitCode.RUN_NOT_FOUND
    assert "no run 'nope'" in capsys.readouterr().err


def test_comparing_one_run_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_run(tmp_path)
    assert tradingd(["runs", "compare", "latest", "--root", str(tmp_path)]) == ExitCode.USAGE
    assert "expected: two runs or more" in capsys.readouterr().err


def test_metrics_print_reasons_of_what_is_not_defined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_run(tmp_path)
    metrics = read_run(find_run(tmp_path, "latest")).metrics
    show_metrics("", metrics)
    out = capsys.readouterr().out
    assert metrics.undefined
    for reason in metrics.undefined.values():
        assert reason in out


def test_the_parameters_of_runs_import_nothing_heavy() -> None:
    probe = "import sys, tradingd.cli.runs; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pyarrow", "pandas", "hydra", "empyrical", "plotly"} & set(loaded)


@pytest.mark.parametrize("words", [["list"], ["show"]], ids=["list", "show"])
def test_a_stated_folder_that_does_not_exist_is_no_empty_one(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = str(tmp_path / "nope")
    assert tradingd(["runs", *words, "--root", stated]) == ExitCode.RUN_NOT_FOUND
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "does not exist" in captured.err
    assert stated in captured.err
