"""Run `tradingd validate` for a person."""

from pathlib import Path

from tradingd.app.decisions import validate_backtest
from tradingd.app.lookahead import Validation
from tradingd.app.trial import with_backtest_mode
from tradingd.cli import screen
from tradingd.cli.validate import ValidateParams
from tradingd.config.load import load


def run(params: ValidateParams) -> Validation:
    """Run the backtest whole, shortened and started later, and compare."""
    overlay = Path(params.overlay) if params.overlay else None
    loaded = load(with_backtest_mode(params.overrides), overlay=overlay)
    with screen.progress("validate, runs") as meter:
        return validate_backtest(loaded, cuts=params.cuts, progress=meter.reached)


def render(found: Validation) -> None:
    """Print each cut, the warm-up, foreign files and the SUMMARY line."""
    rows = [
        (
            cut.day,
            cut.compared,
            "DIFFERS" if cut.differs else "same",
            cut.with_future or ("nothing" if cut.differs else ""),
            cut.without_future or ("nothing" if cut.differs else ""),
        )
        for cut in found.cuts
    ]
    columns = ("cut after", "equal orders", "verdict", "knowing the future", "not knowing it")
    screen.table("", columns, rows)
    for file in found.files:
        screen.console().print(f"The strategy reads a file no cut can shorten: {file}")
    if found.warm_up is not None:
        screen.console().print(_warm_up(found))
    late = sum(cut.differs for cut in found.cuts)
    screen.summary(
        {
            "orders": found.orders,
            "cuts": len(found.cuts),
            "differing": late,
            "files": len(found.files),
            "verdict": "look-ahead" if found.exit_code else "clean",
        }
    )


def _warm_up(found: Validation) -> str:
    assert found.warm_up is not None
    if found.warm_up.agrees_from is None:
        return f"Started on {found.warm_up.starts}, its signals never join those of the full run."
    return (
        f"Started on {found.warm_up.starts}, its signals equal those of the full run from "
        f"{found.warm_up.agrees_from} on: {found.warm_up.sessions} sessions of warm-up."
    )
