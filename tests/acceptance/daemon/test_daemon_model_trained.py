"""From a training by the command to a session that its model serves, by the gates as they are."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.daemon.paper import Paper
from tests.acceptance.planted.market import write_market

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

DECLARED = {
    "return_1": {"kind": "log_return", "bars": 1},
    "return_5": {"kind": "return", "bars": 5},
    "rank_5": {"kind": "rank", "of": "return_5"},
    "rsi": {"kind": "rsi", "bars": 5},
    "volume_ratio": {"kind": "volume_ratio", "bars": 10},
    "ema": {"kind": "ema_ratio", "bars": 3},
    "natr": {"kind": "natr", "bars": 3},
    "weekday": {"kind": "day_of_week"},
}
UNQUOTED = json.dumps(DECLARED).replace(chr(34), "")
SMALL = (
    "training.name=planted",
    "training.learner.trees=40",
    "training.learner.min_rows=50",
    "training.tuning.trials=4",
    "training.combinatorial.groups=3",
    "training.combinatorial.test_groups=1",
    "training.walk_forward={train: 126, validation: 30, test: 63}",
    "training.workers=1",
)


def test_a_model_that_passes_the_gates_serves_a_session_that_sees_what_it_learned_from(
    paper: Make, home: Path
) -> None:
    _, last = write_market(home / "history", seed=5, strength=0.37, symbols=30, sessions=500)
    until = last - dt.timedelta(60)
    shared = (
        f"store.root={home / 'history'}",
        f"registry.root={home / 'registry'}",
        "features=own",
        f"features.declared={UNQUOTED}",
        "strategy=model_signal",
    )
    daemon = paper(*shared, "model=registry", "model.name=planted", "strategy.max_positions=3")
    end = f"training.end={until}"
    trained = daemon.tradingd("model", "train", "--json", "--promote", *shared, *SMALL, end)
    assert trained.returncode == 0, (trained.stdout[:3_000], trained.stderr)
    assert json.loads(trained.stdout)["promoted"]
    feed = ("feed=replay", "feed.data=store", "feed.speed=0")
    daemon.start(*feed, f"feed.start={until + dt.timedelta(1)}", f"feed.end={last}")
    assert daemon.wait() == 0, daemon.errors()
    assert "learned among" not in daemon.errors()
    reasons = [one["reason"] for one in daemon.rows("SELECT * FROM orders WHERE purpose='ENTRY'")]
    assert reasons
    assert all("model planted@1: probability 0." in one for one in reasons)
    words = (*daemon.overrides, "--instance", daemon.instance)
    ended = daemon.tradingd("model", "parity", "--json", *words)
    assert ended.returncode == 0, ended.stdout
    (one,) = json.loads(ended.stdout)["parity"]["models"]
    found = one["compared"]
    assert one["model"] == "planted@1"
    assert found["rows"] == found["predictions"] > 500
    assert [each for each in found["features"] if each["outside"]] == []
    assert (found["absent"], found["repeats_differ"]) == (0, 0)
    assert found["splits_known"]
    assert [each for each in found["differences"] if not each["explained"]] == []
