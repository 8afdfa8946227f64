"""Small trial functions that workers import by name."""

import os
import time
from pathlib import Path

from tradingd.app.trial import Finished
from tradingd.config.load import Loaded
from tradingd.config.strategy import EmaCross
from tradingd.kits.failure import ExitCode, Failure


def parabola(loaded: Loaded) -> Finished:
    """Score highest, 0, at fast=10; slow breaks ties a little."""
    strategy = loaded.config.strategy
    assert isinstance(strategy, EmaCross)
    score = -((strategy.fast - 10) ** 2) - strategy.slow / 1000
    return Finished(metrics={"sharpe": score, "trades": 3.0}, run_id=f"fast-{strategy.fast}")


def breaks_at_five(loaded: Loaded) -> Finished:
    """Fail for fast=5 as a strategy with a bug would."""
    strategy = loaded.config.strategy
    assert isinstance(strategy, EmaCross)
    if strategy.fast == 5:
        raise Failure(
            "the strategy raised ZeroDivisionError", code=ExitCode.STRATEGY_FAILED, where="bar 50"
        )
    return parabola(loaded)


def always_breaks(loaded: Loaded) -> Finished:
    """Fail with an exception of its own."""
    raise LookupError("nothing here")


def interrupted_at_five(loaded: Loaded) -> Finished:
    """Behave as if a person pressed Ctrl-C during fast=5."""
    strategy = loaded.config.strategy
    assert isinstance(strategy, EmaCross)
    if strategy.fast == 5:
        raise KeyboardInterrupt
    return parabola(loaded)


def dies_at_five(loaded: Loaded) -> Finished:
    """Kill the worker process for fast=5."""
    strategy = loaded.config.strategy
    assert isinstance(strategy, EmaCross)
    if strategy.fast == 5:
        os._exit(9)
    return parabola(loaded)


def slow_enough_to_spread(loaded: Loaded) -> Finished:
    """Take long enough that one worker cannot do every trial, and show the thread setting."""
    time.sleep(1.5)
    found = parabola(loaded)
    return Finished(
        metrics={**found.metrics, "omp_threads": float(os.environ["OMP_NUM_THREADS"])},
        run_id=found.run_id,
    )


def echoes_where_results_go(loaded: Loaded) -> Finished:
    """Prove that the run folder would lie inside the sweep folder."""
    results = Path(loaded.config.mode.results)  # type: ignore[union-attr] # sweeps run backtests
    return Finished(metrics={"sharpe": 1.0}, run_id=results.name + "@" + results.parent.name)
