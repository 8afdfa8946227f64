"""Whether a wish may leave: connection, arming, trading state, then every limit of the gate."""

from collections.abc import Callable

from tradingd.domain.broker import Broker
from tradingd.domain.journal import DecisionRow, SignalRow
from tradingd.domain.market import Session
from tradingd.domain.orders import Denial, OrderType, Purpose, Side, Verdict
from tradingd.domain.states import TradingState
from tradingd.domain.trading import Wish
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.orders import capability
from tradingd.orders.desk import Desk
from tradingd.orders.opposing import Opposing
from tradingd.orders.ticket import Ticket


class Admission:
    """Judges orders before they leave, and once more when their intent is on disk.

    Parameters
    ----------
    desk : Desk
        Orders, book and journal.
    broker : Broker
        Says what it takes.
    gate, states : Gate, TradingStates
        Limits and trading states.
    session : Callable
        The session at a data time.
    armed : Callable
        Why nothing may be opened or enlarged in live trading; None when it may.
    ready : Callable
        True while the broker is connected and reconciled.
    unwell : Callable
        Why nothing may be opened or enlarged now (a health check failed); None when it may.
    closed : Callable
        Why nothing may be opened in a symbol: (symbol, side, shares held after); None when it may.
    barred : Callable
        Why nothing at all may leave (the kill switch is latched); None when it may.
    opposing : Opposing
        Says what the broker would refuse for an order of the other side.
    bare : Callable
        Tells whether the broker refused the stop of a symbol's position, and none works.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        *,
        gate: Gate,
        states: TradingStates,
        session: Callable[[int], Session | None],
        armed: Callable[[], str | None],
        ready: Callable[[], bool],
        opposing: Opposing,
        bare: Callable[[str], bool],
        unwell: Callable[[], str | None] = lambda: None,
        closed: Callable[[str, Side, int], str | None] = lambda _symbol, _side, _after: None,
        barred: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._desk = desk
        self._broker = broker
        self._gate = gate
        self._states = states
        self._session = session
        self._armed = armed
        self._ready = ready
        self._opposing = opposing
        self._bare = bare
        self._unwell = unwell
        self._closed = closed
        self._barred = barred

    # -- wishes ----------------------------------------------------------------------------------

    def ticket(self, wish: Wish, order_id: str) -> Ticket:
        """Make an order of a wish; an exit is cut to what is held and not leaving already.

        Raises
        ------
        ValueError
            For an empty reason, a quantity that is not positive, a missing or surplus price, and
            for a purpose that is the shim's own.
        """
        _validate(wish)
        ticket = Ticket(
            order_id=order_id,
            run_id=self._desk.run_id,
            strategy=wish.strategy,
            symbol=wish.symbol,
            side=wish.side,
            quantity=wish.quantity,
            type=wish.type,
            purpose=wish.purpose,
            reason=wish.reason,
            ts=wish.ts,
            limit=wish.limit,
            stop=wish.stop,
            protective_stop=wish.protective_stop,
            take_profit=wish.take_profit,
            time_in_force=wish.time_in_force,
            expires=wish.expires,
            parent_id=wish.parent_id,
            wall=self._desk.wall(),
            trail=wish.trail,
            trail_bps=wish.trail_bps,
            extended_hours=wish.extended_hours,
            touch=self._desk.mark(wish.symbol),
        )
        if ticket.purpose is Purpose.EXIT:
            ticket.quantity = min(ticket.quantity, self._free(ticket)) or ticket.quantity
        return ticket

    def unable(self, ticket: Ticket) -> Denial | None:
        """Return why the broker takes no order of this kind; None when it does."""
        return capability.refusal(ticket, self._broker.capabilities, self._broker.name)

    def judge(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Return every reason why a new order may not leave.

        What is not connected, armed or running has no chance; only the rest is put to the gate.
        """
        return self.standing(ticket) or self._position(ticket) or self.limits(ticket)

    def limits(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Return the limits that an order breaks."""
        denials = self.check(ticket).denials
        return denials or self._widens(ticket)

    def check(self, ticket: Ticket) -> Verdict:
        """Return the gate's verdict."""
        now = self._desk.clock.now()
        intent = ticket.intent(self._desk.mark(ticket.symbol))
        return self._gate.check(intent, now, self._session(now))

    def standing(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Return why nothing of this kind may leave now; limits apart."""
        found = (
            self._bar(),
            self._connection(),
            self._arming(ticket),
            self._health(ticket),
            self._market(ticket),
            self._state(ticket),
            self._opposing.denial(ticket),
            self._protection(ticket),
        )
        return tuple(denial for denial in found if denial is not None)

    def refusal(self, ticket: Ticket) -> str:
        """Return the same as one sentence, empty when it may leave."""
        return "; ".join(denial.explanation for denial in self.standing(ticket))

    def state_of(self, strategy: str, symbol: str) -> TradingState:
        """Return the state that a strategy's order of a symbol would be under."""
        record = self._states.effective(strategy, symbol, self._desk.wall())
        return TradingState.RUNNING if record is None else record.state

    # -- records ---------------------------------------------------------------------------------

    def signal(self, ticket: Ticket) -> SignalRow:
        """Return what was asked for as the journal keeps it."""
        return SignalRow(
            run_id=self._desk.run_id,
            strategy=ticket.strategy,
            symbol=ticket.symbol,
            action=f"{ticket.purpose} {ticket.side}",
            quantity=ticket.quantity,
            reason=ticket.reason,
            order_id=ticket.order_id,
            ts=ticket.ts,
            wall=self._desk.wall(),
        )

    def decisions(self, ticket: Ticket, denials: tuple[Denial, ...]) -> list[DecisionRow]:
        """Return denials as the journal keeps them."""
        return [
            DecisionRow(
                run_id=self._desk.run_id,
                order_id=ticket.order_id,
                strategy=ticket.strategy,
                symbol=ticket.symbol,
                side=ticket.side.value,
                quantity=ticket.quantity,
                reason=ticket.reason,
                limit=denial.limit,
                observed=denial.observed,
                allowed=denial.allowed,
                explanation=denial.explanation,
                ts=self._desk.clock.now(),
                wall=self._desk.wall(),
            )
            for denial in denials
        ]

    # -- private ---------------------------------------------------------------------------------

    def _free(self, ticket: Ticket) -> int:
        held = self._desk.held(ticket.symbol)
        if held * ticket.side.sign >= 0:
            return 0
        leaving = self._desk.leaving(ticket.symbol) if ticket.immediate else 0
        return max(0, abs(held) - leaving)

    def _position(self, ticket: Ticket) -> tuple[Denial, ...]:
        if ticket.purpose is not Purpose.EXIT:
            return ()
        held, leaving = self._desk.held(ticket.symbol), self._desk.leaving(ticket.symbol)
        against = held * ticket.side.sign < 0
        if against and (not ticket.immediate or abs(held) > leaving):
            return ()
        denial = Denial(
            limit="position",
            observed=f"{held} held, {leaving} leaving",
            allowed="shares that are held and not leaving",
            explanation=f"there is nothing left of {ticket.symbol} to exit",
        )
        return (denial,)

    def _widens(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Judge what an entry's stop does to the shares held: it will guard them all."""
        stop = ticket.protective_stop
        if stop is None or self._desk.held(ticket.symbol) * ticket.side.sign <= 0:
            return ()
        return self._gate.check_stop(ticket.symbol, stop).denials

    def _connection(self) -> Denial | None:
        if self._desk.journal.failure is not None:
            return Denial(
                limit="journal",
                observed="the journal does not write",
                allowed="orders that are on disk before they leave",
                explanation=f"the journal failed: {self._desk.journal.failure}",
            )
        if not self._ready():
            return Denial(
                limit="broker",
                observed="not connected and reconciled",
                allowed="orders once the broker's truth is known",
                explanation="the broker is away, or is being reconciled",
            )
        return None

    def _arming(self, ticket: Ticket) -> Denial | None:
        """Unarmed, nothing is opened or enlarged; stops, exits and flattening leave."""
        if ticket.own or ticket.purpose is Purpose.PROTECT or not self._increases(ticket):
            return None
        why = self._armed()
        if why is None:
            return None
        return Denial(
            limit="arm", observed="not armed", allowed="orders that reduce", explanation=why
        )

    def _bar(self) -> Denial | None:
        """While the kill switch is latched nothing leaves, protective stops included.

        A daemon that was frozen while the kill switch worked wakes up with a book of before: a stop
        for a position that is gone would open one.
        """
        why = self._barred()
        if why is None:
            return None
        return Denial(
            limit="latch",
            observed="the kill switch is latched",
            allowed="cancels, until a person resets the latch",
            explanation=why,
        )

    def _health(self, ticket: Ticket) -> Denial | None:
        """While a critical health check fails, positions are managed and none is opened."""
        why = None if ticket.own or not self._increases(ticket) else self._unwell()
        if why is None:
            return None
        return Denial(
            limit="health", observed="a check failed", allowed="orders that reduce", explanation=why
        )

    def _market(self, ticket: Ticket) -> Denial | None:
        """While a symbol is halted, or the broker does not allow it, nothing is opened in it."""
        if ticket.own or not self._increases(ticket):
            return None
        after = self._desk.held(ticket.symbol) + ticket.side.sign * ticket.leaves
        why = self._closed(ticket.symbol, ticket.side, after)
        if why is None:
            return None
        return Denial(
            limit="market",
            observed="the symbol is closed to it",
            allowed="orders that reduce",
            explanation=why,
        )

    def _state(self, ticket: Ticket) -> Denial | None:
        if ticket.own:
            return None
        intent = ticket.intent(self._desk.mark(ticket.symbol))
        return self._states.judge(intent, self._increases(ticket), self._desk.wall())

    def _protection(self, ticket: Ticket) -> Denial | None:
        """Keep a position from growing whose stop the broker has refused."""
        symbol = ticket.symbol
        grows = self._desk.held(symbol) * ticket.side.sign > 0
        if ticket.purpose is not Purpose.ENTRY or not grows or not self._bare(symbol):
            return None
        return Denial(
            limit="broker",
            observed=f"the stop of {symbol} was refused",
            allowed="entries once the stop works",
            explanation=f"the broker refused the stop of {symbol}: the position does not grow",
        )

    def _increases(self, ticket: Ticket) -> bool:
        held = self._desk.held(ticket.symbol)
        against = abs(held) if held * ticket.side.sign < 0 else 0
        return ticket.purpose is Purpose.ENTRY or ticket.leaves > against


def _validate(wish: Wish) -> None:
    if not wish.reason.strip():
        raise ValueError(f"an order of {wish.symbol} needs a reason")
    if wish.quantity <= 0:
        raise ValueError(f"quantity of {wish.symbol} must be positive, not {wish.quantity}")
    if wish.purpose not in (Purpose.ENTRY, Purpose.EXIT):
        raise ValueError(f"{wish.purpose} orders are the shim's own; use guard()")
    with_limit = wish.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    with_stop = wish.type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    if with_limit is not (wish.limit is not None) or with_stop is not (wish.stop is not None):
        raise ValueError(f"a {wish.type} order with limit {wish.limit} and stop {wish.stop}")
