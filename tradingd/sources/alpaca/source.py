"""Unadjusted bars, splits, dividends and renames from Alpaca."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from tradingd.config.secrets import Secret, resolve
from tradingd.config.source import AlpacaSource as AlpacaConfig
from tradingd.domain.market import (
    NANOSECONDS,
    CorporateAction,
    DataKind,
    ReferenceData,
    Resolution,
)
from tradingd.domain.ports import ImportTask
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date, local_midnight_ns
from tradingd.sources.alpaca.rows import bars_of
from tradingd.sources.columns import Rows, select, to_table
from tradingd.sources.rules import require_sound
from tradingd.vendors.alpaca.actions import LATE_DAYS, actions_of
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.exact import Raw
from tradingd.vendors.alpaca.keys import resolved

TIMEFRAMES: Final = {
    Resolution.MINUTE: "1Min",
    Resolution.HOUR: "1Hour",
    Resolution.DAY: "1Day",
}

DELAY: Final = {"iex": 60, "sip": 16 * 60}
"""Seconds after which a feed's bars are asked for: free plans do not see the last 15 minutes
of all exchanges, and a bar of IEX is there shortly after its end."""


class AlpacaSource:
    """Bars of the configured symbols; construction touches nothing, not even the keys.

    Parameters
    ----------
    config : config.source.AlpacaSource
    calendar : SessionCalendar, optional
        Sessions, for the close of daily bars.
    wall : Callable
        Time of day, UTC ns: bars that are not over are not asked for.
    secrets : Callable
        Looks a reference to a secret up.
    """

    def __init__(
        self,
        config: AlpacaConfig,
        calendar: SessionCalendar | None = None,
        *,
        wall: Callable[[], int] = time.time_ns,
        secrets: Callable[[str], Secret] = resolve,
    ) -> None:
        self.name = f"alpaca:{config.feed}"
        self._config = config
        self._calendar = calendar or SessionCalendar()
        self._wall = wall
        self._secrets = secrets

    @cached_property
    def _client(self) -> DataClient:
        config = self._config
        return DataClient(
            resolved(self._secrets, config.key_id, config.secret_key),
            endpoint=config.endpoint,
            per_minute=config.requests_per_minute,
            timeout=config.timeout,
            tries=config.tries,
        )

    def tasks(self) -> Sequence[ImportTask]:
        """List one task per symbol.

        Raises
        ------
        Failure
            CONFIG without symbols or keys.
        """
        if not self._config.symbols:
            raise Failure(
                "no symbols to fetch from Alpaca",
                code=ExitCode.CONFIG,
                where="source.symbols",
                expected="at least one symbol",
                next_step="source.symbols=[AAPL,SPY]",
            )
        symbols = list(dict.fromkeys(self._config.symbols))
        span = self._span()
        return [
            AlpacaTask(one, self._client, self._config, self._calendar, span) for one in symbols
        ]

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits, dividends, renames and delistings with an ex-date in the range."""
        first, last = self._config.start, local_date(self._span()[1])
        pages = self._client.corporate_actions(
            list(dict.fromkeys(self._config.symbols)),
            start=first,
            end=last + dt.timedelta(days=LATE_DAYS),
        )
        found, _ = actions_of(pages, first=first, last=last)
        return found

    def reference(self) -> ReferenceData:
        """Return nothing: Alpaca has no earnings dates here, nor counts of borrowable shares."""
        return ReferenceData()

    def _span(self) -> tuple[int, int]:
        """Return the first and last instant of the wanted days that are over (UTC ns)."""
        over = self._wall() - DELAY[self._config.feed] * NANOSECONDS
        last = over
        if self._config.end is not None:
            midnight = local_midnight_ns(self._config.end + dt.timedelta(days=1))
            last = min(over, midnight - 1)
        first = local_midnight_ns(self._config.start)
        if first > last:
            raise Failure(
                "the wanted days are not over yet",
                code=ExitCode.EMPTY_RANGE,
                where="source.start",
                expected=f"a day up to {local_date(over)}",
                found=str(self._config.start),
            )
        return first, last


class AlpacaTask:
    """The bars of one symbol; held in memory until the last page has come."""

    kind = DataKind.BARS

    def __init__(
        self,
        symbol: str,
        client: DataClient,
        config: AlpacaConfig,
        calendar: SessionCalendar,
        span: tuple[int, int],
    ) -> None:
        self.resolution: Resolution | None = Resolution(config.resolution)
        self.skipped: Mapping[str, int] = {}
        self._length = Resolution(config.resolution)
        self._symbol = symbol
        self._client = client
        self._config = config
        self._calendar = calendar
        self._first, self._last = span

    @property
    def label(self) -> str:
        """Vendor, feed, length and symbol."""
        return f"alpaca {self._config.feed} {self._length} {self._symbol}"

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the symbol's bars that are over, oldest first; nothing when there are none.

        Raises
        ------
        Failure
            INVALID_ROW for an impossible row, UNKNOWN_SYMBOL when Alpaca has never heard of the
            symbol, UNREADABLE_INPUT when it does not answer.
        """
        raw = self._raw()
        if not raw:
            self._require_known()
            return
        rows: Rows = bars_of(self._symbol, raw, self._length, self._calendar)
        over = rows.ts <= self._last
        rows = select(rows, over)
        order = np.argsort(rows.ts, kind="stable")
        rows = select(rows, order)
        require_sound(rows, lambda position: f"{self.label}, row {int(order[position]) + 1}")
        if len(rows.ts):
            yield self._symbol, to_table(rows)

    def _raw(self) -> list[Raw]:
        pages = self._client.bars(
            [self._symbol],
            TIMEFRAMES[self._length],
            start=self._first,
            end=self._last,
            feed=self._config.feed,
            adjustment=self._config.adjustment,
        )
        return [row for page in pages for row in page.get(self._symbol, ())]

    def _require_known(self) -> None:
        if self._client.latest("trades", [self._symbol], feed=self._config.feed):
            return
        raise Failure(
            f"Alpaca has no bar and no trade of {self._symbol}",
            code=ExitCode.UNKNOWN_SYMBOL,
            where="source.symbols",
            expected=f"a symbol that trades on {self._config.feed}",
            found=self._symbol,
        )
