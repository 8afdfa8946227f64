"""Walk-forward: learn from the past, stop and calibrate on what follows, predict what comes next.

A row is dropped from the training where its label overlaps a label of the validation or the test,
and from the validation where it overlaps one of the test: nobody uses it in that step.
"""

from collections.abc import Iterator

import numpy as np

from tradingd.config.training import WalkForward
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Dataset, Fold
from tradingd.learning.splits.horizons import overlapping


def walk_forward(dataset: Dataset, config: WalkForward) -> list[Fold]:
    """Return the steps in time order; their test sessions follow each other without gap or overlap.

    Windows are counted in sessions from the data's first. Sessions at the end that fill no whole
    test window are not predicted.

    Raises
    ------
    Failure
        `EMPTY_RANGE` if there are too few sessions for one step, or labels reach so far ahead
        that purging leaves a step nothing to learn from.
    """
    require_sessions(dataset, config)
    numbers, session = np.unique(dataset.session, return_inverse=True)
    rows = np.arange(len(dataset))
    folds = []
    for number, windows in enumerate(_windows(len(numbers), config)):
        train, validation, test = (
            rows[(session >= part.start) & (session < part.stop)] for part in windows
        )
        ahead = np.concatenate((validation, test))
        kept = train[~overlapping(dataset, train, ahead)]
        checked = validation[~overlapping(dataset, validation, test)]
        if not len(kept) or (config.validation and not len(checked)):
            raise Failure(
                f"step {number} of the walk-forward has no row left to learn from: labels reach"
                " over the whole window",
                code=ExitCode.EMPTY_RANGE,
                where="training.walk_forward",
                expected="windows longer than the label looks ahead",
                found=f"{config.train} sessions of training, {config.validation} of validation",
                next_step="lower training.label.bars or widen the windows",
            )
        folds.append(Fold(number=number, train=kept, validation=checked, test=test))
    return folds


def require_sessions(dataset: Dataset, config: WalkForward) -> None:
    """Refuse rows of too few sessions for one step.

    Raises
    ------
    Failure
        `EMPTY_RANGE`.
    """
    found = len(np.unique(dataset.session))
    least = config.train + config.validation + config.test
    if found < least:
        raise Failure(
            "too few sessions for a walk-forward",
            code=ExitCode.EMPTY_RANGE,
            where="training.walk_forward",
            expected=f"at least {least} sessions with labelled rows",
            found=f"{found} sessions with {len(dataset):,} rows",
            next_step="take more days (training.start, training.end) or shorter windows",
        )


def _windows(sessions: int, config: WalkForward) -> Iterator[tuple[range, range, range]]:
    """Yield the session positions of training, validation and test, step by step."""
    begin = config.train
    while begin + config.validation + config.test <= sessions:
        first = 0 if config.expanding else begin - config.train
        middle = begin + config.validation
        yield range(first, begin), range(begin, middle), range(middle, middle + config.test)
        begin += config.test
