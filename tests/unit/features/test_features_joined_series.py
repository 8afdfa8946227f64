"""Short series of several symbols are laid end to end; no symbol may tell from its values."""

import numpy as np
import pytest

from tradingd.config.features import FeaturesConfig
from tradingd.features.batch import compute
from tradingd.features.catalogue import KINDS, find
from tradingd.features.compile import compile_features
from tradingd.features.feature import CrossFeature
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import QUOTES, Series
from tradingd.features.sessions import place
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
SIZES = (700, 1, 90, 0, 2, 640, 30)


def of_one_symbol(kind: str) -> bool:
    found = find(kind, "")
    return not issubclass(found, CrossFeature) and not set(found.inputs) & set(QUOTES)


TOGETHER = [
    kind
    for kind in sorted(KINDS)
    if of_one_symbol(kind) and (find(kind, "").windowed or find(kind, "").parted)
]


def declared(kind: str) -> FeatureSet:
    return compile_features(
        FeaturesConfig(bars="1d", declared={"it": {"kind": kind}}), calendar=CALENDAR
    )


def dirty(number: int, size: int) -> Series:
    """A walk in ticks that stands still at the start, at the end and for 320 bars between."""
    dice = np.random.default_rng(number)
    steps = dice.integers(-9, 10, size) / 100
    still = np.zeros(size, np.bool_)
    still[: number % 3] = still[size - 25 :] = still[200:520] = True
    steps[still] = 0.0
    close = 40.0 + 7 * number + np.cumsum(steps)
    before = np.concatenate([close[:1], close[:-1]])
    reach = np.where(still, 0.0, dice.integers(0, 5, (2, size)) / 100)
    volume = np.where(dice.random(size) < 0.1, 0.0, dice.integers(1, 90_000, size)).astype(float)
    volume[: number % 2] = 0.0
    stamps = np.array([one.close_ns for one in CALENDAR.sessions[50 : 50 + size]], np.int64)
    where = place(stamps, CALENDAR)
    return Series(
        symbol=f"S{number}",
        ts=stamps,
        open=before,
        high=np.maximum(before, close) + reach[0],
        low=np.minimum(before, close) - reach[1],
        close=close,
        volume=volume,
        session=where.session,
        minute=where.minute,
        to_close=where.to_close,
    )


@pytest.mark.parametrize("kind", TOGETHER)
def test_a_kind_has_the_same_values_beside_other_symbols_as_alone(kind: str) -> None:
    feature_set = declared(kind)
    series = [dirty(number, size) for number, size in enumerate(SIZES)]
    frame = compute(feature_set, series)
    for one in (one for one in series if len(one)):
        with np.errstate(all="ignore"):
            alone = feature_set.columns[0].batch(one)
        beside = frame.x[frame.of(one.symbol), 0]
        np.testing.assert_allclose(beside, alone, rtol=1e-11, atol=1e-12)
    assert np.isfinite(frame.x).any()
