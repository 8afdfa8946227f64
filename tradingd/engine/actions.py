"""Splits, dividends and borrow fees while a position is open.

A split is booked before the first bar of its ex-date: a market order for the extra shares (a sale
for a reverse split), tagged CORPORATE and filled at 0.00, outside gate, fees and trade counts, so
that positions in engine and book change by the same event; the book's mark and every open order
are rescaled in the same instant, and equity does not move. Fractions of a share become cash in
lieu at the close before the split. A dividend goes to holders at the close before the ex-date:
longs receive, shorts pay. A short pays a borrow fee for every calendar night held.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tradingd.domain.market import ActionKind, CorporateAction, Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.ports import BorrowModel
from tradingd.engine.desk import Desk
from tradingd.engine.stops import Stops
from tradingd.engine.ticket import Stage, Ticket

RESCALE_NS: Final = 1
PRINT_NS: Final = 2
RENEW_NS: Final = 3
"""Steps of a split after the midnight that begins its ex-date."""


class Actions:
    """Applies corporate actions and borrow fees at the start of each session's day.

    Parameters
    ----------
    desk, stops : Desk, Stops
        Parts of the same run.
    actions : Sequence[CorporateAction]
        Splits and dividends of the run's symbols.
    borrow : BorrowModel
        Fee on shorts.
    restate : Callable
        Restates what else remembers prices: (symbol, now, numerator, denominator).
    on_split : Callable
        The strategy's handler: (symbol, numerator, denominator).
    """

    def __init__(
        self,
        desk: Desk,
        stops: Stops,
        actions: Sequence[CorporateAction],
        borrow: BorrowModel,
        restate: Callable[[str, int, int, int], None],
        on_split: Callable[[str, int, int], None],
    ) -> None:
        self._desk = desk
        self._stops = stops
        self._borrow = borrow
        self._restate = restate
        self._on_split = on_split
        # Dividends first: their amount is per share of the close before, split or not.
        known = [action for action in actions if action.kind is not ActionKind.RENAME]
        self._coming = sorted(
            known,
            key=lambda action: (action.ex_date, action.kind is ActionKind.SPLIT, action.symbol),
        )
        self._alert: Callable[[str, int, Callable[[], None]], None]
        self._next = 0
        self._last_session: Session | None = None

    def connect(self, alert: Callable[[str, int, Callable[[], None]], None]) -> None:
        """Take the engine's timers, which exist once the strategy is registered."""
        self._alert = alert

    def begin_day(self, session: Session) -> None:
        """Charge the nights since the last session, then apply what is due before this one."""
        self._charge_nights(session)
        first = self._last_session is None
        self._last_session = session
        while self._next < len(self._coming):
            action = self._coming[self._next]
            if action.ex_date > session.day:
                break
            self._next += 1
            # Nothing is held on the first day, and no price from before it has been seen.
            if not first:
                self._apply(action)

    def _apply(self, action: CorporateAction) -> None:
        if action.kind is ActionKind.DIVIDEND:
            self._dividend(action)
        else:
            self._split(action)

    def _charge_nights(self, session: Session) -> None:
        if self._last_session is None:
            return
        nights = (session.day - self._last_session.day).days
        for symbol, line in sorted(self._desk.book.positions().items()):
            if line.quantity >= 0:
                continue
            fee = self._borrow.accrue(-line.quantity, line.mark, nights, session.day)
            if fee:
                self._move(
                    "borrow", symbol, -fee, line.quantity, f"{nights} nights to {session.day}"
                )

    def _dividend(self, action: CorporateAction) -> None:
        held = self._desk.position(action.symbol)
        if held:
            note = f"ex-date {action.ex_date}"
            self._move("dividend", action.symbol, held * action.amount, held, note)

    def _split(self, action: CorporateAction) -> None:
        symbol, up, down = action.symbol, action.numerator, action.denominator
        held = self._desk.position(symbol)
        sign = 1 if held > 0 else -1
        whole, rest = divmod(abs(held) * up, down)
        if rest:
            # rest/down of a new share, each worth close x down / up.
            amount = sign * (self._desk.mark(symbol) * rest // up)
            note = f"{rest}/{down} of a share at the {up}:{down} split"
            self._move("cash_in_lieu", symbol, amount, held, note)
        recalled = self._recall(symbol)
        change = sign * whole - held
        if change:
            self._shares(symbol, change, f"split {up}:{down}")
        # The engine acts on the above when this handler returns; the print at the new price is
        # data, one nanosecond after the rescaling; orders go back when it has been seen.
        now = self._desk.now()
        self._alert(f"split-{symbol}", now + RESCALE_NS, lambda: self._after(symbol, up, down))
        self._alert(f"orders-{symbol}", now + RENEW_NS, lambda: self._renew(symbol, recalled))

    def _recall(self, symbol: str) -> list[Ticket]:
        """Take every working order back: at the old price scale the new one would set them off."""
        working = [
            ticket
            for ticket in self._desk.open_tickets(symbol)
            if ticket.stage is Stage.WORKING and ticket.purpose is not Purpose.CORPORATE
        ]
        for ticket in working:
            self._desk.recall(ticket)
        return working

    def _after(self, symbol: str, up: int, down: int) -> None:
        """Rescale what is measured in shares or dollars per share, then tell the strategy."""
        self._desk.mark(symbol)
        self._restate(symbol, self._desk.now(), up, down)
        self._desk.book.split(symbol, up, down)
        for ticket in self._desk.open_tickets(symbol):
            self._rescale(ticket, up, down)
        self._on_split(symbol, up, down)

    def _renew(self, symbol: str, recalled: list[Ticket]) -> None:
        """Place the recalled orders again, rescaled; they rest as before, nothing is new."""
        for ticket in recalled:
            if ticket.open:
                since = ticket.arrived
                self._desk.arrive(ticket)
                ticket.arrived = since
        self._stops.sync(symbol)

    def _shares(self, symbol: str, change: int, reason: str) -> None:
        """Book the shares a split brings or takes, at no price."""
        ticket = self._desk.ticket(
            symbol,
            Side.BUY if change > 0 else Side.SELL,
            abs(change),
            OrderType.MARKET,
            Purpose.CORPORATE,
            reason,
        )
        self._desk.register(ticket)
        self._desk.place(ticket)

    def _rescale(self, ticket: Ticket, up: int, down: int) -> None:
        tick = self._desk.ticks[ticket.symbol]
        leaves = ticket.leaves * up // down
        ticket.limit = scaled(ticket.limit, up, down, tick)
        ticket.stop = scaled(ticket.stop, up, down, tick)
        ticket.protective_stop = scaled(ticket.protective_stop, up, down, tick)
        if ticket.purpose is Purpose.PROTECT and ticket.stop is not None:
            self._stops.rescale(ticket.symbol, ticket.stop)
        native_on_its_way = ticket.native is not None and ticket.stage is Stage.HELD
        if not leaves or native_on_its_way:
            self._desk.withdraw(ticket)
            return
        ticket.quantity = ticket.filled + leaves

    def _move(self, kind: str, symbol: str, amount: Nanos, quantity: int, note: str) -> None:
        self._desk.book.cash_movement(symbol, amount, kind)
        self._desk.ledger.cash(kind, symbol, amount, quantity, note, self._desk.now())


def scaled(price: Nanos | None, up: int, down: int, tick: Nanos) -> Nanos | None:
    """Return a price after a split, on the tick (half up)."""
    if price is None:
        return None
    return max(tick, (2 * price * down + up * tick) // (2 * up * tick) * tick)
