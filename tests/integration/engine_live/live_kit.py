"""A tiny peer that speaks the shim's Protocol, and sessions of the live engine over it."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tradingd.config.strategy import StrategyBase
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.journal import OrderRow, OrderState, Record
from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.domain.money import Nanos, nanos
from tradingd.domain.orders import Denial, Fill, OrderType, Purpose, Side, Verdict
from tradingd.domain.states import Scope
from tradingd.domain.trading import Admission, Listener, OrderEvent, Step, Wish
from tradingd.engine.live.node import LiveEngine
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import ReplayClock, SessionClock

CALENDAR = SessionCalendar()
CASH = nanos(1_000_000)
MINUTE = 60_000_000_000
REFUSED = Denial(limit="test", observed="it", allowed="nothing", explanation="denied by the test")


def session_of(day: str):
    session = CALENDAR.on(dt.date.fromisoformat(day))
    assert session is not None
    return session


def minute_batches(day: str, prices: Mapping[str, Sequence[object]], first: int = 1) -> list[Batch]:
    """Return one batch a minute from the open on; every bar opens where the last one closed."""
    open_ns = session_of(day).open_ns
    length = len(next(iter(prices.values())))
    found = []
    for index in range(length):
        bars = []
        for symbol, closes in sorted(prices.items()):
            close = nanos(closes[index])
            start = nanos(closes[max(0, index - 1)])
            bars.append(
                MarketBar(symbol, start, max(start, close), min(start, close), close, 10_000)
            )
        found.append(Batch(open_ns + (first + index) * MINUTE, tuple(bars)))
    return found


class MemoryJournal:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.oldest_pending = 0.0
        self.failure = None

    def write(self, *records: Record):
        self.records.extend(records)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def of(self, kind: type) -> list:
        return [one for one in self.records if type(one) is kind]


class TinyShim:
    """Allows everything (or nothing), fills on the next batch, keeps one stop per position."""

    def __init__(self, book: Book, start: int = 1) -> None:
        self.book = book
        self.denies = False
        self.wishes: list[Wish] = []
        self.rows: dict[str, OrderRow] = {}
        self.owner: dict[str, str] = {}
        self.guards: dict[str, str] = {}
        self.ts = 0
        self._listeners: list[Listener] = []
        self._seq = start

    # -- the Protocol ----------------------------------------------------------------------------

    def next_id(self, *, strategy: str = "", purpose: Purpose | None = None) -> str:
        self._seq += 1
        return f"test-{self._seq - 1:06d}"

    def submit(self, wish: Wish, *, order_id: str | None = None) -> Admission:
        self.wishes.append(wish)
        order_id = order_id or self.next_id()
        row = OrderRow(
            order_id=order_id,
            run_id="r",
            strategy=wish.strategy,
            symbol=wish.symbol,
            side=wish.side.value,
            quantity=wish.quantity,
            type=wish.type.value,
            purpose=wish.purpose.value,
            reason=wish.reason,
            state=OrderState.DENIED if self.denies else OrderState.INTENT,
            limit=wish.limit,
            stop=wish.stop,
            protective_stop=wish.protective_stop,
            take_profit=wish.take_profit,
            parent_id=wish.parent_id,
            ts=wish.ts,
        )
        if self.denies:
            self._step(row, Step.DENIED)
            return Admission(order_id, Verdict((REFUSED,)))
        self._step(row, Step.INTENT)
        asyncio.get_running_loop().call_soon(self._sent, order_id)
        return Admission(order_id, Verdict())

    def cancel(self, order_id: str, *, reason: str) -> bool:
        row = self.rows.get(order_id)
        if row is None or OrderState(row.state).final:
            return False
        self._step(msgspec.structs.replace(row, state=OrderState.CANCELED), Step.CANCELED, reason)
        return True

    def replace(self, order_id: str, *, quantity=None, limit=None, stop=None, reason) -> Verdict:
        row = self.rows[order_id]
        changed = msgspec.structs.replace(
            row,
            quantity=quantity or row.quantity,
            limit=limit or row.limit,
            stop=stop or row.stop,
        )
        self._step(changed, Step.REPLACED, reason)
        return Verdict()

    def guard(self, symbol: str, *, stop, take_profit=None, reason: str) -> Verdict:
        known = self.rows.get(self.guards.get(symbol, ""))
        if known is not None and not OrderState(known.state).final:
            self._step(msgspec.structs.replace(known, stop=stop), Step.REPLACED, reason)
        else:
            self._protect(symbol, stop, reason, "")
        return Verdict()

    async def cancel_all(self, scope: Scope, *, reason: str, author: str):
        return [
            row.order_id for row in self.open_orders() if self.cancel(row.order_id, reason=reason)
        ]

    async def flatten(self, scope: Scope, *, reason: str, author: str) -> bool:
        raise NotImplementedError

    def open_orders(self) -> Sequence[OrderRow]:
        return [row for row in self.rows.values() if not OrderState(row.state).final]

    def order(self, order_id: str) -> OrderRow | None:
        return self.rows.get(order_id)

    def stop_price(self, symbol: str) -> Nanos | None:
        row = self.rows.get(self.guards.get(symbol, ""))
        return None if row is None or OrderState(row.state).final else row.stop

    def owners(self) -> Mapping[str, str]:
        return self.owner

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    # -- its market ------------------------------------------------------------------------------

    def market(self, batch: Batch) -> None:
        """Fill what the bars reach, and mark the book."""
        self.ts = batch.ts
        for bar in batch.bars:
            for row in self.open_orders():
                if row.symbol == bar.symbol and (at := _touch(row, bar)) is not None:
                    self.fill(row.order_id, row.quantity - row.filled, at)
            self.book.mark(bar.symbol, bar.close, batch.ts)

    def fill(self, order_id: str, quantity: int, price: Nanos) -> None:
        """Fill a part of an order or all of it."""
        row = self.rows[order_id]
        filled = row.filled + quantity
        state = OrderState.FILLED if filled >= row.quantity else OrderState.WORKING
        fill = Fill(
            order_id=order_id,
            strategy=row.strategy,
            symbol=row.symbol,
            side=Side(row.side),
            quantity=quantity,
            price=price,
            commission=0,
            slippage=0,
            purpose=Purpose(row.purpose),
            ts=self.ts,
        )
        self.book.fill(fill)
        line = self.book.position(row.symbol)
        if line is None:
            self.owner.pop(row.symbol, None)
        else:
            self.owner[row.symbol] = row.strategy
        done = msgspec.structs.replace(row, filled=filled, state=state)
        self._step(done, Step.FILL, fill=fill)
        if line is None:
            self.cancel(self.guards.pop(row.symbol, ""), reason="flat")
        elif row.protective_stop is not None:
            self._protect(row.symbol, row.protective_stop, "protective stop", order_id)

    def _protect(self, symbol: str, stop: Nanos, reason: str, parent_id: str) -> None:
        line = self.book.position(symbol)
        if line is None:
            return
        side = Side.SELL if line.quantity > 0 else Side.BUY
        admission = self.submit(
            Wish(
                strategy=self.owner[symbol],
                symbol=symbol,
                side=side,
                quantity=abs(line.quantity),
                type=OrderType.STOP_MARKET,
                purpose=Purpose.PROTECT,
                reason=reason,
                ts=self.ts,
                stop=stop,
                parent_id=parent_id,
            )
        )
        self.guards[symbol] = admission.order_id

    def _sent(self, order_id: str) -> None:
        row = self.rows[order_id]
        if not OrderState(row.state).final:
            self._step(row, Step.SENT)
            accepted = msgspec.structs.replace(
                row, state=OrderState.WORKING, broker_order_id=f"B-{order_id}"
            )
            self._step(accepted, Step.ACCEPTED)

    def _step(self, row: OrderRow, step: Step, detail: str = "", fill: Fill | None = None) -> None:
        self.rows[row.order_id] = row
        event = OrderEvent(step=step, order=row, detail=detail, fill=fill)
        for listener in self._listeners:
            listener(event)


def _touch(row: OrderRow, bar: MarketBar) -> Nanos | None:
    if row.limit is not None:
        buy = row.side == Side.BUY
        reached = bar.low <= row.limit if buy else bar.high >= row.limit
        better = min(bar.open, row.limit) if buy else max(bar.open, row.limit)
        return better if reached else None
    if row.stop is not None:
        sell = row.side == Side.SELL
        reached = bar.low <= row.stop if sell else bar.high >= row.stop
        worse = min(bar.open, row.stop) if sell else max(bar.open, row.stop)
        return worse if reached else None
    return bar.open


class Live:
    """One session over the tiny shim."""

    def __init__(
        self,
        *strategies: Strategy,
        symbols: Sequence[str] = ("AAA",),
        start: int = 0,
        resolution: Resolution = Resolution.MINUTE,
        subsets: Mapping[str, Sequence[str]] | None = None,
        actions: Sequence[CorporateAction] = (),
        book: Book | None = None,
        shim: TinyShim | None = None,
        clock: SessionClock | None = None,
        **options: Any,
    ) -> None:
        self.book = book or Book(CASH)
        self.shim = shim or TinyShim(self.book)
        self.clock = clock or ReplayClock(start)
        self.journal = MemoryJournal()
        self.faults: list[tuple[BaseException, str]] = []
        self.engine = LiveEngine(
            strategies=strategies,
            instruments=[Instrument(symbol=one) for one in symbols],
            resolution=resolution,
            shim=self.shim,
            book=self.book,
            clock=self.clock,
            calendar=CALENDAR,
            journal=self.journal,
            run_id="r",
            on_fault=lambda error, name: self.faults.append((error, name)),
            symbols=subsets,
            actions=actions,
            **options,
        )

    async def __aenter__(self) -> "Live":
        await self.engine.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.engine.stop()
        for error, _ in self.faults:
            # Its frames hold the node, and a thread may have one at a time.
            error.__traceback__ = None

    async def play(self, *batches: Batch) -> None:
        for batch in batches:
            self.clock.advance(batch.ts)
            self.shim.market(batch)
            await self.engine.deliver(batch)
            await settle()


async def settle() -> None:
    """Let the loop run what is ready, the engine's queues included."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the engine offers nothing to wait on
            await asyncio.sleep(0.002)


class Script(Strategy):
    """Remembers what it is told; acts by bar number: {3: lambda s: s.enter(...)}."""

    def __init__(self, acts: Mapping[int, Callable[[Strategy], object]] | None = None) -> None:
        super().__init__(StrategyBase())
        self.acts = dict(acts or {})
        self.seen: list[tuple[int, str, float]] = []
        self.said: list[object] = []
        self.results: list[object] = []

    def on_bar(self, bar) -> None:
        self.seen.append((bar.ts_event, self.symbol_of(bar), bar.close.as_double()))
        act = self.acts.get(len(self.seen))
        if act is not None:
            self.results.append(act(self))

    def on_filled(self, fill: Fill) -> None:
        self.said.append(("filled", fill.symbol, fill.side.value, fill.quantity, fill.price))

    def on_session_open(self, session) -> None:
        self.said.append(("open", session.day, self.now))

    def on_session_close(self, session) -> None:
        self.said.append(("close", session.day, len(self.seen)))


def named(name: str, base: type = Script) -> type:
    """Return a class of another name: names of strategies are their classes'."""
    return type(name, (base,), {})
