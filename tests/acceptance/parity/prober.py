"""A strategy that trades often and remembers little, for days that are unlike others.

It is imported by path (`strategy.path=prober:Prober`): entries and exits by the count of bars of a
symbol, orders at the session's open and close, stops that move.
"""

from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.domain.market import Session
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


class Settings(StrategyBase, frozen=True, kw_only=True):
    """How often it acts."""

    every: int = 40
    """Enter on each bar of this number in a session, leave half as many later."""


class Prober(Strategy):
    """Enters by the count of a session's bars, and says at which one."""

    Settings = Settings

    def on_begin(self) -> None:
        """Nothing has been seen."""
        self.seen = dict.fromkeys(self.symbols, 0)
        self.last: dict[str, float] = {}

    def on_session_open(self, session: Session) -> None:
        """Count anew."""
        self.seen = dict.fromkeys(self.symbols, 0)

    def on_session_close(self, session: Session) -> None:
        """Hold over the night, and say which session ended and how long it was."""
        minutes = (session.close_ns - session.open_ns) // 60_000_000_000
        for symbol in self.symbols:
            if symbol in self.last and not self.position(symbol) and not self.pending(symbol):
                self.buy(
                    symbol, f"close of {session.day}, {minutes} minutes, {self.seen[symbol]} bars"
                )

    def on_bar(self, bar: Bar) -> None:
        """Enter, tighten, leave."""
        symbol = self.symbol_of(bar)
        self.last[symbol] = close = bar.close.as_double()
        self.seen[symbol] += 1
        place = self.seen[symbol] % self.settings.every
        told = f"bar {self.seen[symbol]}, {self.minutes_to_close:.0f} minutes to the close"
        if self.pending(symbol):
            return
        if self.position(symbol):
            if place == self.settings.every // 2:
                self.exit(symbol, reason=told)
            elif place == self.settings.every // 4:
                self.move_stop(symbol, close * 0.995, reason=told)
        elif place == 0:
            self.buy(symbol, told)

    def buy(self, symbol: str, reason: str) -> None:
        """Buy with a stop."""
        price = self.last[symbol]
        self.enter(symbol, Side.BUY, 100, reason=reason, stop=price * 0.98)


class LimitSettings(StrategyBase, frozen=True, kw_only=True):
    """How far from the close it waits."""

    depth: float = 0.03


class Limiter(Strategy):
    """Enters by limits that rest for days, leaves half or all, cancels what waits too long."""

    Settings = LimitSettings

    def on_begin(self) -> None:
        """Nothing has been seen or sent."""
        self.seen = dict.fromkeys(self.symbols, 0)
        self.sent: dict[str, str | None] = {}

    def on_bar(self, bar: Bar) -> None:
        """Act by the count of bars."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        self.seen[symbol] += 1
        count = self.seen[symbol]
        held, pending = self.position(symbol), self.pending(symbol)
        if count % 20 == 0 and not held and not pending:
            self.rest(symbol, Side.SELL if count % 3 == 0 else Side.BUY, close)
        elif count % 40 == 10 and pending and not held:
            self.cancel(self.sent[symbol] or "")
        elif count % 20 == 15 and held:
            half = abs(held) // 2 if count % 60 == 15 else None
            self.exit(symbol, reason=f"bar {count}", quantity=half)

    def rest(self, symbol: str, side: Side, close: float) -> None:
        """Send a limit with a stop behind it."""
        limit = close * (1 - side.sign * self.settings.depth)
        stop = close * (1 - side.sign * 0.08)
        reason = f"bar {self.seen[symbol]}"
        self.sent[symbol] = self.enter(symbol, side, 101, reason=reason, limit=limit, stop=stop)
