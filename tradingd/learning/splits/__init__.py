"""Splits: which rows are learned from and which are predicted, without their labels touching.

Here belongs the choice of row numbers. Never: labels, learners, scores.
"""

from tradingd.learning.splits.folds import Path, combinatorial, paths, purged_k_fold
from tradingd.learning.splits.forward import require_sessions, walk_forward

__all__ = ["Path", "combinatorial", "paths", "purged_k_fold", "require_sessions", "walk_forward"]
