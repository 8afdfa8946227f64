"""`python -m tests.benchmarks.features_live`: one more minute bar of 500 symbols, 40 features each.

Milliseconds of a whole moment, every feature of conf/features/minute.yaml (or as many as asked for)
of every symbol, after a hundred others. `cpu_ms` is what it costs; `ms` also counts what
the machine's other work takes away.
"""

import argparse
import sys
import time

import msgspec
import numpy as np

from tests.benchmarks import features_bars
from tradingd.config.load import load
from tradingd.domain.feed import Batch
from tradingd.features.compile import compile_features
from tradingd.features.live import LiveFeatures
from tradingd.features.moments import Moments

WARM = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--moments", type=int, default=60)
    given = parser.parse_args()
    config = load(["features=minute"]).config.features
    # Last come those that others need; the declared order is that of the file.
    names = list(config.declared)[-given.features :]
    needed = {one["of"] for name in names if "of" in (one := config.declared[name])}
    chosen = {name: one for name, one in config.declared.items() if name in {*names, *needed}}
    wanted = compile_features(
        msgspec.structs.replace(config, declared=chosen), calendar=features_bars.CALENDAR
    )
    series = features_bars.walks(given.symbols, WARM + given.moments, minutes=True)
    moments = Moments(series).moments
    live = LiveFeatures(wanted, [one.symbol for one in series])
    took, worked = [], []
    for number, (ts, moment) in enumerate(moments):
        batch = Batch(ts, tuple(moment.bars))
        began, busy = time.perf_counter(), time.process_time()
        live.observe(batch)
        if number >= WARM:
            took.append((time.perf_counter() - began) * 1e3)
            worked.append((time.process_time() - busy) * 1e3)
    values = given.symbols * len(wanted)
    sys.stdout.write(
        f"SUMMARY symbols={given.symbols} features={len(wanted)} moments={len(took)} "
        f"ms_p50={np.median(took):.1f} ms_p99={np.quantile(took, 0.99):.1f} "
        f"cpu_ms_p50={np.median(worked):.1f} "
        f"cpu_us_per_value={np.median(worked) * 1e3 / values:.2f}\n"
    )


if __name__ == "__main__":
    main()
