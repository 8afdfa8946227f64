"""Positions as Alpaca shows them, and orders that close them."""

from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.changing import Changing
from tradingd.simalpaca.trading.errors import ApiError, bad_field, not_found
from tradingd.simalpaca.trading.fields import Query
from tradingd.simalpaca.trading.holds import held_back
from tradingd.simalpaca.trading.placing import Placing
from tradingd.simalpaca.trading.rows import asset_id
from tradingd.simalpaca.trading.wishes import read_wish
from tradingd.simbroker.amounts import ONE, text
from tradingd.simbroker.orders import BUY, SELL


class Positions:
    """Answers questions for positions and closes them.

    Parameters
    ----------
    book : Book
        Where they are.
    placing : Placing
        Takes the orders that close them.
    changing : Changing
        Cancels what holds their shares back.
    """

    def __init__(self, book: Book, placing: Placing, changing: Changing) -> None:
        self._book = book
        self._placing = placing
        self._changing = changing

    def many(self) -> list[dict[str, object]]:
        """Return every open position."""
        return [self._view(symbol) for symbol in sorted(self._book.desk.account.positions)]

    def one(self, symbol_or_id: str) -> dict[str, object]:
        """Return one open position."""
        return self._view(self._held(symbol_or_id))

    def _held(self, symbol_or_id: str) -> str:
        symbol = self._book.assets.symbol(symbol_or_id)
        if not self._book.desk.account.held(symbol):
            raise not_found("position does not exist")
        return symbol

    def _view(self, symbol: str) -> dict[str, object]:
        desk = self._book.desk
        quantity, cost = desk.account.positions[symbol]
        price = desk.last.get(symbol, desk.account.average(symbol))
        before = self._book.marks.last_day(symbol) or price
        value, side = quantity * price, SELL if quantity > 0 else BUY
        available = max(0, abs(quantity) - held_back(desk, symbol, side))
        asset = self._book.assets.get(symbol) or {}
        return {
            "asset_id": asset_id(symbol),
            "symbol": symbol,
            "exchange": asset.get("exchange", "NYSE"),
            "asset_class": "us_equity",
            "asset_marginable": bool(asset.get("marginable", True)),
            "qty": str(quantity),
            "qty_available": str(available if quantity > 0 else -available),
            "avg_entry_price": text(desk.account.average(symbol)),
            "side": "long" if quantity > 0 else "short",
            "market_value": text(value),
            "cost_basis": text(cost),
            "unrealized_pl": text(value - cost),
            "unrealized_plpc": _rate(value - cost, abs(cost)),
            "unrealized_intraday_pl": text(quantity * (price - before)),
            "unrealized_intraday_plpc": _rate(quantity * (price - before), abs(quantity) * before),
            "current_price": text(price),
            "lastday_price": text(before),
            "change_today": _rate(price - before, before),
        }

    def close(self, symbol_or_id: str, query: Query) -> dict[str, object]:
        """Sell (or buy back) a position, or a part of it, at the market."""
        symbol = self._held(symbol_or_id)
        qty, percentage = query.amount("qty"), query.amount("percentage")
        if qty is not None and percentage is not None:
            raise bad_field("only one of qty or percentage is accepted")
        held = abs(self._book.desk.account.held(symbol))
        if percentage is not None:
            if percentage > 100 * ONE:
                raise bad_field("percentage must be between 0 and 100")
            qty = held * percentage // (100 * ONE) * ONE  # whole shares: no fractions here
            if not qty:
                raise bad_field("percentage is less than one share")
        return self._order(symbol, qty if qty is not None else held * ONE)

    def _order(self, symbol: str, qty: int) -> dict[str, object]:
        side = "sell" if self._book.desk.account.held(symbol) > 0 else "buy"
        fields = {"symbol": symbol, "side": side, "type": "market", "time_in_force": "day"}
        return self._placing.submit(read_wish({**fields, "qty": text(qty)}))

    def close_all(self, *, cancel_orders: bool) -> list[dict[str, object]]:
        """Close every position and say of each what came of it."""
        if cancel_orders:
            self._changing.cancel_all()
        closed = []
        for symbol in sorted(self._book.desk.account.positions):
            body: dict[str, object]
            try:
                held = abs(self._book.desk.account.held(symbol))
                body, status = self._order(symbol, held * ONE), 200
            except ApiError as error:
                body, status = dict(error.body), error.status
            closed.append({"symbol": symbol, "status": status, "body": body})
        return closed


def _rate(part: int, whole: int) -> str:
    """Return a fraction as text, with at most nine decimals."""
    if not whole:
        return "0"
    sign = -1 if part < 0 else 1
    return text(sign * (abs(part) * ONE // whole))
