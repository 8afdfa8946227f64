"""A session says that its features across symbols compare others than the training's did."""

import msgspec
import pytest

from tests.acceptance.daemon.model_market import manifest_of
from tradingd.app.model_universe import other_universe
from tradingd.config.features import FeaturesConfig
from tradingd.domain.manifest import ModelManifest, TrainingFacts, from_document
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.session.calendar import SessionCalendar


def features(*, across: bool, benchmark: str = "") -> FeatureSet:
    declared: dict[str, dict[str, object]] = {"step": {"kind": "return", "bars": 1}}
    if across:
        declared["place"] = {"kind": "rank", "of": "step"}
    config = FeaturesConfig(declared=declared, benchmark=benchmark)
    return compile_features(config, calendar=SessionCalendar("XNYS"))


def manifest(feature_set: FeatureSet, symbols: int | None) -> ModelManifest:
    found = from_document(manifest_of(feature_set, 1, b"", rows=10))
    training: TrainingFacts = msgspec.structs.replace(found.training, symbols=symbols)
    return msgspec.structs.replace(found, training=training)


def test_another_number_of_symbols_is_told_with_the_features_it_touches() -> None:
    found = features(across=True)
    words = other_universe(manifest(found, 500), found, ("AAA", "BBB"))
    assert words.startswith("small@1 learned among 500 symbols and is asked among 2")
    assert "place" in words
    assert "step" not in words


@pytest.mark.parametrize(
    ("across", "symbols", "benchmark"),
    [(True, 2, ""), (False, 500, ""), (True, None, ""), (True, 2, "BBB")],
    ids=["the same", "nothing compares symbols", "not stated", "the benchmark is traded too"],
)
def test_nothing_is_told_where_there_is_nothing_to_tell(
    across: bool, symbols: int | None, benchmark: str
) -> None:
    found = features(across=across, benchmark=benchmark)
    assert other_universe(manifest(found, symbols), found, ("AAA", "BBB")) == ""
