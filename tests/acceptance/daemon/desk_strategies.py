"""Strategies for trying a daemon: they trade on demand, and break or hang when a file says so.

The daemon imports them by path (`strategy.path=desk_strategies:Desk`). A file in the working
directory is a command: ``block-in-bar`` (seconds), ``block-in-timer`` (seconds), ``raise-in-bar``,
``enter-SYMBOL``, ``leave-SYMBOL``. It is taken once.
"""

import datetime as dt
import os
import random
import time
from pathlib import Path
from typing import Any

from nautilus_trader.model import Bar

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


def command(name: str) -> str | None:
    """Take a command, if it was given: its text."""
    path = Path(name)
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    path.unlink()
    return text


class Settings(StrategyBase, frozen=True, kw_only=True):
    """What a test may want of the strategy."""

    every: int = 0
    """Enter or leave once in so many bars of a symbol; 0: only on demand."""
    begin_seconds: float = 0.0
    """Block this long in on_begin."""


class Desk(Strategy):
    """Buys with a stop and a resting order below, on demand or by the count of bars."""

    Settings = Settings

    def on_begin(self) -> None:
        """Count bars; start a timer that can be blocked."""
        time.sleep(self.settings.begin_seconds)
        self.seen = dict.fromkeys(self.symbols, 0)
        self.clock.set_timer("blockable", dt.timedelta(minutes=1), callback=self.on_tick)

    def on_tick(self, event: Any) -> None:
        """Block, if told to."""
        if (seconds := command("block-in-timer")) is not None:
            time.sleep(float(seconds))

    def on_bar(self, bar: Bar) -> None:
        """Obey, then trade by the count of bars."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        self.seen[symbol] += 1
        if (seconds := command("block-in-bar")) is not None:
            time.sleep(float(seconds))
        if command("raise-in-bar") is not None:
            raise RuntimeError("told to raise")
        if command(f"enter-{symbol}") is not None:
            self.open(symbol, close)
        if command(f"bid-{symbol}") is not None:
            self.bid(symbol, close)
        if command(f"leave-{symbol}") is not None:
            self.exit(symbol, reason="on demand")
        if self.settings.every and self.seen[symbol] % self.settings.every == 0:
            self.turn(symbol, close)

    def turn(self, symbol: str, close: float) -> None:
        """Open what is flat, close what is open."""
        if self.pending(symbol):
            return
        if self.position(symbol):
            self.exit(symbol, reason="by the count")
        else:
            self.enter(symbol, Side.BUY, 5, reason="by the count", stop=round(close * 0.97, 2))

    def open(self, symbol: str, close: float) -> None:
        """Buy at market with a stop, and rest a bid far below."""
        self.enter(symbol, Side.BUY, 10, reason="on demand", stop=round(close * 0.9, 2))
        self.bid(symbol, close)

    def bid(self, symbol: str, close: float) -> None:
        """Rest a bid far below."""
        low = round(close * 0.97, 2)
        self.enter(symbol, Side.BUY, 5, reason="resting", limit=low, stop=round(close * 0.9, 2))


class RaisesAtBegin(Strategy):
    """A strategy that does not come up."""

    def on_begin(self) -> None:
        """Raise."""
        raise RuntimeError("told to raise")


class SlowToBegin(Desk):
    """A strategy that takes its time, and lets signals be heard meanwhile."""

    def on_begin(self) -> None:
        """Block a little."""
        time.sleep(1.5)
        super().on_begin()


class Diary(Desk):
    """A desk that writes down every bar it is given, one file a process."""

    def on_bar(self, bar: Bar) -> None:
        """Write, then trade."""
        with Path(f"bars-{os.getpid()}").open("a") as file:
            file.write(f"{self.symbol_of(bar)} {bar.ts_event}\n")
        super().on_bar(bar)


class RandomSettings(StrategyBase, frozen=True, kw_only=True):
    """Which dice."""

    seed: int = 0


class AtRandom(Strategy):
    """Opens, closes and trails by dice that depend on the bar alone, so a restart goes on alike."""

    Settings = RandomSettings

    def on_bar(self, bar: Bar) -> None:
        """Roll."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        rng = random.Random(f"{self.settings.seed} {symbol} {bar.ts_event}")
        if self.pending(symbol) or rng.random() > 0.25:
            return
        held = self.position(symbol)
        if held == 0:
            side = rng.choice((Side.BUY, Side.SELL))
            wide = close * rng.uniform(0.001, 0.01) * side.sign
            limit = round(close - wide / 4, 2) if rng.random() < 0.3 else None
            self.enter(
                symbol,
                side,
                rng.randint(1, 30),
                reason="the dice say so",
                stop=round(close - wide, 2),
                limit=limit,
            )
        elif rng.random() < 0.5:
            part = rng.randint(1, abs(held)) if rng.random() < 0.3 else None
            self.exit(symbol, reason="the dice say so", quantity=part)
        else:
            wide = close * rng.uniform(0.002, 0.01)
            self.move_stop(
                symbol, round(close - wide if held > 0 else close + wide, 2), reason="trails"
            )


class Meddler(Strategy):
    """Asks the model about every bar, and once wants what it may not trade."""

    def on_begin(self) -> None:
        """Note what it is shown."""
        self.shown: set[str] = set()

    def on_bar(self, bar: Bar) -> None:
        """Ask; write down the symbols that were ever shown."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        self.advice(symbol)
        if symbol not in self.shown:
            self.shown.add(symbol)
            Path("shown").write_text(" ".join(sorted(self.shown)))
        if not self.warming_up and command("meddle") is not None:
            self.enter("IBM", Side.BUY, 5, reason="meddling", stop=1.0)
            self.enter(symbol, Side.BUY, 5, reason="its own", stop=round(close * 0.9, 2))
