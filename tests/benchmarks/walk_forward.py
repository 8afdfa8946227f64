"""`python -m tests.benchmarks.walk_forward`: what a second worker is worth in a walk-forward.

Synthetic rows (40 features, one of which says something), LightGBM of up to 200 trees on one
thread each. Runs with one worker and with two alternate; the answers are compared bit for bit.
Starting the workers (about 2 s each, most of it LightGBM's import) is part of the time. Wall time
says something only while nobody else uses the cores: CPU seconds are printed beside it.
"""

import argparse
import os
import resource
import sys
import time
from statistics import median

import numpy as np

from tests.unit.learning.made_rows import made_rows
from tradingd.config.training import LightGbm, TrainingConfig, WalkForward
from tradingd.learning.walk import WalkResult, walk_forward


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--symbols", type=int, default=100)
    asked.add_argument("--sessions", type=int, default=756)
    asked.add_argument("--trees", type=int, default=200)
    asked.add_argument("--pairs", type=int, default=2)
    given = asked.parse_args()
    dataset = made_rows(
        sessions=given.sessions, symbols=given.symbols, features=40, skill=0.1, horizon=5
    )
    training = TrainingConfig(walk_forward=WalkForward())
    learner = LightGbm(trees=given.trees, patience=0)
    # Imports and the page cache are nobody's merit.
    walk_forward(dataset.take(dataset.session < 340), training, LightGbm(trees=1), 1)

    def seconds(workers: int) -> tuple[float, float, WalkResult]:
        began, used = time.perf_counter(), processor_seconds()
        result = walk_forward(dataset, training, learner, 1, workers=workers)
        return time.perf_counter() - began, processor_seconds() - used, result

    pairs = [(seconds(1), seconds(2)) for _ in range(given.pairs)]
    same = all(np.array_equal(one[2].score, two[2].score) for one, two in pairs)
    ratios = [one[0] / two[0] for one, two in pairs]
    alone, both = median(one[0] for one, _ in pairs), median(two[0] for _, two in pairs)
    more = median(two[1] / one[1] for one, two in pairs)
    sys.stdout.write(
        f"{len(dataset):,} rows x 40 features, {len(pairs[0][0][2].steps)} steps of"
        f" {given.trees} trees; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
        f"one worker {alone:.1f} s, two {both:.1f} s: {median(ratios):.2f} times as fast"
        f" ({min(ratios):.2f}-{max(ratios):.2f}); goal 1.8; {more:.2f} times the"
        f" CPU seconds, so {2 / more:.2f} on two cores of its own; predictions"
        f" {'equal to the bit' if same else 'DIFFER'}\n"
    )


def processor_seconds() -> float:
    """Return CPU seconds of this process and of workers that have ended."""
    every = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in every)


if __name__ == "__main__":
    main()
