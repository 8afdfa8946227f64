"""A small market with a signal in it, and trainings on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.planted.market import write_market
from tradingd.config.load import Loaded, load

type Compose = Callable[..., Loaded]


@pytest.fixture(scope="package")
def market_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("market") / "history"
    write_market(root, seed=3, strength=0.3, symbols=8, sessions=220)
    return root


@pytest.fixture
def compose(market_root: Path, tmp_path: Path) -> Compose:
    """A configuration of a training that takes seconds; words override it."""

    def made(*words: str) -> Loaded:
        return load(
            [
                "mode=backtest",
                f"mode.results={tmp_path / 'runs'}",
                f"store.root={market_root}",
                f"registry.root={tmp_path / 'registry'}",
                "strategy=model_signal",
                "features=own",
                "features.declared={back: {kind: log_return, bars: 5}, up: {kind: rsi, bars: 2}}",
                "training.name=small",
                "training.tuning.trials=2",
                "training.tuning.folds=2",
                "training.learner.trees=5",
                "training.learner.min_rows=20",
                "training.combinatorial={groups: 3, test_groups: 1}",
                "training.walk_forward={train: 60, validation: 30, test: 60}",
                "training.label={kind: forward_return, bars: 2, relative: true}",
                "training.workers=1",
                *words,
            ]
        )

    return made
