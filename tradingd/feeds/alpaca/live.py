"""Keep a connection, fill gaps from history, deliver in order, notice who is mute."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tradingd.domain.feed import Batch, Quote, TradingHalt
from tradingd.domain.market import NANOSECONDS, Resolution
from tradingd.feeds.alpaca import convert
from tradingd.feeds.alpaca.ears import Ears
from tradingd.feeds.alpaca.messages import (
    BarMessage,
    DailyBarMessage,
    Decoder,
    LuldMessage,
    Message,
    QuoteMessage,
    StatusMessage,
    TradeMessage,
    UpdatedBarMessage,
)
from tradingd.feeds.alpaca.pipes import Pipe, Rows
from tradingd.feeds.alpaca.rules import Rules
from tradingd.feeds.alpaca.stream import NO_CHANNEL, Lost, Refused, Stream
from tradingd.kits.backoff import jittered
from tradingd.kits.failure import Failure
from tradingd.vendors.alpaca.values import Unreadable

log = logging.getLogger(__name__)

_MINUTE: Final = Resolution.MINUTE.nanoseconds
_TICK: Final = 1.0
"""Seconds after which the loop looks around when nothing comes."""

_FIRST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 30.0

MINUTES: Final = (BarMessage, DailyBarMessage, UpdatedBarMessage)


class Live:
    """Runs until it is cancelled, refused, or the market is over.

    Parameters
    ----------
    stream : Callable
        Makes a connection, given the decoder and who hears.
    pipe : Pipe
        Turns bars into batches.
    symbols : sequence of str
    optional : sequence of str
        Channels beside bars: without one of them the feed still works.
    read : Callable
        Reads the pipe's history on the feed's thread.
    deliver : Callable
        Takes each batch.
    wall : Callable
        Time of day, UTC ns.
    rules : Rules
    live : bool
        Whether session time is the wall's.
    mute_seconds, grace : float
        See the configuration.
    """

    def __init__(
        self,
        *,
        stream: Callable[[Decoder, Callable[[Sequence[Message]], None]], Stream],
        pipe: Pipe,
        symbols: Sequence[str],
        optional: Sequence[str],
        read: Callable[[int | None], Awaitable[Rows]],
        deliver: Callable[[Batch], None],
        quote: Callable[[Quote], None],
        halt: Callable[[TradingHalt], None],
        wall: Callable[[], int],
        rules: Rules,
        live: bool,
        mute_seconds: float,
        grace: float,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.decoder = Decoder()
        self.ears = Ears(symbols, mute_seconds)
        self.connected = False
        self.late_until = 0
        self.trouble: Exception | None = None
        self._make = stream
        self._pipe = pipe
        self._symbols = list(symbols)
        self._optional = list(optional)
        self._read = read
        self._deliver = deliver
        self._quote = quote
        self._halt = halt
        self._wall = wall
        self._rules = rules
        self._is_live = live
        self._grace = grace
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Connect, and again whenever the connection is lost; return when the market is over.

        Parameters
        ----------
        ready : Callable
            Called whenever a connection is subscribed; its gap is filled from then on.

        Raises
        ------
        Refused
            When Alpaca's no is final.
        """
        attempt = 0
        while True:
            try:
                if await self._connection(ready):
                    return
            except Refused as refused:
                self.trouble = refused
                if refused.permanent:
                    raise
                log.warning("the data stream was refused: %s", refused)
            except Lost as lost:
                self.trouble = lost
                log.warning("the data stream is lost: %s", lost)
            finally:
                self.connected = False
            # What spoke deserves a quick return; what never did is asked less and less often.
            attempt = 0 if self.ears.proven else attempt + 1
            self.counts["reconnects"] += 1
            await asyncio.sleep(jittered(attempt, first=_FIRST_WAIT, longest=_LONGEST_WAIT))

    def flush(self) -> None:
        """Deliver what is complete, and look again when the next grace is over."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        wall = self._wall() if self._is_live else None
        for batch in self._pipe.ready(now, wall):
            self._deliver(batch)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._pipe.due(now)
        if due < now + _TICK:
            self._timer = loop.call_at(max(due, now + 0.001), self.flush)

    def stop(self) -> None:
        """Set no timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- one connection --------------------------------------------------------------------------

    async def _connection(self, ready: Callable[[], None]) -> bool:
        stream = self._make(self.decoder, self._hear)
        filling: asyncio.Task[None] | None = None
        # Live bars wait until what came before them has been read.
        self._pipe.held = True
        self.ears.subscribed()
        self._rules.renewed()
        try:
            await stream.open()
            await self._subscribe(stream)
            self.connected = True
            self._since = asyncio.get_running_loop().time()
            filling = asyncio.create_task(self._fill(), name="alpaca backfill")
            ready()
            return await self._listen(stream)
        finally:
            # A minute that was cut in two is completed by history before it is delivered.
            self._pipe.held = True
            if filling is not None:
                filling.cancel()
                await asyncio.wait([filling])
            await stream.close()

    async def _subscribe(self, stream: Stream) -> None:
        for channel in self._optional:
            try:
                await stream.subscribe([channel], self._symbols)
            except Refused as refused:
                if refused.code != NO_CHANNEL:
                    raise
                log.warning("the data stream has no %s: %s", channel, refused)
                self.counts["channels_missing"] += 1
        # Bars last: a replay that waits for its first listener begins with the acknowledgement.
        await stream.subscribe(self._pipe.channels, self._symbols)

    async def _listen(self, stream: Stream) -> bool:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            self._hear(await stream.receive(_TICK))
            now = loop.time()
            if now - looked < _TICK:
                continue
            looked = now
            self.flush()
            again = self.ears.due_again(now)
            if again:
                log.warning("mute on the data stream, subscribed anew: %s", ", ".join(again))
                self.counts["resubscribed"] += len(again)
                await stream.again({name: list(again) for name in self._pipe.channels})
            silent = min(self.ears.silent_for(now), now - self._since)
            if not self._pipe.held and await self._rules.silent(silent):
                self.flush()
                return True

    async def _fill(self) -> None:
        """Read the gap from history and let the live bars follow."""
        loop = asyncio.get_running_loop()
        number = through = 0
        try:
            if self._pipe.cursor:
                await self._after_grace()
                until = await self._rules.until()
                rows = list(await self._read(until))
                through = max((ts for ts, _ in rows), default=0) if until is None else until
                number = self._pipe.merge(rows, through, loop.time())
                self.counts["backfilled"] += number
                if number:
                    log.info("%d bars of the gap were read from history", number)
        except Failure as failure:
            # Live bars are worth more than waiting for old ones.
            self.counts["gaps"] += 1
            log.error("a gap of the data stream was not filled: %s", failure)
        self._pipe.held = False
        self.flush()
        if number:
            self.late_until = max(self.late_until, min(self._pipe.cursor, through))

    async def _after_grace(self) -> None:
        """Wait until the minute that has just ended is in history."""
        if not self._is_live:
            return
        into = (self._wall() % _MINUTE) / NANOSECONDS
        if into < self._grace:
            await asyncio.sleep(self._grace - into)

    # -- what is heard ---------------------------------------------------------------------------

    def _hear(self, messages: Sequence[Message]) -> None:
        now = asyncio.get_running_loop().time()
        bars = False
        for message in messages:
            kind = type(message)
            if kind is QuoteMessage:
                self.ears.hear(message.S, now)  # type: ignore[union-attr]
                self._quoted(message)  # type: ignore[arg-type]
            elif isinstance(message, MINUTES):
                bars = True
                self.ears.hear(message.S, now)
                self._pipe.take(message, now)
            elif isinstance(message, StatusMessage | LuldMessage):
                self.ears.hear(message.S, now)
                self._status(message)
            elif isinstance(message, TradeMessage):
                self.ears.hear(message.S, now)
        if bars:
            self._rules.spoke(now)
            self.flush()

    def _quoted(self, message: QuoteMessage) -> None:
        try:
            quote = convert.quote(message)
        except Unreadable:
            self.counts["garbage_quotes"] += 1
            return
        self._quote(quote)

    def _status(self, message: StatusMessage | LuldMessage) -> None:
        now = self._wall()
        try:
            if isinstance(message, StatusMessage):
                told = convert.halt_of_status(message, now)
            else:
                told = convert.halt_of_band(message, now)
        except Unreadable:
            self.counts["garbage_statuses"] += 1
            return
        if told is not None:
            self.counts["halts"] += told.halted
            self._halt(told)
