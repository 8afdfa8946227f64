"""XGBoost: gradient boosting, deterministic on one thread.

XGBoost keeps features and scores as 32-bit floats: its SHAP values sum to the margin within that
precision.
"""

import logging
from pathlib import Path
from typing import Any, Final

import numpy as np

from tradingd.config.training import XgBoost
from tradingd.kits.atomicfile import write_bytes
from tradingd.learning.calibrate import Task
from tradingd.learning.dataset import Dataset, Floats
from tradingd.learning.estimator import Fitted, ModelFormat
from tradingd.learning.learners.rows import grades, group_sizes, monotone_signs

log = logging.getLogger(__name__)

OBJECTIVES: Final = {
    "classification": ("binary:logistic", "logloss"),
    "regression": ("reg:squarederror", "rmse"),
    "ranking": ("rank:ndcg", "ndcg@10"),
}
ROW_WEIGHT: Final = {"classification": 0.25, "regression": 1.0, "ranking": 0.01}
"""What a row adds to the second derivatives that `min_child_weight` is compared with: p(1-p) is at
most a quarter; in a ranking it is small and varies."""


class XgBoostFitted:
    """Trees that have been grown."""

    def __init__(self, booster: Any, features: int, notes: tuple[str, ...]) -> None:
        self._booster = booster
        self._features = features
        self._notes = notes

    @property
    def trees(self) -> int:
        """Trees it kept."""
        return int(self._booster.num_boosted_rounds())

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than was asked, e.g. that there was no GPU."""
        return self._notes

    def predict(self, x: Floats) -> Floats:
        """Return one score a row: a probability for a classification, else a number."""
        return np.asarray(self._booster.inplace_predict(finite(x)), dtype=np.float64)

    def margins(self, x: Floats) -> Floats:
        """Return what SHAP values sum to: log-odds for a classification, else the score."""
        raw = self._booster.inplace_predict(finite(x), predict_type="margin")
        return np.asarray(raw, dtype=np.float64)

    def contributions(self, x: Floats) -> Floats:
        """Return SHAP values, shape (rows, features + 1), the last column the base value."""
        import xgboost

        rows = xgboost.DMatrix(finite(x), nthread=1)
        return np.asarray(self._booster.predict(rows, pred_contribs=True), dtype=np.float64)

    def gains(self) -> Floats:
        """Return the total gain of each feature, shape (features,)."""
        gains = np.zeros(self._features)
        for name, gain in self._booster.get_score(importance_type="total_gain").items():
            gains[int(name.removeprefix("f"))] = gain
        return gains

    def save(self, path: Path) -> ModelFormat:
        """Write the model as XGBoost's JSON, atomically."""
        write_bytes(path, bytes(self._booster.save_raw("json")))
        return "xgboost-json"


class XgBoostEstimator:
    """XGBoost with its parameters."""

    def __init__(self, config: XgBoost, task: Task) -> None:
        self._config = config
        self._task: Task = task

    def fit(self, train: Dataset, validation: Dataset | None, seed: int) -> Fitted:
        """Learn; `validation` only decides when to stop.

        Raises
        ------
        Failure
            CONFIG: constraints on unknown features.
        """
        import xgboost

        notes = self._no_cuda()
        patience = self._config.patience
        stops = validation is not None and len(validation) > 0 and patience > 0
        watched = [(self._rows(validation), "validation")] if validation and stops else []
        grown = xgboost.train(
            self._parameters(train.names, seed),
            self._rows(train),
            self._config.trees,
            evals=watched,
            early_stopping_rounds=patience if stops else None,
            verbose_eval=False,
        )
        kept = grown[: grown.best_iteration + 1] if stops else grown
        booster = xgboost.Booster(params={"nthread": 1}, model_file=kept.save_raw("json"))
        return XgBoostFitted(booster, len(train.names), notes)

    def _no_cuda(self) -> tuple[str, ...]:
        import xgboost

        if self._config.device == "cpu" or xgboost.build_info().get("USE_CUDA"):
            return ()
        note = "trained on the cpu: this XGBoost was built without CUDA"
        log.info(note)
        return (note,)

    def _rows(self, dataset: Dataset) -> Any:
        import xgboost

        x = finite(dataset.x)
        if self._task != "ranking":
            return xgboost.DMatrix(x, dataset.y, weight=dataset.weight, nthread=1)
        # One weight a group: the mean of its rows.
        sizes = group_sizes(dataset.ts)
        starts = np.cumsum(sizes) - sizes
        weight = np.add.reduceat(dataset.weight, starts) / sizes
        label = grades(dataset.y, sizes)
        return xgboost.DMatrix(x, label, weight=weight, group=sizes, nthread=1)

    def _parameters(self, names: tuple[str, ...], seed: int) -> dict[str, Any]:
        config = self._config
        objective, metric = OBJECTIVES[self._task]
        common: dict[str, Any] = {
            "objective": objective,
            "eval_metric": metric,
            "tree_method": "hist",
            "max_depth": config.depth,
            "min_child_weight": config.min_rows * ROW_WEIGHT[self._task],
            "colsample_bytree": config.feature_share,
            "subsample": config.row_share,
            "eta": config.learning_rate,
            "lambda": config.l2,
            "monotone_constraints": tuple(monotone_signs(config.monotone, names)),
            "seed": seed,
            "nthread": 1,
            "verbosity": 0,
            "device": "cuda" if config.device == "gpu" and not self._no_cuda() else "cpu",
        }
        if self._task == "ranking":
            # Gains that grow evenly with the grade, and no random choice of pairs.
            return {**common, "ndcg_exp_gain": False, "lambdarank_pair_method": "topk"}
        return common


def finite(x: Floats) -> Floats:
    """Return the rows with infinities as missing: XGBoost refuses them."""
    return x if np.isfinite(x).all() else np.where(np.isinf(x), np.nan, x)
