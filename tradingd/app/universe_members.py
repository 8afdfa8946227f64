"""Which symbols a run or a session reads, and on which days each may be entered, by tiers.

A run over years reads every symbol that was a member on any of its days: leaving out those that
left would be survivorship. The gate then denies entries outside the days of their membership.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradingd.config.feed import AlpacaFeed, ReplayFeed
from tradingd.config.mode import BacktestMode
from tradingd.config.system import SystemConfig
from tradingd.config.universe import TieredUniverse
from tradingd.domain.market import DataKind, ReferenceData, Resolution
from tradingd.history.missing import no_data
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.universe import files
from tradingd.universe.members import Membership

_SHOWN = 3
"""Missing days that a refusal names."""


class _Days(NamedTuple):
    """Sessions whose files count, and the first day for which the last one no longer does."""

    days: Sequence[dt.date]
    until: dt.date


def tier_membership(
    store: Store, config: SystemConfig, start: dt.date | None, end: dt.date | None
) -> Membership:
    """Return the days on which each symbol is in the configured tier.

    `start` and `end` are inclusive; None: as far as the store's bars of the strategy go.

    Raises
    ------
    Failure
        NO_DATA when a session of the range has no file, with the command that makes them.
    """
    tiered = _tiered(config)
    calendar = SessionCalendar(config.session.calendar)
    return _read(store.root, tiered, _range(store, config, calendar, start, end))


def tier_symbols(store: Store, config: SystemConfig, now: int) -> list[str]:
    """Return every symbol that the run or session needs bars of, sorted.

    Raises
    ------
    Failure
        NO_DATA without the files of its days, or when the tier is empty on all of them.
    """
    tiered, found = _tiered(config), _of_config(store, config, now)
    membership = _read(store.root, tiered, found)
    if symbols := membership.ever(found.days[0], found.days[-1]):
        return list(symbols)
    raise Failure(
        f"nobody is in tier {tiered.tier}",
        code=ExitCode.NO_DATA,
        where=str(files.folder_of(store.root, tiered)),
        expected=f"members on a day of {found.days[0]} .. {found.days[-1]}",
        found="none that passed the screen",
        next_step=f"tradingd universe show --day {found.days[-1]} --rejected",
    )


def with_members(
    reference: ReferenceData, store: Store, config: SystemConfig, now: int
) -> ReferenceData:
    """Add the days of membership, where the universe has tiers."""
    if not isinstance(config.universe, TieredUniverse):
        return reference
    membership = _read(store.root, config.universe, _of_config(store, config, now))
    spans = {
        symbol: tuple((span.first, span.until) for span in some)
        for symbol, some in membership.spans.items()
    }
    return msgspec.structs.replace(reference, members=spans)


def _tiered(config: SystemConfig) -> TieredUniverse:
    assert isinstance(config.universe, TieredUniverse)
    return config.universe


def _of_config(store: Store, config: SystemConfig, now: int) -> _Days:
    """Return the days of a backtest or replay, else today's and those that may linger."""
    calendar = SessionCalendar(config.session.calendar)
    if isinstance(config.mode, BacktestMode):
        return _range(store, config, calendar, config.mode.start, config.mode.end)
    if isinstance(config.feed, ReplayFeed):
        return _range(store, config, calendar, config.feed.start, config.feed.end)
    return _live(store.root, config, calendar, now)


def _range(
    store: Store,
    config: SystemConfig,
    calendar: SessionCalendar,
    start: dt.date | None,
    end: dt.date | None,
) -> _Days:
    held_first, held_last = _held(store, Resolution(config.strategy.bars))
    first, last = start or held_first, end or held_last
    days = [one.day for one in calendar.between(first, last)]
    if not days:
        raise _no_session(first, last)
    _require(files.folder_of(store.root, _tiered(config)), days)
    return _Days(days, days[-1] + dt.timedelta(days=1))


def _held(store: Store, resolution: Resolution) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of the store's bars."""
    contents = store.contents()
    stored = contents.series(DataKind.BARS, resolution)
    records = [one for series in stored for one in contents.of_series(series)]
    if not records:
        raise no_data(store.root, DataKind.BARS, resolution)
    return (
        local_date(min(one.first_ts for one in records)),
        local_date(max(one.last_ts for one in records)),
    )


def _no_session(first: dt.date, last: dt.date) -> Failure:
    return Failure(
        "the asked days hold no session",
        code=ExitCode.EMPTY_RANGE,
        where="start and end of the run",
        expected="days with at least one session",
        found=f"{first} .. {last}",
    )


def _live(root: Path, config: SystemConfig, calendar: SessionCalendar, now: int) -> _Days:
    """Return today's session and those before it that have files."""
    tiered = _tiered(config)
    folder = files.folder_of(root, tiered)
    known = files.days_with_files(folder)
    data_time = isinstance(config.feed, AlpacaFeed) and config.feed.clock == "data"
    if data_time and known:
        # A test server's day is not the wall's: the latest file is the nearest there is.
        today = known[-1]
    else:
        today = next(one for one in calendar.sessions if one.close_ns > now).day
        _require(folder, [today], stale=True)
    place = next(at for at, one in enumerate(calendar.sessions) if one.day >= today)
    lingering = calendar.sessions[max(0, place - tiered.linger_sessions) : place]
    there = set(known)
    days = [one.day for one in lingering if one.day in there]
    return _Days([*days, today], calendar.sessions[place + 1].day)


def _require(folder: Path, days: Sequence[dt.date], *, stale: bool = False) -> None:
    known = files.days_with_files(folder)
    there = set(known)
    missing = [day for day in days if day not in there]
    if not missing:
        return
    named = ", ".join(str(day) for day in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    again = f"--start {missing[0]} --end {missing[-1]}, with the same universe="
    raise Failure(
        "the universe of today is not made yet"
        if stale
        else f"the universe lacks {len(missing)} of {len(days)} sessions",
        code=ExitCode.NO_DATA,
        where=str(folder),
        expected="a file of every session" if not stale else f"the file {days[-1]}.parquet",
        found=f"none of {named}{more}" + (f"; the latest is {known[-1]}" if known else ""),
        next_step="tradingd data sync, then tradingd universe refresh, with the same universe="
        if stale
        else f"tradingd universe refresh {again}",
    )


def _read(root: Path, tiered: TieredUniverse, found: _Days) -> Membership:
    return files.membership(
        files.folder_of(root, tiered), found.days, tiered.tier, last_until=found.until
    )
