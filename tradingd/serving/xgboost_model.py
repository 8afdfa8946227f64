"""An XGBoost model, read from JSON or UBJSON."""

import re
from typing import Final

import numpy as np

from tradingd.serving.predictors import Floats, damaged, misfit

_PLACE: Final = re.compile(r"^\[[\d:]+\] \S+: ")
"""Time and source line in front of the library's words."""


class XgBoostModel:
    """A booster that predicts; XGBoost itself computes in 32 bits.

    Parameters
    ----------
    content : bytes
        The model, JSON or UBJSON.
    features : int
        Length of a row.
    where : str
        The file, for refusals.

    Raises
    ------
    Failure
        CONTRACT for a damaged file.
    """

    def __init__(self, content: bytes, features: int, where: str) -> None:
        import xgboost

        # Its old binary format is C++ memory as it lay: not read.
        if not content.lstrip()[:1] == b"{":
            raise damaged(where, "no JSON or UBJSON object")
        try:
            self._booster = xgboost.Booster({"nthread": 1})
            self._booster.load_model(bytearray(content))
        except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
            raise damaged(where, _said(error)) from error
        wanted = self._booster.num_features()
        if wanted != features:
            raise misfit(
                where,
                "the model sees another number of features than its manifest names",
                expected=f"{features} features",
                found=str(wanted),
            )
        self._booster.set_param({"nthread": 1})
        self.names = tuple(self._booster.feature_names or ())
        shape = self._scores(np.zeros((1, features))).shape
        if shape != (1,):
            raise misfit(
                where,
                "the model gives more than one score a row",
                expected="a binary classification, a regression or a ranking",
                found=f"{shape[-1]} scores",
            )

    def one(self, row: Floats) -> float:
        """Return the score of a row."""
        return float(self._scores(row.reshape(1, -1))[0])

    def many(self, x: Floats) -> Floats:
        """Return one score a row."""
        return self._scores(x).astype(np.float64) if len(x) else np.empty(0)

    def _scores(self, x: Floats) -> Floats:
        scores: Floats = self._booster.inplace_predict(x, validate_features=False)
        return scores


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _PLACE.sub("", lines[0]) or type(error).__name__
