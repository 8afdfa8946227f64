"""Analyse signals: find the bars, compute indicators, say what the strategies would say.

Sends no orders and never imports the engine.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa

from tradingd.app.data import import_history, open_store
from tradingd.app.lookback import BAR_SIZES, Duration, warm_up_start
from tradingd.app.resample import Series, daily, resample, scaled
from tradingd.config.source import LeanSource, RemoteSourceConfig, SourceConfig
from tradingd.config.strategy import EmaCross, IntradayMeanReversion, StrategyBase, SwingTrend
from tradingd.config.system import SystemConfig
from tradingd.domain.market import (
    NANOSECONDS,
    CorporateAction,
    DataKind,
    ReferenceData,
    Resolution,
)
from tradingd.domain.ports import ImportTask, Source
from tradingd.history.layout import Series as StoredSeries
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.kits.scratch import scratch
from tradingd.session.calendar import NEW_YORK, SessionCalendar, local_date
from tradingd.sources.make import make_source
from tradingd.strategies.watch import (
    CrossWatch,
    MeanReversionWatch,
    Signal,
    SwingWatch,
    WatchedBar,
)


class SignalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One signal, or the last bar of a symbol (signal "-"), with the indicators at that bar.

    `time` is New York time; values that do not exist (yet) are None.
    """

    symbol: str
    time: str
    close: float
    ema_fast: float | None
    ema_slow: float | None
    adx: float | None
    atr: float | None
    rsi: float | None
    vwap: float | None
    z: float | None
    strategy: str
    signal: str
    reason: str


class SignalReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd analyze signals`; `fetched` are symbols that came from the source."""

    bar_size: str
    symbols: int
    bars: int
    signals: int
    fetched: tuple[str, ...]
    saved: bool
    rows: tuple[SignalRow, ...]


def analyze_signals(
    config: SystemConfig,
    symbols: Sequence[str],
    *,
    duration: Duration,
    bar_size: str,
    save: bool,
    wall: Callable[[], int] = time.time_ns,
) -> SignalReport:
    """Report every signal of the last `duration`, and where every symbol stands now.

    Bars come from the store. What it lacks comes from the configured source: into the store when
    `save`, else into a temporary one that is gone afterwards. A vendor is always asked for the
    bars up to now, the store holds yesterday's.

    Raises
    ------
    Failure
        UNKNOWN_SYMBOL or NO_DATA when neither has the bars; the source's own failures.
    """
    calendar = SessionCalendar(config.session.calendar)
    minutes = BAR_SIZES[bar_size]
    rows: list[SignalRow] = []
    bars = 0
    asked = _asked(config.source, symbols, minutes, duration, calendar, local_date(wall()))
    with _history(config, symbols, minutes, save, asked) as (found, fetched):
        for symbol in symbols:
            store, resolution = found[symbol]
            series, shown_from = _load(store, symbol, resolution, minutes, duration, calendar)
            watched = Watched(symbol, config.strategy, intraday=minutes > 0)
            told = list(watched.rows(series, shown_from))
            rows += told
            bars += int((series.ts > shown_from).sum())
    return SignalReport(
        bar_size=bar_size,
        symbols=len(symbols),
        bars=bars,
        signals=sum(row.signal != "-" for row in rows),
        fetched=fetched,
        saved=save and bool(fetched),
        rows=tuple(rows),
    )


class Watched:
    """One symbol under all three watches.

    Parameters
    ----------
    chosen : StrategyBase
        The configured strategy; its kind is watched with its settings, the others with defaults.
    intraday : bool
        False for bars of whole sessions, which have no VWAP to revert to.
    """

    def __init__(self, symbol: str, chosen: StrategyBase, *, intraday: bool) -> None:
        self._symbol = symbol
        self._cross = CrossWatch(chosen if isinstance(chosen, EmaCross) else EmaCross())
        self._swing = SwingWatch(chosen if isinstance(chosen, SwingTrend) else SwingTrend())
        self._reversion = MeanReversionWatch(
            chosen if isinstance(chosen, IntradayMeanReversion) else IntradayMeanReversion()
        )
        self._intraday = intraday

    def rows(self, series: Series, shown_from: int) -> Iterator[SignalRow]:
        """Yield the signals of bars after `shown_from` (UTC ns), then the last bar's state."""
        columns = (
            series.high, series.low, series.close, series.volume, series.opens, series.to_close,
        )  # fmt: skip
        bars = zip(*(column.tolist() for column in columns), strict=True)
        ts = 0
        bar: WatchedBar | None = None
        for ts, bar in zip(series.ts.tolist(), map(WatchedBar._make, bars), strict=True):
            for signal in self._signals(bar):
                if ts > shown_from:
                    yield self._row(ts, bar, signal.strategy, signal.action, signal.reason)
        if bar is not None:
            yield self._row(ts, bar, "", "-", "last bar")

    def _signals(self, bar: WatchedBar) -> list[Signal]:
        said = [self._cross.update(bar), self._reversion.update(bar), self._swing.update(bar)]
        return [
            one
            for one in said
            if one is not None and (self._intraday or one.strategy != self._reversion.name)
        ]

    def _row(self, ts: int, bar: WatchedBar, strategy: str, signal: str, why: str) -> SignalRow:
        trend, stretch = self._swing.signal, self._reversion.signal
        return SignalRow(
            symbol=self._symbol,
            time=new_york_time(ts),
            close=round(bar.close, 4),
            ema_fast=_shown(trend.fast.value),
            ema_slow=_shown(trend.slow.value),
            adx=_shown(trend.adx.value),
            atr=_shown(trend.atr.value),
            rsi=_shown(stretch.rsi.value),
            vwap=_shown(stretch.stretch.vwap.value) if self._intraday else None,
            z=_shown(stretch.stretch.value) if self._intraday else None,
            strategy=strategy,
            signal=signal,
            reason=why,
        )


def _shown(value: float) -> float | None:
    return None if value != value else round(value, 4)


def new_york_time(ts: int) -> str:
    """Format UTC nanoseconds as New York time with its offset."""
    moment = dt.datetime.fromtimestamp(ts // NANOSECONDS, NEW_YORK)
    return moment.isoformat(sep=" ", timespec="minutes")


def _load(
    store: Store,
    symbol: str,
    resolution: Resolution,
    minutes: int,
    duration: Duration,
    calendar: SessionCalendar,
) -> tuple[Series, int]:
    """Return the bars with their warm-up, and the time after which signals are shown."""
    files = store.contents().of_series(StoredSeries(DataKind.BARS, symbol, resolution))
    last = local_date(max(one.last_ts for one in files))
    first = duration.first_day(last, calendar)
    start = warm_up_start(first, minutes, calendar)
    table: pa.Table = store.read(
        DataKind.BARS, symbol, resolution, start=start, end=last, adjust="split"
    )
    series = daily(table) if resolution is Resolution.DAY else resample(table, minutes, calendar)
    if not len(series.ts):
        raise _no_session(symbol, start, last)
    series = scaled(series, _later_splits(store, symbol, resolution, table))
    sessions = calendar.between(first, last)
    return series, sessions[0].open_ns if sessions else 0


def _no_session(symbol: str, start: dt.date, last: dt.date) -> Failure:
    return Failure(
        f"no bar of {symbol} lies inside a regular session",
        code=ExitCode.EMPTY_RANGE,
        where=f"{start} .. {last}",
        next_step="tradingd data check shows out-of-session rows; session.calendar sets the hours",
    )


def _later_splits(store: Store, symbol: str, resolution: Resolution, table: pa.Table) -> float:
    """Return what takes the adjusted prices back to those of the last bar's own day.

    A split after the last bar changes no signal; a person expects that day's prices.
    """
    day = local_date(table["ts_event"][-1].value)
    traded = store.read(DataKind.BARS, symbol, resolution, start=day, end=day)
    return float(traded["close"][-1].as_py() / table["close"][-1].as_py())


class Wanted:
    """A source that shows only the bars of one resolution."""

    def __init__(self, source: Source, resolution: Resolution) -> None:
        self._source = source
        self._resolution = resolution

    @property
    def name(self) -> str:
        """Provenance is the source's."""
        return self._source.name

    def tasks(self) -> Sequence[ImportTask]:
        """List the source's tasks that hold such bars."""
        return [
            task
            for task in self._source.tasks()
            if task.kind is DataKind.BARS and task.resolution is self._resolution
        ]

    def actions(self) -> Sequence[CorporateAction]:
        """Return the source's corporate actions."""
        return self._source.actions()

    def reference(self) -> ReferenceData:
        """Return the source's reference data."""
        return self._source.reference()


type Found = dict[str, tuple[Store, Resolution]]


@contextmanager
def _history(
    config: SystemConfig,
    symbols: Sequence[str],
    minutes: int,
    save: bool,
    asked: RemoteSourceConfig | None,
) -> Iterator[tuple[Found, tuple[str, ...]]]:
    """Say where each symbol's bars are, after fetching what the store lacks."""
    usable = (Resolution.MINUTE,) if minutes else (Resolution.DAY, Resolution.MINUTE)
    kept = open_store(config)
    found = {} if asked else _stored(kept, symbols, usable)
    missing = tuple(symbol for symbol in symbols if symbol not in found)
    with scratch("analyze") as folder:
        if missing:
            place = kept.root if save else folder
            fetched = _fetch(config, asked or config.source, missing, usable, place)
            found |= _stored(fetched, missing, usable)
        for symbol in missing:
            if symbol not in found:
                raise _not_found(config, kept, symbol, usable)
        yield found, missing


def _asked(
    source: SourceConfig,
    symbols: Sequence[str],
    minutes: int,
    duration: Duration,
    calendar: SessionCalendar,
    today: dt.date,
) -> RemoteSourceConfig | None:
    """Return what to ask a vendor for: the bars of the duration and of the warm-up before it."""
    if not isinstance(source, RemoteSourceConfig):
        return None
    first = duration.first_day(today, calendar)
    return msgspec.structs.replace(
        source,
        symbols=tuple(symbols),
        start=warm_up_start(first, minutes, calendar),
        end=None,
        resolution=Resolution.MINUTE.value if minutes else Resolution.DAY.value,
    )


def _stored(store: Store, symbols: Sequence[str], usable: Sequence[Resolution]) -> Found:
    found: Found = {}
    for resolution in reversed(usable):
        held = set(store.symbols(DataKind.BARS, resolution))
        found |= {symbol: (store, resolution) for symbol in symbols if symbol in held}
    return found


def _fetch(
    config: SystemConfig,
    source: SourceConfig,
    symbols: Sequence[str],
    usable: Sequence[Resolution],
    root: Path,
) -> Store:
    """Import bars of the symbols from a source into the store at `root`."""
    if isinstance(source, LeanSource):
        source = msgspec.structs.replace(source, symbols=tuple(symbols))
    target = msgspec.structs.replace(
        config, source=source, store=msgspec.structs.replace(config.store, root=str(root))
    )
    for resolution in usable:
        wanted = Wanted(make_source(source), resolution)
        if wanted.tasks():
            import_history(target, wanted)
            break
    return open_store(target)


def _not_found(
    config: SystemConfig, store: Store, symbol: str, usable: Sequence[Resolution]
) -> Failure:
    kind = str(config.source.__struct_config__.tag)
    held = {name for one in usable for name in store.symbols(DataKind.BARS, one)}
    close = nearest(symbol, held)
    return Failure(
        f"neither the history store nor source {kind} holds {usable[-1]} bars of {symbol}",
        code=ExitCode.UNKNOWN_SYMBOL if held else ExitCode.NO_DATA,
        where=str(store.root),
        expected=f"perhaps {close}" if close else f"stored {' or '.join(usable)} bars",
        found=symbol,
        next_step="tradingd data import source=... , or another source=...",
    )
