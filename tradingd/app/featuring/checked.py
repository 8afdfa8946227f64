"""`tradingd features check`: prove the declared features on stored bars."""

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from tradingd.app.backtest import universe_symbols
from tradingd.app.featuring.bars import read, require_stored
from tradingd.app.modelling.sources import require_features
from tradingd.config.paths import store_root
from tradingd.config.system import SystemConfig
from tradingd.domain.market import Resolution
from tradingd.features.check import CheckReport, check
from tradingd.features.feature_set import FeatureSet
from tradingd.features.moments import between
from tradingd.features.proofs import single
from tradingd.features.series import Series
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

SYMBOLS = 5
"""Symbols that are taken when none are named."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd features check`; `problems` counts the features that failed a proof."""

    exit_code: int
    problems: int
    report: CheckReport


def check_features(
    config: SystemConfig,
    *,
    symbols: Sequence[str] = (),
    only: Sequence[str] = (),
    start: dt.date | None = None,
    end: dt.date | None = None,
    bars: int = 2_000,
    cuts: int = 12,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Checked:
    """Prove declared features on the latest bars of some symbols.

    Raises
    ------
    Failure
        USAGE for a feature that is not declared; UNKNOWN_SYMBOL, NO_DATA, EMPTY_RANGE, CONFIG.
    """
    require_features(config.features)
    for name in only:
        if name not in config.features.declared:
            close = nearest(name, config.features.declared)
            raise Failure(
                f"feature {name} is not declared",
                code=ExitCode.USAGE,
                where="--only",
                found=name,
                next_step=f"did you mean {close}?" if close else "tradingd features show",
            )
    sources = read(config, _chosen(config, symbols), start, end)
    wanted = _narrowed(sources.feature_set, only)
    report = check(wanted, _latest(sources.series, bars), cuts=cuts, seed=seed, progress=progress)
    kept = tuple(one for one in report.features if not only or one.name in only)
    report = msgspec.structs.replace(report, features=kept)
    failed = report.problems
    code = ExitCode.LOOK_AHEAD if failed else ExitCode.OK
    return Checked(exit_code=code, problems=failed, report=report)


def _chosen(config: SystemConfig, symbols: Sequence[str]) -> Sequence[str]:
    store, resolution = Store(store_root(config), config.store), Resolution(config.features.bars)
    if symbols:
        require_stored(store, resolution, symbols)
        return symbols
    return universe_symbols(store, config, resolution)[:SYMBOLS]


def _narrowed(feature_set: FeatureSet, only: Sequence[str]) -> FeatureSet:
    """Return the set of some features and of what they need."""
    if not only:
        return feature_set
    names = sorted({name for one in only for name in single(feature_set, one).names})
    order = [feature_set.names[index] for index in feature_set.order]
    return msgspec.structs.replace(
        feature_set,
        names=tuple(names),
        columns=tuple(feature_set.columns[feature_set.names.index(one)] for one in names),
        order=tuple(names.index(one) for one in order if one in names),
    )


def _latest(series: Sequence[Series], bars: int) -> list[Series]:
    """Return the latest bars of each symbol."""
    return [
        part
        for one in series
        if len(one)
        for part in between([one], int(one.ts[-min(bars, len(one))]), int(one.ts[-1]))
    ]
