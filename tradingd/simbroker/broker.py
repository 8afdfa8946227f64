"""One request in, one reply out: the table of operations over desk, trading, market, actions."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from tradingd.simbroker.actions import Actions
from tradingd.simbroker.amounts import BadRequest, text
from tradingd.simbroker.desk import Desk, EventLine, adjustment_view
from tradingd.simbroker.market import Market
from tradingd.simbroker.orders import text_field, whole_field
from tradingd.simbroker.trading import Trading

VERSION: Final = 1
"""Version of the wire contract."""

COMMANDS: Final = ("submit", "replace", "cancel")

type Message = Mapping[str, object]
type Reply = dict[str, object]


class Broker:
    """Carries out requests, each in one transaction of the store.

    Parameters
    ----------
    desk : Desk
        The broker's state, loaded.
    account_id : str
        Name of the account.
    unique_ids : bool
        Reject client order ids that were used before.
    participation_percent : int or Decimal
        Share of a bar's volume that may be filled; 0: no bound.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        account_id: str,
        unique_ids: bool,
        participation_percent: int | Decimal,
    ) -> None:
        self._desk = desk
        self._account_id = account_id
        self._trading = Trading(desk, unique_ids=unique_ids)
        self._market = Market(desk, participation_percent=participation_percent)
        self._actions = Actions(desk)
        self._changes: dict[str, Callable[[Message], Reply]] = {
            "cancel_all": lambda _: self._trading.cancel_all(),
            "market": self._market.message,
            "session_close": lambda _: self._market.session_close(),
            "corporate_action": self._actions.corporate_action,
            "adjust": self._actions.adjust,
        }
        self._questions: dict[str, Callable[[Message], Reply]] = {
            "hello": self._account,
            "account": self._account,
            "order": self._order,
            "open_orders": self._open_orders,
            "orders": self._all_orders,
            "fills": self._fills,
            "adjustments": self._adjustments,
            "positions": self._positions,
            "ping": lambda _: {},
        }

    @property
    def seq(self) -> int:
        """Number of the last event."""
        return self._desk.seq

    def handle(self, op: str, message: Message, *, pieces: int = 0, injected: str = "") -> Reply:
        """Carry out one request; what it changed is committed when this returns.

        Raises
        ------
        BadRequest
            When the request makes no sense; nothing has changed then.
        """
        question = self._questions.get(op)
        if question is not None:
            return question(message)
        try:
            with self._desk.store.transaction():
                return self._change(op, message, pieces, injected)
        except BaseException:
            self._desk.load()  # memory may be ahead of what was rolled back
            raise

    def _change(self, op: str, message: Message, pieces: int, injected: str) -> Reply:
        match op:
            case "submit":
                return self._trading.submit(message, pieces=pieces, injected=injected)
            case "replace":
                return self._trading.replace(message, injected=injected)
            case "cancel":
                return self._trading.cancel(message, injected=injected)
        change = self._changes.get(op)
        if change is None:
            raise BadRequest(f"unknown op {op!r}")
        return change(message)

    def take_events(self) -> list[EventLine]:
        """Return the events that were committed since the last call."""
        return self._desk.take_events()

    def _account(self, _: Message) -> Reply:
        desk = self._desk
        return {
            "version": VERSION,
            "account": self._account_id,
            "store": desk.store_id,
            "cash": text(desk.account.cash),
            "equity": text(desk.account.equity(desk.last)),
            "market_ts": desk.now,
        }

    def _order(self, message: Message) -> Reply:
        found = self._trading.named(text_field(message, "client_order_id"))
        return {"orders": [order.view() for order in found]}

    def _open_orders(self, _: Message) -> Reply:
        return {"orders": [order.view() for order in self._desk.working()]}

    def _all_orders(self, _: Message) -> Reply:
        return {"orders": [order.view() for order in self._desk.store.orders()]}

    def _fills(self, message: Message) -> Reply:
        since = whole_field(message, "since", default=0)
        names = ("fill_id", "client_order_id", "broker_order_id", "symbol", "side", "quantity")
        query = f"SELECT {','.join(names)}, price, commission, ts FROM fills WHERE ts >= ?"
        fills = []
        for row in self._desk.store.rows(query + " ORDER BY number", (since,)):
            price, commission, ts = row[-3:]
            amounts = {"price": text(int(str(price))), "commission": text(int(str(commission)))}
            fills.append(dict(zip(names, row[:-3], strict=True)) | amounts | {"ts": ts})
        return {"fills": fills}

    def _adjustments(self, message: Message) -> Reply:
        since = whole_field(message, "since", default=0)
        query = "SELECT * FROM adjustments WHERE ts >= ? ORDER BY number"
        rows = self._desk.store.rows(query, (since,))
        return {"adjustments": [adjustment_view(row) for row in rows]}

    def _positions(self, _: Message) -> Reply:
        account = self._desk.account
        return {
            "positions": [
                {
                    "symbol": symbol,
                    "quantity": quantity,
                    "average_price": text(account.average(symbol)),
                }
                for symbol, (quantity, _) in sorted(account.positions.items())
            ]
        }
