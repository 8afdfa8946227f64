"""The served model answers by live features, bit for bit as in batch, or says why it does not."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.integration.serving.serving_kit import (
    CALENDAR,
    SYMBOLS,
    batches,
    bundle,
    drift,
    feature_set,
    frame,
)
from tradingd.config.features import FeaturesConfig
from tradingd.config.model import ModelFile, Serving
from tradingd.domain.advice import Abstention, Advice
from tradingd.domain.feed import Batch, MarketBar, Quote
from tradingd.features.compile import compile_features
from tradingd.features.live import LiveFeatures
from tradingd.serving.advisor import ServedModel
from tradingd.serving.bundle import Bundle

SETTINGS = ModelFile(manifest="m")


def served(found: Bundle | None, settings: Serving = SETTINGS, **more: Any) -> ServedModel:
    features = feature_set()
    return ServedModel(
        found,
        LiveFeatures(features, SYMBOLS),
        symbols=frozenset(SYMBOLS),
        memory=features.memory,
        settings=settings,
        **more,
    )


def test_live_answers_are_those_of_the_batch(tmp_path: Path) -> None:
    found = bundle(tmp_path)
    model = served(found)
    whole = frame()
    expected = found.predictor.many(whole.x)
    compared = 0
    for place, batch in enumerate(batches()):
        model.observe(batch)
        for column, symbol in enumerate(SYMBOLS):
            row = place * len(SYMBOLS) + column
            answer = model.advice(symbol, batch.ts)
            if place < feature_set().memory:
                assert answer.abstention is Abstention.WARMING_UP
                continue
            compared += 1
            if np.array_equal(model._features.row(symbol), whole.x[row]):
                assert answer.score == expected[row]
            assert answer.score == pytest.approx(expected[row], abs=1e-6)
            assert answer.probability == found.opinion(expected[row]).probability
    assert compared > 900
    assert model.answers[""] == compared


def warm(model: ServedModel, upto: int = 40) -> Batch:
    for batch in batches()[:upto]:
        model.observe(batch)
    return batches()[upto - 1]


def test_without_a_model_it_says_why(tmp_path: Path) -> None:
    model = served(None, why="refused: expired")
    batch = warm(model)
    answer = model.advice("AAA", batch.ts)
    assert (answer.abstention, answer.why) == (Abstention.NO_MODEL, "refused: expired")


def test_it_answers_for_the_moment_in_hand_only(tmp_path: Path) -> None:
    model = served(bundle(tmp_path))
    batch = warm(model)
    assert model.advice("AAA", batch.ts).abstention is None
    assert model.advice("AAA", batch.ts - 1).abstention is Abstention.NO_ROW
    assert model.advice("AAA", batches()[38].ts).abstention is Abstention.NO_ROW
    assert model.advice("ZZZ", batch.ts).abstention is Abstention.NO_ROW
    later = batches()[40]
    model.observe(Batch(later.ts, later.bars[1:]))
    assert model.advice("AAA", later.ts).abstention is Abstention.NO_ROW


def test_past_its_expiry_it_abstains(tmp_path: Path) -> None:
    model = served(bundle(tmp_path, expires="2023-03-01T00:00:00Z"))
    batch = warm(model, 30)
    assert model.advice("AAA", batch.ts).abstention is None
    after = warm(served(bundle(tmp_path, expires="2023-03-01T00:00:00Z")), 60)
    for one in batches()[30:60]:
        model.observe(one)
    answer = model.advice("AAA", after.ts)
    assert answer.abstention is Abstention.EXPIRED
    assert "2023-03-01" in answer.why


def test_missing_features_abstain_beyond_the_allowed_number(tmp_path: Path) -> None:
    found = bundle(tmp_path)
    flat = tuple(MarketBar("AAA", 10**10, 10**10, 10**10, 10**10, 0) for _ in range(1))
    for allowed, abstains in ((0, True), (3, False)):
        model = served(found, ModelFile(manifest="m", missing=allowed))
        warm(model)
        ts = batches()[40].ts
        model.observe(Batch(ts, flat))
        model._features.row("AAA")[0] = np.nan
        answer = model.advice("AAA", ts)
        assert (answer.abstention is Abstention.MISSING_FEATURES) is abstains
        if abstains:
            assert feature_set().names[0] in answer.why


def shifted(batch: Batch, places: int) -> Batch:
    """Return bars whose prices have become far more volatile."""
    factor = (1.0, 1.6, 0.6)[places % 3]
    bars = [
        MarketBar(
            one.symbol,
            int(one.open * factor),
            int(one.high * factor),
            int(one.low * factor),
            int(one.close * factor),
            one.volume,
        )
        for one in batch.bars
    ]
    return Batch(batch.ts, tuple(bars))


def drifting(weights: dict[str, float] | None = None) -> dict[str, Any]:
    known = msgspec.to_builtins(drift())
    for name, weight in (weights or {}).items():
        known["features"][name]["weight"] = weight
    return known


def test_rows_that_no_longer_look_like_the_training_stop_it(tmp_path: Path) -> None:
    # Ten-day returns of three symbols overlap: their index is high by chance.
    limits = ModelFile(manifest="m", drift_limit=0.6)
    model = served(bundle(tmp_path, drift=drifting()), limits)
    batch = warm(model, 100)
    assert model.drift is not None
    assert (model.drift.sessions, model.drift.rows) == (21, 63)
    assert model.advice("AAA", batch.ts).abstention is None
    for place, one in enumerate(batches()[100:160]):
        model.observe(shifted(one, place))
    answer = model.advice("AAA", batches()[159].ts)
    assert answer.abstention is Abstention.DRIFTED
    assert "most by slow" in answer.why or "most by fast" in answer.why


def test_what_the_model_does_not_look_at_may_drift(tmp_path: Path) -> None:
    limits = ModelFile(manifest="m", drift_limit=0.6)
    ignored = drifting({"fast": 0.0, "slow": 0.0, "ranks": 1.0})
    model = served(bundle(tmp_path, drift=ignored), limits)
    warm(model, 100)
    for place, one in enumerate(batches()[100:160]):
        model.observe(shifted(one, place))
    assert model.drift is not None
    assert model.drift.worst[0][0] == "ranks"
    assert model.advice("AAA", batches()[159].ts).abstention is None


def test_drift_is_not_measured_on_fewer_sessions_than_configured(tmp_path: Path) -> None:
    settings = ModelFile(manifest="m", drift_sessions=30)
    first = feature_set().memory
    for sessions, measured in ((30, False), (31, True)):
        model = served(bundle(tmp_path, drift=drifting()), settings)
        warm(model, first + sessions)
        assert (model.drift is not None) is measured


def test_another_model_answers_from_the_next_bars_on(tmp_path: Path) -> None:
    model = served(bundle(tmp_path))
    batch = warm(model)
    (tmp_path / "new").mkdir()
    model.serve(bundle(tmp_path / "new", version="2"))
    assert model.advice("AAA", batch.ts).model == "small@1"
    model.observe(batches()[40])
    assert model.advice("AAA", batches()[40].ts).model == "small@2"
    model.withdraw("the alias is gone")
    assert model.advice("AAA", batches()[40].ts).why == "the alias is gone"


def test_every_answer_is_told_with_its_row_and_time(tmp_path: Path) -> None:
    heard: list[tuple[Advice, Any, int]] = []
    ticks = iter(range(100))
    model = served(
        bundle(tmp_path),
        told=lambda *one: heard.append(one),
        nanoseconds=lambda: next(ticks),
    )
    batch = warm(model)
    answer = model.advice("AAA", batch.ts)
    assert heard[0][0] is answer
    assert np.array_equal(heard[0][1], model._features.row("AAA"))
    assert heard[0][2] == 1


QUOTED = {
    "fast": {"kind": "return", "bars": 2},
    "spread": {"kind": "spread_bps"},
    "queue": {"kind": "quote_imbalance"},
    "book": {"kind": "book_imbalance", "bars": 3},
}


def quote(symbol: str, batch: Batch, size: int, later: int) -> Quote:
    """Return a quote around the close of a symbol's bar."""
    close = next(one.close for one in batch.bars if one.symbol == symbol)
    return Quote(symbol, close - 20_000_000 * size, close + 10_000_000, 100 * size, 300,
                 batch.ts + later)  # fmt: skip


def test_a_requoted_row_is_that_of_a_bar_which_closed_on_the_quote() -> None:
    features = compile_features(FeaturesConfig(bars="1d", declared=QUOTED), calendar=CALENDAR)
    before, after = LiveFeatures(features, SYMBOLS), LiveFeatures(features, SYMBOLS)
    names = list(features.names)
    quoted = [names.index("spread"), names.index("queue")]
    others = [names.index("fast"), names.index("book")]
    for place, batch in enumerate(batches()[:30]):
        for live in (before, after):
            live.observe_quote(quote("AAA", batch, 1 + place % 3, -5))
        last = place == 29
        if last:
            before.observe_quote(quote("AAA", batch, 7, -1))
        for live in (before, after):
            live.observe(batch)
    bars = after.row("AAA").copy()
    after.observe_quote(quote("AAA", batches()[29], 7, 1))
    again = after.requoted("AAA")
    assert np.array_equal(again[quoted], before.row("AAA")[quoted])
    assert not np.array_equal(again[quoted], bars[quoted])
    assert np.array_equal(again[others], bars[others])
    assert np.array_equal(after.row("AAA"), bars)
    for live in (before, after):
        live.observe_quote(quote("AAA", batches()[30], 2, -1))
        live.observe(batches()[30])
    assert np.array_equal(after.row("AAA")[quoted + others[:1]],
                          before.row("AAA")[quoted + others[:1]])  # fmt: skip


@pytest.mark.parametrize("on_quotes", [True, False])
def test_who_asks_between_bars_hears_the_prediction_on_the_newest_quote(
    tmp_path: Path, on_quotes: bool
) -> None:
    heard: list[Advice] = []
    model = served(
        bundle(tmp_path),
        ModelFile(manifest="m", on_quotes=on_quotes),
        told=lambda advice, _row, _took: heard.append(advice),
    )
    batch = warm(model)
    first = model.advice("AAA", batch.ts)
    model.observe_quote(quote("AAA", batch, 2, 10))
    second = model.advice("AAA", batch.ts)
    assert second.ts == (batch.ts + 10 if on_quotes else batch.ts)
    assert second.score == first.score  # none of these features reads quotes
    assert [one.ts for one in heard] == [first.ts, second.ts]
    model.observe(batches()[40])
    assert model.advice("AAA", batches()[40].ts).ts == batches()[40].ts


def test_a_quote_before_the_row_is_ready_or_after_expiry_gives_no_opinion(tmp_path: Path) -> None:
    settings = ModelFile(manifest="m", on_quotes=True)
    heard: list[Advice] = []
    model = served(
        bundle(tmp_path, expires="2023-03-01T00:00:00Z"), settings,
        told=lambda advice, _row, _took: heard.append(advice),
    )  # fmt: skip
    model.observe_quote(Quote("AAA", 1, 2, 1, 1, 5))
    model.observe_quote(Quote("ZZZ", 1, 2, 1, 1, 5))
    assert heard == []
    batch = warm(model, 30)
    model.observe_quote(quote("AAA", batch, 2, 60 * 86_400_000_000_000))
    assert [one.abstention for one in heard] == [Abstention.EXPIRED]
