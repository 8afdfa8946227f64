"""`tradingd features report`, `drift` and `materialise`: values of stored bars."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np

from tradingd.app.featuring.bars import read
from tradingd.app.modelling.sources import Sources
from tradingd.config.system import SystemConfig
from tradingd.features.batch import compute
from tradingd.features.frame import FeatureFrame
from tradingd.features.materialise import Materialised, materialise
from tradingd.features.report import ColumnFacts, describe
from tradingd.features.series import Integers
from tradingd.kits.failure import ExitCode, Failure
from tradingd.luck.drift import ks, ks_by_chance, psi, psi_by_chance, reference
from tradingd.session.calendar import local_date, local_midnight_ns

PSI_LIMIT = 0.25
"""Above it the population is another one (Siddiqi 2006); the default of model.drift_limit."""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd features report`; rows of the first `memory` bars are left out."""

    hash: str
    symbols: int
    rows: int
    warm_up_rows: int
    first: dt.date
    last: dt.date
    columns: tuple[ColumnFacts, ...]


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature: how far it has moved, and what chance alone gives one time in a hundred.

    Chance is that of independent rows; neighbouring bars are not, theirs is larger.
    """

    name: str
    psi: float
    psi_by_chance: float
    ks: float
    ks_by_chance: float

    @property
    def drifted(self) -> bool:
        """Another population, and not by chance."""
        return self.psi > max(PSI_LIMIT, self.psi_by_chance)


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd features drift`; the worst first."""

    hash: str
    since: dt.date
    rows_before: int
    rows_since: int
    drifted: int
    columns: tuple[ColumnDrift, ...]


def describe_features(
    config: SystemConfig, symbols: Sequence[str], start: dt.date | None, end: dt.date | None
) -> Described:
    """Describe every declared feature's values after the warm-up."""
    sources = read(config, symbols, start, end)
    frame = compute(sources.feature_set, sources.series)
    rows = _warm(sources, frame)
    if not len(rows):
        raise _too_short(sources, frame)
    return Described(
        hash=sources.feature_set.hash,
        symbols=len(frame.symbols),
        rows=len(rows),
        warm_up_rows=len(frame) - len(rows),
        first=local_date(int(frame.ts[rows].min())),
        last=local_date(int(frame.ts[rows].max())),
        columns=describe(frame.names, frame.x[rows]),
    )


def measure_drift(
    config: SystemConfig,
    since: dt.date,
    symbols: Sequence[str],
    start: dt.date | None,
    end: dt.date | None,
) -> Drifted:
    """Compare the rows since a day with those before it.

    Raises
    ------
    Failure
        EMPTY_RANGE when one of the two has no rows after the warm-up.
    """
    sources = read(config, symbols, start, end)
    frame = compute(sources.feature_set, sources.series)
    rows = _warm(sources, frame)
    later = frame.ts[rows] > local_midnight_ns(since)
    before, now = rows[~later], rows[later]
    if not len(before) or not len(now):
        raise _nothing_to_compare(frame, since, len(before), len(now))
    known = reference(frame.names, frame.x[before])
    indices, distances = psi(known, frame.x[now]), ks(known, frame.x[now])
    chance, distance = psi_by_chance(known, len(now)), ks_by_chance(known, len(now))
    columns = [
        ColumnDrift(
            name=name,
            psi=indices[name],
            psi_by_chance=chance[name],
            ks=distances[name],
            ks_by_chance=distance,
        )
        for name in frame.names
    ]
    columns.sort(key=lambda one: -one.psi)
    return Drifted(
        hash=sources.feature_set.hash,
        since=since,
        rows_before=len(before),
        rows_since=len(now),
        drifted=sum(one.drifted for one in columns),
        columns=tuple(columns),
    )


def materialise_features(
    config: SystemConfig, symbols: Sequence[str], start: dt.date | None, end: dt.date | None
) -> Materialised:
    """Bring the files of the declared features up to date with the stored bars."""
    sources = read(config, symbols, start, end)
    return materialise(sources.store.root, sources.feature_set, sources.series)


def _warm(sources: Sources, frame: FeatureFrame) -> Integers:
    """Return the rows of each symbol after as many bars as the features remember."""
    memory = sources.feature_set.memory
    warm = [frame.of(symbol)[memory:] for symbol in frame.symbols]
    return np.sort(np.concatenate(warm)) if warm else np.empty(0, np.int64)


def _too_short(sources: Sources, frame: FeatureFrame) -> Failure:
    return Failure(
        "no symbol has more bars than the features remember",
        code=ExitCode.EMPTY_RANGE,
        where=f"{len(frame.symbols)} symbols",
        expected=f"more than {sources.feature_set.memory} bars of a symbol",
        found=f"{max((len(one) for one in sources.series), default=0)} at the most",
        next_step="an earlier --start, or features with shorter windows; "
        "tradingd features show tells how many bars each needs",
    )


def _nothing_to_compare(frame: FeatureFrame, since: dt.date, before: int, now: int) -> Failure:
    return Failure(
        f"there is nothing to compare on one side of {since}",
        code=ExitCode.EMPTY_RANGE,
        where=f"{local_date(int(frame.ts[0]))} .. {local_date(int(frame.ts[-1]))}",
        expected="rows before and since that day, after the bars that the features remember",
        found=f"{before} before, {now} since",
    )
