"""Follow the queue imbalance of the best levels: an example of trading on order books."""

from decimal import Decimal

from tradingd.config import strategy as config
from tradingd.domain.money import Nanos, decimal
from tradingd.domain.orders import Side
from tradingd.engine.books.view import DepthView
from tradingd.engine.strategy import Strategy
from tradingd.strategies.book_imbalance.signal import Lean

_SECOND = 1_000_000_000
_BPS = 10_000


class Follower:
    """What is known of one symbol: its lean, and the entry that is out or held."""

    def __init__(self, lean: Lean) -> None:
        self.lean = lean
        self.traded = 0
        self.order: str | None = None
        self.since = 0
        self.leaving = False


class BookImbalance(Strategy):
    """Buy where the bid queues outweigh the ask queues, sell short where they are outweighed."""

    Settings = config.BookImbalance

    def on_begin(self) -> None:
        """Start without an opinion on any symbol."""
        settings = self.settings
        self.levels: int = settings.levels
        self.followers = {
            symbol: Follower(Lean(settings.enter, settings.leave)) for symbol in self.symbols
        }

    def on_depth(self, book: DepthView) -> None:
        """Follow the imbalance; act where it begins, ends, or lasts too long."""
        symbol = book.symbol
        one = self.followers[symbol]
        side = one.lean.update(book.imbalance(self.levels))
        held = self.position(symbol)
        if held:
            if not one.leaving:
                self.watch_position(book, one, held, side)
            return
        one.leaving = False
        if one.order is not None:
            self.watch_entry(book, one, side)
        elif side and one.lean.number > one.traded:
            self.open(book, one, side)

    def open(self, book: DepthView, one: Follower, side: int) -> None:
        """Enter a lean that was not traded yet, unless the spread or the hour forbid it."""
        settings, mid, spread = self.settings, book.mid, book.spread
        if mid is None or spread is None or spread * _BPS > settings.max_spread_bps * mid:
            return
        if self.minutes_to_close <= settings.flatten_minutes or self.pending(book.symbol):
            return
        if side < 0 and not settings.allow_short:
            return
        one.traded = one.lean.number
        own = book.bid() if side > 0 else book.ask()
        assert own is not None
        one.since = book.ts
        one.order = self.enter(
            book.symbol,
            Side.BUY if side > 0 else Side.SELL,
            settings.quantity,
            reason=self.describe(book, f"beyond {settings.enter:.2f}"),
            limit=decimal(own) if settings.entry == "passive" else None,
            stop=self.stop_of(own, side),
        )

    def watch_entry(self, book: DepthView, one: Follower, side: int) -> None:
        """Give an entry up that waited too long, or whose lean is over."""
        if not self.pending(book.symbol):
            one.order = None
        elif self.settings.entry == "passive" and one.order is not None:
            late = book.ts - one.since >= self.settings.wait_seconds * _SECOND
            if late or not side:
                self.cancel(one.order)
                one.order = None

    def watch_position(self, book: DepthView, one: Follower, held: int, side: int) -> None:
        """Leave when the lean is over, or the position was held for long enough."""
        settings = self.settings
        if side * held <= 0:
            reason = self.describe(book, f"end the lean ({settings.leave:.2f})")
        elif book.ts - one.since >= settings.hold_seconds * _SECOND:
            reason = f"held {settings.hold_seconds} s"
        elif self.minutes_to_close <= settings.flatten_minutes:
            reason = f"{settings.flatten_minutes} minutes to the close"
        else:
            return
        if one.order is not None:
            self.cancel(one.order)
            one.order = None
        one.leaving = self.exit(book.symbol, reason=reason) is not None

    def stop_of(self, price: Nanos, side: int) -> Decimal:
        """Return the protective stop of an entry near a price."""
        return decimal(price) * (1 - side * Decimal(str(self.settings.stop_bps)) / _BPS)

    def describe(self, book: DepthView, relation: str) -> str:
        """Return the imbalance in words."""
        return (
            f"imbalance {book.imbalance(self.levels):+.2f} of {self.levels} levels {relation}; "
            f"bid {book.bid_size()}, ask {book.ask_size()} shares"
        )
