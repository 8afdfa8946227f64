"""What a market message does: expiry, matching of resting orders, new prices."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tradingd.simbroker.amounts import BadRequest, parse
from tradingd.simbroker.arrival import arrive, end_at_once, reference_price
from tradingd.simbroker.bars import Bars, Moment
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import Bar, Quote, reaches_stop, touch_price, within_limit
from tradingd.simbroker.orders import (
    AT_ONCE,
    AUCTIONS,
    CANCELED,
    CLS,
    DAY,
    EXPIRED,
    TRAILING_STOP,
    Order,
    whole_field,
)
from tradingd.simbroker.session import new_york_day
from tradingd.simbroker.trailing import follow

type Message = Mapping[str, object]
type Reply = dict[str, object]


class Market:
    """Feeds bars and quotes to the desk.

    Parameters
    ----------
    desk : Desk
        The broker's state.
    participation_percent : int or Decimal
        Share of a bar's volume that may be filled per symbol; 0: no bound.
    """

    def __init__(self, desk: Desk, *, participation_percent: int | Decimal) -> None:
        self._desk = desk
        self._bars = Bars(desk, participation_percent=participation_percent)

    def message(self, message: Message) -> Reply:
        """Take a batch of bars and quotes of one moment.

        A symbol that has been told for this time already is skipped, so a batch may be told
        again; time that goes back is refused.
        """
        desk = self._desk
        ts = whole_field(message, "ts")
        if ts < desk.now:
            raise BadRequest(f"market time goes back from {desk.now} to {ts}")
        bars = [_bar(item) for item in _items(message, "bars")]
        quotes = [_quote(item) for item in _items(message, "quotes")]
        moment = Moment.at(desk, ts)
        self._expire(new_york_day(ts), moment)
        desk.set_time(ts)
        told = [bar for bar in bars if desk.seen.get(bar.symbol, -1) < ts]
        waiting = set(desk.symbols_with_orders())
        for bar in told:
            if bar.symbol in waiting:
                self._bars.match(bar, moment)
            desk.last[bar.symbol] = bar.close
            desk.seen[bar.symbol] = ts
            desk.quotes.pop(bar.symbol, None)
            # What a fill of this bar let work has missed the bar: it arrives at its end.
            for order in desk.take_activated():
                arrive(desk, order)
        for symbol, quote in quotes:
            self._take_quote(symbol, quote, moment)
        self._keep_prices({bar.symbol for bar in told} | {symbol for symbol, _ in quotes})
        return {"skipped": len(bars) - len(told)}

    def session_close(self) -> Reply:
        """End the session: every working DAY order expires, what waited for the close is over."""
        over = [order for order in self._desk.working() if order.time_in_force in (DAY, CLS)]
        return {"expired": self._end(over)}

    def _expire(self, day: int, moment: Moment) -> None:
        over = []
        for order in self._desk.working():
            if order.time_in_force not in (DAY, *AUCTIONS):
                continue
            if order.day == 0:
                if moment.trades(order):
                    order.day = day
                    self._desk.store.save_order(order)
            elif order.day < day:
                over.append(order)
        self._end(over)

    def _end(self, orders: Sequence[Order]) -> int:
        """End orders as their time in force says; those tied to them end with them."""
        ended = [order for order in orders if order.open]
        for order in ended:
            if order.open:
                status = CANCELED if order.time_in_force in AUCTIONS else EXPIRED
                self._desk.finish(order, status, "end of the session")
        return len(ended)

    def _take_quote(self, symbol: str, quote: Quote, moment: Moment) -> None:
        """Fill what a quote reaches; a resting limit gets its own price, it was there first."""
        desk = self._desk
        desk.quotes[symbol] = quote
        desk.last.setdefault(symbol, (quote.bid + quote.ask) // 2)
        desk.seen.setdefault(symbol, moment.ts - 1)
        for order in desk.working(symbol):
            if order.open and moment.trades(order) and order.time_in_force not in AUCTIONS:
                self._quoted(order, touch_price(order, quote), reference_price(desk, order))
        for order in desk.take_activated():
            arrive(desk, order)

    def _quoted(self, order: Order, price: int, reference: int) -> None:
        if order.type == TRAILING_STOP and follow(order, reference):
            self._desk.restated(order)
        if order.waits_for_stop:
            if reaches_stop(order, reference):
                self._elect_at_quote(order, price)
        elif order.takes_any_price:
            self._desk.execute(order, price)
        elif within_limit(order, price):
            assert order.limit_price is not None
            self._desk.execute(order, order.limit_price)
        if order.time_in_force in AT_ONCE:
            end_at_once(self._desk, order)

    def _elect_at_quote(self, order: Order, price: int) -> None:
        order.triggered = 1
        if order.takes_any_price or within_limit(order, price):
            self._desk.execute(order, price)
        else:
            self._desk.changed(order)

    def _keep_prices(self, symbols: set[str]) -> None:
        desk = self._desk
        rows = []
        for symbol in sorted(symbols):
            bid, ask = desk.quotes.get(symbol, (None, None))
            rows.append((symbol, desk.last[symbol], bid, ask, desk.seen[symbol]))
        desk.store.replace("prices", rows, 5)


def _items(message: Message, name: str) -> list[object]:
    items = message.get(name, [])
    if not isinstance(items, list):
        raise BadRequest(f"{name} must be a list")
    return items


def _bar(item: object) -> Bar:
    match item:
        case [str(symbol), opened, high, low, close, int(volume)] if symbol and volume >= 0:
            prices = [parse(value, f"{symbol} price") for value in (opened, high, low, close)]
            bar = Bar(symbol, prices[0], prices[1], prices[2], prices[3], volume)
            if 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
                return bar
    raise BadRequest(f"not a bar [symbol, open, high, low, close, volume]: {item!r}")


def _quote(item: object) -> tuple[str, Quote]:
    match item:
        case [str(symbol), bid, ask] if symbol:
            quote = Quote(parse(bid, f"{symbol} bid"), parse(ask, f"{symbol} ask"))
            if 0 < quote.bid <= quote.ask:
                return symbol, quote
    raise BadRequest(f"not a quote [symbol, bid, ask]: {item!r}")
