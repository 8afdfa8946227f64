"""SHAP values of a model that was saved."""

from pathlib import Path
from typing import Final

from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.dataset import Floats

_HEAD: Final = 1_000_000


def contributions(path: Path, model_format: str, x: Floats) -> Floats:
    """Return SHAP values, shape (rows, features + 1), the last column the base value.

    Exact for trees (Lundberg et al., "From local explanations to global understanding with
    explainable AI for trees", 2020), computed by the library that grew them.

    Raises
    ------
    Failure
        CONTRACT for a format whose library gives none.
    """
    if model_format == "lightgbm-text":
        from lightgbm import Booster

        from tradingd.learning.learners.lightgbm_trees import LightGbmFitted

        # A line of the file's head says that a forest's trees are averaged.
        averaged = b"\naverage_output\n" in path.read_bytes()[:_HEAD]
        booster = Booster(model_file=str(path))
        return LightGbmFitted(booster, "regression", averaged=averaged, notes=()).contributions(x)
    if model_format.startswith("xgboost-"):
        from xgboost import Booster as Boosted

        from tradingd.learning.learners.xgboost_trees import XgBoostFitted

        boosted = Boosted(params={"nthread": 1}, model_file=str(path))
        return XgBoostFitted(boosted, x.shape[1], ()).contributions(x)
    raise Failure(
        "this format tells nothing of what it goes by",
        code=ExitCode.CONTRACT,
        where=str(path),
        expected="lightgbm-text, xgboost-json or xgboost-ubj",
        found=model_format,
    )
