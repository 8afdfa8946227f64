"""What a model looks at."""

import numpy as np
import pytest

from tests.unit.learning.made_rows import made_rows
from tradingd.config.training import LightGbm
from tradingd.learning.explain import (
    gain_shares,
    importance_stability,
    importances,
    row_reasons,
    shap_summary,
)
from tradingd.learning.learners import make_estimator

ROWS = made_rows()
FITTED = make_estimator(LightGbm(trees=30, min_rows=20, patience=0), "classification").fit(
    ROWS, None, 1
)


def test_the_feature_that_says_something_leads_the_summary() -> None:
    summary = shap_summary(FITTED, ROWS.x, ROWS.names)

    assert next(iter(summary)) == "feature_0"
    assert list(summary.values()) == sorted(summary.values(), reverse=True)
    assert summary["feature_0"] == pytest.approx(np.abs(FITTED.contributions(ROWS.x))[:, 0].mean())


def test_a_summary_of_few_rows_looks_at_all_of_the_time() -> None:
    few = shap_summary(FITTED, ROWS.x, ROWS.names, rows=3)

    ends = ROWS.x[[0, (len(ROWS) - 1) // 2, len(ROWS) - 1]]
    assert few == shap_summary(FITTED, ends, ROWS.names)


def test_importances_tell_the_spread_of_gains_over_steps() -> None:
    gains = np.array([[6.0, 2.0, 1.0, 1.0], [5.0, 5.0, 0.0, 0.0]])

    first, second, *_ = importances(FITTED, ROWS.x, ROWS.names, gains)

    assert (first.name, first.gain_share, first.gain_low, first.gain_high) == (
        "feature_0",
        pytest.approx(0.55),
        0.5,
        0.6,
    )
    assert second.name == "feature_1"


def test_a_step_without_gains_shares_nothing() -> None:
    assert gain_shares(np.zeros((1, 3))).tolist() == [[0.0, 0.0, 0.0]]


def test_steps_that_agree_are_stable_and_opposite_ones_are_not() -> None:
    rising = np.array([1.0, 2.0, 3.0, 4.0])

    assert importance_stability(np.stack([rising, rising * 7])) == pytest.approx(1.0)
    assert importance_stability(np.stack([rising, -rising])) == pytest.approx(-1.0)
    assert importance_stability(rising[None, :]) is None
    assert importance_stability(np.stack([rising, np.zeros(4)])) is None


def test_reasons_of_a_row_sum_to_its_margin() -> None:
    base, reasons = row_reasons(FITTED, ROWS.x[7], ROWS.names)

    assert base + sum(part for _, part in reasons) == pytest.approx(FITTED.margins(ROWS.x[7:8])[0])
    sizes = [abs(part) for _, part in reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert len(row_reasons(FITTED, ROWS.x[7], ROWS.names, most=2)[1]) == 2
