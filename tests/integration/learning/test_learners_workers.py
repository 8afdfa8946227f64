"""Folds in other processes, and on Ray, are the same to the bit as in this one."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from tests.unit.learning.made_rows import made_rows
from tradingd.config.training import LightGbm, TrainingConfig, Tuning, WalkForward
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.tune import tune
from tradingd.learning.walk import WalkResult, walk_forward

LEARNER = LightGbm(trees=30, min_rows=20, patience=5)
TRAINING = TrainingConfig(
    learner=LEARNER,
    walk_forward=WalkForward(train=60, validation=20, test=20),
    tuning=Tuning(trials=2, folds=2),
)

ON_RAY = """
import sys
import numpy as np
from tests.integration.learning.test_learners_workers import LEARNER, TRAINING
from tests.unit.learning.made_rows import made_rows
from tradingd.learning.walk import walk_forward

result = walk_forward(made_rows(sessions=140), TRAINING, LEARNER, 3, workers=2, launcher="ray")
np.save(sys.argv[1], np.stack([result.score, result.probability]), allow_pickle=False)
"""


def same(one: WalkResult, other: WalkResult) -> bool:
    names = ("rows", "score", "probability", "low", "high", "fold")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_two_processes_walk_and_tune_as_one_does_and_are_gone_afterwards() -> None:
    dataset = made_rows(sessions=140)
    told: list[tuple[int, int]] = []
    before = set(psutil.Process().children(recursive=True))

    here = walk_forward(dataset, TRAINING, LEARNER, 3)
    there = walk_forward(
        dataset, TRAINING, LEARNER, 3, workers=2, on_step=lambda done, of: told.append((done, of))
    )
    alone, both = (
        tune(dataset, msgspec.structs.replace(TRAINING, workers=workers), 3) for workers in (1, 2)
    )

    assert same(here, there)
    assert [one.calibration for one in here.steps] == [one.calibration for one in there.steps]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert np.array_equal(alone.returns(), both.returns())
    left = [one for one in psutil.Process().children(recursive=True) if one not in before]
    assert not [one for one in left if "resource_tracker" not in " ".join(one.cmdline())]


def test_a_refusal_in_another_process_arrives_whole() -> None:
    refused = msgspec.structs.replace(LEARNER, monotone={"nowhere": 1})

    with pytest.raises(Failure) as caught:
        walk_forward(made_rows(sessions=140), TRAINING, refused, 3, workers=2)

    assert caught.value.code is ExitCode.CONFIG
    assert caught.value.where == "training.learner.monotone.nowhere"


@pytest.mark.ray
@pytest.mark.slow
def test_ray_walks_as_this_process_does(tmp_path: Path) -> None:
    here = walk_forward(made_rows(sessions=140), TRAINING, LEARNER, 3)

    # Unix socket paths have room for 107 characters; pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="tr", dir="/tmp") as home:
        token = Path(home) / "token"
        token.write_text(secrets.token_hex(32))
        token.chmod(0o600)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "RAY_TMPDIR": home,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        answer = tmp_path / "answer.npy"
        ended = subprocess.run(
            [sys.executable, "-c", ON_RAY, str(answer)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    assert ended.returncode == 0, ended.stderr[-3_000:]
    score, probability = np.load(answer)
    assert np.array_equal(score, here.score)
    assert np.array_equal(probability, here.probability)
