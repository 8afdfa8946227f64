"""How long one prediction takes, as it is served."""

from pathlib import Path
from time import perf_counter_ns

import numpy as np

from tradingd.learning.dataset import Floats
from tradingd.serving.predictors import load_predictor

_ROWS = 3_000
_WARM = 200


def latency_p99_us(path: Path, model_format: str, rows: Floats) -> float:
    """Return the 99th percentile of single-row predictions, in microseconds."""
    predictor = load_predictor(path, model_format, rows.shape[1])
    taken = np.empty(_ROWS + _WARM)
    for number in range(len(taken)):
        row = np.ascontiguousarray(rows[number % len(rows)])
        began = perf_counter_ns()
        predictor.one(row)
        taken[number] = perf_counter_ns() - began
    return float(np.quantile(taken[_WARM:], 0.99) / 1_000)
