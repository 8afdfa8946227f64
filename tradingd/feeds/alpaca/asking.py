"""What a feed asks by REST, on threads of its own, and the facts it has learnt so."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.domain.feed import Batch
from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.feeds.alpaca.making import HISTORY
from tradingd.feeds.alpaca.past import Past
from tradingd.feeds.alpaca.pipes import Pipe, Rows
from tradingd.feeds.alpaca.refusals import unknown_symbols
from tradingd.kits.failure import ExitCode
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.keys import Keys

_TIMEOUT: Final = 15.0
_TRIES: Final = 5


class Asking:
    """Questions to Alpaca's REST API that do not hold up the loop; constructing it starts nothing.

    Parameters
    ----------
    config : config.feed.AlpacaFeed
    keys : Keys
    symbols : sequence of str
    calendar : SessionCalendar
    wall : Callable
        Time of day, UTC ns.
    extended : bool
        Also minutes outside regular sessions.
    """

    def __init__(
        self,
        config: AlpacaConfig,
        keys: Keys,
        symbols: Sequence[str],
        calendar: SessionCalendar,
        wall: Callable[[], int],
        *,
        extended: bool = False,
    ) -> None:
        self.instruments: Sequence[Instrument] = ()
        self.actions: Sequence[CorporateAction] = ()
        self._config = config
        self._symbols = symbols
        self._wall = wall
        self._client = DataClient(
            keys,
            endpoint=config.endpoint,
            per_minute=config.requests_per_minute,
            timeout=_TIMEOUT,
            tries=_TRIES,
            code=ExitCode.FEED,
            where="feed",
        )
        feed = HISTORY.get(config.data)
        self._past = (
            None if feed is None else Past(self._client, symbols, feed, calendar, extended=extended)
        )
        self._pool: ThreadPoolExecutor | None = None

    @property
    def garbage(self) -> int:
        """Rows of history that could not be read or be real."""
        return 0 if self._past is None else self._past.garbage

    async def learn(self) -> None:
        """Read ticks and corporate actions; on the wall's time, also whether symbols exist.

        Raises
        ------
        Failure
            FEED, or UNKNOWN_SYMBOL naming the symbols.
        """
        past = self._past
        if past is None:
            self.instruments = [Instrument(symbol=name) for name in self._symbols]
            return
        of_data = self._config.clock == "data"
        if not of_data:
            unknown = set(self._symbols) - await self._on_thread(past.known)
            if unknown:
                raise unknown_symbols(sorted(unknown), self._config.data)
        self.instruments = await self._on_thread(past.instruments)
        today = None if of_data else local_date(self._wall())
        self.actions = await self._on_thread(partial(past.actions, today))

    async def history(self, before: int, bars: int, resolution: Resolution) -> Sequence[Batch]:
        """Return up to `bars` batches that close at or before a time."""
        if bars <= 0 or self._past is None:
            return ()
        return await self._on_thread(partial(self._past.batches, before, bars, resolution))

    async def gap(self, pipe: Pipe, until: int | None) -> Rows:
        """Return what a pipe has not had yet."""
        past = self._past
        if past is None:
            return ()
        return await self._on_thread(lambda: list(pipe.read(past, until)))

    async def clock(self) -> dict[str, Any]:
        """Return the server's clock."""
        return await self._on_thread(self._client.clock)

    def call_off(self) -> None:
        """End questions that wait: nobody needs their answers."""
        self._client.close()

    async def close(self) -> None:
        """Let the threads go."""
        self.call_off()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def _on_thread[T](self, work: Callable[[], T]) -> T:
        if self._pool is None:
            # Two: warm-up is read while a gap is filled.
            self._pool = ThreadPoolExecutor(2, thread_name_prefix="alpaca data")
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
