"""`DatabentoDepthFeed`: live books of one dataset, kept alive."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from typing import Final

from tradingd.config.depth import DatabentoDepth
from tradingd.config.secrets import Secret
from tradingd.domain.depth import DepthListener
from tradingd.feeds.databento import refusals
from tradingd.feeds.databento.border import Border, Item
from tradingd.feeds.databento.desk import Desk
from tradingd.feeds.databento.rules import Rules
from tradingd.feeds.databento.teller import Teller
from tradingd.feeds.databento.words import Beat, Broken, Complained, Lost, Mapped, Word
from tradingd.kits.backoff import jittered
from tradingd.kits.failure import Failure
from tradingd.vendors.databento.live import Gateway, LiveLink, Unauthorised, Unreachable

log = logging.getLogger(__name__)

_LEVELS: Final = {"mbp-10": 10, "mbp-1": 1}
_TURN: Final = 0.002
"""Seconds of telling in one turn of the loop; the rest waits for the next, so that others get
theirs."""

_AT_ONCE: Final = 16
"""Records told between two looks at the clock: a listener may need a while for each."""

_SYMBOL: Final = re.compile(r"[A-Za-z0-9./+=^#-]*[A-Za-z0-9+=^#-]")


class DatabentoDepthFeed:
    """Live books from Databento; speaks `DepthFeed` and `Dropping`.

    Parameters
    ----------
    config : DatabentoDepth
        Dataset, schema, gateway, size of the queue.
    key : Secret
        Revealed to the vendor's client only, at each connection.
    wall : Callable
        UTC ns; the time of gaps.
    rules : Rules
        How long to wait for what.
    """

    def __init__(
        self,
        config: DatabentoDepth,
        key: Secret,
        *,
        wall: Callable[[], int],
        rules: Rules | None = None,
    ) -> None:
        self._config = config
        self._key = key
        self._wall = wall
        self._rules = rules or Rules()
        self._gateway = Gateway(
            dataset=config.dataset,
            schema=config.schema,
            host=config.gateway,
            port=config.port,
            heartbeat=config.heartbeat_seconds,
        )
        self._border = Border(config.queue_events, self._woken, Lost)
        self._desk = Desk(self._border)
        self._link = LiveLink(self._gateway, key, self._desk)
        self._teller: Teller | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: dict[str, None] = {}
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._over = asyncio.Event()
        self._error: BaseException | None = None
        self._refused = 0

    @property
    def label(self) -> str:
        """The dataset: the venue whose book it is."""
        return self._config.dataset

    @property
    def source(self) -> str:
        """Provenance."""
        return "databento"

    @property
    def levels(self) -> int:
        """Ten, or one."""
        return _LEVELS[self._config.schema]

    @property
    def replayed(self) -> bool:
        """Never."""
        return False

    @property
    def dropped(self) -> int:
        """Records that found the queue full."""
        return self._border.dropped

    def symbols(self) -> frozenset[str] | None:
        """Return None: the gateway knows."""
        return None

    def listen(self, listener: DepthListener) -> None:
        """Name who hears."""
        self._teller = Teller(listener)

    async def open(self) -> None:
        """Connect and authenticate; the stream begins with the first subscription.

        Raises
        ------
        Failure
            FEED, naming host and port: unreachable, or refused; CONFIG: no key.
        """
        if self._teller is None:
            raise refusals.not_open()
        if not self._key.reveal().strip():
            raise refusals.no_key(self._key)
        self._loop = asyncio.get_running_loop()
        try:
            await self._link.connect((), within=self._rules.connect)
        except (Unreachable, Unauthorised) as error:
            await self._link.close()
            raise self._failure(error) from None
        log.info("databento depth: connected to %s", self._gateway.address)

    async def subscribe(self, symbol: str) -> None:
        """Begin to tell a book; ends when the gateway has named the instrument, or in `answer` s.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL; FEED, when the subscription is refused or the feed not open.
        """
        if self._loop is None or self._over.is_set():
            raise refusals.not_open()
        answer = self._answers.get(symbol)
        if symbol not in self._wanted:
            self._wanted[symbol] = None
            if self._desk.want((symbol,)):
                # The session still sends it: the client cannot end one symbol's subscription.
                return
            answer = self._answers[symbol] = self._loop.create_future()
            await self._link.subscribe(symbol)
        if answer is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(answer), self._rules.answer)
        except TimeoutError:
            log.warning("databento depth: no word about %s yet", symbol)
        finally:
            self._answers.pop(symbol, None)

    async def unsubscribe(self, symbol: str) -> None:
        """Leave a symbol's records on the library's thread; the vendor goes on sending them.

        The next connection does without them.
        """
        self._wanted.pop(symbol, None)
        self._desk.forget(symbol)
        self._answer(symbol)

    async def run(self) -> None:
        """Tell until `close`; mend the connection as often as it breaks.

        Raises
        ------
        Failure
            FEED, when the gateway refuses a session several times in a row.
        Exception
            What the listener raised.
        """
        if self._loop is None:
            raise refusals.not_open()
        works = [
            asyncio.create_task(work, name=f"depth databento {name}")
            for name, work in (("connection", self._keep()), ("over", self._over.wait()))
        ]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.wait(works)
        if self._error is not None:
            raise self._error
        for work in done:
            work.result()

    async def close(self) -> None:
        """Hang up, and end the library's thread."""
        self._over.set()
        for symbol in tuple(self._answers):
            self._answer(symbol)
        await self._link.close()

    # -- the connection --------------------------------------------------------------------------

    async def _keep(self) -> None:
        while not self._over.is_set():
            why = await self._ended()
            self._border.word(Broken(self._wall(), why))
            await self._link.hang_up()
            await self._mend()

    async def _ended(self) -> str:
        """Wait for the end of the session, or for a silence that says the same."""
        limit = self._rules.silence or 2.0 * self._config.heartbeat_seconds
        ended = asyncio.create_task(self._link.ended(), name="depth databento session")
        try:
            while True:
                before = self._desk.heard
                done, _ = await asyncio.wait((ended,), timeout=limit)
                if done:
                    return ended.result() or "closed by the gateway"
                # A session without subscriptions has not begun, and has no heartbeat.
                if self._wanted and self._desk.heard == before:
                    return f"nothing heard for {limit:g} s"
        finally:
            ended.cancel()
            await asyncio.wait((ended,))

    async def _mend(self) -> None:
        attempt = 0
        while not self._over.is_set():
            wait = jittered(attempt, first=self._rules.first_wait, longest=self._rules.longest_wait)
            await asyncio.sleep(wait)
            attempt += 1
            if self._over.is_set():
                return
            self._desk.restart()
            asked = tuple(self._wanted)
            try:
                await self._link.connect(asked, within=self._rules.connect)
            except Unreachable as error:
                log.warning("databento depth: %s", error)
            except Unauthorised as error:
                log.warning("databento depth: refused: %s", error)
                self._refused += 1
                if self._refused >= self._rules.refusals:
                    self._fail(self._failure(error))
                    return
            else:
                log.info("databento depth: connected again")
                for symbol in self._wanted.keys() - set(asked):
                    await self._link.subscribe(symbol)
                return

    # -- what came over the border ---------------------------------------------------------------

    def _woken(self) -> None:
        """Have the loop take what waits; from any thread."""
        if self._loop is not None:
            # The loop may be closed already: then nobody listens.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        teller, loop = self._teller, self._loop
        if teller is None or loop is None or self._over.is_set():
            return
        until = loop.time() + _TURN
        try:
            while items := self._border.take(_AT_ONCE):
                self._tell(teller, items)
                if loop.time() >= until:
                    loop.call_soon(self._take)
                    break
            teller.settle()
        except Exception as error:  # noqa: BLE001 - it is run() that raises it, not the loop
            self._fail(error)

    def _tell(self, teller: Teller, items: list[Item]) -> None:
        for symbol, item in items:
            if not symbol:
                self._hear(teller, item)
            elif symbol in self._wanted:
                teller.record(symbol, item)

    def _hear(self, teller: Teller, word: Word) -> None:
        match word:
            case Beat(ts):
                teller.beat(ts)
            case Lost(symbol, count):
                ts = teller.newest(symbol) or self._wall()
                teller.gap(symbol, ts, "dropped", lost=count)
            case Mapped(symbol, instrument, before):
                self._refused = 0
                if before and before != instrument:
                    teller.restart(symbol)
                    detail = f"instrument {before} is now {instrument}"
                    teller.gap(symbol, self._wall(), "cleared", detail=detail)
                self._answer(symbol)
            case Complained(about, text):
                self._complained(teller, about, text)
            case Broken(ts, why):
                log.warning("databento depth: connection lost: %s", why)
                for symbol in tuple(self._wanted):
                    teller.restart(symbol)
                    teller.gap(symbol, ts, "reconnect", detail=why)

    def _complained(self, teller: Teller, about: str, text: str) -> None:
        log.warning("databento depth: %s", text)
        match about:
            case "skipped":
                for symbol in tuple(self._wanted):
                    teller.gap(symbol, self._wall(), "dropped", detail=text)
            case "symbol":
                for symbol in self._named(text):
                    failure = refusals.unknown_symbol(symbol, self._config.dataset, text)
                    self._refuse(teller, symbol, failure, text)
            case "subscription":
                for symbol in self._named(text) or tuple(self._answers):
                    failure = refusals.no_subscription(symbol, self._config.dataset, text)
                    self._refuse(teller, symbol, failure, text)
            case "key":
                self._fail(self._failure(Unauthorised(text)))
            case _:
                # The gateway ends the session after it; the end is told as a gap.
                pass

    def _named(self, text: str) -> tuple[str, ...]:
        """Return the symbols that an error is about."""
        named = tuple(word for word in _SYMBOL.findall(text) if word in self._wanted)
        # The vendor does not fix the wording; with one question open it is the answer.
        return named or (tuple(self._answers) if len(self._answers) == 1 else ())

    def _refuse(self, teller: Teller, symbol: str, failure: Failure, text: str) -> None:
        self._wanted.pop(symbol, None)
        self._desk.forget(symbol)
        if not self._answer(symbol, failure):
            teller.gap(symbol, self._wall(), "refused", detail=text)

    def _answer(self, symbol: str, failure: Failure | None = None) -> bool:
        """Answer who waits for a symbol; False when nobody does."""
        answer = self._answers.pop(symbol, None)
        if answer is None or answer.done():
            return False
        if failure is None:
            answer.set_result(None)
        else:
            answer.set_exception(failure)
        return True

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._over.set()

    def _failure(self, error: Unreachable | Unauthorised) -> Failure:
        if isinstance(error, Unauthorised):
            return refusals.unauthorised(self._gateway.address, self._key, str(error))
        return refusals.unreachable(self._gateway.address, str(error))
