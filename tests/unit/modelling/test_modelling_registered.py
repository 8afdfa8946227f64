"""What a model is measured by is what its manifest states, whatever is configured now."""

import msgspec
import pytest

from tradingd.app.modelling.manifesting import _label
from tradingd.app.modelling.registered import label_of
from tradingd.config.training import (
    ForwardReturn,
    LabelConfig,
    MetaLabel,
    TrainingConfig,
    TripleBarrier,
    VolatilityScaled,
)
from tradingd.domain.manifest import LabelFacts


@pytest.mark.parametrize(
    "label",
    [
        ForwardReturn(bars=3, threshold_bps=12.5, relative=True),
        VolatilityScaled(bars=7, window=30),
        TripleBarrier(bars=9, up=1.5, down=2.0, window=40),
        MetaLabel(rule="ema_cross", bars=4, up=0.5, window=11),
    ],
)
def test_a_label_comes_back_from_the_manifest_s_text_as_it_was(label: LabelConfig) -> None:
    facts = msgspec.json.encode(_label(TrainingConfig(label=label), "1d"))
    assert label_of(msgspec.json.decode(facts, type=LabelFacts)) == label


@pytest.mark.parametrize(
    "facts",
    [
        LabelFacts(kind="other", resolution="1d", bars=5),
        LabelFacts(kind="forward_return", resolution="1d", bars=5, parameters={"half_life": 3.0}),
        LabelFacts(kind="meta", resolution="1d", bars=5, rule="their_own_rule"),
    ],
)
def test_a_label_that_nobody_here_can_make_is_told_apart(facts: LabelFacts) -> None:
    assert label_of(facts) is None
