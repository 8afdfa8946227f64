"""How many models were tried is counted from the store, whatever became of them."""

import math
import sqlite3
from pathlib import Path

import pytest

from tests.integration.registry.conftest import Keep
from tradingd.config.registry import RegistryConfig
from tradingd.kits.failure import ExitCode, Failure
from tradingd.registry.client import DATABASE
from tradingd.registry.open import Registry, open_registry


def tried(registry: Registry, name: str, sharpes: list[float | None]) -> None:
    with registry.run(name) as run:
        for number, sharpe in enumerate(sharpes):
            registry.log_trial(
                run, number=number, parameters={"leaves": number}, score=0.5, sharpe=sharpe
            )


def test_trials_add_up_over_trainings_and_those_of_other_names_do_not(registry: Registry) -> None:
    tried(registry, "swing", [0.1, None, 0.3])
    tried(registry, "other", [9.0] * 4)
    tried(registry, "swing", [math.nan, -0.2])
    found = registry.trials("swing")
    assert (found.count, found.sharpes) == (5, (0.1, 0.3, -0.2))
    assert registry.trials("never").count == 0


def test_a_run_knows_what_was_tried_before_it(registry: Registry) -> None:
    tried(registry, "swing", [0.1, 0.2])
    assert registry.start_run("swing").before == 2


def test_deleted_trials_were_tried_all_the_same(registry: Registry, root: Path) -> None:
    from mlflow.tracking import MlflowClient

    tried(registry, "swing", [0.1, 0.2, 0.3])
    uri = f"sqlite:///{root / DATABASE}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.get_experiment_by_name("swing")
    for run in client.search_runs([experiment.experiment_id])[:2]:
        client.delete_run(run.info.run_id)
    found = registry.trials("swing")
    assert (found.count, found.sharpes) == (3, (0.1, 0.2, 0.3))
    client.delete_experiment(experiment.experiment_id)
    assert registry.trials("swing").count == 3
    tried(registry, "swing", [0.4])
    assert registry.trials("swing").count == 4


def test_trials_that_were_wiped_from_the_store_still_count(registry: Registry, root: Path) -> None:
    tried(registry, "swing", [0.1, 0.2, 0.3])
    with sqlite3.connect(root / DATABASE) as database:
        for table in ("latest_metrics", "metrics", "params", "tags", "runs"):
            database.execute(f"delete from {table}")
    database.close()
    found = open_registry(RegistryConfig(root=str(root))).trials("swing")
    assert (found.count, found.sharpes) == (3, ())


def fail_after_a_trial(registry: Registry) -> None:
    with registry.run("swing") as run:
        registry.log_trial(run, number=0, parameters={}, score=None, sharpe=0.1)
        raise RuntimeError("out of memory")


def test_a_training_that_fails_has_tried_what_it_tried(registry: Registry) -> None:
    with pytest.raises(RuntimeError, match="out of memory"):
        fail_after_a_trial(registry)
    assert registry.trials("swing").count == 1


def test_a_manifest_cannot_state_fewer_trials_than_were_counted(
    registry: Registry, keep: Keep
) -> None:
    tried(registry, "gap_fade", [0.1] * 6)
    with pytest.raises(Failure) as refused:
        keep(trials=6)
    assert refused.value.code == ExitCode.CONTRACT
    assert "at least the 7" in refused.value.expected
    # The refused training counts as well.
    assert keep(trials=8) == 1


def test_a_store_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"something else" * 100)
    with pytest.raises(Failure) as refused:
        open_registry(RegistryConfig(root=str(tmp_path))).names()
    assert refused.value.code == ExitCode.REGISTRY
    assert "database" in refused.value.found


def test_a_server_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = RegistryConfig(root=str(tmp_path), tracking="http://127.0.0.1:9")
    with pytest.raises(Failure) as refused:
        open_registry(away).names()
    assert (refused.value.code, refused.value.where) == (ExitCode.REGISTRY, "http://127.0.0.1:9")
