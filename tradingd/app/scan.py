"""Compose a scan: the feed with its hours before the open, what is usual, the table."""

import asyncio
import csv
import datetime as dt
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tradingd.app.trading.market import alpaca_feed, stored_bars
from tradingd.config.feed import ReplayFeed as ReplayConfig
from tradingd.config.paths import store_root
from tradingd.config.scan import ScanConfig
from tradingd.config.secrets import Secret, resolve
from tradingd.config.system import SystemConfig
from tradingd.domain.feed import Batch, Feed, LiveStreams, Quote, TradingHalt
from tradingd.domain.market import Resolution
from tradingd.feeds.make import make_feed
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.scanner.baseline import MINUTES_A_DAY, Baseline
from tradingd.scanner.row import Scan
from tradingd.scanner.scanner import Scanner
from tradingd.scanner.stored import StoredBaselines
from tradingd.scanner.told import baselines_of
from tradingd.session.calendar import SessionCalendar, local_date, local_midnight_ns


class ScanRun:
    """A feed, the scan of its current day, and how it goes on.

    Parameters
    ----------
    config : SystemConfig
        Groups feed, universe, store, session and scan.
    secret : Callable
        Resolves a reference of a secret.
    wall : Callable
        The time now, UTC ns, for live feeds.
    """

    def __init__(
        self,
        config: SystemConfig,
        secret: Callable[[str], Secret] = resolve,
        *,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._config = config
        self._calendar = SessionCalendar(config.session.calendar)
        self._secret = secret
        self._wall = wall
        self._opened: Feed | None = None
        self._floats: Mapping[str, int] = {}
        self._scanner: Scanner | None = None

    def table(self, limits: ScanConfig | None = None) -> Scan:
        """Return the table as of now, by other filters where `limits` is given."""
        if self._scanner is None:
            feed = self._opened
            return Scan(
                label=feed.label if feed else "",
                synthetic=feed.synthetic if feed else False,
                day="",
                at=0,
                rows=(),
                seen=0,
                passed=0,
                left_out={},
                silent=0,
                without_baseline=(),
            )
        return self._scanner.table(limits)

    async def open(self) -> None:
        """Connect; a live feed also tells what was traded today already.

        Raises
        ------
        Failure
            Of the feed or the store.
        """
        self._floats = floats(self._config.scan)
        self._opened = scan_feed(self._config, self._calendar, self._secret, self._wall)
        if isinstance(self._opened, LiveStreams):
            self._opened.listen(quote=self._on_quote, halt=self._on_halt)
        await self._feed.open(0)
        if not self._feed.replayed:
            await self._catch_up(self._wall())
        elif isinstance(self._config.feed, ReplayConfig) and self._config.feed.start is not None:
            # The day is known before its first bar: the table names it, and who is silent.
            day = self._config.feed.start
            await self._begin(day, local_midnight_ns(day))

    async def run(self, until: int = 0, told: Callable[[Batch], None] | None = None) -> None:
        """Follow the feed until it ends, or to a data time (UTC ns), which is included."""
        async for batch in self._feed.batches():
            if until and batch.ts > until:
                return
            await self._take(batch)
            if told is not None:
                told(batch)

    async def close(self) -> None:
        """Let go of the feed."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _feed(self) -> Feed:
        assert self._opened is not None  # `open` comes first
        return self._opened

    # -- private ---------------------------------------------------------------------------------

    @property
    def _feed_is_the_store(self) -> bool:
        """Whether the feed knows nothing of the past that the store does not."""
        feed = self._config.feed
        return isinstance(feed, ReplayConfig) and feed.data == "store"

    def _on_quote(self, quote: Quote) -> None:
        if self._scanner is not None:
            self._scanner.quote(quote)

    def _on_halt(self, halt: TradingHalt) -> None:
        """Halts are the trading session's business; the table shows prices as they are."""

    async def _catch_up(self, now: int) -> None:
        await self._begin(local_date(now), now)
        for batch in await self._feed.history(now, MINUTES_A_DAY):
            if self._scanner is not None and local_date(batch.ts - 1) == self._scanner.day:
                self._scanner.take(batch)

    async def _take(self, batch: Batch) -> None:
        day = local_date(batch.ts - 1)
        if self._scanner is None or self._scanner.day != day:
            await self._begin(day, batch.ts)
        assert self._scanner is not None  # begun above
        self._scanner.take(batch)

    async def _begin(self, day: dt.date, now: int) -> None:
        """Turn to a new day, with what was usual before it."""
        self._scanner = Scanner(
            self._config.scan,
            day,
            await self._baselines(day, now),
            symbols=[one.symbol for one in self._feed.instruments()],
            floats=self._floats,
            label=self._feed.label,
            synthetic=self._feed.synthetic,
        )

    async def _baselines(self, day: dt.date, now: int) -> Mapping[str, Baseline]:
        symbols = [one.symbol for one in self._feed.instruments()]
        sessions = self._config.scan.average_sessions
        stored: Mapping[str, Baseline] = {}
        if not self._feed.synthetic:
            store = Store(store_root(self._config), self._config.store)
            source = StoredBaselines(store, self._calendar, sessions)
            held = set(source.symbols())
            asked = [one for one in symbols if one in held]
            stored = await asyncio.to_thread(source.of, day, asked) if asked else {}
        if all(one in stored for one in symbols) or self._feed_is_the_store:
            return stored
        # Symbols of which the store has nothing: the feed tells what it knows.
        before = min(now, local_midnight_ns(day))
        past = await self._feed.history(before, sessions * MINUTES_A_DAY)
        told = baselines_of(
            past, day, self._calendar, sessions=sessions, actions=self._feed.actions()
        )
        return {**told, **stored}


def scan_feed(
    config: SystemConfig,
    calendar: SessionCalendar,
    secret: Callable[[str], Secret],
    wall: Callable[[], int] = time.time_ns,
) -> Feed:
    """Return minute bars of the universe, those before the open and after the close included.

    Raises
    ------
    Failure
        NO_DATA or UNKNOWN_SYMBOL, naming the store; CONFIG for a feed without minute bars.
    """
    if not isinstance(config.feed, ReplayConfig):
        return alpaca_feed(
            config, config.feed, Resolution.MINUTE, calendar, secret, extended=True, wall=wall
        )
    if config.feed.data == "sample":
        raise Failure(
            "the embedded sample has daily bars; a scan needs minute bars",
            code=ExitCode.CONFIG,
            where="feed.data",
            expected="store, synthetic or alpaca",
            found="sample",
            next_step="tradingd scan feed=synthetic, or import minute bars and scan the store",
        )
    if config.feed.data == "synthetic":
        return make_feed(
            config.feed,
            resolution=Resolution.MINUTE,
            calendar=calendar,
            stored={},
            extended=True,
        )
    all_hours = msgspec.structs.replace(
        config, session=msgspec.structs.replace(config.session, regular_only=False)
    )
    return make_feed(
        config.feed,
        resolution=Resolution.MINUTE,
        calendar=calendar,
        stored={"store": stored_bars(all_hours, Resolution.MINUTE, calendar)},
        extended=True,
    )


def floats(config: ScanConfig) -> Mapping[str, int]:
    """Return the shares that float, by symbol, of the configured file.

    Raises
    ------
    Failure
        UNREADABLE_INPUT or INVALID_ROW, naming file and line.
    """
    if not config.floats:
        return {}
    path = Path(config.floats).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            "the file of floats cannot be read",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected="CSV with a header symbol,float",
            found=str(error),
            next_step="mend scan.floats, or leave it empty",
        ) from error
    rows = csv.DictReader(lines)
    if not {"symbol", "float"} <= set(rows.fieldnames or ()):
        raise Failure(
            "the file of floats has other columns",
            code=ExitCode.INVALID_ROW,
            where=f"{path}:1",
            expected="a header with symbol and float",
            found=", ".join(rows.fieldnames or ["nothing"]),
        )
    found: dict[str, int] = {}
    for row in rows:
        symbol, shares = _float_row(path, rows.line_num, row)
        if found.setdefault(symbol, shares) != shares:
            raise _no_float(path, rows.line_num, "one row for each symbol", f"{symbol} again")
    return found


def _float_row(path: Path, line: int, row: Mapping[str | None, Any]) -> tuple[str, int]:
    symbol, number = (row["symbol"] or "").strip(), (row["float"] or "").strip()
    shares = number.replace(",", "").replace("_", "")
    # More cells than columns: thousands that are parted by commas, without quotes.
    if not symbol or not shares.isdecimal() or not shares.isascii() or row.get(None):
        cells = [symbol, number, *(row.get(None) or ())]
        raise _no_float(path, line, "SYMBOL,123456789", ",".join(cells))
    return symbol.upper(), int(shares)


def _no_float(path: Path, line: int, expected: str, found: str) -> Failure:
    return Failure(
        "a float is no number of shares",
        code=ExitCode.INVALID_ROW,
        where=f"{path}:{line}",
        expected=expected,
        found=found,
        next_step="mend the row, or leave scan.floats empty",
    )
