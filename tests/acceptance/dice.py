"""A strategy that throws dice: every verb in any order, to give an auditor something to audit."""

import random
from typing import Any

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


class DiceSettings(StrategyBase, frozen=True, kw_only=True):
    """How often it acts, and what it may do."""

    seed: int
    often: float = 0.1
    most: int = 200


class Dice(Strategy):
    """Enters, adds, flips, leaves in parts, moves stops and cancels, at random."""

    Settings = DiceSettings

    def on_begin(self) -> None:
        self.dice = random.Random(self.settings.seed)
        self.sent: list[str] = []

    def on_bar(self, bar: Any) -> None:
        if self.dice.random() > self.settings.often:
            return
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        held = self.position(symbol)
        throw = self.dice.random()
        if throw < 0.5:
            self.throw_in(symbol, close)
        elif throw < 0.7 and held:
            part = self.dice.choice((None, 1, max(1, abs(held) // 2)))
            self.exit(symbol, reason=f"dice {throw:.3f}", quantity=part)
        elif throw < 0.9 and held:
            # The last lands on the wrong side of the market: it acts at the next open.
            distance = self.dice.choice((0.001, 0.005, 0.03, 0.03, -0.01))
            stop = close * (1 - distance if held > 0 else 1 + distance)
            self.move_stop(symbol, stop, reason=f"dice {throw:.3f}")
        elif throw < 0.95 and self.sent:
            self.cancel(self.sent.pop())
        elif throw > 0.98:
            self.market_exit()

    def throw_in(self, symbol: str, close: float) -> None:
        """Enter with a stop, by a market order or a limit anywhere around the market."""
        side = self.dice.choice((Side.BUY, Side.SELL))
        stop = close * (1 - side.sign * self.dice.choice((0.001, 0.02, 0.08)))
        limit = None
        if self.dice.random() < 0.3:
            limit = close * (1 - side.sign * self.dice.choice((0.01, 0.002, 0.0, -0.005)))
        shares = self.dice.randint(1, self.settings.most)
        order = self.enter(symbol, side, shares, reason="dice", stop=stop, limit=limit)
        if order is not None:
            self.sent.append(order)
