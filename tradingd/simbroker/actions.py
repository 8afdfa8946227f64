"""Splits, dividends, renames and delistings; each is applied once, however often it is told."""

from collections.abc import Mapping

from tradingd.simbroker.amounts import CENT, ONE, PRICE_STEP, BadRequest, on_grid, parse, ratio
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.orders import CANCELED, Order, text_field, whole_field

type Message = Mapping[str, object]
type Reply = dict[str, object]


class Actions:
    """Applies corporate actions and manual adjustments to the desk.

    Parameters
    ----------
    desk : Desk
        The broker's state.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def corporate_action(self, message: Message) -> Reply:
        """Apply an action that takes effect before the next bars."""
        kind = text_field(message, "kind")
        symbol = text_field(message, "symbol")
        action_id = f"{kind}:{symbol}:{text_field(message, 'ex_date')}"
        ts = max(whole_field(message, "ts"), self._desk.now)
        if self._desk.store.rows("SELECT 1 FROM actions WHERE action_id = ?", (action_id,)):
            return {"applied": False}
        self._desk.set_time(ts)
        self._desk.store.add("actions", (action_id, ts))
        match kind:
            case "split":
                self._split(action_id, symbol, message)
            case "dividend":
                self._dividend(action_id, symbol, message)
            case "rename":
                self._rename(action_id, symbol, text_field(message, "old_symbol"))
            case "delisting":
                self._desk.cancel_working(symbol, "delisted")
            case _:
                raise BadRequest(f"unknown corporate action {kind}")
        return {"applied": True}

    def adjust(self, message: Message) -> Reply:
        """Change shares or cash by hand, as a broker's back office does (fees, corrections)."""
        kind, symbol = text_field(message, "kind"), text_field(message, "symbol", default="")
        shares = whole_field(message, "shares", default=0)
        cash = parse(message.get("cash", "0"), "cash")
        if shares and not symbol:
            raise BadRequest("shares need a symbol")
        if shares:
            price = self._desk.last.get(symbol) or self._desk.account.average(symbol)
            self._desk.account.trade(symbol, shares, price)
        adjustment_id = self._desk.next_adjustment(kind)
        self._desk.adjust(adjustment_id, kind, symbol, shares=shares, cash=cash)
        return {"adjustment_id": adjustment_id}

    def _split(self, action_id: str, symbol: str, message: Message) -> None:
        up, down = whole_field(message, "numerator"), whole_field(message, "denominator")
        if not (0 < up < 1_000_000 and 0 < down < 1_000_000):
            raise BadRequest(f"not a split ratio: {up} for {down}")
        desk = self._desk
        working = desk.working(symbol) + desk.held_orders(symbol)
        held, cost = desk.account.positions.get(symbol, (0, 0))
        sign = 1 if held > 0 else -1
        whole, rest = divmod(abs(held) * up, down)
        # rest/down of a new share, each worth the old price x down/up
        price = desk.last.get(symbol) or desk.account.average(symbol)
        lieu = sign * (price * rest // up)
        if held:
            kept = cost if not rest else sign * ratio(abs(cost), whole * down, abs(held) * up)
            desk.account.set(symbol, sign * whole, kept)
        self._restate_price(symbol, up, down)
        if held or working:
            desk.adjust(
                desk.names.action(action_id, "", desk.now),
                "split",
                symbol,
                shares=sign * whole - held,
                cash=lieu,
                numerator=up,
                denominator=down,
            )
        for order in working:
            if order.open:  # one that has no share left takes those tied to it along
                self._restate_order(order, up, down)

    def _restate_price(self, symbol: str, up: int, down: int) -> None:
        desk = self._desk
        desk.quotes.pop(symbol, None)
        if symbol in desk.last:
            desk.last[symbol] = max(1, ratio(desk.last[symbol], down, up))
            row = (symbol, desk.last[symbol], None, None, desk.seen[symbol])
            desk.store.replace("prices", [row], 5)

    def _restate_order(self, order: Order, up: int, down: int) -> None:
        """Rescale what is not filled; what is filled stays in the shares it was filled in."""
        remaining = order.remaining * up // down
        if not remaining:
            self._desk.finish(order, CANCELED, "less than one share after the split")
            return
        order.quantity = order.filled + remaining
        order.slice = order.slice and max(1, order.slice * up // down)
        order.limit_price = _restated(order.limit_price, up, down)
        order.stop_price = _restated(order.stop_price, up, down)
        order.trail = _restated(order.trail, up, down)
        order.mark = _restated(order.mark, up, down)
        self._desk.changed(order)

    def _dividend(self, action_id: str, symbol: str, message: Message) -> None:
        amount = parse(message.get("amount"), "amount")
        held = self._desk.account.held(symbol)
        if held:
            adjustment_id = self._desk.names.action(action_id, "", self._desk.now)
            self._desk.adjust(adjustment_id, "dividend", symbol, cash=held * amount)

    def _rename(self, action_id: str, symbol: str, old: str) -> None:
        """Move position and price to the new name; orders of the old name are canceled."""
        desk = self._desk
        desk.cancel_working(old, f"renamed to {symbol}")
        held, cost = desk.account.positions.get(old, (0, 0))
        if held:
            have, have_cost = desk.account.positions.get(symbol, (0, 0))
            desk.account.set(old, 0, 0)
            desk.account.set(symbol, have + held, have_cost + cost)
            out, into = (desk.names.action(action_id, part, desk.now) for part in ("out", "in"))
            desk.adjust(out, "rename", old, shares=-held)
            desk.adjust(into, "rename", symbol, shares=held)
        if old in desk.last:
            desk.last[symbol], desk.seen[symbol] = desk.last.pop(old), desk.seen.pop(old)
            desk.quotes.pop(old, None)
            desk.store.remove_price(old)
            row = (symbol, desk.last[symbol], None, None, desk.seen[symbol])
            desk.store.replace("prices", [row], 5)


def _restated(price: int | None, up: int, down: int) -> int | None:
    """Return an order's price after a split, to the cent (below a dollar to 0.0001)."""
    if price is None:
        return None
    exact = ratio(price, down, up)
    return on_grid(exact, CENT if exact >= ONE else PRICE_STEP)
