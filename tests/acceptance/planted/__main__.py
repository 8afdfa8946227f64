"""How often the gates accept a market with a signal in it, and one whose labels were shuffled.

``python -m tests.acceptance.planted --seeds 20`` trains twice for each seed, through the same code
as ``tradingd model train``, and prints a line for each and the rates.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.acceptance.planted.experiment import Answer, experiment


def main() -> int:
    """Run the seeds."""
    parser = argparse.ArgumentParser(prog="tests.acceptance.planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--strength", type=float, default=0.35)
    given = parser.parse_args()
    planted: list[Answer] = []
    shuffled: list[Answer] = []
    for seed in range(given.first, given.first + given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            for placebo, answers in ((False, planted), (True, shuffled)):
                answers.append(
                    experiment(Path(folder), seed=seed, strength=given.strength, placebo=placebo)
                )
                sys.stdout.write(answers[-1].line() + "\n")
                sys.stdout.flush()
    for name, answers in (("planted signal", planted), ("shuffled labels", shuffled)):
        accepted = sum(one.passed for one in answers)
        sys.stdout.write(f"{name}: accepted {accepted} of {len(answers)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
