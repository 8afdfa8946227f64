"""A strategy's own verbs, live: judged and sent by the shim, at once."""

from collections.abc import Mapping
from typing import Any

from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.domain.trading import OrderShim, Wish
from tradingd.engine.desk import closing_side
from tradingd.engine.live.diary import Diary
from tradingd.engine.live.present import Present
from tradingd.engine.live.working import OwnedBook, Working
from tradingd.engine.units import limit_on_tick, on_tick


class LiveDesk:
    """Takes entries and exits of one strategy to the shim.

    Parameters
    ----------
    strategy : str
        Name on the records.
    ticks : Mapping[str, Nanos]
        Price increment of the symbols it trades, and of those that the shim is to deny.
    shim, book, working, present, diary : parts of the session
        `book` shows what the strategy owns.
    """

    def __init__(
        self,
        *,
        strategy: str,
        ticks: Mapping[str, Nanos],
        shim: OrderShim,
        book: OwnedBook,
        working: Working,
        present: Present,
        diary: Diary,
    ) -> None:
        self.strategy = strategy
        self.ticks = ticks
        self.shim = shim
        self.book = book
        self.working = working
        self.present = present
        self.diary = diary

    @property
    def session(self) -> Session | None:
        """The session in progress."""
        return self.present.session

    def pending(self, symbol: str) -> bool:
        """Tell whether an entry or an exit is on its way or working."""
        return self.working.pending(self.strategy, symbol)

    def limit_price(self, symbol: str, side: Side, value: Any) -> Nanos | None:
        """Return a limit a strategy gave, on the symbol's tick and never worse for the order."""
        return None if value is None else limit_on_tick(value, self.ticks[symbol], side)

    def rounded(self, symbol: str, value: Any) -> Nanos | None:
        """Return a price a strategy gave, on the symbol's tick."""
        return None if value is None else on_tick(value, self.ticks[symbol])

    def enter(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        *,
        reason: str,
        stop: Nanos | None,
        limit: Nanos | None,
    ) -> str | None:
        """Send an entry; return its id, None when it was denied or this is warm-up."""
        self._check(symbol, quantity, reason)
        return self.send(
            Wish(
                strategy=self.strategy,
                symbol=symbol,
                side=side,
                quantity=int(quantity),
                type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                purpose=Purpose.ENTRY,
                reason=reason,
                ts=self.present.now(),
                limit=limit,
                protective_stop=stop,
                # A limit rests until the strategy cancels it, as in a backtest.
                time_in_force=TimeInForce.DAY if limit is None else TimeInForce.GTC,
            ),
        )

    def exit(self, symbol: str, *, reason: str, quantity: int | None) -> str | None:
        """Send a market order that closes the position, or part of it; never more than is held."""
        held = self.book.quantity(symbol)
        wanted = max(0, abs(held) - self.working.leaving(self.strategy, symbol))
        if quantity is not None:
            wanted = min(wanted, quantity)
        if wanted <= 0:
            return None
        self._check(symbol, wanted, reason)
        return self.send(
            Wish(
                strategy=self.strategy,
                symbol=symbol,
                side=closing_side(held),
                quantity=wanted,
                type=OrderType.MARKET,
                purpose=Purpose.EXIT,
                reason=reason,
                ts=self.present.now(),
            ),
        )

    def send(self, wish: Wish, *, order_id: str | None = None) -> str | None:
        """Hand a wish to the shim; return the order's id when it is on its way."""
        if not self.present.acting:
            return None
        if wish.purpose is Purpose.ENTRY and (other := self.book.other(wish.symbol)) is not None:
            self.diary.refusal(
                self.strategy,
                wish.symbol,
                wish.side.value,
                wish.quantity,
                wish.reason,
                _owned(wish.symbol, other),
            )
            return None
        admission = self.shim.submit(wish, order_id=order_id)
        return admission.order_id if admission.allowed else None

    def _check(self, symbol: str, quantity: int, reason: str) -> None:
        """Refuse what is a bug of the strategy, as the backtest does."""
        if not reason.strip():
            raise ValueError(f"an order of {symbol} needs a reason")
        if symbol not in self.ticks:
            raise ValueError(f"{symbol!r} is not one of this run's symbols")
        if quantity <= 0 or quantity != int(quantity):
            raise ValueError(f"quantity of {symbol} must be a positive whole number: {quantity}")


def _owned(symbol: str, other: str) -> Denial:
    """Deny an entry into what another strategy holds: it would change that one's position."""
    return Denial(
        limit="owner",
        observed=f"{symbol} belongs to {other}",
        allowed="one strategy per symbol at a time",
        explanation=f"One account nets positions, and {other} holds {symbol} or is entering it.",
    )
