"""Measure what speaks Alpaca's protocols and print ratios, never verdicts.

python -m tests.benchmarks.alpaca          every case
python -m tests.benchmarks.alpaca decode   stream frames to objects, against alpaca-py's client
python -m tests.benchmarks.alpaca reconnect   a broken stream to a shim in step, 1,000 open orders
python -m tests.benchmarks.alpaca signal   a wish to the broker's answer, against alpaca-py alone
"""

import importlib
import sys

CASES = {
    "decode": "tests.benchmarks.alpaca.decode",
    "reconnect": "tests.benchmarks.alpaca.reconnect",
    "signal": "tests.benchmarks.alpaca.signal",
}


def main(words: list[str]) -> int:
    """Run the named cases, or all."""
    unknown = [word for word in words if word not in CASES]
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(unknown)}; cases: {', '.join(CASES)}\n")
        return 2
    for name in words or CASES:
        importlib.import_module(CASES[name]).report()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
