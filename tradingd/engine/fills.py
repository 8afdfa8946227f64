"""At what price an order fills: the touch price of its bar, slippage, and how much of it.

What a simulated order gets, for an order that arrives at a and a bar that spans (start, end]:

=====================  ==========================================================================
arrives inside a bar   market: the bar's open. Stop already through the open: the open. Limit at
                       or better than the open: the open, never worse than the limit.
rests while it forms   stop: the trigger price, or the open when the bar opens beyond it (a gap).
                       Limit: the limit price, or the open when the bar opens better. Either at
                       the bar's end, and only at a price that the bar really traded.
arrives at its close   market: the close. So does the stop of an entry that rested until then.
arrives between bars   nothing: what is sent then waits for the next bar. Only without latency,
                       at the close seen last (it flatters).
=====================  ==========================================================================

The engine compares orders with the last price it saw, which is stale from the end of one bar to the
end of the next: it asks for fills that the bar itself does not support. Those get no level here.

Slippage is added to market, stop and at once marketable limit orders, always against the order,
in whole ticks; a resting limit gets none, and no limit fills worse than its price. Together the
fills in one bar take at most the participation cap of its volume.
"""

from collections.abc import Callable
from typing import Any

from nautilus_trader.execution import FillModel
from nautilus_trader.model import BookOrder, BookType, OrderBook, OrderSide, Price

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Purpose, Side
from tradingd.engine.faults import Faults
from tradingd.engine.liquidity import UNLIMITED, Liquidity
from tradingd.engine.observer import Observer
from tradingd.engine.tape import Tape, TapeBar
from tradingd.engine.ticket import Stage, Ticket
from tradingd.engine.units import nanos_of, price, shares


class VenueFills(FillModel):
    """Gives the matching engine, for each fill, a book of one level at our price and size."""

    def __new__(cls, *_args: object, **_kwargs: object) -> "VenueFills":
        """Construct the engine's part, which takes no arguments."""
        made: VenueFills = super().__new__(cls)
        return made

    def __init__(
        self,
        *,
        tape: Tape,
        liquidity: Liquidity,
        observer: Observer,
        ticks: dict[str, Nanos],
        tickets: dict[str, Ticket],
        faults: Faults,
        now: Callable[[], int],
        prompt: bool,
    ) -> None:
        self._prompt = prompt
        self._tape = tape
        self._liquidity = liquidity
        self._observer = observer
        self._ticks = ticks
        self._tickets = tickets
        self._faults = faults
        self._now = now

    def is_limit_filled(self) -> bool:
        """Fill limits that are touched: one bar does not say who stood first in the queue."""
        return True

    def is_slipped(self) -> bool:
        """Never let the engine add a tick of its own."""
        return False

    def fill_limit_inside_spread(self) -> bool:
        """Keep the engine's default for quotes; bars have no spread."""
        return False

    def get_orderbook_for_fill_simulation(
        self, instrument: Any, order: Any, best_bid: Price | None = None, best_ask: Any = None
    ) -> OrderBook:
        """Return the liquidity that this order meets now, possibly none."""
        book = OrderBook(instrument.id, BookType.L2_MBP)
        try:
            level = self._level(self._tickets[order.client_order_id.value], order, best_bid)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it
            self._faults.record("fill model", self._now(), error, engine=True)
            return book
        if level is not None:
            against = OrderSide.SELL if order.side == OrderSide.BUY else OrderSide.BUY
            book.add(BookOrder(against, price(level[0]), shares(level[1]), 1), 0, 0, 0)
        return book

    def _level(self, ticket: Ticket, order: Any, close: Price | None) -> tuple[Nanos, int] | None:
        """Return (price, size) of the only level, or None where nothing trades."""
        if ticket.purpose is Purpose.CORPORATE:
            ticket.touch = 0
            return 0, UNLIMITED
        now = self._now()
        bar = ticket.bar = self._tape.bar_until(ticket.symbol, now)
        last = nanos_of(close) if close is not None else 0
        trigger = ticket.stop if ticket.disguised else trigger_of(order)
        ticket.starved = not ticket.disguised
        found = touch_price(ticket, trigger, bar, now, last, prompt=self._prompt)
        if found is None:
            return None
        if ticket.worked and bar is not None and self._stop_first(ticket, bar, found[0]):
            return None
        ticket.elected = ticket.elected or trigger is not None
        size = self._liquidity.available(ticket.symbol, bar)
        if size <= 0:
            return None
        ticket.starved = False
        touch, resting = found
        ticket.touch = touch
        if resting and ticket.limit is not None:
            return touch, size
        return self._slipped(ticket, touch), size

    def _stop_first(self, ticket: Ticket, bar: TapeBar, price: Nanos) -> bool:
        """Tell whether a bar that reaches a worked exit's limit also reaches the position's stop.

        A bar does not tell its path; the engine's own walk would give a sale its high first.
        """
        if ticket.purpose is not Purpose.EXIT or price != ticket.limit:
            return False
        return any(
            other.purpose is Purpose.PROTECT
            and other.symbol == ticket.symbol
            and other.stop is not None
            and other.stage is Stage.WORKING
            and (bar.low <= other.stop if ticket.side is Side.SELL else bar.high >= other.stop)
            for other in self._tickets.values()
        )

    def _slipped(self, ticket: Ticket, touch: Nanos) -> Nanos:
        symbol, tick = ticket.symbol, self._ticks[ticket.symbol]
        self._observer.catch_up(symbol, self._now() if ticket.bar is None else ticket.bar.end)
        cost = self._observer.slippage.per_share(symbol, touch, tick)
        slipped = touch + ticket.side.sign * cost
        if ticket.limit is not None:
            slipped = worse(ticket.side, ticket.limit, slipped, better=True)
        return max(min(tick, touch), slipped)


def touch_price(
    ticket: Ticket,
    trigger: Nanos | None,
    bar: TapeBar | None,
    now: int,
    close: Nanos,
    *,
    prompt: bool = False,
) -> tuple[Nanos, bool] | None:
    """Return the price before slippage and whether the order was resting; None: no trade.

    `bar` is the first that ends now or later, `close` the engine's last price, `prompt` a run
    without latency. See the table in this module's docstring.
    """
    if 0 <= ticket.arrived < now:
        resting = _resting_price(ticket, trigger, bar, now)
        return None if resting is None else (resting, True)
    if not prompt and (bar is None or now <= bar.start):
        return None
    market = close
    if bar is not None and bar.start < now < bar.end:
        market = bar.open
    elif bar is not None and now == bar.end and trigger is not None:
        # The stop of an entry that filled as the bar was matched: the engine is half way through.
        market = bar.close
    for bound, sign in ((ticket.limit, 1), (trigger, -1)):
        if bound is not None and (market - bound) * ticket.side.sign * sign > 0:
            return None
    return market, False


def _resting_price(
    ticket: Ticket, trigger: Nanos | None, bar: TapeBar | None, now: int
) -> Nanos | None:
    """Return what an order that stood through a bar gets at its end; None: not touched."""
    if bar is None or now != bar.end:
        return None
    found = bar.open if trigger is None else worse(ticket.side, bar.open, trigger)
    if ticket.limit is None:
        return found if bar.low <= found <= bar.high else None
    if not bar.low <= found <= bar.high:
        if ticket.arrived > bar.start:
            return None
        # A stop-limit is asked about only once triggered: by a bar before this one.
        found = bar.open
    found = worse(ticket.side, found, ticket.limit, better=True)
    return found if bar.low <= found <= bar.high else None


def worse(side: Side, first: Nanos, second: Nanos, *, better: bool = False) -> Nanos:
    """Return the price that is worse (or better) for an order of this side."""
    higher = (side is Side.BUY) is not better
    return max(first, second) if higher else min(first, second)


def trigger_of(order: Any) -> Nanos | None:
    """Return the trigger price of an engine order that has one (trailing stops move it)."""
    trigger = getattr(order, "trigger_price", None)
    return None if trigger is None else nanos_of(trigger)
