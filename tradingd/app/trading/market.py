"""The bars of a session: from the store, the embedded sample, or invented."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

from tradingd.app.advisor import benchmark
from tradingd.app.backtest import universe_symbols
from tradingd.app.universe_members import with_members
from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.config.feed import ReplayFeed as ReplayConfig
from tradingd.config.paths import store_root
from tradingd.config.secrets import Secret
from tradingd.config.source import SampleSource as SampleConfig
from tradingd.config.system import SystemConfig
from tradingd.config.universe import SymbolsUniverse, TieredUniverse
from tradingd.domain.feed import Feed
from tradingd.domain.market import CorporateAction, DataKind, ReferenceData, Resolution
from tradingd.feeds.make import make_feed
from tradingd.feeds.memory import MemoryBars
from tradingd.feeds.ranges import Bars
from tradingd.feeds.stored import StoredBars
from tradingd.history.layout import Series
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.sources.sample.source import SampleSource
from tradingd.vendors.alpaca.keys import resolved

CHUNK_ROWS = 100_000
_SHOWN = 10
"""Unknown symbols that a refusal names."""


class SessionFeed(NamedTuple):
    """A session's bars; those of `watched` symbols are for the model's features alone."""

    feed: Feed
    watched: frozenset[str]


def session_feed(
    config: SystemConfig, calendar: SessionCalendar, secret: Callable[[str], Secret]
) -> SessionFeed:
    """Return the configured feed; a store without the bars is refused here, before anything runs.

    A benchmark outside the universe is watched, where there are bars of it.

    Raises
    ------
    Failure
        NO_DATA or UNKNOWN_SYMBOL, naming the store.
    """
    resolution = Resolution(config.strategy.bars)
    if isinstance(config.feed, AlpacaConfig):
        named = _alpaca_symbols(config, resolution)
        watched = benchmark(config) - named
        feed = alpaca_feed(config, config.feed, resolution, calendar, secret, named | watched)
        return SessionFeed(feed, watched)
    replay = config.feed
    stored: dict[str, Bars] = {}
    watched = frozenset()
    match replay.data:
        case "sample":
            chosen = wanted(config)
            watched = frozenset() if chosen is None else benchmark(config) - chosen
            stored["sample"] = sample_bars(calendar, chosen, watched)
        case "store":
            store = Store(store_root(config), config.store)
            traded = universe_symbols(store, config, resolution)
            held = store.symbols(DataKind.BARS, resolution)
            watched = benchmark(config).intersection(held) - set(traded)
            if watched:
                replay = _days_of(replay, store, traded, resolution)
            stored["store"] = _stored(config, store, [*traded, *watched], resolution, calendar)
        case "synthetic":
            wanted(config)
    feed = make_feed(replay, resolution=resolution, calendar=calendar, stored=stored)
    return SessionFeed(feed, watched)


def _days_of(
    replay: ReplayConfig, store: Store, symbols: Sequence[str], resolution: Resolution
) -> ReplayConfig:
    """Keep a replay within the days of these symbols, where its own are not stated.

    A benchmark's bars go back further: what lies before the first day of the universe is history.
    """
    contents = store.contents()
    files = [
        one
        for symbol in symbols
        for one in contents.of_series(Series(DataKind.BARS, symbol, resolution))
    ]
    if not files:
        return replay
    return msgspec.structs.replace(
        replay,
        start=replay.start or local_date(min(one.first_ts for one in files)),
        end=replay.end or local_date(max(one.last_ts for one in files)),
    )


def alpaca_feed(
    config: SystemConfig,
    feed: AlpacaConfig,
    resolution: Resolution,
    calendar: SessionCalendar,
    secret: Callable[[str], Secret],
    symbols: frozenset[str] | None = None,
    *,
    extended: bool = False,
    wall: Callable[[], int] = time.time_ns,
) -> Feed:
    """Return Alpaca's bars of some symbols; None: of the universe.

    `extended`: also bars outside the regular sessions.
    """
    from tradingd.feeds.alpaca.feed import AlpacaFeed

    return AlpacaFeed(
        feed,
        resolved(secret, feed.key_id, feed.secret_key),
        symbols=sorted(_alpaca_symbols(config, resolution) if symbols is None else symbols),
        resolution=resolution,
        calendar=calendar,
        wall=wall,
        extended=extended,
    )


def _alpaca_symbols(config: SystemConfig, resolution: Resolution) -> frozenset[str]:
    """Return the universe; symbols that are not named are those of the store."""
    named = wanted(config)
    if named is not None:
        return named
    store = Store(store_root(config), config.store)
    return frozenset(universe_symbols(store, config, resolution))


def wanted(config: SystemConfig) -> frozenset[str] | None:
    """Return the symbols a universe names; None: all there are."""
    if isinstance(config.universe, SymbolsUniverse):
        return frozenset(config.universe.symbols)
    if isinstance(config.universe, TieredUniverse) and _is_invented(config):
        raise Failure(
            "a universe with tiers is chosen from the history store",
            code=ExitCode.CONFIG,
            where="universe",
            expected="feed=replay over the store, or a live feed",
            found=f"feed.data={config.feed.data}",
            next_step="universe=stored, or feed=replay feed.data=store",
        )
    return None


def stored_bars(config: SystemConfig, resolution: Resolution, calendar: SessionCalendar) -> Bars:
    """Return the universe's bars of the history store."""
    store = Store(store_root(config), config.store)
    return _stored(config, store, universe_symbols(store, config, resolution), resolution, calendar)


def _stored(
    config: SystemConfig,
    store: Store,
    symbols: Sequence[str],
    resolution: Resolution,
    calendar: SessionCalendar,
) -> Bars:
    return StoredBars(
        store,
        symbols,
        resolution,
        chunk_rows=CHUNK_ROWS,
        sessions=calendar if config.session.regular_only else None,
    )


def sample_bars(
    calendar: SessionCalendar,
    symbols: frozenset[str] | None,
    watched: frozenset[str] = frozenset(),
) -> Bars:
    """Return the embedded real daily bars, read when they are first asked for.

    `symbols` must be among them (None: all), `watched` ones need not.
    """
    source = SampleSource(SampleConfig(), calendar)
    shown = None if symbols is None else symbols | watched

    def load() -> Mapping[str, pa.Table]:
        rows = dict(pair for task in source.tasks() for pair in task.load())
        if symbols is None:
            return rows
        if unknown := sorted(symbols - rows.keys()):
            raise _not_in_the_sample(unknown, sorted(rows))
        return {name: table for name, table in rows.items() if name in symbols | watched}

    def actions() -> Sequence[CorporateAction]:
        return [one for one in source.actions() if shown is None or one.symbol in shown]

    return MemoryBars("the embedded sample", Resolution.DAY, load, actions)


def _not_in_the_sample(unknown: Sequence[str], known: Sequence[str]) -> Failure:
    close = nearest(unknown[0], known)
    return Failure(
        "the embedded sample does not have these symbols",
        code=ExitCode.UNKNOWN_SYMBOL,
        where="universe.symbols",
        expected="of " + ", ".join(known),
        found=", ".join(unknown[:_SHOWN])
        + (f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""),
        next_step=f"did you mean {close}?" if close else "choose of them, or import your own data",
    )


def reference(
    config: SystemConfig, symbols: Sequence[str], watched: frozenset[str] = frozenset()
) -> ReferenceData:
    """Return earnings, borrowable shares and members on file; only the store has any."""
    if _is_invented(config):
        return ReferenceData(watched=watched)
    store = Store(store_root(config), config.store)
    found = with_members(store.reference(symbols), store, config, time.time_ns())
    return msgspec.structs.replace(found, watched=watched)


def _is_invented(config: SystemConfig) -> bool:
    """Tell whether the bars are not those of the store or of a market."""
    return isinstance(config.feed, ReplayConfig) and config.feed.data != "store"
