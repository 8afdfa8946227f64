"""The broker's live state: working orders, prices, account, and the events that tell of changes.

Every change goes through here, is written to the store in the caller's transaction, and leaves an
event with a running number.
"""

from tradingd.simbroker.account import Account, Terms
from tradingd.simbroker.amounts import text
from tradingd.simbroker.groups import Groups
from tradingd.simbroker.matching import Quote, Spread
from tradingd.simbroker.naming import Naming, StoreNaming
from tradingd.simbroker.orders import CANCELED, FILLED, HELD, WORKING, Order
from tradingd.simbroker.store import Store
from tradingd.simbroker.watching import Hours, Unwatched, Watcher

type EventLine = tuple[int, str]


class Desk:
    """State of one account's broker.

    Parameters
    ----------
    store : Store
        Opened store.
    terms : Terms
        Commission.
    spread : Spread
        Half spread around the last price.
    next_bar : bool
        What arrives between bars waits for the next one.
    hours : Hours or None
        Regular sessions; None: the market is always open and has no auctions.
    """

    def __init__(
        self,
        store: Store,
        terms: Terms,
        spread: Spread,
        *,
        next_bar: bool = False,
        hours: Hours | None = None,
    ) -> None:
        self.next_bar = next_bar
        self.hours = hours
        self.watcher: Watcher = Unwatched()
        self.naming: Naming | None = None
        self.store = store
        self.account = Account(store)
        self.spread = spread
        self.now = 0
        self.seq = 0
        self.last: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        self.quotes: dict[str, Quote] = {}
        self._terms = terms
        self._groups = Groups(self)
        self._working: dict[str, dict[str, Order]] = {}
        self._held: dict[str, Order] = {}
        self._told: list[EventLine] = []
        self._orders = 0
        self._fills = 0
        self._adjustments = 0
        self._prefix = ""

    def load(self) -> None:
        """Read everything as it was left; forget what was not committed."""
        store = self.store
        self._prefix = store.meta("store_id")
        self.now = int(store.meta("now", "0"))
        self.seq = store.last("events", "seq")
        self._orders = store.last("orders")
        self._fills = store.last("fills")
        self._adjustments = store.last("adjustments")
        self._told = []
        self.account.load()
        self._working = {}
        for order in store.working():
            self._working.setdefault(order.symbol, {})[order.broker_order_id] = order
        self._held = {order.broker_order_id: order for order in store.held()}
        self._groups.activated = []
        self.last, self.seen, self.quotes = {}, {}, {}
        for symbol, last, bid, ask, ts in store.rows("SELECT * FROM prices"):
            self.last[str(symbol)] = int(str(last))
            self.seen[str(symbol)] = int(str(ts))
            if bid is not None:
                self.quotes[str(symbol)] = Quote(int(str(bid)), int(str(ask)))

    @property
    def names(self) -> Naming:
        """What the book calls things."""
        return self.naming or StoreNaming(self._prefix)

    @property
    def store_id(self) -> str:
        """Name of the store, new when the store is; event numbers count within it."""
        return self._prefix

    def set_time(self, ts: int) -> None:
        """Take the time of the market, which is this broker's only clock."""
        self.now = ts
        self.store.set_meta("now", str(ts))

    def touch(self, symbol: str) -> Quote | None:
        """Return bid and ask: the quote, else around the last price, None before any price."""
        if symbol in self.quotes:
            return self.quotes[symbol]
        return self.spread.around(self.last[symbol]) if symbol in self.last else None

    def keeps_waiting(self, symbol: str) -> bool:
        """Whether what arrives now waits for the next bar: its market may be closed by now."""
        return self.next_bar and symbol not in self.quotes

    def closed(self, order: Order) -> bool:
        """Whether an order that arrives now waits for regular hours."""
        if self.hours is None or order.extended:
            return False
        session = self.hours.session(self.now)
        return session is None or not session[0] <= self.now < session[1]

    def working(self, symbol: str | None = None) -> list[Order]:
        """Return working orders (of one symbol), oldest first."""
        if symbol is not None:
            return list(self._working.get(symbol, {}).values())
        found = [order for group in self._working.values() for order in group.values()]
        return sorted(found, key=lambda order: order.number)

    def present(self, order: Order) -> Order:
        """Return the object that works in place of one that was read from the store."""
        held = self._held.get(order.broker_order_id, order)
        return self._working.get(order.symbol, {}).get(order.broker_order_id, held)

    def find(self, broker_order_id: str) -> Order | None:
        """Return an order to which something may still happen."""
        groups = (*self._working.values(), self._held)
        return next((group[broker_order_id] for group in groups if broker_order_id in group), None)

    def held_orders(self, symbol: str | None = None) -> list[Order]:
        """Return the orders (of one symbol) that wait for another one, oldest first."""
        return [order for order in self._held.values() if symbol in (None, order.symbol)]

    def tied(self, group_id: str) -> list[Order]:
        """Return the orders of a group to which something may still happen."""
        tied = [order for order in self.working() if order.group_id == group_id]
        return tied + [order for order in self._held.values() if order.group_id == group_id]

    def symbols_with_orders(self) -> list[str]:
        """Return the symbols that have working orders."""
        return sorted(self._working)

    def open(self, order: Order) -> None:
        """Give an order its number and let it work, or keep it until another one is filled."""
        self._number(order)
        if order.status == HELD:
            self._held[order.broker_order_id] = order
        else:
            self._working.setdefault(order.symbol, {})[order.broker_order_id] = order
        self.changed(order)

    def activate(self, order: Order) -> None:
        """Let an order work that was kept back; it arrives now."""
        self._held.pop(order.broker_order_id)
        order.status = WORKING
        order.arrived = self.now
        self._working.setdefault(order.symbol, {})[order.broker_order_id] = order
        self.changed(order)

    def take_activated(self) -> list[Order]:
        """Return the orders that were let work since the last call; they have yet to arrive."""
        activated, self._groups.activated = self._groups.activated, []
        return activated

    def refuse(self, order: Order, status: str, reason: str) -> None:
        """Give an order its number and record that it never worked."""
        self._number(order)
        order.status = status
        order.reason = reason
        self.changed(order)

    def _number(self, order: Order) -> None:
        self._orders += 1
        order.number = self._orders
        order.broker_order_id = self.names.order(self._orders)
        order.arrived = self.now

    def changed(self, order: Order) -> None:
        """Write an order and tell of it; one that is over leaves the working orders."""
        order.ts = self.now
        self.store.save_order(order)
        if not order.open:
            self._held.pop(order.broker_order_id, None)
            group = self._working.get(order.symbol, {})
            group.pop(order.broker_order_id, None)
            if not group:
                self._working.pop(order.symbol, None)
        self._tell({"event": "order", "order": order.view()})
        self.watcher.changed(order)
        self._groups.follow(order)

    def restated(self, order: Order) -> None:
        """Write a trailing stop that has moved; that is no event."""
        self.store.save_order(order)
        self.watcher.changed(order)

    def finish(self, order: Order, status: str, reason: str) -> None:
        """End an order that is not over."""
        assert order.open
        order.status = status
        order.reason = reason
        self.changed(order)

    def execute(self, order: Order, price: int, available: int | None = None) -> int:
        """Fill an order at a price and return the shares filled.

        Never more than it still wants, than its slice allows, and than is `available`.
        """
        quantity = min(order.remaining, order.slice or order.remaining)
        quantity = quantity if available is None else min(quantity, available)
        if quantity <= 0:
            return 0
        order.filled += quantity
        order.paid += quantity * price
        charge = self._terms.due(order.filled) - order.commission
        order.commission += charge
        self._fills += 1
        fill_id = self.names.fill(order, self._fills)
        fields = {
            "fill_id": fill_id,
            "client_order_id": order.client_order_id,
            "broker_order_id": order.broker_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": quantity,
        }
        row = (fill_id, self._fills, order.broker_order_id, order.client_order_id)
        trade = (order.symbol, order.side, quantity, price, charge, self.now)
        self.store.add("fills", row + trade)
        signed = order.sign * quantity
        self.account.trade(order.symbol, signed, price)
        self.account.move_cash("trade", fill_id, -signed * price - charge, self.now)
        amounts = {"price": text(price), "commission": text(charge), "ts": self.now}
        self._tell({"event": "fill", "fill": fields | amounts})
        if not order.remaining:
            order.status = FILLED
        self.watcher.filled(order, fill_id, quantity, price)
        self.changed(order)
        return quantity

    def adjust(
        self,
        adjustment_id: str,
        kind: str,
        symbol: str,
        *,
        shares: int = 0,
        cash: int = 0,
        numerator: int = 1,
        denominator: int = 1,
    ) -> None:
        """Record shares or cash that change without a trade, and tell of it."""
        self._adjustments += 1
        if cash:
            self.account.move_cash(kind, adjustment_id, cash, self.now)
        row = (adjustment_id, self._adjustments, kind, symbol, shares, cash)
        self.store.add("adjustments", (*row, numerator, denominator, self.now))
        view = adjustment_view((*row, numerator, denominator, self.now))
        self._tell({"event": "adjustment", "adjustment": view})

    def next_adjustment(self, kind: str) -> str:
        """Return an id for an adjustment that has no natural one."""
        return self.names.adjustment(kind, self._adjustments + 1, self.now)

    def cancel_working(self, symbol: str, reason: str) -> None:
        """Cancel every order of a symbol that is not over."""
        for order in [*self.working(symbol), *self.held_orders(symbol)]:
            if order.open:
                self.finish(order, CANCELED, reason)

    def _tell(self, body: dict[str, object]) -> None:
        self.seq += 1
        self._told.append((self.seq, self.store.add_event(self.seq, self.now, body)))

    def take_events(self) -> list[EventLine]:
        """Return the events since the last call."""
        told, self._told = self._told, []
        return told


def adjustment_view(row: tuple[object, ...]) -> dict[str, object]:
    """Return an adjustment as a client sees it, from the columns of its table."""
    adjustment_id, _, kind, symbol, shares, cash, numerator, denominator, ts = row
    return {
        "adjustment_id": adjustment_id,
        "kind": kind,
        "symbol": symbol,
        "shares": shares,
        "cash": text(int(str(cash))),
        "numerator": numerator,
        "denominator": denominator,
        "ts": ts,
    }
