"""One connection to TWS through ib_async's socket client, which only ever asks for data.

`ib_async.Client` is the library's protocol without its bookkeeping: what it decodes goes to our
`_Ears` in the order in which it came, a RESET among the rows it is about; and nothing is asked on
its own, neither positions nor orders, so that TWS may be set to a read-only API.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import ib_async


class Told(NamedTuple):
    """A change of a row, as TWS tells it: side 0 ask, 1 bid; operations as in `rows`."""

    request: int
    position: int
    maker: str
    operation: int
    side: int
    price: float
    size: float


class Complaint(NamedTuple):
    """An error, a warning or a notice; `request` -1: of no request."""

    request: int
    code: int
    text: str


type Item = Told | Complaint


class Unreachable(Exception):
    """No connection; `code` is TWS's reason, 0 when there is none."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


class Link:
    """Connections to one TWS, one after the other; runs on the loop.

    Parameters
    ----------
    host, port, client_id
        Where, and as whom.
    timeout : float
        Seconds for a connection, and for an answer about a contract.
    hear : Callable
        Hears what one network packet brought, in its order; must not raise.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: int,
        *,
        timeout: float,
        hear: Callable[[list[Item]], None],
    ) -> None:
        self._host, self._port, self._client_id = host, port, client_id
        self._timeout = timeout
        self._ears = _Ears(hear)
        self._client: Any = None
        self._lost: asyncio.Future[str] | None = None

    @property
    def heard(self) -> int:
        """Packets that came: it stands still when the line is dead."""
        return self._ears.heard

    @property
    def up(self) -> bool:
        """Whether requests can be sent."""
        return self._client is not None and bool(self._client.isReady())

    async def connect(self) -> None:
        """Connect and log on.

        Raises
        ------
        Unreachable
        """
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # The library leaves this constructor without types.
        client: Any = ib_async.Client(self._ears)  # type: ignore[no-untyped-call]
        client.apiError += lambda why: _settle(lost, str(why))
        self._ears.last = None
        connecting = asyncio.ensure_future(
            client.connectAsync(self._host, self._port, self._client_id, self._timeout)
        )
        try:
            # TWS may say why and hang up: the client itself would wait on.
            await asyncio.wait((connecting, lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            connecting.cancel()
            _leave(client)
            raise
        if not connecting.done():
            connecting.cancel()
            await asyncio.wait((connecting,))
        if not client.isReady():
            raise self._unreachable(connecting, lost)
        self._client, self._lost = client, lost

    async def lost(self) -> str:
        """Wait until the connection is gone, and return why."""
        return "" if self._lost is None else await asyncio.shield(self._lost)

    async def hang_up(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        self._ears.give_up()
        if client is not None:
            _leave(client)
            # The socket closes in the next turn of the loop.
            await asyncio.sleep(0)
        if self._lost is not None:
            _settle(self._lost, "hung up")

    async def contracts(self, symbol: str, exchange: str) -> list[Any]:
        """Return the US stocks of that name on an exchange.

        Raises
        ------
        LookupError
            With TWS's code and text.
        TimeoutError
        """
        if not self.up:
            raise TimeoutError
        stock = ib_async.Stock(symbol, exchange, "USD")
        request = self._client.getReqId()
        answer = self._ears.expect(request)
        self._client.reqContractDetails(request, stock)
        try:
            return await asyncio.wait_for(answer, self._timeout)
        finally:
            self._ears.forget(request)

    def ask_depth(self, contract: Any, rows: int, *, smart: bool) -> int:
        """Subscribe; return the request's number."""
        request = int(self._client.getReqId())
        self._client.reqMktDepth(request, contract, rows, smart, None)
        return request

    def end_depth(self, request: int, *, smart: bool) -> None:
        """End a subscription, if there is a connection that has it."""
        if self.up:
            self._client.cancelMktDepth(request, smart)

    def ping(self) -> None:
        """Ask for the time, so that there is something to hear."""
        if self.up:
            self._client.reqCurrentTime()

    def _unreachable(
        self, connecting: asyncio.Future[Any], lost: asyncio.Future[str]
    ) -> Unreachable:
        if self._ears.last is not None:
            return Unreachable(self._ears.last.text, self._ears.last.code)
        error = None if connecting.cancelled() else connecting.exception()
        if isinstance(error, TimeoutError):
            return Unreachable(f"no answer within {self._timeout:g} s")
        if error is not None:
            return Unreachable(str(error) or repr(error))
        return Unreachable(lost.result() if lost.done() else "it hung up")


def _leave(client: Any) -> None:
    """Close the socket; the client says goodbye first, which fails when nobody is there."""
    transport = client.conn.transport
    with contextlib.suppress(OSError):
        client.disconnect()
    if transport is not None:
        transport.abort()


def _settle(future: asyncio.Future[str], text: str) -> None:
    if not future.done():
        future.set_result(text)


class _Ears:
    """What ib_async's client calls a wrapper: hears the messages, and keeps them a packet long."""

    def __init__(self, hear: Callable[[list[Item]], None]) -> None:
        self._hear = hear
        self._packet: list[Item] = []
        self._details: dict[int, tuple[asyncio.Future[list[Any]], list[Any]]] = {}
        self.heard = 0
        self.last: Complaint | None = None
        """The last error that was of no request."""

    def expect(self, request: int) -> asyncio.Future[list[Any]]:
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._details[request] = (answer, [])
        return answer

    def forget(self, request: int) -> None:
        self._details.pop(request, None)

    def give_up(self) -> None:
        for answer, _ in self._details.values():
            if not answer.done():
                answer.set_exception(TimeoutError())

    # -- what the client calls -------------------------------------------------------------------

    def connectAck(self) -> None: ...

    def setEventsDone(self) -> None: ...

    def connectionClosed(self) -> None: ...

    def tcpDataArrived(self) -> None:
        self.heard += 1

    def tcpDataProcessed(self) -> None:
        packet, self._packet = self._packet, []
        if packet:
            self._hear(packet)

    def updateMktDepth(
        self, request: int, position: int, operation: int, side: int, price: float, size: float
    ) -> None:
        self._packet.append(Told(request, position, "", operation, side, price, size))

    def updateMktDepthL2(
        self,
        request: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        smart: bool = False,
    ) -> None:
        self._packet.append(Told(request, position, maker, operation, side, price, size))

    def contractDetails(self, request: int, details: Any) -> None:
        if request in self._details:
            self._details[request][1].append(details.contract)

    def contractDetailsEnd(self, request: int) -> None:
        if request in self._details:
            answer, found = self._details[request]
            if not answer.done():
                answer.set_result(found)

    def error(self, request: int, code: int, text: str, rejected: str = "") -> None:
        complaint = Complaint(request, code, text)
        if request in self._details:
            answer, _ = self._details[request]
            if not answer.done():
                answer.set_exception(LookupError(code, text))
            return
        if request == -1 and not 2100 <= code < 2200:
            self.last = complaint
        self._packet.append(complaint)
