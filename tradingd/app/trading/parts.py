"""The parts of one session, built in the order they depend on each other."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tradingd.app.provenance import git_state
from tradingd.app.trading.market import reference
from tradingd.config.load import Loaded
from tradingd.config.mode import LiveMode, PaperMode
from tradingd.config.strategy import members
from tradingd.config.system import SystemConfig, strategy_name
from tradingd.domain.feed import Batch, Feed
from tradingd.domain.journal import RunRow
from tradingd.domain.market import Resolution
from tradingd.domain.money import nanos
from tradingd.domain.recall import Recalled
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock, SessionClock, WallClock
from tradingd.strategies.make import make_strategy

JOURNAL_FILE = "journal.sqlite"


def session_mode(config: SystemConfig) -> PaperMode | LiveMode:
    """Return the mode of a trading session, or refuse a backtest.

    Raises
    ------
    Failure
        CONFIG, naming the key.
    """
    if isinstance(config.mode, PaperMode | LiveMode):
        return config.mode
    raise Failure(
        "the daemon trades in mode paper or live",
        code=ExitCode.CONFIG,
        where="mode",
        expected="paper or live",
        found="backtest",
        next_step="tradingd backtest runs a backtest",
    )


def mode_name(config: SystemConfig) -> Literal["paper", "live"]:
    """Return ``paper`` or ``live``."""
    return "live" if isinstance(session_mode(config), LiveMode) else "paper"


def session_clock(feed: Feed, start: int) -> SessionClock:
    """Return data time for a replay, wall time otherwise."""
    return ReplayClock(start) if feed.replayed else WallClock()


def moment_before(first: Batch, bars: Resolution, calendar: SessionCalendar) -> int:
    """Return the data time at which a replay begins: what is due at its open is still to come.

    That is before the first bar begins, and within its day: a daily bar begins with its session,
    not a day before its close, when another session was not over.
    """
    began = first.ts - bars.nanoseconds
    session = calendar.at(first.ts)
    return (began if session is None else max(began, session.open_ns)) - 1


def session_gate(
    config: SystemConfig,
    book: Book,
    feed: Feed,
    symbols: Sequence[str],
    watched: frozenset[str],
) -> Gate:
    """Return the gate with the configured limits; nothing is opened in what is watched."""
    return Gate(
        config.risk,
        book,
        reference=reference(config, symbols, watched),
        account=config.broker.account,
        bar_seconds=feed.resolution.nanoseconds // 1_000_000_000,
        broker=str(config.broker.__struct_config__.tag),
    )


def session_strategies(config: SystemConfig) -> Sequence[Strategy]:
    """Return the strategies of the session."""
    return [make_strategy(one) for one in members(config.strategy)]


def opening_book(config: SystemConfig) -> Book:
    """Return the book of a new account; a recalled one replaces it."""
    mode = session_mode(config)
    return Book(nanos(mode.cash) if isinstance(mode, PaperMode) else 0)


def resolution(config: SystemConfig) -> Resolution:
    """Return the length of the bars that the strategy wants."""
    return Resolution(config.strategy.bars)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is called everywhere: on rows, logs, metrics and in status."""

    instance: str
    run_id: str
    mode: str
    strategy: str
    started: int
    commit: str


def identify(
    loaded: Loaded, instance: str, recalled: Recalled, wall: Callable[[], int] = time.time_ns
) -> Identity:
    """Name a new run of an instance."""
    commit, dirty = git_state(Path(__file__).resolve().parent)
    return Identity(
        instance=instance,
        run_id=f"{instance}-{recalled.runs + 1}",
        mode=mode_name(loaded.config),
        strategy=strategy_name(loaded.config),
        started=wall(),
        commit=f"{commit or 'unknown'}{' (changed)' if dirty else ''}",
    )


def run_row(identity: Identity, loaded: Loaded, label: str) -> RunRow:
    """Return the journal's row of a run that begins."""
    return RunRow(
        run_id=identity.run_id,
        instance=identity.instance,
        mode=identity.mode,
        strategy=identity.strategy,
        config_hash=loaded.hash,
        git_commit=identity.commit,
        data=label,
        started=identity.started,
    )


def session_calendar(config: SystemConfig) -> SessionCalendar:
    """Return the configured exchange's sessions."""
    return SessionCalendar(config.session.calendar)
