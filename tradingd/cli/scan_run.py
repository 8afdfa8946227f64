"""Run `tradingd scan` for a person."""

import asyncio
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.scan import ScanRun
from tradingd.cli import screen
from tradingd.cli.scan import ScanParams
from tradingd.config.feed import AlpacaFeed, ReplayFeed
from tradingd.config.load import load
from tradingd.config.paths import store_root
from tradingd.config.system import SystemConfig
from tradingd.domain.market import NANOSECONDS, DataKind, Resolution
from tradingd.feeds.synthetic import FIRST_DAY
from tradingd.history.missing import no_data
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure
from tradingd.scanner.row import Scan, ScanRow
from tradingd.session.calendar import NEW_YORK, SessionCalendar, local_date

_HALF_HOUR: Final = 1_800 * NANOSECONDS
_SORTS = ("gap", "relative_volume", "volume", "price", "symbol")


def run(params: ScanParams) -> Scan:
    """Read the day up to the asked moment; the table then."""
    overlay = Path(params.overlay) if params.overlay else None
    sort = [f"scan.sort={_sort(params.sort)}"] if params.sort else []
    config = load([*params.overrides, *sort], overlay=overlay, instance=params.instance).config
    if not isinstance(config.feed, ReplayFeed):
        _live(config.feed, params)
        return asyncio.run(_scan(config, 0))
    calendar = SessionCalendar(config.session.calendar)
    day = _day(config, config.feed, params.day)
    until = _moment(day, params.at, calendar, synthetic=config.feed.data == "synthetic")
    feed = msgspec.structs.replace(
        config.feed, start=day, end=day, speed=0.0, longest_wait=0.0, at_end="stop"
    )
    return asyncio.run(_scan(msgspec.structs.replace(config, feed=feed), until))


async def _scan(config: SystemConfig, until: int) -> Scan:
    scan = ScanRun(config)
    await scan.open()
    try:
        if until:
            await scan.run(until)
        return scan.table()
    finally:
        await scan.close()


def _live(feed: AlpacaFeed, params: ScanParams) -> None:
    """Refuse what a live feed has no answer to."""
    if params.day or params.at:
        raise Failure(
            "a live feed is scanned as of now",
            code=ExitCode.USAGE,
            where="--day, --at",
            expected="neither of them",
            found=" ".join(filter(None, (params.day, params.at))),
            next_step="leave them out, or scan the store: tradingd scan --day YYYY-MM-DD",
        )
    if feed.clock == "data":
        raise Failure(
            "a test server's market has only begun when it is asked",
            code=ExitCode.CONFIG,
            where="feed.clock",
            expected="wall",
            found="data",
            next_step="tradingd screen follows it; tradingd scan reads the same day of the store",
        )


def _sort(word: str) -> str:
    if word in _SORTS:
        return word
    raise Failure(
        "a scan cannot be sorted by that",
        code=ExitCode.USAGE,
        where="--sort",
        expected=", ".join(_SORTS),
        found=word,
    )


def _day(config: SystemConfig, feed: ReplayFeed, stated: str | None) -> dt.date:
    """Return the stated day, else the feed's first one, else the last that is stored."""
    if stated:
        try:
            return dt.date.fromisoformat(stated)
        except ValueError as error:
            raise Failure(
                "the day is no date",
                code=ExitCode.USAGE,
                where="--day",
                expected="YYYY-MM-DD",
                found=stated,
            ) from error
    if feed.start is not None:
        return feed.start
    if feed.data == "synthetic":
        return FIRST_DAY
    store = Store(store_root(config), config.store)
    files = store.contents().of_table(DataKind.BARS)
    minutes = [one.last_ts for one in files if one.resolution is Resolution.MINUTE]
    if not minutes:
        raise no_data(store.root, DataKind.BARS, Resolution.MINUTE)
    return local_date(max(minutes) - 1)


def _moment(day: dt.date, at: str | None, calendar: SessionCalendar, *, synthetic: bool) -> int:
    """Return the data time of the table, UTC ns."""
    if at is not None:
        moment = dt.datetime.combine(day, dt.time.fromisoformat(at), tzinfo=NEW_YORK)
        return int(moment.timestamp()) * NANOSECONDS
    session = calendar.on(day)
    if session is None:
        raise Failure(
            "the exchange is closed on that day",
            code=ExitCode.EMPTY_RANGE,
            where="--day",
            expected=f"a session of {calendar.name}",
            found=str(day),
            next_step="name a trading day, or --at HH:MM",
        )
    # Invented days begin with the open.
    return session.open_ns + (_HALF_HOUR if synthetic else 0)


def render(scan: Scan) -> None:
    """Print the table, what was left out and why, and one summary line."""
    when = _clock(scan.at) if scan.at else "before the first bar"
    title = " ".join(filter(None, (scan.day, when, "New York" if scan.at else "")))
    invented = " (SYNTHETIC)" if scan.synthetic and "SYNTHETIC" not in scan.label else ""
    screen.table(f"{title}, {scan.label}{invented}", COLUMNS, rows(scan))
    if scan.left_out:
        screen.table("", ("left out", "symbols"), sorted(scan.left_out.items()))
    if not scan.seen:
        screen.console().print(
            "no bar since scan.window_start; of a stored day state a later --at, or import bars "
            "from before the open",
            soft_wrap=True,
        )
    screen.summary(
        {
            "rows": len(scan.rows),
            "passed": scan.passed,
            "seen": scan.seen,
            "silent": scan.silent,
            "without_baseline": len(scan.without_baseline),
            "at": when.replace(" ", "_"),
        }
    )


COLUMNS: Final = (
    "symbol",
    "last",
    "gap %",
    "prior close",
    "volume",
    "rel. volume",
    "average volume",
    "float",
    "spread %",
    "bar",
)


def rows(scan: Scan) -> list[tuple[str, ...]]:
    """Return the table's cells; ``?`` where something is not known."""
    return [cells(one) for one in scan.rows]


def cells(row: ScanRow) -> tuple[str, ...]:
    """Return one line's cells."""
    return (
        row.symbol,
        _price(row.last),
        _number(row.gap_percent, "+.2f"),
        "?" if row.prior_close is None else _price(row.prior_close),
        f"{row.volume:,}",
        _number(row.relative_volume, ".1f"),
        _number(row.average_volume, ",.0f"),
        "?" if row.float_shares is None else f"{row.float_shares:,}",
        _number(row.spread_percent, ".2f"),
        _clock(row.at),
    )


def _price(amount: Decimal) -> str:
    text = f"{amount.normalize():f}"
    return f"{amount:.2f}" if len(text.partition(".")[2]) < 2 else text


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _clock(ts: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=NEW_YORK):%H:%M}"
