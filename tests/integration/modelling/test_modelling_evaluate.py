"""New days arrive, and a registered model is judged by them."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.integration.modelling.conftest import Compose
from tradingd.app.model_registry import registry_of
from tradingd.app.modelling.evaluate import evaluate
from tradingd.app.modelling.rows import read_rows
from tradingd.app.modelling.train import train
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import local_date

pytestmark = pytest.mark.slow


def test_only_days_are_judged_that_no_label_of_the_training_reached_and_by_its_own_label(
    compose: Compose,
) -> None:
    rows = read_rows(compose().config, lambda *_: None).dataset
    stamps = np.unique(rows.ts)
    cut = local_date(int(stamps[-40]))
    quick = ("training.tuning.trials=0", f"training.end={cut}")
    train(compose(*quick))
    known = registry_of(compose().config).get("small", 1).manifest.training
    # The label looks two bars ahead: the last row is of two days before.
    assert known.end == cut

    found = evaluate(compose(), "small@1")
    assert (found.first_day, found.last_day) == tuple(
        local_date(int(one)) for one in (stamps[-39], stamps[-1])
    )
    assert found.label == "forward_return(bars=2, threshold_bps=0.0, relative=True)"
    kept = pq.read_table(found.predictions)
    assert kept.num_rows == found.rows == 39 * 8

    # What is configured now does not change what the model was made for.
    label = "training.label={kind: forward_return, bars: 9}"
    again = evaluate(compose(label, "training.task=regression"), "small@1")
    assert again.scores == found.scores
    assert again.predictions == found.predictions
    # The same predictions make the same run, but for the number of the repetition.
    same = evaluate(compose(), "small@1")
    assert same.run == f"{found.run}-3"

    with pytest.raises(Failure, match="holds nothing that small@1 does not know") as refused:
        evaluate(compose(f"training.end={cut}"), "small@1")
    assert refused.value.code is ExitCode.NO_DATA
