"""`IbkrDepthFeed`: market depth of US stocks through TWS or IB Gateway, kept alive."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from tradingd.config.depth import IbkrDepth
from tradingd.domain.depth import DepthListener
from tradingd.feeds.ibkr import codes, refusals, upkeep
from tradingd.feeds.ibkr.answers import Answers
from tradingd.feeds.ibkr.link import Complaint, Item, Link, Told, Unreachable
from tradingd.feeds.ibkr.rules import Rules
from tradingd.feeds.ibkr.stream import Stream
from tradingd.feeds.ibkr.teller import Teller
from tradingd.kits.failure import Failure

log = logging.getLogger(__name__)


class IbkrDepthFeed:
    """Market depth from Interactive Brokers; speaks `DepthFeed` and `Dropping`.

    Parameters
    ----------
    config : IbkrDepth
        Where TWS listens, exchange, rows.
    wall : Callable
        UTC ns; TWS tells no times, so that this is both times of every event.
    rules : Rules
        How long to wait for what.
    """

    def __init__(
        self, config: IbkrDepth, *, wall: Callable[[], int], rules: Rules | None = None
    ) -> None:
        self._config = config
        self._rules = rules or Rules()
        self._smart = config.exchange == "SMART"
        self._address = f"{config.host}:{config.port}"
        self._link = Link(
            config.host,
            config.port,
            config.client_id,
            timeout=config.timeout,
            hear=self._hear,
        )
        self._teller = Teller(wall)
        self._streams: dict[str, Stream] = {}
        self._by_request: dict[int, Stream] = {}
        self._answers = Answers()
        self._open = False
        self._connected = asyncio.Event()
        self._over = asyncio.Event()
        self._error: BaseException | None = None

    @property
    def label(self) -> str:
        """Broker and exchange."""
        return f"IB {self._config.exchange}"

    @property
    def source(self) -> str:
        """Provenance."""
        return "ibkr"

    @property
    def levels(self) -> int:
        """Rows asked for: the most levels that there can be."""
        return self._config.rows

    @property
    def replayed(self) -> bool:
        """Never."""
        return False

    @property
    def dropped(self) -> int:
        """None: rows are told on the loop as they come, nothing waits."""
        return 0

    @property
    def fractions(self) -> int:
        """Sizes that were not whole shares, and were cut."""
        return sum(stream.fractions for stream in self._streams.values())

    def symbols(self) -> frozenset[str] | None:
        """Return None: TWS knows."""
        return None

    def listen(self, listener: DepthListener) -> None:
        """Name who hears."""
        self._teller.listener = listener

    async def open(self) -> None:
        """Connect and log on; nothing but data is ever asked for.

        Raises
        ------
        Failure
            FEED, naming host and port.
        """
        if self._teller.listener is None:
            raise refusals.not_open()
        try:
            await self._link.connect()
        except Unreachable as error:
            raise refusals.unreachable(self._address, str(error), error.code) from None
        self._open = True
        self._connected.set()
        log.info("ibkr depth: connected to %s", self._address)

    async def subscribe(self, symbol: str) -> None:
        """Find the stock and ask for its depth; ends with the first row, or in `quiet` seconds.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL; FEED, when TWS refuses, does not answer or the feed is not open.
        """
        if not self._open or self._over.is_set():
            raise refusals.not_open()
        answer = self._answers.find(symbol)
        if symbol not in self._streams and answer is None:
            answer = self._answers.expect(symbol)
            try:
                await self._begin(symbol)
            except Failure as failure:
                self._answers.give(symbol, failure)
            except BaseException:
                self._answers.give(symbol)
                raise
        if answer is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(answer), self._rules.quiet)
        except TimeoutError:
            self._demand_permission(symbol)
        finally:
            self._answers.forget(symbol)

    async def unsubscribe(self, symbol: str) -> None:
        """End a subscription, and free its depth line."""
        stream = self._streams.pop(symbol, None)
        if stream is not None:
            self._end(stream)
        self._answers.give(symbol)

    async def run(self) -> None:
        """Tell until `close`; mend the connection as often as it breaks.

        Raises
        ------
        Exception
            What the listener raised.
        """
        if not self._open:
            raise refusals.not_open()
        works = [
            asyncio.create_task(work, name=f"depth ibkr {name}")
            for name, work in (
                ("connection", self._keep()),
                ("time", self._tick()),
                ("over", self._over.wait()),
            )
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
        """End the subscriptions and hang up."""
        self._over.set()
        for symbol in (*self._streams, *self._answers.symbols):
            await self.unsubscribe(symbol)
        await self._link.hang_up()

    # -- subscriptions ---------------------------------------------------------------------------

    async def _begin(self, symbol: str) -> None:
        contract = await self._contract(symbol)
        stream = Stream(symbol, contract, self._config.rows)
        self._streams[symbol] = stream
        if self._link.up:
            self._ask(stream)

    async def _contract(self, symbol: str) -> Any:
        exchange = self._config.exchange
        try:
            async with asyncio.timeout(self._config.timeout):
                await self._connected.wait()
                # Classes of shares are written with a space: BRK B.
                found = await self._link.contracts(symbol.replace(".", " "), exchange)
        except TimeoutError:
            raise refusals.unanswered(symbol, self._address, self._config.timeout) from None
        except LookupError as error:
            code, text = error.args
            if code == codes.UNKNOWN_CONTRACT:
                raise refusals.unknown_symbol(symbol, exchange, text) from None
            raise refusals.refused(symbol, exchange, code, text) from None
        if len(found) != 1:
            raise refusals.unknown_symbol(symbol, exchange, f"{len(found)} contracts match")
        contract = found[0]
        contract.exchange = exchange
        return contract

    def _ask(self, stream: Stream) -> None:
        self._end(stream)
        stream.bids = stream.asks = ()
        request = self._link.ask_depth(stream.contract, self._config.rows, smart=self._smart)
        stream.request = request
        self._by_request[request] = stream

    def _end(self, stream: Stream) -> None:
        if self._by_request.pop(stream.request, None) is not None:
            self._link.end_depth(stream.request, smart=self._smart)
        stream.request = -1

    def _demand_permission(self, symbol: str) -> None:
        """Refuse a subscription that TWS only answered with a list of missing permissions."""
        stream = self._streams.get(symbol)
        if stream is None or not stream.empty:
            return
        if not stream.notice:
            log.info("ibkr depth: no row of %s yet", symbol)
            return
        del self._streams[symbol]
        self._end(stream)
        code, text = codes.PARTLY_PERMITTED, stream.notice
        raise refusals.refused(symbol, self._config.exchange, code, text)

    # -- the connection --------------------------------------------------------------------------

    async def _keep(self) -> None:
        while not self._over.is_set():
            why = await upkeep.lost(self._link, self._rules.ping)
            log.warning("ibkr depth: connection lost: %s", why)
            self._connected.clear()
            self._by_request.clear()
            await self._link.hang_up()
            self._teller.gaps(tuple(self._streams), why)
            if await upkeep.mended(self._link, self._rules, self._over):
                self._restored()

    def _restored(self) -> None:
        """Subscribe anew: TWS has forgotten all."""
        self._teller.lost = False
        self._connected.set()
        for stream in self._streams.values():
            if self._link.up:
                self._ask(stream)

    # -- what TWS says ---------------------------------------------------------------------------

    def _hear(self, packet: list[Item]) -> None:
        """Take what one network packet brought."""
        if self._over.is_set():
            return
        now = self._teller.now()
        # TWS tells no ends of events, but writes the rows of one change together: the last row
        # of a symbol in a packet closes. A change that is cut in two shows as a crossed book.
        last = {item.request: at for at, item in enumerate(packet) if isinstance(item, Told)}
        try:
            for at, item in enumerate(packet):
                if isinstance(item, Told):
                    self._row(item, now, closes=last[item.request] == at)
                else:
                    self._complaint(item, now)
            self._teller.settle()
        except Exception as error:  # noqa: BLE001 - it is run() that raises it, not the socket
            self._fail(error)

    def _row(self, told: Told, now: int, *, closes: bool) -> None:
        stream = self._by_request.get(told.request)
        if stream is None:
            return
        self._teller.event(stream.apply(told, now, closes=closes))
        self._answers.give(stream.symbol)

    def _complaint(self, said: Complaint, now: int) -> None:
        stream = self._by_request.get(said.request)
        if stream is not None:
            self._about(stream, said, now)
        elif said.code == codes.LOST:
            log.warning("ibkr depth: %s", said.text)
            self._teller.gaps(tuple(self._streams), said.text)
        elif said.code == codes.RESTORED_WITHOUT_DATA:
            log.warning("ibkr depth: %s", said.text)
            self._teller.gaps(tuple(self._streams), said.text)
            self._restored()
        elif said.code == codes.RESTORED:
            log.info("ibkr depth: %s", said.text)
            self._teller.lost = False
        else:
            level = logging.INFO if codes.notice(said.code) else logging.WARNING
            log.log(level, "ibkr depth: code %d: %s", said.code, said.text)

    def _about(self, stream: Stream, said: Complaint, now: int) -> None:
        if said.code == codes.RESET:
            self._clear(stream, said.text, now)
        elif said.code == codes.HALTED:
            self._clear(stream, said.text, now)
            loop = asyncio.get_running_loop()
            loop.call_later(self._rules.again, self._again, stream, said.request)
        elif codes.notice(said.code):
            log.warning("ibkr depth: %s: %s", stream.symbol, said.text)
            if said.code == codes.PARTLY_PERMITTED:
                stream.notice = said.text
        else:
            self._refuse(stream, said)

    def _again(self, stream: Stream, request: int) -> None:
        if self._by_request.get(request) is stream and self._link.up:
            self._ask(stream)

    def _refuse(self, stream: Stream, said: Complaint) -> None:
        log.warning("ibkr depth: %s refused, code %d: %s", stream.symbol, said.code, said.text)
        # TWS has ended it already: there is nothing to cancel.
        self._by_request.pop(stream.request, None)
        self._streams.pop(stream.symbol, None)
        failure = refusals.refused(stream.symbol, self._config.exchange, said.code, said.text)
        if not self._answers.give(stream.symbol, failure):
            self._teller.gap(stream.symbol, "refused", f"{said.code}: {said.text}")

    def _clear(self, stream: Stream, why: str, now: int) -> None:
        self._teller.gap(stream.symbol, "cleared", why)
        self._teller.event(stream.clear(now))

    async def _tick(self) -> None:
        """Tell how far time has come: what comes later is stamped later, for the stamp is ours."""
        while True:
            await asyncio.sleep(self._rules.tick)
            if self._connected.is_set() and not self._teller.lost:
                self._teller.now()
                self._teller.settle()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._over.set()
