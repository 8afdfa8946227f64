"""From bars to a judged model, through the code that `tradingd model train` runs."""

import tempfile
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from tests.integration.modelling.conftest import Compose
from tradingd.app.backtest import backtest
from tradingd.app.model_registry import registry_of
from tradingd.app.modelling.judge import reconfigured
from tradingd.app.modelling.train import PREDICTIONS, train
from tradingd.config.load import Loaded
from tradingd.kits.failure import ExitCode, Failure

pytestmark = pytest.mark.slow

TASKS = ("classification", "regression", "ranking")
CALIBRATION = {"lightgbm": "platt", "xgboost": "isotonic", "forest": "none"}
# Each task once and each learner once; the other pairs take half a minute more.
QUICK = dict(zip(TASKS, CALIBRATION, strict=True))
PAIRS = [
    pytest.param(task, learner, marks=() if QUICK[task] == learner else pytest.mark.long)
    for task in TASKS
    for learner in CALIBRATION
]


def versions(loaded: Loaded) -> list[int]:
    registry = registry_of(loaded.config)
    name = loaded.config.training.name
    return [one.version for one in registry.entries(name)] if name in registry.names() else []  # type: ignore[union-attr]


def statuses(loaded: Loaded) -> list[str]:
    """How the runs of the registry ended."""
    client = registry_of(loaded.config)._client
    experiment = client.get_experiment_by_name(loaded.config.training.name)
    return sorted(one.info.status for one in client.search_runs([experiment.experiment_id]))


@pytest.mark.parametrize(("task", "learner"), PAIRS)
def test_every_learner_trains_for_every_task_and_is_registered(
    compose: Compose, task: str, learner: str
) -> None:
    loaded = compose(
        f"training.task={task}",
        f"training.learner.kind={learner}",
        f"training.calibration={CALIBRATION[learner]}",
        "training.tuning.trials=1",
    )
    trained = train(loaded)
    assert trained.version == "1"
    assert versions(loaded) == [1]
    report = trained.report
    assert (report.task, report.learner) == (task, learner)
    assert report.folds
    assert report.data.symbols == 8
    # One trial cannot tell luck from skill.
    assert not report.passed
    kept = registry_of(loaded.config).get("small", 1)
    assert kept.manifest.gates is not None
    assert not kept.manifest.gates.passed


def test_the_same_seed_makes_the_same_model_and_another_another(compose: Compose) -> None:
    def artifact(*words: str) -> bytes:
        trained = train(compose(*words, f"training.name=n{len(words)}"))
        return (trained.folder / "model.txt").read_bytes()

    once, twice = artifact("training.workers=1"), artifact("training.workers=1")
    other = artifact("training.workers=1", "seed=8")
    assert once == twice
    assert once != other


def test_what_shuffled_labels_teach_is_counted_and_never_registered(compose: Compose) -> None:
    loaded = compose("training.placebo=true")
    trained = train(loaded, promote_by="somebody")
    assert (trained.version, trained.promoted) == (None, False)
    assert versions(loaded) == []
    assert trained.page.is_file()
    assert registry_of(loaded.config).trials("small").count == 2


def test_the_judge_and_the_rules_alone_earn_what_plain_backtests_earn(
    compose: Compose,
) -> None:
    rules = ("strategy=swing_trend_ml", "strategy.fast=3", "strategy.slow=8")
    trained = train(compose(*rules))
    stamps = pq.read_table(trained.folder / PREDICTIONS)["ts_event"].to_numpy()
    first, last = (str(one)[:10] for one in (stamps.min(), stamps.max()))
    span = (f"mode.start={first}", f"mode.end={last}")
    table = f"model.path={trained.folder / PREDICTIONS}"
    plain = backtest(compose(*rules, "model=predictions", table, *span))
    stated = trained.report.judged["net_return_percent"].value
    assert stated == pytest.approx(plain.metrics.returns.total_return * 100, abs=1e-8)
    alone = compose(*rules, *span).config
    strategy = msgspec.structs.replace(alone.strategy, use_model=None)
    without = backtest(
        reconfigured(compose(*rules), msgspec.structs.replace(alone, strategy=strategy))
    )
    curves = {one.name: one.equity[-1] - 1 for one in trained.report.curves}
    assert curves["rules alone"] == pytest.approx(without.metrics.returns.total_return, abs=1e-8)
    assert curves["with the model"] == pytest.approx(stated / 100, abs=1e-8)


@pytest.mark.parametrize("stage", ["trials", "folds", "judge", "paths", "final model"])
def test_an_interrupted_training_leaves_its_trials_counted_and_nothing_else(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    loaded = compose()

    def interrupt(told: str, _done: int, _every: int) -> None:
        if told == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(loaded, interrupt)
    assert list(scratch.iterdir()) == []
    assert versions(loaded) == []
    tried = registry_of(loaded.config).trials("small").count
    assert tried == (1 if stage == "trials" else 2)
    # The training's own run was called off, its trials are done; none runs on.
    assert statuses(loaded) == [*["FINISHED"] * tried, "KILLED"]


def test_a_refusal_comes_before_anything_is_tried(compose: Compose) -> None:
    loaded = compose("training.learner.monotone={nothing: 1}")
    with pytest.raises(Failure) as refused:
        train(loaded)
    assert refused.value.code is ExitCode.CONFIG
    assert registry_of(loaded.config).trials("small").count == 0


def test_ranking_one_symbol_is_refused(compose: Compose) -> None:
    alone = ("universe=symbols", "universe.symbols=[SAA]", "training.label.relative=false")
    with pytest.raises(Failure, match="one symbol cannot do better") as refused:
        train(compose(*alone, "training.task=ranking"))
    assert refused.value.where == "training.task"
