"""Make and read the universe's daily files: `tradingd universe`."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradingd.config.paths import store_root
from tradingd.config.system import SystemConfig
from tradingd.config.universe import TieredUniverse
from tradingd.domain.market import ActionKind, DataKind, Resolution, Session
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.universe import files
from tradingd.universe.facts import Row
from tradingd.universe.measure import Measures, Tables
from tradingd.universe.members import Membership, read_membership
from tradingd.universe.panel import Panel, read_panel
from tradingd.universe.screen import Clause, judge
from tradingd.universe.shares import read_shares
from tradingd.universe.tiers import tiers

HISTORY_SESSIONS = 252
"""Sessions of history that are looked at, at least: a longer history counts as that long."""

type Progress = Callable[[int, int], None]


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `tradingd universe refresh`; counts are of the last day, 0 where none was asked."""

    folder: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    days: int = 0
    symbols: int = 0
    core: int = 0
    extended: int = 0
    rejected: dict[str, int] = {}
    estimated_spreads: int = 0


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `tradingd universe show`: rows of one day."""

    day: dt.date
    folder: str
    tier: str
    symbols: int
    core: int
    extended: int
    rows: tuple[Row, ...]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `tradingd universe explain`: one symbol's facts and every clause."""

    row: Row
    clauses: tuple[Clause, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One day's members, and who joined and left since the day before."""

    day: dt.date
    members: int
    joined: tuple[str, ...]
    left: tuple[str, ...]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `tradingd universe history`; the first day has no changes."""

    tier: str
    folder: str
    first: dt.date
    last: dt.date
    ever: int
    days: tuple[Change, ...]


def refresh(
    config: SystemConfig,
    now: int,
    start: dt.date | None = None,
    end: dt.date | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Refreshed:
    """Write the files of days, by default of the session that is next to close.

    Raises
    ------
    Failure
        CONFIG without tiers, NO_DATA without daily bars or with a store that ends too early,
        EMPTY_RANGE without a session.
    """
    tiered = require_tiers(config)
    store = Store(store_root(config), config.store)
    calendar = SessionCalendar(config.session.calendar)
    wanted = _sessions(calendar, now, start, end)
    symbols = _symbols(store)
    panel = read_panel(store, symbols, _with_history(calendar, wanted, tiered))
    _require_fresh(panel, wanted[-1], store.root)
    measures = Measures(panel, _tables(store, calendar, symbols, tiered), tiered)
    folder = files.folder_of(store.root, tiered)
    for done, session in enumerate(wanted, 1):
        rows = tiers(measures.on(session.day), tiered)
        files.write_day(folder, session.day, rows)
        progress(done, len(wanted))
    return _summed(folder, wanted, rows)


def show(
    config: SystemConfig, now: int, day: dt.date | None = None, *, rejected: bool = False
) -> Listed:
    """Read the members of a day, by default the latest with a file; or who was rejected."""
    tiered = require_tiers(config)
    folder = files.folder_of(store_root(config), tiered)
    day = day or _latest(folder, _today(config, now))
    rows = files.read_day(folder, day)
    in_tier = tuple(one for one in rows if _is_member(one, tiered.tier))
    return Listed(
        day=day,
        folder=str(folder),
        tier=tiered.tier,
        symbols=len(rows),
        core=_count(rows, "core"),
        extended=_count(rows, "extended"),
        rows=tuple(one for one in rows if one.rejected) if rejected else in_tier,
    )


def explain(config: SystemConfig, now: int, symbol: str, day: dt.date | None = None) -> Explained:
    """Return why a symbol is in a tier that day, or is not.

    Raises
    ------
    Failure
        UNKNOWN_SYMBOL for one that the day's file does not know.
    """
    tiered = require_tiers(config)
    folder = files.folder_of(store_root(config), tiered)
    day = day or _latest(folder, _today(config, now))
    rows = {one.symbol: one for one in files.read_day(folder, day)}
    if symbol not in rows:
        close = nearest(symbol, sorted(rows))
        raise Failure(
            f"the universe of {day} does not know {symbol}",
            code=ExitCode.UNKNOWN_SYMBOL,
            where=str(folder),
            expected="a symbol with daily bars in the store when the file was made",
            found=symbol,
            next_step=f"did you mean {close}?" if close else "tradingd data scan lists the store",
        )
    return Explained(row=rows[symbol], clauses=judge(rows[symbol], tiered))


def history(
    config: SystemConfig, start: dt.date | None = None, end: dt.date | None = None
) -> History:
    """Return who joined and left a tier over the days that have files."""
    tiered = require_tiers(config)
    folder = files.folder_of(store_root(config), tiered)
    days = [
        day
        for day in files.days_with_files(folder)
        if (start is None or day >= start) and (end is None or day <= end)
    ]
    if not days:
        raise files.no_file(folder, start or end)
    found, ever = [], set[str]()
    for place, (day, members, before) in enumerate(files.changes(folder, days, tiered.tier)):
        ever |= members
        joined, left = (members - before, before - members) if place else ((), ())
        found.append(
            Change(
                day=day,
                members=len(members),
                joined=tuple(sorted(joined)),
                left=tuple(sorted(left)),
            )
        )
    return History(
        tier=tiered.tier,
        folder=str(folder),
        first=days[0],
        last=days[-1],
        ever=len(ever),
        days=tuple(found),
    )


def require_tiers(config: SystemConfig) -> TieredUniverse:
    """Return the tiers' settings, or refuse a universe that has none."""
    if isinstance(config.universe, TieredUniverse):
        return config.universe
    raise Failure(
        "this universe has no tiers",
        code=ExitCode.CONFIG,
        where="universe",
        expected="core or extended",
        found=str(config.universe.__struct_config__.tag),
        next_step="universe=core",
    )


def index_members(tiered: TieredUniverse) -> Membership | None:
    """Read the index membership, where one is configured."""
    return read_membership(Path(tiered.membership)) if tiered.membership else None


def _sessions(
    calendar: SessionCalendar, now: int, start: dt.date | None, end: dt.date | None
) -> Sequence[Session]:
    if start is None and end is None:
        return [next(one for one in calendar.sessions if one.close_ns > now)]
    first, last = start or end, end or local_date(now)
    assert first is not None
    found = calendar.between(first, last)
    if found:
        return found
    raise Failure(
        "there is no session in the asked days",
        code=ExitCode.EMPTY_RANGE,
        where="--start, --end",
        expected="days with at least one session",
        found=f"{first} .. {last}",
    )


def _symbols(store: Store) -> list[str]:
    found = store.symbols(DataKind.BARS, Resolution.DAY)
    if found:
        return found
    raise Failure(
        "the history store holds no daily bars to choose from",
        code=ExitCode.NO_DATA,
        where=str(store.root),
        expected="bars at resolution 1d",
        found="none",
        next_step="tradingd data import source=sample (or another source), or tradingd data sync",
    )


def _with_history(
    calendar: SessionCalendar, wanted: Sequence[Session], tiered: TieredUniverse
) -> Sequence[Session]:
    """Return the sessions to read: what the first day looks back on, to the last day."""
    back = max(
        HISTORY_SESSIONS, tiered.window + 1, tiered.spread_window + 1, tiered.screen.min_history
    )
    first = calendar.sessions.index(wanted[0])
    last = calendar.sessions.index(wanted[-1])
    return calendar.sessions[max(0, first - back) : last + 1]


def _require_fresh(panel: Panel, last: Session, root: Path) -> None:
    """Refuse a last day whose eve is not stored yet: tiers would be of some other day."""
    eve = panel.close[-2:-1]
    if eve.size and (eve == eve).any():
        return
    held = (panel.close == panel.close).any(axis=1)
    until = max((day for day, there in zip(panel.days, held, strict=True) if there), default=None)
    raise Failure(
        f"the store has no daily bar of {panel.days[-2]}, the session before {last.day}",
        code=ExitCode.NO_DATA,
        where=str(root),
        expected=f"daily bars up to {panel.days[-2]}",
        found=f"bars up to {until}" if until else "none that near",
        next_step="tradingd data sync, or --end with a day the store reaches",
    )


def _tables(
    store: Store, calendar: SessionCalendar, symbols: Sequence[str], tiered: TieredUniverse
) -> Tables:
    reference = store.reference(symbols)
    return Tables(
        sessions=[one.day for one in calendar.sessions],
        earnings=reference.earnings,
        borrow=reference.shortable,
        membership=index_members(tiered),
        shares=read_shares(Path(tiered.shares)) if tiered.shares else {},
        delisted={
            one.symbol: one.ex_date
            for one in store.actions(symbols)
            if one.kind is ActionKind.DELISTING
        },
    )


def _summed(folder: Path, sessions: Sequence[Session], rows: Sequence[Row]) -> Refreshed:
    reasons = Counter(reason for one in rows for reason in one.rejected)
    return Refreshed(
        folder=str(folder),
        first=sessions[0].day,
        last=sessions[-1].day,
        days=len(sessions),
        symbols=len(rows),
        core=_count(rows, "core"),
        extended=_count(rows, "extended"),
        rejected=dict(reasons.most_common()),
        estimated_spreads=sum(one.spread_source not in ("", "quotes") for one in rows),
    )


def _is_member(row: Row, tier: str) -> bool:
    return bool(row.tier) and (tier == "extended" or row.tier == tier)


def _count(rows: Sequence[Row], tier: str) -> int:
    return sum(one.tier == tier for one in rows)


def _today(config: SystemConfig, now: int) -> dt.date:
    calendar = SessionCalendar(config.session.calendar)
    return next(one for one in calendar.sessions if one.close_ns > now).day


def _latest(folder: Path, today: dt.date) -> dt.date:
    """Return the latest day with a file, not later than the session that is next to close."""
    found = [day for day in files.days_with_files(folder) if day <= today]
    if not found:
        raise files.no_file(folder, today)
    return found[-1]
