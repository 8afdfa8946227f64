"""`make bench`: measure each yardstick in a process of its own and print ratios, never verdicts.

python -m tests.benchmarks               everything (about 10 minutes on two cores)
python -m tests.benchmarks engine memory only these cases
python -m tests.benchmarks --scale 0.1   a tenth of the bars, for a quick look
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import dataset
from tradingd.cli import screen

SESSION_BARS = 390
YEAR = 252 * SESSION_BARS
IDLE = ("strategy=custom", "strategy.path=tests.benchmarks.idle:Idle", "strategy.bars=1m")
CROSS = ("strategy=ema_cross",)
PAIRS = 3


def measure(module: str, *words: str) -> dict[str, Any]:
    """Run one benchmark module in a fresh process and return what it printed."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return answer


def store_with(folder: Path, symbols: int, bars: int) -> Path:
    """Build a synthetic store once per size."""
    root = folder / f"{symbols}x{bars}"
    if not root.exists():
        say(f"building {symbols} symbols x {bars:,} bars")
        dataset.build(root / "store", symbols, bars)
    return root


def say(text: str) -> None:
    """Tell what takes time."""
    sys.stderr.write(f"bench: {text}\n")


def universe(symbols: int) -> str:
    """Return the overrides that name the synthetic symbols."""
    return f"universe.symbols=[{','.join(dataset.symbols(symbols))}]"


def engine(folder: Path, scale: float) -> None:
    """Compare `tradingd backtest` with the same strategy written directly on rc7, in pairs."""
    symbols, bars = 50, int(100_000 * scale)
    root = store_with(folder, symbols, bars)
    ours, direct = [], []
    for pair in range(PAIRS):
        say(f"engine pair {pair + 1} of {PAIRS}")
        ours.append(measure("ours", str(root), *CROSS, "universe=symbols", universe(symbols)))
        direct.append(measure("direct_rc7", "--symbols", str(symbols), "--bars", str(bars)))
    rows = [
        _engine_row(f"pair {i + 1}", a, b)
        for i, (a, b) in enumerate(zip(ours, direct, strict=True))
    ]
    ratios = [a["engine_cpu_s"] / b["engine_cpu_s"] for a, b in zip(ours, direct, strict=True)]
    rows.append(["median", "", "", "", "", "", f"{median(ratios):.3f}"])
    screen.table(
        f"Engine CPU, EMA cross, {symbols} symbols x {bars:,} minute bars (goal: ratio <= 1.25)",
        ["", "ours s", "direct s", "ours us/bar", "direct us/bar", "orders ours/direct", "ratio"],
        rows,
    )
    extra = ours[-1]["engine_cpu_s"] - direct[-1]["engine_cpu_s"]
    screen.summary(
        {
            "extra_us_per_bar": f"{extra / ours[-1]['rows'] * 1e6:.2f}",
            "extra_us_per_order": f"{extra / ours[-1]['orders'] * 1e6:.1f}",
        }
    )


def _engine_row(name: str, ours: dict[str, Any], direct: dict[str, Any]) -> list[object]:
    return [
        name,
        f"{ours['engine_cpu_s']:.2f}",
        f"{direct['engine_cpu_s']:.2f}",
        f"{ours['engine_cpu_s'] / ours['rows'] * 1e6:.2f}",
        f"{direct['engine_cpu_s'] / direct['rows'] * 1e6:.2f}",
        f"{ours['orders']:,}/{direct['orders']:,}",
        f"{ours['engine_cpu_s'] / direct['engine_cpu_s']:.3f}",
    ]


def loading(folder: Path, scale: float) -> None:
    """Measure rows per CPU second from Parquet to Arrow and to engine objects."""
    symbols, bars = 50, int(100_000 * scale)
    seen = measure("loading", str(store_with(folder, symbols, bars)), "--symbols", str(symbols))
    screen.table(
        "From stored Parquet, rows per CPU second",
        ["to", "rows/s"],
        [
            ["Arrow chunks in time order", f"{seen['rows'] / seen['arrow_cpu_s']:,.0f}"],
            ["engine objects", f"{seen['rows'] / seen['objects_cpu_s']:,.0f}"],
        ],
    )


def memory(folder: Path, scale: float) -> None:
    """Measure peak memory without orders over symbols and years, and bytes per order."""
    rows = []
    for symbols, years in ((10, 1), (50, 1), (10, 5), (50, 5)):
        bars = int(YEAR * years * scale)
        root = store_with(folder, symbols, bars)
        say(f"memory, {symbols} symbols, {years} years")
        seen = measure("ours", str(root), *IDLE, "universe=symbols", universe(symbols))
        rows.append([symbols, years, f"{seen['rows']:,}", seen["peak_mb"]])
    base = float(rows[0][3])
    screen.table(
        "Peak memory without orders, same rows per chunk (goal: within 20 %)",
        ["symbols", "years", "bars", "peak MB", "against the first"],
        [[*row[:3], f"{row[3]:.0f}", f"{float(row[3]) / base:.2f}"] for row in rows],
    )
    _bytes_per_order(folder, scale)


def _bytes_per_order(folder: Path, scale: float) -> None:
    """Compare the peaks of a long and a short run that trade: orders are the difference."""
    seen = []
    for years in (1, 5):
        root = store_with(folder, 10, int(YEAR * years * scale))
        say(f"bytes per order, {years} years")
        seen.append(measure("ours", str(root), *CROSS, "universe=symbols", universe(10)))
    short, long = seen
    grown = (long["peak_mb"] - short["peak_mb"]) * 1024 * 1024
    screen.table(
        "Memory kept per order (goal: under 5 KB)",
        ["run", "orders", "peak MB", "bytes per order"],
        [
            ["1 year", f"{short['orders']:,}", f"{short['peak_mb']:.0f}", ""],
            [
                "5 years",
                f"{long['orders']:,}",
                f"{long['peak_mb']:.0f}",
                f"{grown / (long['orders'] - short['orders']):,.0f}",
            ],
        ],
    )


def others(folder: Path, scale: float) -> None:
    """Put the same strategy in backtrader and backtesting.py beside ours, one symbol."""
    bars = int(100_000 * scale)
    root = store_with(folder, 1, bars)
    measured = {"tradingd": measure("ours", str(root), *CROSS, "universe=symbols", universe(1))}
    measured["rc7 directly"] = measure("direct_rc7", "--symbols", "1", "--bars", str(bars))
    for library in ("backtesting.py", "backtrader"):
        say(library)
        measured[library] = measure("others", library, "--bars", str(bars))
    base = measured["tradingd"]["engine_cpu_s"]
    screen.table(
        f"One symbol, {bars:,} minute bars, EMA cross (CPU of the event loop)",
        ["", "bars/s", "orders", "time against tradingd"],
        [
            [
                name,
                f"{seen['rows'] / seen['engine_cpu_s']:,.0f}",
                f"{seen['orders']:,}",
                f"{seen['engine_cpu_s'] / base:.2f}",
            ]
            for name, seen in measured.items()
        ],
    )


CASES = {"engine": engine, "loading": loading, "memory": memory, "others": others}


def main() -> None:
    """Run the asked cases in a temporary folder."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", default=list(CASES), help=", ".join(CASES)
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of the bars")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        for name in options.cases:
            CASES[name](Path(folder), options.scale)


if __name__ == "__main__":
    main()
