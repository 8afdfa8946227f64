"""The shim as the venue of worked orders, and what becomes of those a dead process left."""

from collections.abc import Callable, Iterable
from typing import Final

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import OrderEvent, OrderShim, Wish
from tradingd.engine.children import trading_session, unfilled
from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.diary import Diary
from tradingd.engine.live.present import Present
from tradingd.engine.live.working import OwnedBook, Working
from tradingd.execution.floor import Floor
from tradingd.execution.venue import Child, Ended
from tradingd.execution.work import Over
from tradingd.session.calendar import SessionCalendar

_OVER: Final = {
    OrderState.FILLED: Over.FILLED,
    OrderState.CANCELED: Over.CANCELED,
    OrderState.EXPIRED: Over.EXPIRED,
}


class LiveVenue:
    """Sends the floor's children of one strategy to the shim.

    Parameters
    ----------
    desk, shim, book, working, present, diary, calendar : parts of the session
        `desk` and `book` are the strategy's own.
    guarded : Callable
        Runs an action of ours; its exception is reported, not lost in the loop.
    """

    def __init__(
        self,
        *,
        desk: LiveDesk,
        shim: OrderShim,
        book: OwnedBook,
        working: Working,
        present: Present,
        diary: Diary,
        calendar: SessionCalendar,
        guarded: Callable[[Callable[[], None]], None],
    ) -> None:
        self._guarded = guarded
        self._desk = desk
        self._shim = shim
        self._book = book
        self._working = working
        self._present = present
        self._diary = diary
        self._calendar = calendar

    def now(self) -> int:
        """Return session time."""
        return self._present.now()

    def next_id(self) -> str:
        """Return an order id: no order has it, its children name it."""
        return self._shim.next_id(strategy=self._desk.strategy)

    def tick(self, symbol: str) -> Nanos:
        """Return the price increment."""
        return self._desk.ticks[symbol]

    def held(self, symbol: str) -> int:
        """Return the strategy's signed shares."""
        return self._book.quantity(symbol)

    def leaving(self, symbol: str) -> int:
        """Return the shares that market exits are taking out."""
        return self._working.leaving(self._desk.strategy, symbol)

    def stop(self, symbol: str) -> Nanos | None:
        """Return the protective stop that stands."""
        return self._shim.stop_price(symbol) if self._book.owns(symbol) else None

    def session(self, now: int) -> Session | None:
        """Return the session an order decided now trades in."""
        return trading_session(self._calendar, now)

    def place(self, child: Child) -> tuple[str, str]:
        """Hand a child to the shim."""
        purpose = Purpose.ENTRY if child.entry else Purpose.EXIT
        order_id = self._shim.next_id(strategy=self._desk.strategy, purpose=purpose)
        sent = self._desk.send(
            Wish(
                strategy=self._desk.strategy,
                symbol=child.symbol,
                side=child.side,
                quantity=child.quantity,
                type=OrderType.MARKET if child.limit is None else OrderType.LIMIT,
                purpose=purpose,
                reason=child.reason,
                ts=self._present.now(),
                limit=child.limit,
                protective_stop=child.stop if child.entry else None,
                time_in_force=TimeInForce.DAY,
                expires=child.expires,
                parent_id=child.parent_id,
            ),
            order_id=order_id,
        )
        if sent is not None:
            return sent, ""
        row = self._shim.order(order_id)
        return "", "not now" if row is None else row.note or "the gate"

    def cancel(self, child_id: str, reason: str) -> None:
        """Take a child back; the shim asks until it is over."""
        self._shim.cancel(child_id, reason=reason)

    def waits(self, child_id: str) -> bool:
        """Tell whether a child has not left yet."""
        row = self._shim.order(child_id)
        return row is not None and row.state == OrderState.INTENT

    def later(self, action: Callable[[], None]) -> None:
        """Act at once: what the shim tells has waited for the loop's next turn already."""
        action()

    def wake(self, ts: int, parent_id: str, action: Callable[[], None]) -> Callable[[], None]:
        """Set a timer of the session's clock."""
        label = f"deadline of {parent_id}"
        return self._present.clock.call_at(ts, label, lambda: self._guarded(action)).cancel

    def report(self, ended: Ended) -> None:
        """Journal the shares that a worked order did not get."""
        self._diary.refusal(
            self._desk.strategy,
            ended.symbol,
            ended.side.value,
            ended.quantity,
            ended.reason,
            unfilled(ended),
            order_id=ended.parent_id,
        )


def tell(floor: Floor, event: OrderEvent) -> None:
    """Tell a floor one step of an order: its fill first, then its end."""
    row = event.order
    if event.fill is not None:
        floor.filled(row.order_id, event.fill.quantity)
    state = OrderState(row.state)
    if state.final:
        floor.over(row.order_id, _OVER.get(state, Over.REFUSED), row.note)


class Orphans:
    """Ends the children whose worked order died with an earlier process.

    The prices and the time left were that process's, and nobody works them now: every child is
    cancelled. Shares that an exit was taking out go out at the market instead once the cancel is
    confirmed, since leaving was decided; an entry is given up.

    Parameters
    ----------
    shim : OrderShim
        Cancels and sends.
    held : Callable
        Signed shares of (strategy, symbol), and those that leave at the market already.
    present : Present
        Session time; nothing is sent before the session acts.
    """

    def __init__(
        self, shim: OrderShim, held: Callable[[str, str], tuple[int, int]], present: Present
    ) -> None:
        self._shim = shim
        self._held = held
        self._present = present
        self._waiting: dict[str, OrderRow] = {}
        self._due: list[OrderRow] = []

    def find(self, rows: Iterable[OrderRow]) -> bool:
        """Take back every child among the recovered orders; tell whether there are any."""
        for row in rows:
            if row.parent_id and row.purpose in (Purpose.ENTRY, Purpose.EXIT):
                if row.purpose == Purpose.EXIT and row.type == OrderType.MARKET:
                    continue
                self._waiting[row.order_id] = row
                self._shim.cancel(row.order_id, reason="who worked it is gone")
        return bool(self._waiting)

    def hear(self, event: OrderEvent) -> None:
        """Note the end of a child."""
        row = event.order
        if row.order_id in self._waiting and OrderState(row.state).final:
            del self._waiting[row.order_id]
            if row.purpose == Purpose.EXIT and row.filled < row.quantity:
                self._due.append(row)

    def finish(self) -> None:
        """Send what is to go out at the market, as soon as orders may be sent."""
        while self._due and self._present.acting:
            row = self._due.pop()
            held, leaving = self._held(row.strategy, row.symbol)
            side = Side(row.side)
            shares = abs(held) - leaving if held * side.sign < 0 else 0
            shares = min(shares, row.quantity - row.filled)
            if shares > 0:
                self._shim.submit(
                    Wish(
                        strategy=row.strategy,
                        symbol=row.symbol,
                        side=side,
                        quantity=shares,
                        type=OrderType.MARKET,
                        purpose=Purpose.EXIT,
                        reason=f"{row.reason.split(' | ')[0]} | worked: the rest after a restart",
                        ts=self._present.now(),
                        parent_id=row.parent_id,
                    )
                )
