"""The simulated broker as the place of a run."""

import random
from pathlib import Path
from typing import Any

from tests.crash.hooks import Steps
from tests.crash.life import HASTY, LATEST, Process
from tradingd.simbroker.__main__ import arguments
from tradingd.simbroker.process import serve


class Simulated:
    """The simulated broker; with `exits_apart` no two exits may rest over the same shares."""

    name = "simulated"
    settings = HASTY
    heals = 0.0
    acts = (8, 15)
    pauses = (0.3, 0.03)
    longest_life = 300
    patience = 20.0
    restarts = 0.0

    def __init__(self, *, exits_apart: bool = False) -> None:
        self.exits_apart = exits_apart

    def serve(self, folder: Path) -> int:
        """Be the broker's process."""
        words = ["--state", str(folder), "--socket", str(folder / "b.sock"), "--cash", "10000000"]
        return serve(arguments().parse_args(words), lambda: None)

    def process(self, folder: Path, steps: Steps, **options: Any) -> Process:
        """Put a process together."""
        return Process(folder, steps, exits_apart=self.exits_apart, **options)

    def faults(self, rng: random.Random, slow: bool) -> dict[str, object]:
        """Draw a plan of misbehaviour; mild, so that a life gets somewhere."""
        share = rng.choice((0.0, 0.05, 0.1))
        kinds = ("drop_request", "drop_response", "late_response", "reject")
        odds = dict.fromkeys(kinds, share)
        odds |= {"disconnect_before": share / 6, "disconnect_after": share / 6}
        odds |= {"delay": 2 * share, "partial": 0.3, "duplicate": share, "reorder": share}
        return {
            "seed": rng.randint(0, 10**9),
            "probabilities": odds,
            "delay_seconds": [0.1, LATEST] if slow else [0.001, 0.02],
            "late_seconds": [0.04, 0.08],
            "refuse_seconds": rng.choice((0.0, 0.05)),
            # Every life begins with a broker that is about to go away, now and then.
            "disconnect_now": rng.random() < 0.1,
            "script": {"cancel": [cancel(rng) for _ in range(40)]} if rng.random() < 0.5 else {},
        }


def cancel(rng: random.Random) -> object:
    """Draw what happens to a cancel: often lost or late, so that exits and stops race."""
    late = {"fault": "delay", "seconds": rng.uniform(0.005, 0.02)}
    return rng.choice(("ok", "ok", "drop_request", "drop_response", late, late))
