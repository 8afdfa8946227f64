"""Print how near the features and predictions of paper sessions come to those of the store.

    python -m tests.acceptance.served [REAL_DATA]

REAL_DATA is a folder with LEAN's bars in `lean/`; without it only the embedded daily bars are
played. About a minute.
"""

import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from tests.acceptance.daemon.model_market import SPLITS, TRAINED_TO, ModelMarket
from tests.acceptance.daemon.paper import Paper

ASKING: Final = ("strategy.max_positions=1", "model.drift_limit=1000", "model.record_days=5000")


class Case(NamedTuple):
    """Bars, features, the last day learned from, and the days of the session."""

    name: str
    importing: tuple[str, ...]
    overrides: tuple[str, ...]
    until: dt.date
    days: tuple[str, ...]


def cases(real_data: str) -> list[Case]:
    """Return what is played."""
    found = [
        Case(
            "embedded daily bars, AAPL splits",
            ("source=sample",),
            ("features=daily",),
            TRAINED_TO,
            SPLITS,
        )
    ]
    if not real_data:
        return found
    lean = ("source=lean", f"source.path={Path(real_data).resolve() / 'lean'}")
    daily, minute = "[SPY,AAPL,BAC,IBM]", "[SPY,AIG,BAC,IBM]"
    two = "features.declared.relative_volume_5={kind: relative_volume, sessions: 2}"
    return [
        *found,
        Case(
            "LEAN daily bars, AAPL splits seven for one",
            (*lean, f"source.symbols={daily}"),
            ("features=daily", "universe=symbols", f"universe.symbols={daily}"),
            dt.date(2012, 12, 31),
            ("feed.start=2013-06-03", "feed.end=2014-12-31"),
        ),
        Case(
            "LEAN minute bars",
            (*lean, f"source.symbols={minute}"),
            ("features=minute", two, "universe=symbols", f"universe.symbols={minute}"),
            dt.date(2013, 10, 9),
            ("feed.start=2013-10-10",),
        ),
    ]


def told(case: Case, home: Path) -> str:
    """Play a session; return one line."""
    market = ModelMarket(home, case.importing, case.overrides, case.until)
    market.train(1)
    market.point(1)
    daemon = Paper(home, *market.of_daemon(), *ASKING)
    try:
        daemon.start(*case.days)
        if daemon.wait(600):
            return f"{case.name}: the session failed\n{daemon.errors()[-2_000:]}"
        found = market.shown(daemon).compared
    finally:
        daemon.close()
    worst = max(found.features, key=lambda one: one.worst, default=None)
    farthest = "none differs" if worst is None else f"{worst.name}, {worst.worst:.2g} tolerances"
    return (
        f"{case.name}: rows={found.rows} features={len(market.frame.names)} "
        f"outside={found.outside} (farthest: {farthest}) repeats_differ={found.repeats_differ} "
        f"differ={len(found.differences)} unexplained={found.unexplained}"
    )


def main(real_data: str = "") -> None:
    """Run and print."""
    for case in cases(real_data):
        with tempfile.TemporaryDirectory(prefix="td-") as home:
            sys.stdout.write(told(case, Path(home)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:2])
