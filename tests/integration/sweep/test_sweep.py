"""Sweeps through Hydra's real sweepers and launchers."""

import json
import os
from pathlib import Path

import pytest

from tradingd.app.sweep import sweep
from tradingd.app.sweep_report import SweepReport
from tradingd.config.environment import Environment
from tradingd.config.load import load
from tradingd.config.sweep_plan import plan_sweep
from tradingd.kits.failure import ExitCode, Failure


def run(tmp_path: Path, function: str, *overrides: str) -> SweepReport:
    return sweep(
        ["strategy=ema_cross", f"mode.results='{tmp_path / 'runs here'}'", *overrides],
        function=f"sweep_trials:{function}",
    )


def varying(report: SweepReport, number: int) -> list[str]:
    trial = next(one for one in report.trials if one.number == number)
    return [text for text in trial.overrides if text.split("=")[0] in report.parameters]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the trial functions importable, here and so in the workers; restore the threads."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


def test_a_grid_runs_every_combination_and_ranks_the_best_first(tmp_path: Path) -> None:
    report = run(tmp_path, "parabola", "strategy.fast=5,10", "strategy.slow=30,50")
    # The score is the negative square of (fast - 10), less slow/1000.
    assert [trial.objective for trial in report.trials] == [-0.03, -0.05, -25.03, -25.05]
    assert varying(report, report.best or 0) == ["strategy.fast=10", "strategy.slow=30"]
    assert (report.done, report.refused, report.failed, report.exit_code) == (4, 0, 0, 0)


def test_a_trial_is_the_configuration_that_the_same_overrides_load(tmp_path: Path) -> None:
    report = run(tmp_path, "parabola", "strategy.fast=5,10", "strategy.slow=30")
    assert {trial.config_hash for trial in report.trials} == {
        load(
            ["mode=backtest", "strategy=ema_cross", f"strategy.fast={fast}", "strategy.slow=30"]
        ).hash
        for fast in (5, 10)
    }


def test_the_environment_layer_reaches_the_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(tmp_path, "parabola", "broker=ibkr", "strategy.fast=5")
    monkeypatch.setenv("IB_HOST", "10.0.0.9")
    assert Environment(values={}).values == {}
    changed = run(tmp_path, "parabola", "broker=ibkr", "strategy.fast=5")
    stated = run(tmp_path, "parabola", "broker=ibkr", "broker.host=127.0.0.1", "strategy.fast=5")
    assert changed.trials[0].config_hash != plain.trials[0].config_hash
    assert stated.trials[0].config_hash == plain.trials[0].config_hash


def test_a_contradictory_trial_is_a_refused_row_and_the_sweep_succeeds(tmp_path: Path) -> None:
    report = run(tmp_path, "parabola", "strategy.fast=20,5", "strategy.slow=10")
    refused = next(trial for trial in report.trials if trial.status == "refused")
    assert refused.exit_code == ExitCode.CONFIG
    assert "fast (20) must be shorter than slow (10)" in (refused.error or "")
    assert report.trials[-1] == refused
    assert (report.done, report.refused, report.exit_code) == (1, 1, 0)


def test_a_failed_trial_is_a_row_with_its_error_and_the_others_run(tmp_path: Path) -> None:
    report = run(tmp_path, "breaks_at_five", "strategy.fast=4,5,10")
    failed = next(trial for trial in report.trials if trial.status == "failed")
    assert failed.error == "the strategy raised ZeroDivisionError | at: bar 50"
    assert failed.exit_code == ExitCode.STRATEGY_FAILED
    assert (report.done, report.failed) == (2, 1)
    assert report.exit_code == ExitCode.TRIALS_FAILED
    traceback = Path(report.folder) / "errors" / f"{failed.number:05d}.txt"
    assert "sweep_trials.py" in traceback.read_text()


def test_a_sweep_leaves_its_report_and_its_timing_and_nothing_of_hydra(tmp_path: Path) -> None:
    before = sorted(Path.cwd().iterdir())
    report = run(tmp_path, "parabola", "strategy.fast=5,10")
    folder = Path(report.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["sweep.json", "timing.json"]
    assert json.loads((folder / "sweep.json").read_text())["best"] == report.best
    assert {one["pid"] for one in json.loads((folder / "timing.json").read_text())["trials"]} == {
        os.getpid()
    }
    assert sorted(Path.cwd().iterdir()) == before


def test_the_same_sweep_twice_gives_the_same_rows_in_a_folder_of_its_own(tmp_path: Path) -> None:
    first = run(tmp_path, "parabola", "strategy.fast=5,10")
    second = run(tmp_path, "parabola", "strategy.fast=5,10")
    assert second.trials == first.trials
    assert second.folder == first.folder + "-2"


def test_run_folders_of_trials_go_inside_the_sweep_folder(tmp_path: Path) -> None:
    report = run(tmp_path, "echoes_where_results_go", "strategy.fast=5")
    assert report.trials[0].run_id == f"runs@{report.sweep_id}"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("strategy.fats=5,10", "did you mean strategy.fast"),
        ("strategy=ema_cros,swing_trend", "ema_cros"),
        ("hydra/launcher=joblibb", "joblibb"),
        ("hydra/sweeper=optunaa", "optunaa"),
    ],
)
def test_a_mistake_of_every_trial_is_refused_before_anything_is_written(
    tmp_path: Path, override: str, said: str
) -> None:
    with pytest.raises(Failure) as caught:
        run(tmp_path, "parabola", override)
    assert caught.value.code == ExitCode.CONFIG
    assert said in caught.value.line()
    assert not list((tmp_path / "runs here").glob("sweeps/*"))


def test_an_unknown_objective_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        sweep([f"mode.results={tmp_path}", "strategy.fast=5,6"], objective="sharp")
    assert caught.value.code == ExitCode.USAGE
    assert "sharpe" in caught.value.line()
    assert not list(tmp_path.iterdir())


def test_progress_counts_every_trial(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    sweep(
        ["strategy=ema_cross", f"mode.results={tmp_path}", "strategy.fast=5,10,15"],
        function="sweep_trials:parabola",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)


def test_joblib_spreads_the_trials_over_processes(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "slow_enough_to_spread",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "strategy.fast=5,10",
    )
    timing = json.loads((Path(report.folder) / "timing.json").read_text())["trials"]
    assert len({one["pid"] for one in timing} - {os.getpid()}) == 2
    assert [trial.objective for trial in report.trials] == [-0.1, -25.1]
    assert {trial.metrics["omp_threads"] for trial in report.trials} == {1.0}


def test_a_killed_worker_costs_rows_with_the_reason_and_keeps_the_finished_ones(
    tmp_path: Path,
) -> None:
    report = run(
        tmp_path,
        "dies_at_five",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "strategy.fast=10,12,14,5",
    )
    by_number = {trial.number: trial for trial in report.trials}
    assert sorted(by_number) == [0, 1, 2, 3]
    assert by_number[0].status == "done"
    assert by_number[3].status == "failed"
    assert "terminated" in (by_number[3].error or "").lower()
    assert varying(report, 3) == ["strategy.fast=5"]
    assert report.exit_code == ExitCode.TRIALS_FAILED


def test_an_interrupted_sweep_keeps_what_was_done(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "interrupted_at_five", "strategy.fast=10,5,12")
    (kept,) = (tmp_path / "runs here").glob("sweeps/*/sweep.json")
    trials = {one["number"]: one for one in json.loads(kept.read_text())["trials"]}
    assert trials[0]["status"] == "done"
    assert "KeyboardInterrupt" in trials[1]["error"]
    assert trials[2]["overrides"][-1] == "strategy.fast=12"


def test_optuna_searches_towards_the_best_and_survives_failed_trials(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "breaks_at_five",
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=10",
        "strategy.fast=choice(5,9,14)",
    )
    assert len(report.trials) == 10
    assert report.failed > 0
    assert report.done > 0
    assert varying(report, report.best or 0) == ["strategy.fast=9"]
    assert report.exit_code == ExitCode.TRIALS_FAILED


def test_optuna_with_the_same_seed_asks_for_the_same_trials(tmp_path: Path) -> None:
    search = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "strategy.fast=range(2,90)")
    first = run(tmp_path, "parabola", *search)
    again = run(tmp_path, "parabola", *search)
    other = run(tmp_path, "parabola", *search, "seed=8")
    assert again.trials == first.trials
    assert {varying(first, one.number)[0] for one in first.trials} != {
        varying(other, one.number)[0] for one in other.trials
    }


def test_optuna_with_only_failing_trials_still_reports_them_and_logs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = run(
        tmp_path,
        "always_breaks",
        "hydra/sweeper=optuna",
        "hydra.sweeper.n_trials=3",
        "strategy.fast=range(2,90)",
    )
    assert [trial.error for trial in report.trials] == ["LookupError: nothing here"] * 3
    assert (report.best, report.exit_code) == (None, ExitCode.TRIALS_FAILED)
    assert not caplog.records


def test_minimising_ranks_the_smallest_first(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "parabola",
        "hydra/sweeper=optuna",
        "hydra/sweeper/sampler=grid",
        "hydra.sweeper.direction=minimize",
        "strategy.fast=choice(5,10)",
    )
    assert report.direction == "minimize"
    assert [trial.objective for trial in report.trials] == [-25.1, -0.1]


def test_optuna_maximises_unless_told_otherwise() -> None:
    search = ["mode=backtest", "hydra/sweeper=optuna", "strategy.fast=range(1,9)"]
    assert "++hydra.sweeper.direction=maximize" in plan_sweep(search).settings
    stated = plan_sweep([*search, "hydra.sweeper.direction=minimize"])
    assert not any("direction" in setting for setting in stated.settings)


def test_the_plan_knows_how_many_trials_there_will_be() -> None:
    stated = ["mode=backtest", "strategy=ema_cross"]
    assert plan_sweep([*stated, "strategy.fast=1,2,3", "strategy.slow=range(5,9)"]).jobs == 12
    optuna = [*stated, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=7"]
    assert plan_sweep([*optuna, "strategy.fast=range(1,9)"]).jobs == 7
    grid = [*optuna, "hydra/sweeper/sampler=grid"]
    assert plan_sweep([*grid, "strategy.fast=choice(1,2)"]).jobs == 2
