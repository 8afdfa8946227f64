"""What every learner offers, whatever library is behind it."""

from pathlib import Path
from typing import Literal, Protocol

from tradingd.learning.dataset import Dataset, Floats

type ModelFormat = Literal["lightgbm-text", "xgboost-json", "onnx"]


class Fitted(Protocol):
    """A model that has learned."""

    @property
    def trees(self) -> int:
        """Trees it kept."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than was asked, e.g. that there was no GPU."""
        ...

    def predict(self, x: Floats) -> Floats:
        """Return one score a row: a probability for a classification, else a number."""
        ...

    def margins(self, x: Floats) -> Floats:
        """Return what SHAP values sum to: log-odds for a classification, else the score."""
        ...

    def contributions(self, x: Floats) -> Floats:
        """Return SHAP values, shape (rows, features + 1), the last column the base value.

        In the margin's unit (log-odds for a classification); each row sums to the margin.
        """
        ...

    def gains(self) -> Floats:
        """Return the total gain of each feature, shape (features,)."""
        ...

    def save(self, path: Path) -> ModelFormat:
        """Write the model, atomically, in a format that is read without running it."""
        ...


class Estimator(Protocol):
    """A learner with its parameters."""

    def fit(self, train: Dataset, validation: Dataset | None, seed: int) -> Fitted:
        """Learn; `validation` only decides when to stop."""
        ...
