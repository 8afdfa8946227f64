"""Learners behind one interface: LightGBM, XGBoost and a random forest.

Here belongs what turns parameters into an `Estimator` and rows into a `Fitted`. Never: which rows
(splits), which parameters (tuning), what a score is worth (scores, calibration).
"""

from tradingd.config.training import LearnerConfig, XgBoost
from tradingd.learning.calibrate import Task
from tradingd.learning.estimator import Estimator


def make_estimator(config: LearnerConfig, task: Task) -> Estimator:
    """Return the learner of a configuration; nothing is imported or learned yet.

    Parameters
    ----------
    config : LightGbm, XgBoost or Forest
    task : {"classification", "regression", "ranking"}
    """
    if isinstance(config, XgBoost):
        from tradingd.learning.learners.xgboost_trees import XgBoostEstimator

        return XgBoostEstimator(config, task)
    from tradingd.learning.learners.lightgbm_trees import LightGbmEstimator

    return LightGbmEstimator(config, task)
