"""One row's prediction, served against `Booster.predict`: 500 trees, 40 features, alternating.

.venv/bin/python -m tests.benchmarks.predict_row
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np

from tradingd.serving.predictors import predictor_of

FEATURES, TREES, ROWS = 40, 500, 5_000


def trained() -> tuple[Any, Any]:
    """Return rows with two per cent missing, and a booster of all its trees."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, FEATURES))
    x[rng.random(x.shape) < 0.02] = np.nan
    y = (np.nan_to_num(x[:, 0] + x[:, 1] * x[:, 2]) + rng.normal(size=ROWS) > 0).astype(int)
    settings = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 15}
    return x, lightgbm.train(settings, lightgbm.Dataset(x, y), TREES)


def timed(call: Callable[[Any], object], row: Any) -> int:
    """Return what one call took, ns."""
    began = time.perf_counter_ns()
    call(row)
    return time.perf_counter_ns() - began


def main() -> None:
    """Print p50 and p99 of both, and their ratios."""
    x, booster = trained()
    served = predictor_of(booster.model_to_string().encode(), "lightgbm-text", FEATURES, where="-")
    calls = {
        "served": served.one,
        "Booster.predict": lambda row: booster.predict(row.reshape(1, -1)),
        "Booster.predict, 1 thread": lambda row: booster.predict(row.reshape(1, -1), num_threads=1),
    }
    wrong = int(np.sum(booster.predict(x, num_threads=1) != [served.one(row) for row in x]))
    took: dict[str, list[int]] = {name: [] for name in calls}
    for row in x:
        for name, call in calls.items():
            took[name].append(timed(call, row))
    base = np.percentile(took["served"], [50, 99]) / 1e3
    sys.stdout.write(f"{TREES} trees, {FEATURES} features, {ROWS} rows; {wrong} scores differ\n")
    for name, values in took.items():
        p50, p99 = np.percentile(values, [50, 99]) / 1e3
        ratios = f"{p50 / base[0]:.1f} / {p99 / base[1]:.1f} times ours"
        sys.stdout.write(f"{name:28} p50 {p50:6.1f} us   p99 {p99:6.1f} us   {ratios}\n")


if __name__ == "__main__":
    main()
