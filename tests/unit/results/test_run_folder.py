from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from tests.unit.results.result_rows import CONFIG_HASH, DATA_HASH, RUN_ID, order
from tradingd.kits.failure import ExitCode, Failure
from tradingd.results.folder import RunError, RunFolder
from tradingd.results.recorder import RunRecorder


def create(root: Path, name: str = "ema_cross") -> RunFolder:
    return RunFolder.create(root, name, CONFIG_HASH, DATA_HASH)


def test_the_id_is_the_strategy_and_eight_digits_of_either_hash(tmp_path: Path) -> None:
    assert create(tmp_path).run_id == RUN_ID


def test_repetitions_get_a_counter_that_the_content_id_leaves_out(tmp_path: Path) -> None:
    folders = [create(tmp_path) for _ in range(3)]
    assert [folder.run_id for folder in folders] == [RUN_ID, f"{RUN_ID}-2", f"{RUN_ID}-3"]
    assert {folder.content_id for folder in folders} == {RUN_ID}


def test_a_finished_run_also_takes_its_id(tmp_path: Path) -> None:
    create(tmp_path).seal()
    assert create(tmp_path).run_id == f"{RUN_ID}-2"


def test_a_name_that_is_no_file_name_is_made_one(tmp_path: Path) -> None:
    assert create(tmp_path, "../my pkg:Mine").run_id.startswith("_my_pkg_Mine-")


def test_a_run_is_hidden_until_it_is_sealed(tmp_path: Path) -> None:
    folder = create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f".{RUN_ID}.partial"]
    folder.seal()
    assert [path.name for path in tmp_path.iterdir()] == [RUN_ID]
    assert folder.path == tmp_path / RUN_ID


def test_a_failed_run_keeps_the_traceback_the_exit_code_and_the_rows_so_far(tmp_path: Path) -> None:
    folder = create(tmp_path)
    RunRecorder(folder).order(order())
    try:
        raise Failure("the strategy raised", code=ExitCode.STRATEGY_FAILED)
    except Failure as failure:
        folder.fail(failure)
    error = msgspec.json.decode((tmp_path / RUN_ID / "error.json").read_bytes(), type=RunError)
    assert error.exit_code == ExitCode.STRATEGY_FAILED
    assert "test_a_failed_run_keeps_the_traceback" in error.traceback
    assert pq.read_table(tmp_path / RUN_ID / "orders.parquet").num_rows == 1


def test_closing_trouble_does_not_hide_the_first_error(tmp_path: Path) -> None:
    folder = create(tmp_path)

    def broken() -> None:
        raise OSError("disk full")

    folder.closes(broken)
    folder.fail(ValueError("first"))
    error = msgspec.json.decode(folder.file("error.json").read_bytes(), type=RunError)
    assert error.message == "first"
    assert "disk full" in error.traceback


def test_a_sealed_run_can_no_longer_fail(tmp_path: Path) -> None:
    folder = create(tmp_path)
    folder.seal()
    folder.fail(ValueError("late"))
    assert not folder.file("error.json").exists()


def test_opening_a_run_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no run 'nope'") as caught:
        RunFolder.open(tmp_path, "nope")
    assert caught.value.code == ExitCode.RUN_NOT_FOUND
