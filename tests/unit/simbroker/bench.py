"""A broker in a folder, spoken to in wire messages, without a socket."""

import json
from pathlib import Path
from typing import Any

from tradingd.simbroker.account import Terms
from tradingd.simbroker.broker import Broker
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import Spread
from tradingd.simbroker.store import Store

MINUTE = 60_000_000_000
OPEN = 1_700_490_600_000_000_000  # Monday 2023-11-20 09:30 New York


class Bench:
    """Says wire messages to a broker and keeps the events it tells."""

    def __init__(self, folder: Path, *, half_spread_units: int = 10_000, **options: Any) -> None:
        self.folder = folder
        self.half_spread_units = half_spread_units
        self.options = {"account_id": "SIM-1", "unique_ids": False, "participation_percent": 0}
        self.options |= options
        self.told: list[dict[str, Any]] = []
        self.ts = OPEN
        self.start()

    def start(self) -> None:
        """Begin with what the store holds, as a new process does."""
        self.store = Store(self.folder / "simbroker.sqlite")
        self.store.open()
        terms = Terms(5_000_000, 1_000_000_000)
        self.desk = Desk(self.store, terms, Spread(self.half_spread_units))
        self.desk.load()
        if not self.store.meta("account"):
            with self.store.transaction():
                self.store.set_meta("account", "SIM-1")
                self.desk.account.move_cash("deposit", "opening", 100_000 * 10**9, 0)
        self.broker = Broker(self.desk, **self.options)  # type: ignore[arg-type]

    def restart(self) -> None:
        """Forget everything but the store."""
        self.store.close()
        self.start()

    def say(self, op: str, *, pieces: int = 0, injected: str = "", **fields: Any) -> dict[str, Any]:
        reply = self.broker.handle(op, fields, pieces=pieces, injected=injected)
        self.told += [json.loads(line) for _, line in self.broker.take_events()]
        return reply

    def bar(
        self, opened: str, high: str, low: str, close: str, *, volume: int = 10_000, at: int = 0
    ) -> dict[str, Any]:
        """Tell the next minute's bar of SPY (or the one that closes at a time)."""
        self.ts = at or self.ts + MINUTE
        bars = [["SPY", opened, high, low, close, volume]]
        return self.say("market", ts=self.ts, bars=bars)

    def quote(self, bid: str, ask: str) -> dict[str, Any]:
        self.ts += 1
        return self.say("market", ts=self.ts, quotes=[["SPY", bid, ask]])

    def send(self, name: str, side: str, quantity: int, kind: str, **fields: Any) -> dict[str, Any]:
        pieces, injected = fields.pop("pieces", 0), fields.pop("injected", "")
        order = {"client_order_id": name, "symbol": "SPY", "side": side, "quantity": quantity}
        return self.say("submit", pieces=pieces, injected=injected, **order, type=kind, **fields)

    def order(self, name: str) -> dict[str, Any]:
        return self.say("order", client_order_id=name)["orders"][-1]

    def status(self, name: str) -> str:
        return str(self.order(name)["status"])

    def prices(self, name: str) -> list[str]:
        """Return the prices at which an order has filled."""
        fills = self.say("fills")["fills"]
        return [fill["price"] for fill in fills if fill["client_order_id"] == name]

    def held(self, symbol: str = "SPY") -> int:
        held = {p["symbol"]: p["quantity"] for p in self.say("positions")["positions"]}
        return int(held.get(symbol, 0))

    def cash(self) -> str:
        return str(self.say("account")["cash"])
