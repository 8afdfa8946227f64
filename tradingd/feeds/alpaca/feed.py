"""Alpaca as a `Feed`: bars in order, each once, with what came before them read by REST."""

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from tradingd.config.feed import AlpacaFeed as AlpacaConfig
from tradingd.domain.feed import Batch, Quote, TradingHalt
from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.feeds.alpaca.asking import Asking
from tradingd.feeds.alpaca.backlog import Backlog
from tradingd.feeds.alpaca.live import Live
from tradingd.feeds.alpaca.making import label_of, made_pipe, made_rules
from tradingd.feeds.alpaca.messages import Decoder, Message
from tradingd.feeds.alpaca.pipes import Pipe, Rows
from tradingd.feeds.alpaca.refusals import (
    checked,
    forgotten,
    not_started,
    stream_url,
)
from tradingd.feeds.alpaca.rules import DataRules, Rules
from tradingd.feeds.alpaca.stream import BATCH, Refused, Stream
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.vendors.alpaca.keys import Keys

log = logging.getLogger(__name__)


class AlpacaFeed:
    """A `Feed` and `LiveStreams`; constructing it touches nothing.

    Parameters
    ----------
    config : config.feed.AlpacaFeed
    keys : Keys
    symbols : sequence of str
    resolution : Resolution
        ``1m``, ``1h`` (joined from minutes) or ``1d`` (once a session, after its close).
    calendar : SessionCalendar
        Bars outside its sessions are left out.
    wall : Callable
        Time of day, UTC ns.
    ping_seconds : float
        Silence after which a ping is sent; without a pong in half of it the connection is lost.
    start_seconds : float
        How long `open` tries to connect: a connection that was cut may count for a while yet.
    extended : bool
        Also tell minutes outside the regular sessions.
    """

    def __init__(
        self,
        config: AlpacaConfig,
        keys: Keys,
        *,
        symbols: Sequence[str],
        resolution: Resolution,
        calendar: SessionCalendar,
        wall: Callable[[], int],
        ping_seconds: float = 10.0,
        start_seconds: float = 30.0,
        extended: bool = False,
    ) -> None:
        self.resolution = resolution
        self.synthetic = config.data == "test"
        self.replayed = config.clock == "data"
        self._config = config
        self._keys = keys
        self._symbols = list(dict.fromkeys(symbols))
        self._calendar = calendar
        self._wall = wall
        self._ping = ping_seconds
        self._patience = start_seconds
        self._extended = extended
        self._asking = Asking(config, keys, self._symbols, calendar, wall, extended=extended)
        self._live: Live | None = None
        self._rules: Rules | None = None
        self._pipe: Pipe | None = None
        self._task: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[Batch | Failure | None] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._frozen_until = 0.0
        self._day: dt.date | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._backlog = Backlog()
        self._on_quote: Callable[[Quote], None] = forgotten
        self._on_halt: Callable[[TradingHalt], None] = forgotten

    # -- facts -----------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Vendor and feed; a server on this machine, and invented prices, are named as such."""
        return label_of(self._config)

    @property
    def seconds_between(self) -> float:
        """Wall seconds between batches; of a test server, the longest that were seen so far."""
        length = self.resolution.nanoseconds / 1e9
        seen = self._rules.longest if isinstance(self._rules, DataRules) else 0.0
        return min(length, max(1.0, seen)) if seen else length

    @property
    def counts(self) -> dict[str, int]:
        """What went wrong and was dealt with, since `open`: for metrics and status."""
        if self._live is None or self._pipe is None:
            return {}
        pipe, live = self._pipe, self._live
        found = Counter(live.counts)
        found["late"] += pipe.late
        found["twice"] += pipe.twice
        found["outside"] += pipe.outside
        found["garbage"] += pipe.garbage + live.decoder.garbage + self._asking.garbage
        found["unknown_types"] += live.decoder.unknown.total()
        return dict(found)

    @property
    def connected(self) -> bool:
        """Whether the stream is connected and subscribed."""
        return self._live is not None and self._live.connected

    @property
    def late_until(self) -> int:
        """Close (UTC ns) up to which batches came from history, after their time; 0: none yet.

        What a strategy decides on such a batch is older than the market.
        """
        return 0 if self._live is None else self._live.late_until

    @property
    def unproven(self) -> Sequence[str]:
        """Symbols of which nothing has come on this connection."""
        proven = set() if self._live is None else self._live.ears.proven
        return [name for name in self._symbols if name not in proven]

    def mute(self) -> Sequence[str]:
        """Return symbols that are subscribed and silent for too long while others speak."""
        if self._live is None:
            return ()
        return self._live.ears.mute(asyncio.get_running_loop().time())

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts of the symbols; ticks by the last price (see `Past`)."""
        return self._asking.instruments

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends of the last month and those announced, by ex-date."""
        return self._asking.actions

    # -- life ------------------------------------------------------------------------------------

    def listen(
        self, *, quote: Callable[[Quote], None], halt: Callable[[TradingHalt], None]
    ) -> None:
        """Hear quotes and halts from now on; called once, before `open`."""
        self._on_quote, self._on_halt = quote, halt

    async def open(self, resume_after: int) -> None:
        """Connect and subscribe; batches go on after a data time (UTC ns; 0: begin now).

        What came between is read from history and delivered first.

        Raises
        ------
        Failure
            FEED when Alpaca refuses or does not answer; UNKNOWN_SYMBOL naming symbols it does not
            know; CONFIG for what this feed cannot do.
        """
        checked(self._config, self.resolution, self._symbols)
        try:
            await self.refresh()
            await self._start(resume_after)
        except BaseException:
            await self.close()
            raise

    async def refresh(self) -> None:
        """Read ticks and corporate actions anew; done at the first batch of every day.

        Raises
        ------
        Failure
            As `open`.
        """
        await self._asking.learn()

    async def history(self, before: int, bars: int) -> Sequence[Batch]:
        """Return up to `bars` batches that end at or before a data time, for warm-up."""
        return await self._asking.history(before, bars, self.resolution)

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield batches in time order; ends when a test server's market is over.

        Raises
        ------
        Failure
            FEED when Alpaca's refusal is final.
        """
        while True:
            one = await self._queue.get()
            if one is None:
                return
            if isinstance(one, Failure):
                raise one
            await self._thawed()
            yield one

    def freeze(self, seconds: float) -> None:
        """Yield nothing for that long (a drill)."""
        self._frozen_until = asyncio.get_running_loop().time() + seconds

    async def close(self) -> None:
        """Stop streaming and let go of sockets and threads; `batches` ends."""
        # First, so that nobody waits for an answer any more.
        self._asking.call_off()
        tasks = [one for one in (self._task, self._renewal) if one is not None]
        self._task = self._renewal = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._live is not None:
            self._live.stop()
        self._frozen_until = 0.0
        self._queue.put_nowait(None)
        await self._asking.close()

    # -- private ---------------------------------------------------------------------------------

    async def _start(self, resume_after: int) -> None:
        config = self._config
        self._pipe = made_pipe(
            config,
            self.resolution,
            self._calendar,
            self._symbols,
            after=resume_after,
            now=self._wall(),
            extended=self._extended,
        )
        self._rules = made_rules(
            config,
            self.resolution,
            self._calendar,
            wall=self._wall,
            read=self._read,
            clock=self._asking.clock,
            begun=resume_after > 0,
        )
        self._live = Live(
            stream=self._stream,
            pipe=self._pipe,
            symbols=self._symbols,
            optional=("statuses", "lulds", *(("quotes",) if config.quotes else ())),
            read=self._read,
            deliver=self._deliver,
            quote=lambda one: self._on_quote(one),
            halt=lambda one: self._on_halt(one),
            wall=self._wall,
            rules=self._rules,
            live=not self.replayed,
            mute_seconds=config.mute_seconds,
            grace=config.bar_grace_seconds,
        )
        self._task = asyncio.create_task(self._run(self._live), name="alpaca data stream")
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait(
                [ready, self._task],
                timeout=self._patience,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            ready.cancel()
        if not self._ready.is_set():
            raise not_started(self._live.trouble, stream_url(config))

    async def _run(self, live: Live) -> None:
        try:
            await live.run(self._ready.set)
        except Refused as refused:
            self._queue.put_nowait(not_started(refused, stream_url(self._config)))
        except Exception as error:  # a bug here must end the session, not silence it
            log.exception("the data stream has a fault")
            self._queue.put_nowait(not_started(error, stream_url(self._config)))
        else:
            self._queue.put_nowait(None)

    def _stream(self, decoder: Decoder, heard: Callable[[Sequence[Message]], None]) -> Stream:
        return Stream(
            stream_url(self._config),
            self._keys,
            decoder=decoder,
            heard=heard,
            ping_seconds=self._ping,
            # A replay begins with the first acknowledgement, so all symbols must be in it.
            batch=max(1, len(self._symbols)) if self.replayed else BATCH,
        )

    async def _read(self, until: int | None) -> Rows:
        return () if self._pipe is None else await self._asking.gap(self._pipe, until)

    def _deliver(self, batch: Batch) -> None:
        self._queue.put_nowait(batch)
        day = local_date(batch.ts)
        if self._day not in (None, day) and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.create_task(self._renew(), name="alpaca reference")
        self._day = day
        waiting = self._queue.qsize()
        if self._backlog.due(waiting, asyncio.get_running_loop().time()):
            log.warning("%d batches wait to be taken", waiting)

    async def _renew(self) -> None:
        """Know the actions that were announced since yesterday; what is known stays known."""
        try:
            await self.refresh()
        except Failure as failure:
            log.warning("ticks and corporate actions were not renewed: %s", failure)

    async def _thawed(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._frozen_until - loop.time()) > 0:  # noqa: ASYNC110 - it may be lifted
            await asyncio.sleep(min(left, 0.1))
