"""LightGBM: gradient boosting, and a random forest of the same trees.

Bit-identical for the same rows, parameters and seed: one thread, rows laid out one way whatever
their number, every random choice from one seed.
"""

import logging
from pathlib import Path
from typing import Any, Final

import numpy as np

from tradingd.config.training import Forest, LightGbm
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.calibrate import Task
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.estimator import Fitted, ModelFormat
from tradingd.learning.learners.rows import GRADES, grades, group_sizes, monotone_signs

log = logging.getLogger(__name__)

OBJECTIVES: Final = {
    "classification": ("binary", "binary_logloss"),
    "regression": ("regression", "l2"),
    "ranking": ("lambdarank", "ndcg"),
}
LARGEST_GROUP: Final = 10_000
"""Rows of one moment that LightGBM ranks at most."""


class LightGbmFitted:
    """Trees that have been grown."""

    def __init__(self, booster: Any, task: Task, *, averaged: bool, notes: tuple[str, ...]) -> None:
        self._booster = booster
        self._task = task
        self._averaged = averaged
        self._notes = notes

    @property
    def trees(self) -> int:
        """Trees it kept."""
        return int(self._booster.num_trees())

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than was asked, e.g. that there was no GPU."""
        return self._notes

    def predict(self, x: Floats) -> Floats:
        """Return one score a row: a probability for a classification, else a number."""
        return np.asarray(self._booster.predict(x, num_threads=1), dtype=np.float64)

    def margins(self, x: Floats) -> Floats:
        """Return what SHAP values sum to: log-odds for a classification, else the score."""
        raw = np.asarray(self._booster.predict(x, raw_score=True, num_threads=1), dtype=np.float64)
        return raw / self.trees if self._averaged else raw

    def contributions(self, x: Floats) -> Floats:
        """Return SHAP values, shape (rows, features + 1), the last column the base value."""
        sums = self._booster.predict(x, pred_contrib=True, num_threads=1)
        # LightGBM adds up what the trees of a forest contribute; the forest's score is their mean.
        return np.asarray(sums, dtype=np.float64) / (self.trees if self._averaged else 1)

    def gains(self) -> Floats:
        """Return the total gain of each feature, shape (features,)."""
        return np.asarray(self._booster.feature_importance("gain"), dtype=np.float64)

    def save(self, path: Path) -> ModelFormat:
        """Write the model as LightGBM's text, atomically."""
        write_bytes(path, self._booster.model_to_string().encode())
        return "lightgbm-text"


class LightGbmEstimator:
    """LightGBM with its parameters.

    Parameters
    ----------
    config : LightGbm or Forest
    task : {"classification", "regression", "ranking"}

    Raises
    ------
    Failure
        CONFIG: a forest whose trees would all be the same.
    """

    def __init__(self, config: LightGbm | Forest, task: Task) -> None:
        if isinstance(config, Forest) and config.row_share == 1 and config.feature_share == 1:
            raise Failure(
                "a forest whose trees see all rows and all features has only equal trees",
                code=ExitCode.CONFIG,
                where="training.learner.row_share",
                expected="row_share or feature_share below 1",
                found="both 1",
                next_step="set training.learner.row_share=0.7",
            )
        self._config = config
        self._task: Task = task

    def fit(self, train: Dataset, validation: Dataset | None, seed: int) -> Fitted:
        """Learn; `validation` only decides when to stop (a forest never looks at it).

        Raises
        ------
        Failure
            CONFIG: constraints on unknown features; NO_DATA: no rows; a moment with more rows
            than can be ranked.
        """
        import lightgbm

        parameters = self._parameters(train.names, seed)
        try:
            return self._grow(parameters, train, validation, ())
        except lightgbm.basic.LightGBMError as error:
            if self._config.device != "gpu":
                raise
            note = f"trained on the cpu: {error}"
            log.info("no gpu to train on: %s", error)
        return self._grow({**parameters, "device_type": "cpu"}, train, validation, (note,))

    def _grow(
        self,
        parameters: dict[str, Any],
        train: Dataset,
        validation: Dataset | None,
        notes: tuple[str, ...],
    ) -> Fitted:
        import lightgbm

        rows = self._rows(train, parameters, None)
        patience = 0 if isinstance(self._config, Forest) else self._config.patience
        stops = validation is not None and len(validation) > 0 and patience > 0
        watched: list[Any] = []
        callbacks: list[Any] = []
        if validation is not None and stops:
            watched = [self._rows(validation, parameters, rows)]
            callbacks = [lightgbm.early_stopping(patience, verbose=False)]
        grown = lightgbm.train(
            parameters, rows, self._config.trees, valid_sets=watched, callbacks=callbacks
        )
        # Through its own text: what is used from here on is what a file would hold, to the bit.
        kept = grown.model_to_string(num_iteration=grown.best_iteration if stops else -1)
        booster = lightgbm.Booster(model_str=kept)
        averaged = isinstance(self._config, Forest)
        return LightGbmFitted(booster, self._task, averaged=averaged, notes=notes)

    def _rows(self, dataset: Dataset, parameters: dict[str, Any], reference: Any) -> Any:
        import lightgbm

        sizes = self._groups(dataset)
        label = dataset.y if sizes is None else grades(dataset.y, sizes)
        return lightgbm.Dataset(
            dataset.x,
            label,
            weight=dataset.weight,
            group=sizes,
            reference=reference,
            feature_name=list(dataset.names),
            params=parameters,
        )

    def _groups(self, dataset: Dataset) -> Any:
        if self._task != "ranking":
            return None
        sizes = group_sizes(dataset.ts)
        if sizes.max(initial=0) > LARGEST_GROUP:
            raise Failure(
                "a moment has more rows than LightGBM ranks",
                code=ExitCode.CONFIG,
                where="training.task",
                expected=f"at most {LARGEST_GROUP}",
                found=str(sizes.max()),
                next_step="rank fewer symbols, or set training/learner kind xgboost",
            )
        return sizes

    def _parameters(self, names: tuple[str, ...], seed: int) -> dict[str, Any]:
        config = self._config
        objective, metric = OBJECTIVES[self._task]
        common = {
            "objective": objective,
            "metric": metric,
            "num_leaves": config.leaves,
            "max_depth": config.depth,
            "min_data_in_leaf": config.min_rows,
            "feature_fraction": config.feature_share,
            "bagging_fraction": config.row_share,
            "bagging_freq": 1,
            "monotone_constraints": monotone_signs(config.monotone, names),
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
            "device_type": config.device,
            # Gains of the grades that grow evenly: not only the very best of a day count.
            "label_gain": list(range(GRADES)),
            "eval_at": [GRADES],
        }
        if isinstance(config, Forest):
            return {**common, "boosting": "rf"}
        return {**common, "learning_rate": config.learning_rate, "lambda_l2": config.l2}
