"""Every kind of the catalogue keeps the promises of features, on random bars and in every form."""

import datetime as dt
import functools
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.unit.features import feature_bars
from tradingd.config.features import FeaturesConfig
from tradingd.features.batch import compute
from tradingd.features.catalogue import KINDS, find
from tradingd.features.check import CheckReport, check
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import Series

SECTORS = {"AAA": "tech", "BBB": "tech", "CCC": "food", "SPY": "tech"}
EARNINGS = {
    symbol: tuple(dt.date(year, month, 3 + number) for year in (2014, 2015, 2016)
                  for month in (1, 4, 7, 10, 12))
    for number, symbol in enumerate(SECTORS)
}  # fmt: skip


def declared(kind: str) -> dict[str, dict[str, Any]]:
    """The kind with its defaults; what it compares is a return."""
    names = {one.name for one in msgspec.structs.fields(find(kind).Params) if one.required}
    more = {"of": "base"} if "of" in names else {}
    found: dict[str, dict[str, Any]] = {"it": {"kind": kind, **more}}
    return found | ({"base": {"kind": "return", "bars": 3}} if more else {})


def one_kind(kind: str, bars: str) -> FeatureSet:
    config = FeaturesConfig(bars=bars, benchmark="SPY", declared=declared(kind))
    return compile_features(
        config, calendar=feature_bars.CALENDAR, sectors=SECTORS, earnings=EARNINGS
    )


@functools.cache
def market(bars: str, seed: int) -> list[Series]:
    """Four symbols, one of them the benchmark."""
    daily = bars == "1d"
    stamps = feature_bars.daily_stamps(400) if daily else feature_bars.minute_stamps(4)[:900]
    return feature_bars.market(stamps, seed)


def checked(kind: str, bars: str) -> CheckReport:
    return check(one_kind(kind, bars), market(bars, len(kind) % 3), cuts=3, seed=len(kind))


@pytest.mark.parametrize("bars", ["1d", "1m"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_the_same_bar_by_bar_sees_no_future_and_minds_no_split(kind, bars):
    report = checked(kind, bars)
    (it,) = [one for one in report.features if one.name == "it"]
    assert it.problems == ()
    assert it.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_values_on_bars_of_some_length(kind):
    shares = []
    for bars in ("1d", "1m"):
        frame = compute(one_kind(kind, bars), market(bars, 1))
        shares.append(np.isfinite(frame.x[:, frame.names.index("it")]).mean())
    assert max(shares) > 0.5
