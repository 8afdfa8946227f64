"""What is missing: runs of sessions per symbol; reads the store, asks nobody."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import batched

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.config.sync import SyncConfig
from tradingd.config.system import SystemConfig
from tradingd.config.universe import SymbolsUniverse
from tradingd.domain.market import NANOSECONDS, DataKind, Resolution, Session
from tradingd.history.held import rows_per_session
from tradingd.history.layout import Series
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date

_MINUTE: int = 60 * NANOSECONDS


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of one symbol that follow each other and are to be fetched together."""

    symbol: str
    sessions: tuple[Session, ...]


def symbols_of(config: SystemConfig, store: Store) -> list[str]:
    """Return what to keep complete: the sync's own list, else the universe's, sorted.

    Raises
    ------
    Failure
        NO_DATA when none are named and none are stored.
    """
    if config.sync.symbols:
        return sorted(set(config.sync.symbols))
    if isinstance(config.universe, SymbolsUniverse):
        return sorted(set(config.universe.symbols))
    # Tiers are chosen from all that is stored, so all of it is kept complete.
    stored = store.symbols(DataKind.BARS, Resolution(config.sync.resolution))
    found = [one for one in stored if one not in config.universe.exclude]
    if not found:
        raise Failure(
            "there is no symbol to keep complete",
            code=ExitCode.NO_DATA,
            where="sync.symbols",
            expected=f"symbols, or a store with {config.sync.resolution} bars",
            found="none",
            next_step="tradingd data sync sync.symbols=[SPY,AAPL]",
        )
    return found


def sessions_of(config: SyncConfig, calendar: SessionCalendar, wall_ns: int) -> list[Session]:
    """Return the sessions looked at: those that are over and settled.

    Raises
    ------
    Failure
        EMPTY_RANGE when there is none.
    """
    settled = wall_ns - config.settle_minutes * _MINUTE
    end = config.end or local_date(settled)
    start = config.start or end - dt.timedelta(days=config.days)
    found = [one for one in calendar.between(start, end) if one.close_ns <= settled]
    if not found:
        raise Failure(
            "no session of the asked days is over",
            code=ExitCode.EMPTY_RANGE,
            where="sync.start",
            expected="days with at least one session that has closed and settled",
            found=f"{start} .. {end}",
            next_step="choose sync.start and sync.end",
        )
    return found


def missing(
    config: SyncConfig, store: Store, symbols: Sequence[str], sessions: Sequence[Session]
) -> Iterator[Missing]:
    """Yield what the store lacks of these sessions, by symbol, oldest first."""
    contents = store.contents()
    resolution = Resolution(config.resolution)
    for symbol in symbols:
        records = contents.of_series(Series(DataKind.BARS, symbol, resolution))
        held = rows_per_session(store.root, records, sessions)
        lacking = held < least_rows(sessions, resolution, config.min_session_coverage)
        if config.refresh:
            lacking[-config.refresh :] = True
        for run in runs(lacking):
            for some in batched(run, config.task_sessions, strict=False):
                yield Missing(symbol=symbol, sessions=tuple(sessions[place] for place in some))


def least_rows(
    sessions: Sequence[Session], resolution: Resolution, percent: float
) -> NDArray[np.float64]:
    """Return how many rows make a session count as stored: one, or a share of its length."""
    if resolution is Resolution.DAY:
        return np.ones(len(sessions))
    bars = np.array([(one.close_ns - one.open_ns) / resolution.nanoseconds for one in sessions])
    return np.maximum(1.0, bars * percent / 100)


def runs(wanted: NDArray[np.bool_]) -> Iterator[list[int]]:
    """Yield the positions of each run of True."""
    run: list[int] = []
    for place, one in enumerate(wanted.tolist()):
        if one:
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run
