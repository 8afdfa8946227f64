"""POST /v2/orders: judge an order by rules, asset and account, and give it to the book."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from tradingd.simalpaca import nyse
from tradingd.simalpaca.stamps import SECOND, new_york_date
from tradingd.simalpaca.trading import rules
from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.errors import bad_field, forbidden, invalid
from tradingd.simalpaca.trading.holds import check_shares, check_sides, check_wash, closes
from tradingd.simalpaca.trading.power import check_power
from tradingd.simalpaca.trading.rows import Row
from tradingd.simalpaca.trading.settings import Settings
from tradingd.simalpaca.trading.wishes import Wish
from tradingd.simbroker.amounts import ONE, optional_text
from tradingd.simbroker.orders import BUY, SELL

_TYPES: Final = {
    "market": "MARKET",
    "limit": "LIMIT",
    "stop": "STOP_MARKET",
    "stop_limit": "STOP_LIMIT",
    "trailing_stop": "TRAILING_STOP",
}
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE


class Placing:
    """Takes new orders.

    Parameters
    ----------
    book : Book
        Where they go.
    settings : Settings
        What the account allows.
    """

    def __init__(self, book: Book, settings: Settings) -> None:
        self._book = book
        self._settings = settings

    def submit(self, wish: Wish, *, pieces: int = 0, rejected: bool = False) -> dict[str, object]:
        """Take an order and return it as it is at its acceptance.

        `pieces` > 1 fills it in that many parts; `rejected`: the exchange rejects it afterwards.

        Raises
        ------
        ApiError
            When it is refused; nothing is kept of it then.
        """
        rules.check(wish)
        wish = wish._replace(symbol=self._asset(wish))
        side = BUY if wish.side == "buy" else SELL
        intent = self._intent(wish, side)
        if self._settings.suspended:
            raise forbidden("new orders are rejected by user request")
        if wish.notional is not None or wish.qty is None or wish.qty % ONE:
            raise forbidden("account is not allowed to trade fractional shares")
        qty = wish.qty // ONE
        self._check_ids(wish)
        self._check_market(wish)
        self._check_account(wish, side, qty)
        injected = "injected rejection" if rejected else ""
        return self._book.change(lambda: self._give(wish, side, qty, intent, pieces, injected))

    def _asset(self, wish: Wish) -> str:
        asset = self._book.assets.get(wish.symbol)
        if asset is None:
            raise invalid(f'asset "{wish.symbol}" not found')
        if not asset["tradable"]:
            raise invalid(f'asset "{asset["symbol"]}" is not tradable')
        if wish.side == "sell" and not self._may_sell_short(asset):
            symbol = str(asset["symbol"])
            if not closes(self._book.desk, symbol, SELL) and wish.order_class != "oco":
                raise invalid(f'asset "{symbol}" cannot be sold short')
        return str(asset["symbol"])

    def _may_sell_short(self, asset: dict[str, object]) -> bool:
        borrowed = bool(asset["shortable"]) and bool(asset["easy_to_borrow"])
        return borrowed and self._settings.shorting and self._settings.multiplier > 1

    def _intent(self, wish: Wish, side: str) -> str:
        inferred = (
            f"{wish.side}_to_{'close' if closes(self._book.desk, wish.symbol, side) else 'open'}"
        )
        if wish.intent and wish.intent != inferred:
            raise invalid(
                f"position intent mismatch, inferred: {inferred}, specified: {wish.intent}"
            )
        return inferred

    def _check_ids(self, wish: Wish) -> None:
        if wish.client_order_id and self._book.ledger.named(wish.client_order_id) is not None:
            raise bad_field("client_order_id must be unique")

    def _check_market(self, wish: Wish) -> None:
        """Refuse auction orders at the wrong time, and exits beyond the market."""
        desk = self._book.desk
        if wish.time_in_force in ("opg", "cls"):
            self._check_auction(wish.time_in_force)
        if wish.order_class == "simple":
            return
        exit_side = wish.side if wish.order_class == "oco" else _other(wish.side)
        if wish.order_class != "oco" and wish.type == "limit":
            rules.check_exits(wish, exit_side, wish.limit)
        rules.check_exits(wish, exit_side, desk.last.get(wish.symbol))
        if wish.order_class == "oco":
            side = BUY if wish.side == "buy" else SELL
            if not closes(desk, wish.symbol, side):
                raise invalid("oco orders must be exit orders")

    def _check_auction(self, time_in_force: str) -> None:
        """Refuse an order for an auction in the hours in which Alpaca takes none."""
        now = self._book.now()
        day = new_york_date(now)
        session = nyse.session(day)
        if session is None:
            return
        evening = session.open + 9 * _HOUR + 30 * _MINUTE  # 19:00
        if time_in_force == "opg":
            closed, name = session.open - 2 * _MINUTE, "9:28am"
        else:
            closed, name = session.close - 10 * _MINUTE, "10 minutes before the close"
        if closed < now < evening:
            kind = time_in_force.upper()
            raise invalid(f"{kind} orders can not be submitted after {name} and before 7:00pm ET")

    def _check_account(self, wish: Wish, side: str, qty: int) -> None:
        desk = self._book.desk
        check_sides(desk, wish.symbol, side)
        check_wash(desk, wish, side, lambda order: self._row(order.broker_order_id).id)
        check_shares(desk, wish.symbol, side, qty)
        limit = wish.limit if wish.type in ("limit", "stop_limit") else wish.stop
        check_power(desk, self._settings.multiplier, wish.symbol, side, qty, limit)

    def _row(self, book_id: str) -> Row:
        row = self._book.ledger.live(book_id)
        assert row is not None
        return row

    def _give(
        self, wish: Wish, side: str, qty: int, intent: str, pieces: int, injected: str
    ) -> dict[str, object]:
        """Hand the order to the book; return what stood for it before it traded."""
        book = self._book
        name = wish.client_order_id or str(uuid.uuid4())
        legs = _legs(wish)
        message = _message(wish, name, side, qty, legs)
        facts = {name: {"order_class": wish.order_class, "intent": intent}}
        for leg in legs:
            leg_intent = intent if wish.order_class == "oco" else f"{_other(wish.side)}_to_close"
            facts[str(leg["client_order_id"])] = {
                "order_class": wish.order_class,
                "intent": leg_intent,
            }
        book.ledger.expect(facts)
        reply = book.trading.submit(message, pieces=pieces, injected=injected)
        if reply["outcome"] != "accepted" and not injected:
            raise invalid(str(reply["reason"]))
        return book.ledger.accepted_as(name)


def _message(
    wish: Wish, name: str, side: str, qty: int, legs: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Return the order in the book's words."""
    rate = None if wish.trail_percent is None else wish.trail_percent // 100
    limit = (wish.target or wish.limit) if wish.order_class == "oco" else wish.limit
    return {
        "client_order_id": name,
        "symbol": wish.symbol,
        "side": side,
        "quantity": qty,
        "type": _TYPES[wish.type],
        "limit": optional_text(limit),
        "stop": optional_text(wish.stop),
        "trail": optional_text(wish.trail_price),
        "trail_rate": optional_text(rate),
        "time_in_force": wish.time_in_force.upper(),
        "extended": wish.extended,
        "order_class": wish.order_class.upper(),
        "group_id": str(uuid.uuid4()) if legs else "",
        "legs": list(legs),
    }


def _legs(wish: Wish) -> list[dict[str, str | None]]:
    """Return the orders that come with it; the target of an OCO is the order itself."""
    legs: list[dict[str, str | None]] = []
    if wish.target is not None and wish.order_class != "oco":
        legs.append({"client_order_id": str(uuid.uuid4()), "limit": optional_text(wish.target)})
    if wish.loss_stop is not None:
        stop, limit = optional_text(wish.loss_stop), optional_text(wish.loss_limit)
        legs.append({"client_order_id": str(uuid.uuid4()), "stop": stop, "limit": limit})
    return legs


def _other(side: str) -> str:
    return "sell" if side == "buy" else "buy"
