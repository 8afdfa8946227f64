"""`python -m tests.benchmarks.daemon`: measure the daemon's goals, print figures and ratios.

python -m tests.benchmarks.daemon            everything (about 4 minutes on two cores)
python -m tests.benchmarks.daemon lag halt   only these cases

Nothing is asserted. Each case is a process of its own that prints one JSON line.
"""

import argparse
from collections.abc import Mapping

from tests.benchmarks.__main__ import measure, say
from tradingd.cli import screen

ROUNDS = 3


def halt() -> None:
    """Put a halt of 100 orders beside bare cancels at the same kind of broker."""
    found = measure("daemon.halt")
    limit = found["bare"]["one_by_one"]["p50"]
    rows = [
        ["halt, asked at the control socket", found["halt"]["asked"]],
        ["halt, as the daemon timed it", found["halt"]["inside"]],
        ["bare cancels, one after the other", found["bare"]["one_by_one"]],
        ["bare cancels, all at once", found["bare"]["at_once"]],
    ]
    screen.table(
        "100 open orders cancelled and confirmed at the broker, 10 tries",
        ["", "p50 ms", "max ms", "p50 against one by one"],
        [
            [name, f"{one['p50']:.0f}", f"{one['max']:.0f}", f"{one['p50'] / limit:.2f}"]
            for name, one in rows
        ],
    )


def latency() -> None:
    """Show the way of an order from the bar to the broker's socket, part by part."""
    for symbols, batches in ((1, 300), (50, 60)):
        words = ("--symbols", str(symbols), "--batches", str(batches))
        found = measure("daemon.latency", *words)
        screen.table(
            f"Batch of {symbols} bars, an order for each ({found['orders']:,} orders); "
            "budget: 50 ms signal, 200 ms order",
            ["", "p50 ms", "p99 ms", "max ms"],
            [[name, *_milliseconds(one)] for name, one in found["us"].items()],
        )


def _milliseconds(one: Mapping[str, float]) -> list[str]:
    return [f"{one[name] / 1e3:.2f}" for name in ("p50", "p99", "max")]


def lag() -> None:
    """Show how long the loop stands still; other programs of the machine are part of `wall`."""
    rows = []
    for number in range(ROUNDS):
        say(f"lag round {number + 1} of {ROUNDS}")
        one = measure("daemon.lag")
        rows.append(
            [
                number + 1,
                f"{one['first_ms']:.0f} / {one['first_cpu_ms']:.0f}",
                f"{one['max_ms']:.0f} / {one['max_cpu_ms']:.0f}",
                f"{one['p50_ms']:.0f} / {one['p50_cpu_ms']:.0f}",
                f"{one['batch_ms']:.0f}",
                f"{one['orders']:,}",
            ]
        )
    screen.table(
        "Longest stand-still of the loop per batch, ms wall / CPU: "
        "60 batches, 500 symbols, 30 strategies (goal: < 50 after READY)",
        ["round", "first batch", "max of the others", "p50", "batch", "orders"],
        rows,
    )


def memory() -> None:
    """Show resident memory by day."""
    one = measure("daemon.memory")
    first = next(iter(one["days"].values()))
    screen.table(
        f"RSS at the end of each day, {one['orders']:,} orders, purging on (goal: growth < 5 %)",
        ["day", "MB", "against day one"],
        [[day, f"{size:.0f}", f"{100 * (size / first - 1):+.1f} %"] for day, size in
         one["days"].items()],
    )  # fmt: skip


def start() -> None:
    """Show the way to READY, the stop, and idleness."""
    one = measure("daemon.start")
    screen.table(
        "Start to READY by step (goal: < 10 s)",
        ["step", "s"],
        [[name, f"{seconds:.2f}"] for name, seconds in one["steps"].items()],
    )
    screen.summary(
        {
            "ready_s": f"{one['ready_s']:.1f}",
            "stop_s": f"{one['stop_s']:.1f}",
            "idle_cpu_percent": f"{one['idle_cpu_percent']:.1f}",
            "rss_mb": f"{one['rss_mb']:.0f}",
        }
    )


def throughput() -> None:
    """Show rates of the simulated broker alone and of whole sessions."""
    one = measure("daemon.throughput")
    screen.table(
        "The simulated broker alone",
        ["operation", "per second"],
        [[name, f"{rate:,.0f}"] for name, rate in one["simbroker_per_s"].items()],
    )
    screen.table(
        "A whole session at full speed (feed.speed=0)",
        ["", "batches/s", "fills/s", "cores the daemon used"],
        [
            [name, *(f"{rates[key]:,.1f}" for key in ("batches/s", "fills/s", "daemon CPU"))]
            for name, rates in one["sessions"].items()
        ],
    )


CASES = {
    "start": start,
    "halt": halt,
    "latency": latency,
    "lag": lag,
    "memory": memory,
    "throughput": throughput,
}


def main() -> None:
    """Run the asked cases."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.daemon", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", default=list(CASES), help=", ".join(CASES)
    )
    for name in parser.parse_args().cases:
        say(name)
        CASES[name]()


if __name__ == "__main__":
    main()
