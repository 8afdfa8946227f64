"""The store, the symbols, the features and their bars, as a configuration names them."""

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tradingd.app.backtest import universe_symbols
from tradingd.config.features import FeaturesConfig
from tradingd.config.paths import store_root
from tradingd.config.system import SystemConfig
from tradingd.domain.market import Resolution
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import Series
from tradingd.features.store_series import read_series
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


class Sources(NamedTuple):
    """What features are computed from; `traded` leaves out a benchmark that is not traded."""

    store: Store
    calendar: SessionCalendar
    feature_set: FeatureSet
    traded: tuple[str, ...]
    series: list[Series]


def open_sources(config: SystemConfig, start: dt.date | None, end: dt.date | None) -> Sources:
    """Read the bars that the configured features need, from `start` to `end`, both inclusive.

    Raises
    ------
    Failure
        NO_DATA or CONFIG, naming what is missing.
    """
    store = Store(store_root(config), config.store)
    calendar = SessionCalendar(config.session.calendar)
    resolution = Resolution(config.features.bars)
    traded = tuple(universe_symbols(store, config, resolution))
    feature_set = stored_feature_set(config, store, traded, calendar)
    wanted = sorted({*traded, feature_set.benchmark} - {""})
    series = read_series(
        store,
        wanted,
        resolution,
        start,
        end,
        calendar=calendar,
        quotes=feature_set.needs_quotes,
        regular_only=config.session.regular_only,
    )
    return Sources(store, calendar, feature_set, traded, series)


def stored_feature_set(
    config: SystemConfig, store: Store, symbols: Sequence[str], calendar: SessionCalendar
) -> FeatureSet:
    """Compile the declared features with the tables they may need."""
    require_features(config.features)
    return compile_features(
        config.features,
        calendar=calendar,
        sectors=read_sectors(config.features.sectors),
        earnings=store.reference(symbols).earnings,
    )


def require_features(features: FeaturesConfig) -> None:
    """Refuse a set without a feature."""
    if not features.declared:
        raise Failure(
            "no feature is declared",
            code=ExitCode.CONFIG,
            where="features.declared",
            expected="at least one",
            next_step="features=daily or features=minute, or declare your own",
        )


def read_sectors(path: str) -> Mapping[str, str]:
    """Read symbol,sector lines; empty without a path.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when it is not such a file.
    """
    if not path:
        return {}
    file = Path(path).expanduser()
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return {row["symbol"].strip(): row["sector"].strip() for row in rows}
    except (OSError, UnicodeDecodeError, KeyError, AttributeError) as error:
        raise Failure(
            "the table of sectors cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(file),
            expected="CSV with columns symbol,sector",
            found=f"{type(error).__name__}: {error}",
        ) from error
