"""How far the judged result may be luck, given everything that was tried."""

import math
from collections.abc import Sequence
from statistics import variance
from typing import Final

import numpy as np

from tradingd.kits.failure import Failure
from tradingd.learning.dataset import Floats
from tradingd.learning.report import Overfitting, TrialFacts
from tradingd.luck.deflated import deflated_sharpe, expected_maximum
from tradingd.luck.pbo import BLOCKS, Pbo, pbo
from tradingd.luck.sharpe import minimum_track_record, probabilistic_sharpe, sharpe
from tradingd.luck.stability import stability

_LEAST_BLOCKS: Final = 4
_LEAST_SESSIONS: Final = 20
_SHOWN_LOGITS: Final = 2_000


def overfitting(
    returns: Floats,
    *,
    trial_returns: Floats,
    trials: Sequence[TrialFacts],
    every_sharpe: Sequence[float],
    count: int,
    paths: Sequence[float],
) -> Overfitting:
    """Return the judgement; what cannot be said is None, with the reason.

    Parameters
    ----------
    returns : array of float
        The judge's daily returns, after costs.
    trial_returns : array of float, shape (sessions, trials)
        Out-of-fold returns of this training's trials.
    trials : sequence of TrialFacts
        Their parameters and scores.
    every_sharpe : sequence of float
        Sharpe ratios per session of every trial of this name that the registry has ever seen.
    count : int
        How many those are, failed ones included.
    paths : sequence of float
        Annual Sharpe ratios of the combinatorial paths.
    """
    why: list[str] = []
    halves = _halved(trial_returns, why)
    moved = len(returns) >= _LEAST_SESSIONS and float(np.std(returns)) > 0
    if not moved:
        alike = "" if len(returns) < _LEAST_SESSIONS else " whose returns are all alike"
        why.append(
            f"Sharpe ratios: needs {_LEAST_SESSIONS} sessions that vary, found "
            f"{len(returns)}{alike}"
        )
    spread = variance(every_sharpe) if len(every_sharpe) > 1 else None
    if spread is None:
        why.append("deflated Sharpe: needs two trials at least, whose ratios spread")
    luckiest = None if spread is None else math.sqrt(spread) * expected_maximum(count)
    positive = moved and sharpe(returns) > 0
    steady = stability(
        [one.parameters for one in trials],
        [math.nan if one.score is None else one.score for one in trials],
    )
    return Overfitting(
        trials=count,
        pbo=None if halves is None else halves.probability,
        pbo_loss=None if halves is None else halves.loss,
        pbo_logits=() if halves is None else _thinned(halves.logits),
        expected_maximum_sharpe=luckiest,
        probabilistic_sharpe=probabilistic_sharpe(returns) if moved else None,
        deflated_sharpe=(
            deflated_sharpe(returns, trials=count, variance_of_trials=spread)
            if moved and spread is not None
            else None
        ),
        minimum_track_record=minimum_track_record(returns) if positive else None,
        sessions=len(returns),
        path_sharpes=tuple(paths),
        stability=None if steady is None else steady.share,
        why=tuple(why),
    )


def _halved(returns: Floats, why: list[str]) -> Pbo | None:
    """Halve as finely as the history allows."""
    if returns.ndim != 2 or returns.shape[1] < 2:
        why.append("PBO: needs two trials at least (training.tuning.trials)")
        return None
    blocks = min(BLOCKS, len(returns) // 2 // 2 * 2)
    if blocks < _LEAST_BLOCKS:
        why.append(f"PBO: {len(returns)} sessions are too few to be halved")
        return None
    try:
        return pbo(returns, blocks)
    except Failure as failure:
        why.append(f"PBO: {failure}")
        return None


def _thinned(logits: Floats) -> tuple[float, ...]:
    """Keep a plot's worth of logits, evenly."""
    step = max(1, len(logits) // _SHOWN_LOGITS)
    return tuple(float(one) for one in logits[::step] if math.isfinite(one))
