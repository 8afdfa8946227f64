"""Alpaca behind the Protocol that every broker has."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final
from urllib.parse import quote

from tradingd.brokers.alpaca import parsing, times
from tradingd.brokers.alpaca.client import Client
from tradingd.brokers.alpaca.commands import Commands
from tradingd.brokers.alpaca.failures import keys_refused, unreachable
from tradingd.brokers.alpaca.finder import Finder
from tradingd.brokers.alpaca.hearing import Hearing
from tradingd.brokers.alpaca.history import History
from tradingd.brokers.alpaca.parsing import Unreadable
from tradingd.brokers.alpaca.reader import Reader
from tradingd.brokers.alpaca.registry import Registry
from tradingd.brokers.alpaca.replies import Answered, Garbled, Lost, NoAnswer, NothingSent, Refused
from tradingd.brokers.alpaca.rules import CAPABILITIES
from tradingd.brokers.alpaca.stream import TradeStream
from tradingd.domain.broker import BrokerUnavailable, Outcome
from tradingd.domain.broker_reports import (
    AdjustmentUpdate,
    AssetFacts,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerOrder,
    BrokerPosition,
    ConnectionUpdate,
)
from tradingd.domain.broker_requests import Capabilities, OrderRequest
from tradingd.domain.money import Nanos
from tradingd.kits.tasks import Fault, Tasks
from tradingd.vendors.alpaca.hosts import websocket
from tradingd.vendors.alpaca.keys import Keys

log = logging.getLogger(__name__)

SINGLY: Final = 20
"""Symbols whose facts are asked for one by one; for more, the list of all assets is read."""

_ASSETS: Final = {"status": "active", "asset_class": "us_equity"}

_PAUSE: Final = 0.25
_REFUSED: Final = frozenset({401, 403})

type _Item = BrokerEvent | None


class AlpacaBroker:
    """One account at Alpaca; implements `Broker`, `AssetBook` and `BrokerClock`.

    Parameters
    ----------
    keys : Keys
        Of the account; in no text, log or exception of this class.
    rest : str
        Base URL of the trading API, without the version.
    timeout : float
        Seconds to connect, and to wait for the next piece of an answer.
    requests_per_minute : int
        What the account allows.
    connect_seconds : float
        Wait for the first connection.
    listen : bool
        False: no trade updates, so that a stream that is down keeps nobody from asking and
        cancelling (kill switch, checks from outside); `events` yields nothing then.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        rest: str,
        timeout: float,
        requests_per_minute: int = 200,
        connect_seconds: float = 30.0,
        listen: bool = True,
    ) -> None:
        self._rest = rest.rstrip("/")
        self._connect_seconds = connect_seconds
        self._listen = listen
        self._client = Client(
            keys, rest=self._rest, timeout=timeout, per_minute=requests_per_minute
        )
        self._registry = Registry()
        self._reader = Reader(self._client)
        self._finder = Finder(
            self._registry, self._reader, lambda changes: self._hearing.noted(changes)
        )
        self._history = History(self._registry, self._reader, self._finder)
        self._events: asyncio.Queue[_Item] = asyncio.Queue()
        self._hearing = Hearing(
            self._registry, self._reader, self._finder, self._history, self._events.put_nowait
        )
        self._commands = Commands(self._client, self._registry, self._finder, self._hearing.sent)
        self._stream = TradeStream(
            f"{websocket(self._rest)}/stream",
            keys,
            timeout=timeout,
            told=self._hearing.hear,
            up=self._up,
            down=self._down,
        )
        self._tasks = Tasks(self._fault)
        self._first = asyncio.Event()
        self._fractions: set[str] = set()
        self._trouble = ""

    @property
    def name(self) -> str:
        """Kind of broker."""
        return "alpaca"

    @property
    def capabilities(self) -> Capabilities:
        """What Alpaca takes."""
        return CAPABILITIES

    @property
    def connected(self) -> bool:
        """True while the trade-update stream is up; health checks use `ping` instead."""
        return self._stream.connected and not self._tasks.faults

    @property
    def requests(self) -> int:
        """Requests that have been sent."""
        return self._client.requests

    async def connect(self) -> BrokerAccount:
        """Log in, listen to the trade updates, and return the account.

        Raises
        ------
        Failure
            BROKER, when Alpaca does not answer in `connect_seconds` or refuses the keys.
        """
        self._client.start()
        try:
            async with asyncio.timeout(self._connect_seconds):
                account = await self._log_in()
                if self._listen:
                    await self._hearing.begin()
                    self._spawn()
                    await self._first.wait()
        except TimeoutError as error:
            await self._disconnect()
            raise unreachable(self._rest, self._why(), self._connect_seconds) from error
        except BrokerUnavailable as error:
            await self._disconnect()
            raise unreachable(self._rest, str(error), self._connect_seconds) from error
        except BaseException:
            await self._disconnect()
            raise
        return account

    async def close(self) -> None:
        """Disconnect; orders stay where they are, `events` ends."""
        await self._disconnect()
        self._events.put_nowait(None)

    # -- commands --------------------------------------------------------------------------------

    async def submit(self, order: OrderRequest) -> Outcome:
        """Send an order once; what Alpaca would refuse for its form is not sent."""
        return await self._commands.submit(order)

    async def replace(
        self, client_order_id: str, *, quantity: int, limit: Nanos | None, stop: Nanos | None
    ) -> Outcome:
        """Change a working order; `quantity` is its new total, None keeps a price."""
        return await self._commands.replace(
            client_order_id, quantity=quantity, limit=limit, stop=stop
        )

    async def cancel(self, client_order_id: str) -> Outcome:
        """Ask for a cancel; the confirmation comes as an `OrderUpdate`."""
        return await self._commands.cancel(client_order_id)

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        """Cancel one order by Alpaca's id, an order of others too."""
        return await self._commands.cancel_at_broker(broker_order_id)

    async def cancel_all(self) -> int:
        """Cancel every working order of the account, those of others too; return how many.

        Raises
        ------
        BrokerUnavailable
            When there is no answer; some or all may have been cancelled.
        """
        return await self._commands.cancel_all()

    # -- questions -------------------------------------------------------------------------------

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        """Return an order with all its changes as one; None proves that it is not there now."""
        return await self._finder.order(client_order_id)

    async def open_orders(self) -> Sequence[BrokerOrder]:
        """Return every working order of the account, legs and those of others too."""
        listed = self._finder.learn(await self._reader.orders({"status": "open"}))
        await self._finder.complete([link.id for link in listed])
        found = {}
        for link in listed:
            order = self._registry.order(link.id)
            if not order.status.final:
                found[order.broker_order_id] = order
        return list(found.values())

    async def fills(self, since_ns: int) -> Sequence[BrokerFill]:
        """Return executions at or after a time, oldest first; without commission (see fees)."""
        return await self._history.fills(since_ns)

    async def adjustments(self, since_ns: int) -> Sequence[AdjustmentUpdate]:
        """Return dividends, splits, fees and transfers that were booked since, oldest first."""
        return await self._history.adjustments(since_ns)

    async def positions(self) -> Sequence[BrokerPosition]:
        """Return the positions that are not flat; parts of shares are told and logged."""
        found = []
        for body in await self._reader.rows("/positions"):
            position, fraction = self._parsed(parsing.position, body)
            if fraction and fraction not in self._fractions:
                self._fractions.add(fraction)
                log.warning("a position is no whole number of shares: %s", fraction)
            if position.quantity or position.fraction:
                found.append(position)
        return found

    async def account(self) -> BrokerAccount:
        """Return cash, equity and whether the account may trade."""
        return self._parsed(parsing.account, await self._reader.one("/account"))

    async def assets(self, symbols: Sequence[str]) -> Sequence[AssetFacts]:
        """Return what may be done with symbols; one that Alpaca does not know is left out."""
        found: dict[str, AssetFacts] = {}
        if len(symbols) > SINGLY:
            listed = map(parsing.asset, await self._reader.rows("/assets", _ASSETS))
            found = {facts.symbol: facts for facts in listed}
        left = [symbol for symbol in symbols if symbol not in found]
        # Some may be inactive, and what is known of them is worth a question; a list that has
        # almost nothing of ours is taken at its word, or the limit of requests would be used up.
        if len(left) <= SINGLY:
            paths = [f"/assets/{quote(symbol, safe='')}" for symbol in left]
            rows = [await self._reader.found(path) for path in paths]
            found |= {
                symbol: parsing.asset(row)
                for symbol, row in zip(left, rows, strict=True)
                if row is not None
            }
        return [found[symbol] for symbol in dict.fromkeys(symbols) if symbol in found]

    async def time(self) -> int:
        """Return Alpaca's time in UTC ns."""
        ts = times.ns((await self._reader.one("/clock")).get("timestamp"))
        if not ts:
            raise BrokerUnavailable("/clock: no time in it")
        return ts

    async def ping(self) -> float:
        """Return the seconds of one round trip, urgent: a rate limit is no broker that is away."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        with self._client.urgently():
            await self._reader.one("/clock")
        return clock() - begun

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Yield what happens from `connect` on; after a reconnect what was missed is repeated."""
        while (item := await self._events.get()) is not None:
            yield item

    # -- private ---------------------------------------------------------------------------------

    async def _disconnect(self) -> None:
        await self._tasks.stop(grace=2.0)
        await self._client.stop()

    async def _log_in(self) -> BrokerAccount:
        """Ask for the account until there is an answer; keys that are refused are not tried on."""
        while True:
            reply = await self._client.question("/account")
            match reply:
                case Answered(body):
                    return self._parsed(lambda found: parsing.account(parsing.row(found)), body)
                case Refused(status=status) if status in _REFUSED:
                    raise keys_refused(self._rest, reply)
            self._trouble = "" if isinstance(reply, Answered) else _words(reply)
            log.info("Alpaca does not answer yet: %s", self._trouble)
            await asyncio.sleep(_PAUSE)

    def _spawn(self) -> None:
        self._tasks.spawn("alpaca trade updates", self._stream.run())
        self._tasks.spawn("alpaca events", self._hearing.follow())
        self._tasks.spawn("alpaca missed events", self._hearing.catch_up())
        self._tasks.spawn("alpaca mute watch", self._hearing.watch(self._stream.drop))

    def _up(self) -> None:
        self._hearing.listening(True)
        if not self._first.is_set():
            self._first.set()
            return
        self._events.put_nowait(ConnectionUpdate(connected=True, reason="connected again"))
        self._hearing.ask()

    def _down(self, why: str) -> None:
        self._hearing.listening(False)
        self._events.put_nowait(ConnectionUpdate(connected=False, reason=why))

    def _fault(self, fault: Fault) -> None:
        """End the events when a task of ours has failed: whoever follows them notices."""
        log.error("the Alpaca connection has failed in %s: %r", fault.task, fault.error)
        self._stream.drop("failed")
        self._events.put_nowait(
            ConnectionUpdate(connected=False, reason=f"{fault.task} failed: {fault.error!r}")
        )

    def _why(self) -> str:
        return self._stream.trouble or self._trouble or "no answer to GET /v2/account"

    @staticmethod
    def _parsed[A, B](parse: Callable[[A], B], body: A) -> B:
        try:
            return parse(body)
        except Unreadable as error:
            raise BrokerUnavailable(str(error)) from error


def _words(reply: Refused | NothingSent | Lost | NoAnswer | Garbled) -> str:
    return reply.text() if isinstance(reply, Refused) else reply.why
