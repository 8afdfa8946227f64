"""Print how near a paper session comes to the backtest of the same configuration.

    python -m tests.acceptance.parity [REAL_DATA]

REAL_DATA is a folder with LEAN's minute bars in `lean/`; without it only the daily strategies run.
Some minutes: the daily ones run over all 3,270 sessions of the embedded bars.
"""

import sys
import tempfile
from pathlib import Path

from tests.acceptance.parity.books import Books
from tests.acceptance.parity.cases import DAILY, INTRADAY, WEEK, WHOLE, Case
from tests.acceptance.parity.causes import causes
from tests.acceptance.parity.runs import Machine
from tradingd.domain.market import Resolution


def told(name: str, backtest: Books, session: Books) -> str:
    """Return the comparison for a person."""
    lines = [f"{name}                    backtest   session"]
    for what in ("orders", "trades", "trips", "changes"):
        lines.append(
            f"  {what:<20}{len(getattr(backtest, what)):>12}{len(getattr(session, what)):>10}"
        )
    lines.append(f"  {'denials':<20}{backtest.denials.total():>12}{session.denials.total():>10}")
    lines.append(f"  {'final equity':<20}{backtest.equity:>12}{session.equity:>10}")
    lines += [f"  {count:>6} x {cause}" for cause, count in causes(backtest, session).items()]
    return "\n".join(lines)


def main(real_data: str = "") -> None:
    """Run and print."""
    write = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="td-") as home:
        daily = Machine(Path(home), Resolution.DAY)
        daily.data("source=sample")
        for name, overrides in DAILY.items():
            case = Case(overrides, *WHOLE)
            session = daily.session(name.replace("_", "-"), "feed=sample", *case.of_session)
            write(told(name, daily.backtest(*case.of_backtest), session) + "\n")
    if not real_data:
        return
    with tempfile.TemporaryDirectory(prefix="td-") as home:
        minutes = Machine(Path(home), Resolution.MINUTE)
        minutes.data("source=lean", f"source.path={Path(real_data) / 'lean'}")
        case = Case(INTRADAY, *WEEK)
        backtest = minutes.backtest(*case.of_backtest)
        for arrivals in ("next_bar", "touch"):
            session = minutes.session(
                arrivals.replace("_", "-"), *case.of_session, f"broker.arrivals={arrivals}"
            )
            write(told(f"intraday_mean_reversion, arrivals {arrivals}", backtest, session) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
