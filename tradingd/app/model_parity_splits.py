"""Where the trees of a model part: the only places at which its answer can change.

Two rows that lie on the same side of every split of every tree have the same prediction, bit for
bit, however little or much they differ.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tradingd.features.series import Floats

_FORMATS: Final = ("lightgbm-text", "xgboost-json", "xgboost-ubj")


class Splits(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Thresholds by feature, each ascending.

    Parameters
    ----------
    thresholds : sequence of array of float
        One array a feature, in the order of a row.
    single : bool
        The model compares in 32 bits and goes left below a threshold (XGBoost), in place of 64 bits
        and at or below it (LightGBM).
    """

    thresholds: Sequence[Floats]
    single: bool

    def between(self, feature: int, one: float, other: float) -> float | None:
        """Return a threshold that parts two values of a feature; None where none does.

        A missing value goes a way of its own: it is parted from every number by any threshold.
        """
        known = self.thresholds[feature]
        missing = int(np.isnan(one)) + int(np.isnan(other))
        if missing == 2 or not len(known):
            return None
        if missing:
            return float(known[0])
        low, high = sorted((self._place(known, one), self._place(known, other)))
        return float(known[low]) if low < high else None

    def _place(self, known: Floats, value: float) -> int:
        """Return how many thresholds the value lies beyond."""
        if self.single:
            return int(np.searchsorted(known.astype(np.float32), np.float32(value), side="right"))
        return int(np.searchsorted(known, value, side="left"))


def splits_of(content: bytes, model_format: str, names: Sequence[str]) -> Splits | None:
    """Return where a model's trees part; None for a format that does not say so in the open."""
    if model_format not in _FORMATS:
        return None
    if model_format == "lightgbm-text":
        return Splits(thresholds=_sorted(_lightgbm(content, len(names))), single=False)
    return _xgboost(content, model_format, names)


def _lightgbm(content: bytes, features: int) -> list[list[float]]:
    """Read ``split_feature=`` and ``threshold=`` of every tree of LightGBM's text."""
    found: list[list[float]] = [[] for _ in range(features)]
    numbers: list[int] = []
    for line in content.splitlines():
        name, _, values = line.partition(b"=")
        if name == b"split_feature":
            numbers = [int(one) for one in values.split()]
        elif name == b"threshold":
            for number, value in zip(numbers, values.split(), strict=True):
                found[number].append(float(value))
    return found


def _xgboost(content: bytes, model_format: str, names: Sequence[str]) -> Splits | None:
    if model_format == "xgboost-ubj":
        return None
    document: Any = msgspec.json.decode(content)
    booster = document["learner"]["gradient_booster"]
    # DART wraps the trees once more.
    trees = booster.get("gbtree", booster)["model"]["trees"]
    found: list[list[float]] = [[] for _ in names]
    for tree in trees:
        columns = (tree["split_indices"], tree["split_conditions"], tree["left_children"])
        for number, value, left in zip(*columns, strict=True):
            if left >= 0:
                found[number].append(float(value))
    return Splits(thresholds=_sorted(found), single=True)


def _sorted(found: Sequence[Sequence[float]]) -> list[Floats]:
    return [np.unique(np.array(one, np.float64)) for one in found]
