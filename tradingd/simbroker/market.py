"""What a market message does: expiry, matching of resting orders, new prices."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tradingd.simbroker.amounts import BadRequest, parse
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import (
    Bar,
    Quote,
    limit_in_bar,
    reaches_stop,
    stop_in_bar,
    touch_price,
    within_limit,
)
from tradingd.simbroker.orders import BUY, DAY, EXPIRED, STOP_LIMIT, Order, whole_field
from tradingd.simbroker.session import new_york_day

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
        self._participation = participation_percent

    def message(self, message: Message) -> Reply:
        """Take a batch of bars and quotes of one moment.

        A symbol that has been told for this time already is skipped, so a batch may be told
        again; time that goes back is refused.
        """
        ts = whole_field(message, "ts")
        if ts < self._desk.now:
            raise BadRequest(f"market time goes back from {self._desk.now} to {ts}")
        bars = [_bar(item) for item in _items(message, "bars")]
        quotes = [_quote(item) for item in _items(message, "quotes")]
        self._expire(new_york_day(ts))
        self._desk.set_time(ts)
        told = [bar for bar in bars if self._desk.seen.get(bar.symbol, -1) < ts]
        waiting = set(self._desk.symbols_with_orders())
        for bar in told:
            if bar.symbol in waiting:
                self._match(bar)
            self._desk.last[bar.symbol] = bar.close
            self._desk.seen[bar.symbol] = ts
            self._desk.quotes.pop(bar.symbol, None)
        for symbol, quote in quotes:
            self._take_quote(symbol, quote, ts)
        self._keep_prices({bar.symbol for bar in told} | {symbol for symbol, _ in quotes})
        return {"skipped": len(bars) - len(told)}

    def session_close(self) -> Reply:
        """End the session: every working DAY order expires."""
        return {"expired": self._end([order for order in self._desk.working() if _day(order)])}

    def _expire(self, day: int) -> None:
        over = []
        for order in self._desk.working():
            if _day(order) and order.day == 0:
                order.day = day
                self._desk.store.save_order(order)
            elif _day(order) and order.day < day:
                over.append(order)
        self._end(over)

    def _end(self, orders: Sequence[Order]) -> int:
        for order in orders:
            self._desk.finish(order, EXPIRED, "end of the session")
        return len(orders)

    def _match(self, bar: Bar) -> None:
        """Fill what a bar fills: market orders, then stops, then limits.

        A bar does not tell its path. When it reaches a stop and a limit of the same side, the
        stop comes first and the limit waits for the next bar: its owner had the time between.
        """
        desk, left = self._desk, self._allowance(bar)
        working = desk.working(bar.symbol)
        stops = [order for order in working if order.waits_for_stop]
        limits = [o for o in working if not o.waits_for_stop and not o.takes_any_price]
        for order in working:
            if order.takes_any_price:
                left -= desk.execute(order, desk.spread.against(order, bar.open), left)
        stopped = set()
        for order in stops:
            elected = stop_in_bar(order, bar)
            if elected is not None:
                stopped.add(order.side)
                left -= self._elect(order, elected, left)
        for order in limits:
            price = limit_in_bar(order, bar)
            if price is not None and order.side not in stopped:
                left -= desk.execute(order, price, left)

    def _elect(self, order: Order, elected: int, left: int) -> int:
        order.triggered = 1
        price = self._desk.spread.against(order, elected)
        if order.type == STOP_LIMIT and not within_limit(order, price):
            self._desk.changed(order)
            return 0
        filled = self._desk.execute(order, price, left)
        if not filled:
            self._desk.changed(order)
        return filled

    def _allowance(self, bar: Bar) -> int:
        if not self._participation:
            return 10**15
        return int(bar.volume * self._participation / 100)

    def _take_quote(self, symbol: str, quote: Quote, ts: int) -> None:
        """Fill what a quote reaches; a resting limit gets its own price, it was there first."""
        desk = self._desk
        desk.quotes[symbol] = quote
        desk.last.setdefault(symbol, (quote.bid + quote.ask) // 2)
        desk.seen.setdefault(symbol, ts - 1)
        for order in desk.working(symbol):
            price = touch_price(order, quote)
            if order.waits_for_stop:
                if reaches_stop(order, quote.ask if order.side == BUY else quote.bid):
                    self._elect_at_quote(order, price)
            elif order.takes_any_price:
                desk.execute(order, price)
            elif within_limit(order, price):
                assert order.limit_price is not None
                desk.execute(order, order.limit_price)

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


def _day(order: Order) -> bool:
    return order.time_in_force == DAY


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
