"""The gates let a signal pass that is there, and nothing that is not."""

from pathlib import Path

import pytest

from tests.acceptance.planted.experiment import experiment

STRENGTH = 0.35


@pytest.mark.slow
def test_a_planted_signal_is_accepted_and_the_same_market_with_shuffled_labels_refused(
    tmp_path: Path,
) -> None:
    planted = experiment(tmp_path, seed=3, strength=STRENGTH, placebo=False)
    assert planted.passed, planted.line()
    shuffled = experiment(tmp_path, seed=3, strength=STRENGTH, placebo=True)
    assert not shuffled.passed, shuffled.line()
