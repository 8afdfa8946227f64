"""What predictions are worth, each number with its bootstrap interval.

Sessions are drawn whole, in blocks no shorter than labels look ahead: rows of one day, and labels
that overlap, are not independent news. AUC: Hanley & McNeil (1982). Brier score: Brier (1950).
Expected calibration error: Naeini, Cooper & Hauskrecht (2015), ten bins of like weight. Out-of-
sample R2 against the forecast zero: Gu, Kelly & Xiu (2020), "Empirical Asset Pricing via Machine
Learning", formula 19.
"""

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from tradingd.learning.calibrate import Mask, Task, outcome
from tradingd.learning.dataset import Dataset, Floats, Integers
from tradingd.learning.learners.rows import centred_ranks
from tradingd.learning.portfolio import horizon_sessions, long_short
from tradingd.learning.report import CalibrationBin, Interval
from tradingd.luck.bootstrap import resampled_rows
from tradingd.luck.sharpe import CONFIDENCE, SESSIONS_PER_YEAR

BINS: Final = 10
SCORE_BINS: Final = 256
"""Scores are put into so many bins for the interval of the AUC; its value is exact."""
LEAST_ROWS: Final = 5
"""Rows of a moment that a rank correlation needs."""
LEAST_MOMENTS: Final = 10
"""Such moments that their mean needs: an interval drawn from one or two of them is no wider."""
RESAMPLES: Final = 1_000
_SMALLEST: Final = 1e-12

type Value = Callable[[Floats], Floats]


class Measure(msgspec.Struct, frozen=True, eq=False):
    """A number of sums over sessions.

    `sums` has shape (sessions, terms); `value` takes sums over any choice of sessions, shape
    (choices, terms), and answers one number each.
    """

    sums: Floats
    value: Value
    exact: float | None = None

    def present(self) -> float:
        """Return the number itself."""
        if self.exact is not None:
            return self.exact
        return float(self.value(self.sums.sum(axis=0)[None, :])[0])

    def again(self, draws: Floats) -> Floats:
        """Return it of every resample."""
        return self.value(draws @ self.sums)


def skill(task: Task, dataset: Dataset, score: Floats) -> float | None:
    """Return the one number a model is chosen by: AUC, or the mean rank correlation with y.

    None where it is undefined: one class only, or no moment with enough rows.
    """
    if task == "classification":
        return _number(exact_auc(score, outcome(task, dataset), dataset.weight))
    correlations, _ = rank_correlations(dataset.ts, score, dataset.y)
    return _number(float(correlations.mean()) if len(correlations) else math.nan)


def measure(
    task: Task,
    dataset: Dataset,
    score: Floats,
    probability: Floats,
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Return every score of out-of-sample predictions with its interval at 95 %.

    Parameters
    ----------
    task : {"classification", "regression", "ranking"}
    dataset : Dataset
        The rows that were predicted.
    score, probability : array of float
        Of each row; where no probability exists (nan) what needs one is left out.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        auc, rank_ic (with the gain), long_short_sharpe (annual); with probabilities log_loss,
        brier, brier_skill (over the base rate), calibration_error; for regressions r2, rmse.
    """
    found = _measures(task, dataset, score, probability)
    draws = _draws(dataset, seed, resamples)
    return {name: _interval(one, draws) for name, one in found.items()}


def differences(
    task: Task,
    dataset: Dataset,
    left: tuple[Floats, Floats],
    right: tuple[Floats, Floats],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Return by how much the second of two models exceeds the first, on the same rows.

    Both are measured on the same resamples: what the days had in common cancels, and the interval
    is narrower than those of the two suggest.

    Parameters
    ----------
    left, right : (score, probability) of each row
        As of `measure`.
    """
    ours, theirs = (_measures(task, dataset, *one) for one in (left, right))
    draws = _draws(dataset, seed, resamples)
    return {
        name: _summary(
            theirs[name].present() - ours[name].present(),
            theirs[name].again(draws) - ours[name].again(draws),
        )
        for name in ours
        if name in theirs
    }


def _measures(
    task: Task, dataset: Dataset, score: Floats, probability: Floats
) -> dict[str, "Measure"]:
    numbers, session = np.unique(dataset.session, return_inverse=True)
    rows = _Rows(
        session=session,
        sessions=len(numbers),
        success=outcome(task, dataset),
        weight=dataset.weight,
    )
    measures = {
        "auc": _auc(rows, score),
        "rank_ic": _rank_ic(rows, dataset, score),
        "long_short_sharpe": _sharpe(dataset, score),
    }
    known = np.isfinite(probability)
    if known.any():
        measures |= _of_probabilities(rows.only(known), probability[known])
    if task == "regression":
        measures |= _of_numbers(rows, dataset.y, score)
    return measures


def _draws(dataset: Dataset, seed: int, resamples: int) -> Floats:
    sessions = len(np.unique(dataset.session))
    return _multiplicities(sessions, seed, resamples, horizon_sessions(dataset))


def calibration_bins(
    probability: Floats, success: Mask, weight: Floats, bins: int = BINS
) -> tuple[CalibrationBin, ...]:
    """Return predicted and observed shares of rows of similar probability, rising."""
    place = _bins_of(probability, bins)
    mass = np.bincount(place, weight, bins)
    predicted = np.bincount(place, weight * probability, bins)
    observed = np.bincount(place, weight * success, bins)
    rows = np.bincount(place, minlength=bins)
    return tuple(
        CalibrationBin(
            predicted=float(predicted[one] / mass[one]),
            observed=float(observed[one] / mass[one]),
            rows=int(rows[one]),
        )
        for one in range(bins)
        if mass[one] > 0
    )


def exact_auc(score: Floats, success: Mask, weight: Floats) -> float:
    """Return the chance that a success scores above a failure, ties half; nan with one class."""
    _, place = np.unique(score, return_inverse=True)
    hits = np.bincount(place, weight * success)
    misses = np.bincount(place, weight * ~success)
    return float(_auc_of(np.concatenate([hits, misses])[None, :])[0])


def rank_correlations(ts: Integers, score: Floats, truth: Floats) -> tuple[Floats, Integers]:
    """Return Spearman's correlation within each moment of at least 5 rows, and those moments.

    Moments where one side is constant are left out.
    """
    left, right = centred_ranks(ts, score), centred_ranks(ts, truth)
    moments, place, sizes = np.unique(ts, return_inverse=True, return_counts=True)
    product = np.bincount(place, left * right)
    norm = np.sqrt(np.bincount(place, left**2) * np.bincount(place, right**2))
    usable = (sizes >= LEAST_ROWS) & (norm > 0)
    return product[usable] / norm[usable], moments[usable]


class _Rows(msgspec.Struct, frozen=True, eq=False):
    session: Integers
    sessions: int
    success: Mask
    weight: Floats

    def only(self, mask: Mask) -> "_Rows":
        return _Rows(self.session[mask], self.sessions, self.success[mask], self.weight[mask])

    def sums(self, *terms: Floats) -> Floats:
        """Return weighted sums of row values over each session, shape (sessions, terms)."""
        columns = [np.bincount(self.session, self.weight * one, self.sessions) for one in terms]
        return np.stack(columns, axis=1)

    def table(self, values: Floats, place: Integers, bins: int) -> Floats:
        """Return weighted sums over each session and bin, shape (sessions, bins)."""
        cell = self.session * bins + place
        flat = np.bincount(cell, self.weight * values, self.sessions * bins)
        return flat.reshape(self.sessions, bins)


def _auc(rows: _Rows, score: Floats) -> Measure:
    place = _bins_of(score, SCORE_BINS)
    hits = rows.table(rows.success.astype(np.float64), place, SCORE_BINS)
    misses = rows.table((~rows.success).astype(np.float64), place, SCORE_BINS)
    return Measure(
        np.concatenate([hits, misses], axis=1),
        _auc_of,
        exact_auc(score, rows.success, rows.weight),
    )


def _auc_of(sums: Floats) -> Floats:
    hits, misses = np.split(sums, 2, axis=1)
    below = np.cumsum(misses, axis=1) - misses
    above = hits * (below + misses / 2)
    return _ratio(above.sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))


def _rank_ic(rows: _Rows, dataset: Dataset, score: Floats) -> Measure:
    correlations, moments = rank_correlations(dataset.ts, score, dataset.gain)
    if len(moments) < LEAST_MOMENTS:
        correlations, moments = correlations[:0], moments[:0]
    known, first = np.unique(dataset.ts, return_index=True)
    session = rows.session[first[np.searchsorted(known, moments)]]
    total = np.bincount(session, correlations, rows.sessions)
    count = np.bincount(session, minlength=rows.sessions)
    return Measure(np.stack([total, count], axis=1), lambda s: _ratio(s[:, 0], s[:, 1]))


def _sharpe(dataset: Dataset, score: Floats) -> Measure:
    returns = long_short(dataset, score, float(np.median(score))) if len(score) else np.empty(0)
    scale = math.sqrt(SESSIONS_PER_YEAR / horizon_sessions(dataset))
    ones = np.ones(len(returns))

    def annual(sums: Floats) -> Floats:
        count, total, squares = sums.T
        # A deviation that is only rounding is none.
        variance = (squares - total**2 / count) / np.maximum(count - 1, 1)
        floor = 1e-12 * squares / count
        return scale * _ratio(total / count, np.sqrt(np.where(variance > floor, variance, 0.0)))

    return Measure(np.stack([ones, returns, returns**2], axis=1), annual)


def _of_probabilities(rows: _Rows, chance: Floats) -> dict[str, Measure]:
    success = rows.success.astype(np.float64)
    inside = np.clip(chance, _SMALLEST, 1 - _SMALLEST)
    loss = -np.where(rows.success, np.log(inside), np.log1p(-inside))
    ones = np.ones(len(chance))
    place = _bins_of(chance, BINS)
    gap = rows.table(chance - success, place, BINS)
    mass = rows.sums(ones)

    def base_skill(sums: Floats) -> Floats:
        total, error, hits = sums.T
        base = hits / total
        return 1 - _ratio(error, total * base * (1 - base))

    return {
        "log_loss": Measure(rows.sums(loss, ones), _mean),
        "brier": Measure(rows.sums((chance - success) ** 2, ones), _mean),
        "brier_skill": Measure(rows.sums(ones, (chance - success) ** 2, success), base_skill),
        "calibration_error": Measure(
            np.concatenate([gap, mass], axis=1),
            lambda s: _ratio(np.abs(s[:, :-1]).sum(axis=1), s[:, -1]),
        ),
    }


def _of_numbers(rows: _Rows, y: Floats, score: Floats) -> dict[str, Measure]:
    square = (y - score) ** 2
    ones = np.ones(len(y))
    return {
        "r2": Measure(rows.sums(square, y**2), lambda s: 1 - _ratio(s[:, 0], s[:, 1])),
        "rmse": Measure(rows.sums(square, ones), lambda s: np.sqrt(_mean(s))),
    }


def _interval(measured: Measure, draws: Floats) -> Interval:
    return _summary(measured.present(), measured.again(draws))


def _summary(value: float, again: Floats) -> Interval:
    again = again[np.isfinite(again)]
    if not math.isfinite(value) or not len(again):
        return Interval(value=_number(value))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(again, [tail, 1 - tail])
    return Interval(value=value, low=float(low), high=float(high))


def _multiplicities(sessions: int, seed: int, resamples: int, horizon: int) -> Floats:
    """Return how often each resample draws each session, shape (resamples, sessions)."""
    block = max(sessions ** (1 / 3), horizon)
    draws = resampled_rows(sessions, seed, resamples=resamples, block=block)
    return np.array([np.bincount(one, minlength=sessions) for one in draws], dtype=np.float64)


def _bins_of(values: Floats, bins: int) -> Integers:
    """Return which of `bins` bins with like many rows each value falls into; ties stay together."""
    edges = np.quantile(values, np.arange(1, bins) / bins)
    return np.searchsorted(edges, values, side="right")


def _mean(sums: Floats) -> Floats:
    return _ratio(sums[:, 0], sums[:, 1])


def _ratio(above: Floats, below: Floats) -> Floats:
    answer: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return answer


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
