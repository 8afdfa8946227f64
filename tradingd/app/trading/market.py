"""The bars of a session: from the store, the embedded sample, or invented."""

import time
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

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
from tradingd.domain.market import CorporateAction, ReferenceData, Resolution
from tradingd.feeds.make import make_feed
from tradingd.feeds.memory import MemoryBars
from tradingd.feeds.ranges import Bars
from tradingd.feeds.stored import StoredBars
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.sample.source import SampleSource
from tradingd.vendors.alpaca.keys import resolved

CHUNK_ROWS = 100_000
_SHOWN = 10
"""Unknown symbols that a refusal names."""


def session_feed(
    config: SystemConfig, calendar: SessionCalendar, secret: Callable[[str], Secret]
) -> Feed:
    """Return the configured feed; a store without the bars is refused here, before anything runs.

    Raises
    ------
    Failure
        NO_DATA or UNKNOWN_SYMBOL, naming the store.
    """
    resolution = Resolution(config.strategy.bars)
    stored: dict[str, Bars] = {}
    if isinstance(config.feed, AlpacaConfig):
        return alpaca_feed(config, config.feed, resolution, calendar, secret)
    match config.feed.data:
        case "sample":
            stored["sample"] = sample_bars(calendar, wanted(config))
        case "store":
            stored["store"] = stored_bars(config, resolution, calendar)
        case "synthetic":
            wanted(config)
    return make_feed(config.feed, resolution=resolution, calendar=calendar, stored=stored)


def alpaca_feed(
    config: SystemConfig,
    feed: AlpacaConfig,
    resolution: Resolution,
    calendar: SessionCalendar,
    secret: Callable[[str], Secret],
    *,
    extended: bool = False,
    wall: Callable[[], int] = time.time_ns,
) -> Feed:
    """Return Alpaca's bars of the universe; symbols that are not named are those of the store.

    `extended`: also bars outside the regular sessions.
    """
    from tradingd.feeds.alpaca.feed import AlpacaFeed

    named = wanted(config)
    if named is None:
        store = Store(store_root(config), config.store)
        named = frozenset(universe_symbols(store, config, resolution))
    return AlpacaFeed(
        feed,
        resolved(secret, feed.key_id, feed.secret_key),
        symbols=sorted(named),
        resolution=resolution,
        calendar=calendar,
        wall=wall,
        extended=extended,
    )


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
    return StoredBars(
        store,
        universe_symbols(store, config, resolution),
        resolution,
        chunk_rows=CHUNK_ROWS,
        sessions=calendar if config.session.regular_only else None,
    )


def sample_bars(calendar: SessionCalendar, symbols: frozenset[str] | None) -> Bars:
    """Return the embedded real daily bars, read when they are first asked for."""
    source = SampleSource(SampleConfig(), calendar)

    def load() -> Mapping[str, pa.Table]:
        rows = dict(pair for task in source.tasks() for pair in task.load())
        if symbols is None:
            return rows
        if unknown := sorted(symbols - rows.keys()):
            raise _not_in_the_sample(unknown, sorted(rows))
        return {name: table for name, table in rows.items() if name in symbols}

    def actions() -> Sequence[CorporateAction]:
        return [one for one in source.actions() if symbols is None or one.symbol in symbols]

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


def reference(config: SystemConfig, symbols: Sequence[str]) -> ReferenceData:
    """Return earnings, borrowable shares and members on file; only the store has any."""
    if _is_invented(config):
        return ReferenceData()
    store = Store(store_root(config), config.store)
    return with_members(store.reference(symbols), store, config, time.time_ns())


def _is_invented(config: SystemConfig) -> bool:
    """Tell whether the bars are not those of the store or of a market."""
    return isinstance(config.feed, ReplayConfig) and config.feed.data != "store"
