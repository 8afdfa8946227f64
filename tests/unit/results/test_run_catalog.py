import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.results.result_rows import (
    CONFIG_HASH,
    DATA_HASH,
    RUN_ID,
    bars,
    equity,
    manifest,
    record,
)
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.catalog import find_run, list_runs, read_run
from tradingd.results.compare import compare
from tradingd.results.finish import finish
from tradingd.results.folder import RunFolder
from tradingd.results.manifest import portable


def finished(root: Path, final: str = "101000", age: int = 0, **changes: Any) -> str:
    """Make a finished run that ended `age` seconds before a fixed moment; return its id."""
    folder = record(root, equity("2014-01-02", "100000"), equity("2014-01-03", final))
    finish(folder, manifest=manifest(**changes), timing={"engine_cpu_s": 1.5}, prices=bars)
    moment = 1_500_000_000 - age
    for path in folder.path.iterdir():
        os.utime(path, (moment, moment))
    return folder.run_id


def failed_run(root: Path) -> str:
    folder = RunFolder.create(root, "swing_trend", CONFIG_HASH, DATA_HASH)
    folder.fail(Failure("the strategy raised", code=ExitCode.STRATEGY_FAILED, where="on_bar"))
    return folder.run_id


def test_the_list_shows_finished_failed_and_unfinished_runs(tmp_path: Path) -> None:
    finished(tmp_path)
    failed_run(tmp_path)
    RunFolder.create(tmp_path, "buy_and_hold", CONFIG_HASH, DATA_HASH)
    rows = {row.run_id.partition("-")[0]: row for row in list_runs(tmp_path)}
    assert {name: row.status for name, row in rows.items()} == {
        "ema_cross": "finished",
        "swing_trend": "failed",
        "buy_and_hold": "unfinished",
    }
    assert rows["ema_cross"].total_return == pytest.approx(0.01)
    assert "the strategy raised" in rows["swing_trend"].error


def test_the_most_recent_run_comes_first(tmp_path: Path) -> None:
    old, new = finished(tmp_path, age=60), finished(tmp_path)
    assert [row.run_id for row in list_runs(tmp_path)] == [new, old]
    assert find_run(tmp_path, "latest").run_id == new


def test_a_folder_that_is_no_run_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "absent") == []


def test_a_damaged_run_is_a_row_and_not_the_end_of_the_list(tmp_path: Path) -> None:
    run_id = finished(tmp_path)
    (tmp_path / run_id / "metrics.json").write_text("{")
    row = list_runs(tmp_path)[0]
    assert row.status == "damaged"
    assert "metrics.json" in row.error
    with pytest.raises(Failure) as caught:
        read_run(find_run(tmp_path, run_id))
    assert caught.value.code == ExitCode.UNREADABLE_INPUT


def test_a_unique_beginning_names_a_run_and_a_whole_id_wins_over_longer_ones(
    tmp_path: Path,
) -> None:
    first, second = finished(tmp_path), finished(tmp_path)
    failing = failed_run(tmp_path)
    assert second == f"{first}-2"
    assert find_run(tmp_path, "swing").run_id == failing
    assert find_run(tmp_path, first).run_id == first


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ema_cross-abababab-cdcdcdce", "did you mean ema_cross-abababab-cdcdcdcd"),
        ("ema", "several runs begin with"),
        ("zzz", "tradingd runs list"),
        ("", "no run ''"),
        (".ema_cross", "no run '.ema_cross'"),
    ],
)
def test_an_unknown_run_is_refused_with_a_hint(tmp_path: Path, name: str, words: str) -> None:
    finished(tmp_path)
    finished(tmp_path)
    with pytest.raises(Failure) as caught:
        find_run(tmp_path, name)
    assert caught.value.code == ExitCode.RUN_NOT_FOUND
    assert words in caught.value.line()


def test_a_failed_run_has_no_metrics_to_read(tmp_path: Path) -> None:
    failed_run(tmp_path)
    with pytest.raises(Failure, match="failed and has no metrics"):
        read_run(find_run(tmp_path, "latest"))


def test_comparing_shows_differences_of_metrics_and_only_the_settings_that_differ(
    tmp_path: Path,
) -> None:
    finished(tmp_path)
    finished(tmp_path, "102000", config={"strategy": {"kind": "ema_cross", "fast": 9}})
    runs = [read_run(find_run(tmp_path, name)) for name in (RUN_ID, f"{RUN_ID}-2")]
    comparison = compare(runs)
    total = next(row for row in comparison.metrics if row.name == "total_return")
    assert total.values == (0.01, 0.02)
    assert total.differences == (0, pytest.approx(0.01))
    assert [(row.key, row.values) for row in comparison.inputs] == [("strategy.fast", (5, 9))]
    assert comparison.warnings == ()


def test_comparing_over_different_data_warns(tmp_path: Path) -> None:
    finished(tmp_path)
    finished(tmp_path, data_hash="ef" * 32)
    runs = [read_run(find_run(tmp_path, name)) for name in (RUN_ID, f"{RUN_ID}-2")]
    comparison = compare(runs)
    assert len(comparison.warnings) == 1
    assert "cdcdcdcd" in comparison.warnings[0]
    assert "efefefef" in comparison.warnings[0]


def test_the_manifest_names_no_folder_of_this_machine() -> None:
    tree = {"mode": {"results": "/home/me", "cash": "1"}, "store": {"root": "/data"}, "seed": 7}
    assert portable(tree) == {"mode": {"cash": "1"}, "store": {}, "seed": 7}
    assert tree["mode"] == {"results": "/home/me", "cash": "1"}  # the caller's is untouched
