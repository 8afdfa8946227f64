"""A small real model on real features: bars, a trained booster, a manifest under the contract."""

import datetime as dt
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tradingd.app.advisor import checked_bundle
from tradingd.config.features import FeaturesConfig
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.manifest import FILE_NAME, DriftBins, DriftReference
from tradingd.domain.money import nanos
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.frame import FeatureFrame
from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.luck.drift import reference
from tradingd.serving.bundle import Bundle
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")
SYMBOLS = ("AAA", "BBB", "CCC")
DECLARED = {
    "fast": {"kind": "return", "bars": 2},
    "slow": {"kind": "return", "bars": 10},
    "ranks": {"kind": "rank", "of": "slow"},
}
DAYS = CALENDAR.between(dt.date(2023, 1, 3), dt.date(2024, 6, 28))


@cache
def feature_set(bars: str = "1d") -> FeatureSet:
    return compile_features(FeaturesConfig(bars=bars, declared=DECLARED), calendar=CALENDAR)


@cache
def batches() -> tuple[Batch, ...]:
    """Return a year and a half of daily bars."""
    rng = np.random.default_rng(11)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (len(DAYS), len(SYMBOLS))), axis=0))
    found = []
    for day, row in zip(DAYS, np.round(closes, 2), strict=True):
        bars = [_bar(symbol, close) for symbol, close in zip(SYMBOLS, row, strict=True)]
        found.append(Batch(day.close_ns, tuple(bars)))
    return tuple(found)


def _bar(symbol: str, close: float) -> MarketBar:
    at = nanos(str(close))
    return MarketBar(symbol, at, at + nanos("0.3"), at - nanos("0.3"), at, 100_000)


@cache
def frame() -> FeatureFrame:
    ts = np.array([one.ts for one in batches()], np.int64)
    series = []
    for column, symbol in enumerate(SYMBOLS):
        bars = [one.bars[column] for one in batches()]
        prices = {
            name: np.array([getattr(one, name) for one in bars], np.float64) / 1e9
            for name in ("open", "high", "low", "close")
        }
        volume = np.array([one.volume for one in bars], np.float64)
        where = msgspec.structs.asdict(place(ts, CALENDAR))
        series.append(Series(symbol=symbol, ts=ts, volume=volume, **prices, **where))
    return compute(feature_set(), series)


@cache
def booster_text() -> str:
    import lightgbm

    x = frame().x
    rng = np.random.default_rng(2)
    y = (np.nan_to_num(x[:, 0]) + rng.normal(0, 0.02, len(x)) > 0).astype(float)
    settings = {"objective": "binary", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 20}
    data = lightgbm.Dataset(x, y, feature_name=list(feature_set().names))
    return str(lightgbm.train(settings, data, 20).model_to_string())


def drift() -> DriftReference:
    known = reference(feature_set().names, frame().x)
    return DriftReference(
        rows=known.rows,
        features={
            one.name: DriftBins(edges=one.edges, shares=one.shares, missing=one.missing)
            for one in known.columns
        },
    )


def document(**changes: Any) -> dict[str, Any]:
    """Return a manifest that its contract accepts."""
    content = booster_text().encode()
    return {
        "contract": "model-manifest",
        "schema_version": "1.1.0",
        "name": "small",
        "version": "1",
        "status": "candidate",
        "created": "2024-01-02T00:00:00Z",
        "expires": "2030-01-02T00:00:00Z",
        "framework": {"name": "lightgbm", "version": "4.7.0"},
        "task": "classification",
        "artifact": {
            "path": "model.txt",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "format": "lightgbm-text",
        },
        "features": [
            {"name": name, "dtype": "float64", "nullable": True} for name in feature_set().names
        ],
        "features_hash": feature_set().hash,
        "target": {"name": "up", "horizon_seconds": 86400},
        "label": {"kind": "forward_return", "resolution": "1d", "bars": 1},
        "training": {
            "start": "2023-01-03",
            "end": "2023-12-29",
            "rows": 750,
            "fingerprint": "0" * 64,
        },
        "validation": {"method": "hold-out", "start": "2024-01-02", "end": "2024-06-28"},
        "metrics": {"sharpe": 0.1},
        "calibration": {"kind": "platt", "slope": 2.0, "intercept": -1.0},
        "interval": {"coverage_percent": 90.0, "below": 0.25, "above": 0.5},
        **changes,
    }


def write(folder: Path, content: bytes | None = None, **changes: Any) -> Path:
    """Write model and manifest; return the manifest."""
    (folder / "model.txt").write_bytes(booster_text().encode() if content is None else content)
    path = folder / FILE_NAME
    path.write_bytes(msgspec.json.encode(document(**changes)))
    return path


def bundle(folder: Path, now: dt.datetime | None = None, **changes: Any) -> Bundle:
    return checked_bundle(write(folder, **changes), feature_set(), now)
