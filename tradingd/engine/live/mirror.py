"""The engine's picture of the shim's orders: its cache, its portfolio, its order events.

Every order of a strategy has an engine order, wherever it was born. Those of the shim (entries,
protective stops, flattening, recovered ones) are made with the strategy's order factory under the
shim's id and handed to the engine, whose execution client knows them and sends nothing. Steps of
the shim then become the engine's events. Nothing here decides anything: the shim and the book are
the truth, and an error here costs the picture only.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from nautilus_trader.common import OrderFactory
from nautilus_trader.model import ClientOrderId, LiquiditySide, OrderSide, TradeId, VenueOrderId

from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill, Side
from tradingd.domain.trading import OrderEvent, Step
from tradingd.engine.live.wishes import engine_order, is_leg_of
from tradingd.engine.units import USD, money, price, shares
from tradingd.engine.venue import Verbs, instrument_id

log = logging.getLogger(__name__)

LEVELLING: Final = "LEVEL-"
"""Begins the ids of picture orders that bring the engine's position to the book's."""

_LONGEST_ID: Final = 36


class EngineSide(msgspec.Struct):
    """What the engine keeps for one strategy."""

    verbs: Verbs
    factory: OrderFactory


class Picture(msgspec.Struct):
    """One engine order and how much of its life the engine has been told."""

    order: Any
    strategy: str
    symbol: str
    legs: list[Any]
    broker_id: str = ""
    submitted: bool = False
    accepted: bool = False
    over: bool = False


class Mirror:
    """Keeps the engine's picture in step with the shim."""

    def __init__(self) -> None:
        self.failures = 0
        self.closed = 0
        self.client: Any = None
        self._strategies: dict[str, EngineSide] = {}
        self._names: dict[str, str] = {}
        self._pictures: dict[str, Picture] = {}
        self._shim_ids: dict[str, str] = {}
        self._shares: dict[tuple[str, str], int] = {}
        self._expected: dict[tuple[str, str], list[Any]] = {}
        self._levels = 0
        self._trades = 0

    # -- what the strategies' side tells ---------------------------------------------------------

    def add(self, strategy: str, verbs: Verbs, factory: OrderFactory) -> None:
        """Take a strategy's engine side, once it is registered."""
        self._strategies[strategy] = EngineSide(verbs, factory)
        self._names[factory.strategy_id.value] = strategy

    def name_of(self, strategy_id: str) -> str:
        """Return our name of a strategy by the engine's id; empty for what is not ours."""
        return self._names.get(strategy_id, "")

    def knows(self, order: Any) -> bool:
        """Tell whether an engine order is one of ours: the client must not send it again."""
        return order.client_order_id.value in self._shim_ids

    def shim_id(self, engine_id: str) -> str:
        """Return the shim's id of an order by either id."""
        return self._shim_ids.get(engine_id, engine_id)

    def adopt(self, order_id: str, strategy: str, orders: list[Any]) -> None:
        """Take engine orders that a strategy made: the first is the order, the rest its legs."""
        order = orders[0]
        symbol = order.instrument_id.symbol.value
        self._pictures[order_id] = Picture(order, strategy, symbol, list(orders[1:]))
        self._shim_ids[order.client_order_id.value] = order_id
        for leg in orders[1:]:
            self._shim_ids[leg.client_order_id.value] = ""

    def expect(self, strategy: str, symbol: str, stop: Any) -> None:
        """Take a strategy's native stop: the shim's next stop of the symbol is its life."""
        self._expected.setdefault((strategy, symbol), []).append(stop)
        self._shim_ids[stop.client_order_id.value] = ""

    def forget(self, stop: Any) -> None:
        """Expect a native stop no longer."""
        for stops in self._expected.values():
            stops[:] = [one for one in stops if one.client_order_id != stop.client_order_id]
        self._shim_ids.pop(stop.client_order_id.value, None)

    def drop(self, order_id: str) -> None:
        """Forget orders that were denied."""
        picture = self._pictures.pop(order_id)
        for order in (picture.order, *picture.legs):
            self._shim_ids.pop(order.client_order_id.value, None)

    # -- what the shim tells ---------------------------------------------------------------------

    def apply(self, event: OrderEvent) -> None:
        """Show the engine one step of an order."""
        row = event.order
        if event.step is Step.DENIED or row.strategy not in self._strategies:
            return
        picture = self._pictures.get(row.order_id) or self._begin(row, row.quantity)
        match event.step:
            case Step.SENT | Step.UNKNOWN:
                self._submit(picture)
            case Step.ACCEPTED | Step.RECOVERED:
                self._accept(picture, row)
            case Step.REPLACED:
                self._accept(picture, row)
                self._update(picture, row)
            case Step.FILL if event.fill is not None:
                self._accept(picture, row)
                self._fill(picture, event.fill, event.fill_id)
            case Step.REJECTED:
                self._submit(picture)
                self.client.generate_order_rejected(picture.order, event.detail, row.ts, False)
            case Step.CANCELED | Step.LOST | Step.WOULD_HAVE:
                self._accept(picture, row)
                self.client.generate_order_canceled(picture.order, _venue_id(picture), row.ts)
            case Step.EXPIRED:
                self._accept(picture, row)
                self.client.generate_order_expired(picture.order, _venue_id(picture), row.ts)
        if OrderState(row.state).final and not picture.over:
            self._over(row, picture)

    def recover(self, rows: Iterable[OrderRow]) -> None:
        """Show orders that an earlier process left: what is not filled of them."""
        for row in rows:
            if row.strategy in self._strategies and row.order_id not in self._pictures:
                picture = self._begin(row, max(1, row.quantity - row.filled))
                self._accept(picture, row)

    def level(self, strategy: str, symbol: str, held: int, at: Nanos, ts: int) -> None:
        """Bring the engine's position of a symbol to what the book holds.

        At start (positions that were recovered) and over splits. The order and its fill are
        pictures only; the strategy's handlers do not hear of them.
        """
        missing = held - self._shares.get((strategy, symbol), 0)
        parts = self._strategies.get(strategy)
        if not missing or parts is None:
            return
        self._levels += 1
        order_id = f"{LEVELLING}{self._levels}"
        order = parts.factory.market(
            instrument_id=instrument_id(symbol),
            order_side=OrderSide.BUY if missing > 0 else OrderSide.SELL,
            quantity=shares(abs(missing)),
            client_order_id=ClientOrderId(order_id),
            tags=["level with the book"],
        )
        self._shim_ids[order_id] = order_id
        parts.verbs.submit(order)
        picture = Picture(order, strategy, symbol, [], broker_id=order_id)
        self._pictures[order_id] = picture
        self._tell(picture, Side.BUY if missing > 0 else Side.SELL, abs(missing), at, 0, "", ts)
        picture.over = True
        self.closed += 1

    def position(self, strategy: str, symbol: str) -> int:
        """Return the signed shares that the engine has been told of."""
        return self._shares.get((strategy, symbol), 0)

    def echo(self, strategy: str, orders: list[Any]) -> None:
        """Hand a strategy's own orders to the engine; its client knows them."""
        verbs = self._strategies[strategy].verbs
        for order in orders:
            verbs.submit(order)

    def purge(self) -> None:
        """Forget pictures of orders that are over; a late fill then starts a new one."""
        over = [key for key, one in self._pictures.items() if one.over]
        for key in over:
            self.drop(key)
        self.closed = 0

    # -- private ---------------------------------------------------------------------------------

    def _begin(self, row: OrderRow, quantity: int) -> Picture:
        """Return the picture of an order born in the shim: a bracket's leg, or a new order."""
        leg = self._leg(row)
        if leg is not None:
            picture = Picture(leg, row.strategy, row.symbol, [])
        else:
            parts = self._strategies[row.strategy]
            order = engine_order(row, quantity, parts.factory)
            picture = Picture(order, row.strategy, row.symbol, [])
        self._pictures[row.order_id] = picture
        self._shim_ids[picture.order.client_order_id.value] = row.order_id
        if leg is None:
            self._strategies[row.strategy].verbs.submit(picture.order)
        return picture

    def _leg(self, row: OrderRow) -> Any:
        """Return the order of a strategy that a protective order of the shim stands for."""
        parent = self._pictures.get(row.parent_id)
        waiting = [] if parent is None else [parent.legs]
        waiting.append(self._expected.get((row.strategy, row.symbol), []))
        for legs in waiting:
            for index, leg in enumerate(legs):
                if is_leg_of(row, leg):
                    return legs.pop(index)
        return None

    def _submit(self, picture: Picture) -> None:
        if not picture.submitted:
            picture.submitted = True
            self.client.generate_order_submitted(picture.order)

    def _accept(self, picture: Picture, row: OrderRow) -> None:
        self._submit(picture)
        if not picture.accepted:
            picture.accepted = True
            picture.broker_id = row.broker_order_id or row.order_id
            self.client.generate_order_accepted(picture.order, _venue_id(picture), row.ts)

    def _update(self, picture: Picture, row: OrderRow) -> None:
        self.client.generate_order_updated(
            picture.order,
            _venue_id(picture),
            shares(row.quantity),
            None if row.limit is None else price(row.limit),
            None if row.stop is None else price(row.stop),
            None,
            row.ts,
        )

    def _fill(self, picture: Picture, fill: Fill, fill_id: str) -> None:
        self._tell(picture, fill.side, fill.quantity, fill.price, fill.commission, fill_id, fill.ts)

    def _tell(
        self,
        picture: Picture,
        side: Side,
        quantity: int,
        at: Nanos,
        commission: Nanos,
        fill_id: str,
        ts: int,
    ) -> None:
        if not picture.accepted:
            self._submit(picture)
            picture.accepted = True
            self.client.generate_order_accepted(picture.order, _venue_id(picture), ts)
        self._trades += 1
        trade = fill_id if 0 < len(fill_id) <= _LONGEST_ID else f"T-{self._trades}"
        self.client.generate_order_filled(
            picture.order,
            _venue_id(picture),
            None,
            TradeId(trade),
            shares(quantity),
            price(at),
            USD,
            money(commission),
            LiquiditySide.TAKER,
            ts,
        )
        key = picture.strategy, picture.symbol
        self._shares[key] = self._shares.get(key, 0) + side.sign * quantity

    def _over(self, row: OrderRow, picture: Picture) -> None:
        picture.over = True
        self.closed += 1
        for leg in picture.legs if not row.filled else ():
            # The entry never filled, so the protection that it asked for is never placed.
            self.client.generate_order_submitted(leg)
            self.client.generate_order_canceled(leg, None, row.ts)


def _venue_id(picture: Picture) -> VenueOrderId:
    return VenueOrderId(picture.broker_id or picture.order.client_order_id.value)
