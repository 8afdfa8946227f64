"""The facts of one order at one moment, worked out once for all limits.

Plain attributes, because every limit reads several of them for every order.
"""

import datetime as dt
from typing import Final

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side
from tradingd.gate.book import Book
from tradingd.gate.position import Position
from tradingd.gate.working import exposure_price

_FLAT: Final = Position(symbol="")


class Situation:
    """One order against the book.

    Attributes
    ----------
    increase : bool
        False for a reduction (see `working.is_increase`).
    line : Position
        What the book knows of the symbol; an empty line when it has never been seen.
    price : Nanos
        Price at which exposure is counted (`working.exposure_price`).
    closing, extra : int
        Shares that take down the opposite position, and shares that add exposure; together the
        order's quantity.
    value : Nanos
        `extra` x `price`: the exposure the order adds.
    recent : int
        Orders that left in the 60 seconds before, this one not counted.
    day : date
        The session's day; without a session the day of the last one, else the UTC date.
    """

    __slots__ = (
        "book", "buy", "closing", "day", "equity", "extra", "increase", "intent", "line", "now",
        "price", "recent", "session", "value",
    )  # fmt: skip

    def __init__(
        self,
        intent: OrderIntent,
        book: Book,
        now: int,
        session: Session | None,
        recent: int,
        increase: bool,
    ) -> None:
        line = book.line(intent.symbol) or _FLAT
        quantity = intent.quantity
        buy = intent.side is Side.BUY
        self.intent = intent
        self.book = book
        self.now = now
        self.session = session
        self.recent = recent
        self.increase = increase
        self.line = line
        self.buy = buy
        self.equity = book.equity
        self.price = exposure_price(intent, line.mark)
        self.extra = _extra(intent, line, buy) if increase else 0
        self.closing = quantity - self.extra
        self.value = self.extra * self.price
        self.day = session.day if session is not None else _day(book, now)

    @property
    def priced(self) -> bool:
        """True when the order states a price of its own."""
        return self.intent.type is not OrderType.MARKET


def _extra(intent: OrderIntent, line: Position, buy: bool) -> int:
    """Return the shares that add exposure.

    Working entries on the same side use the opposite position up first; a mislabelled exit is
    measured against the shares that no market exit has claimed.
    """
    if intent.purpose is not Purpose.ENTRY:
        opposite = line.quantity if not buy else -line.quantity
        return intent.quantity - min(intent.quantity, max(0, min(opposite, line.uncommitted())))
    opposite = max(0, (-line.quantity if buy else line.quantity) - line.exiting)
    working = line.buying if buy else line.selling
    return max(0, working + intent.quantity - opposite) - max(0, working - opposite)


def _day(book: Book, now: int) -> dt.date:
    if book.session is not None:
        return book.session.day
    return dt.datetime.fromtimestamp(now // NANOSECONDS, tz=dt.UTC).date()
