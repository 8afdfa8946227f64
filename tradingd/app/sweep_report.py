"""The result of a sweep: what every trial scored, which is best, and how much may be luck."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from tradingd.app.trial import TrialRow
from tradingd.config.sweep_plan import SweepPlan
from tradingd.kits.failure import ExitCode
from tradingd.luck.deflated import deflate, expected_maximum_sharpe

SHARPE: Final = "sharpe"


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a sweep; also the content of `sweep.json`.

    Parameters
    ----------
    trials : tuple of TrialRow
        Best objective first; trials without one last.
    parameters : tuple of str
        Keys that varied.
    best : int, optional
        Number of the best trial.
    expected_maximum : float, optional
        Sharpe ratio the best of so many trials would reach by luck alone (other objectives: None).
    deflated_sharpe : float, optional
        Probability that the best trial's true Sharpe ratio is above that.
    exit_code : int
        ``TRIALS_FAILED`` when a run went wrong or no trial finished. Refused trials, whose
        parameters contradict each other, are expected in a grid and do not count.
    """

    sweep_id: str
    folder: str
    objective: str
    direction: Literal["maximize", "minimize"]
    launcher: str
    sweeper: str
    parameters: tuple[str, ...]
    trials: tuple[TrialRow, ...]
    done: int
    refused: int
    failed: int
    best: int | None
    expected_maximum: float | None
    deflated_sharpe: float | None
    exit_code: int


def report_of(
    folder: Path, plan: SweepPlan, objective: str, rows: Sequence[TrialRow]
) -> SweepReport:
    """Rank the trials and sum them up."""
    counts = {status: sum(row.status == status for row in rows) for status in ("done", "failed")}
    ranked = _ranked(rows, maximise=plan.maximise)
    scores = [row.objective for row in rows if row.objective is not None]
    by_luck = expected_maximum_sharpe(scores) if objective == SHARPE else None
    clean = counts["done"] > 0 and not counts["failed"]
    return SweepReport(
        sweep_id=folder.name,
        folder=str(folder),
        objective=objective,
        direction="maximize" if plan.maximise else "minimize",
        launcher=plan.launcher,
        sweeper=plan.sweeper,
        parameters=plan.parameters,
        trials=ranked,
        done=counts["done"],
        refused=len(rows) - counts["done"] - counts["failed"],
        failed=counts["failed"],
        best=ranked[0].number if scores else None,
        expected_maximum=by_luck,
        deflated_sharpe=_deflated(ranked[0], by_luck) if ranked else None,
        exit_code=ExitCode.OK if clean else ExitCode.TRIALS_FAILED,
    )


def _deflated(best: TrialRow, by_luck: float | None) -> float | None:
    probability = best.metrics.get("probabilistic_sharpe")
    if by_luck is None or best.objective is None or probability is None:
        return None
    return deflate(best.objective, probability, by_luck)


def _ranked(rows: Sequence[TrialRow], *, maximise: bool) -> tuple[TrialRow, ...]:
    sign = -1 if maximise else 1

    def order(row: TrialRow) -> tuple[bool, float, int]:
        return row.objective is None, sign * (row.objective or 0.0), row.number

    return tuple(sorted(rows, key=order))
