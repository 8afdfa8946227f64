"""The base class of every strategy: what authors override, ask and say.

The engine calls handlers on the instance; `bind` puts guarded ones there, so an exception in any
of them ends the run, and a bar costs one call more than in a bare strategy.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from nautilus_trader.model import (
    Bar,
    BarType,
    BookType,
    StrategyId,
)
from nautilus_trader.trading import Strategy as EngineStrategy
from nautilus_trader.trading import StrategyConfig

from tradingd.config.strategy import StrategyBase
from tradingd.domain.advice import Advice
from tradingd.domain.market import Session
from tradingd.domain.money import SCALE, decimal
from tradingd.domain.orders import Fill, Side
from tradingd.engine.books.need import refuse_mismatch
from tradingd.engine.books.view import DepthView
from tradingd.engine.bound import Bound
from tradingd.engine.executions import HANDLERS as ORDER_HANDLERS
from tradingd.engine.led_verbs import LedVerbs
from tradingd.engine.venue import Verbs

HANDLERS = (
    "on_order_event",
    "on_order_initialized", "on_order_denied", "on_order_emulated", "on_order_released",
    "on_order_submitted", "on_order_rejected", "on_order_accepted", "on_order_expired",
    "on_order_triggered", "on_order_pending_update", "on_order_pending_cancel",
    "on_order_modify_rejected", "on_order_cancel_rejected", "on_order_updated",
    "on_order_canceled", "on_order_filled", "on_order_fill_voided", "on_position_opened",
    "on_position_event", "on_position_changed", "on_position_closed", "on_time_event", "on_data",
    "on_signal", "on_queue_state", "on_socket_state", "on_instrument", "on_quote", "on_trade",
    "on_book_deltas", "on_book_depth", "on_book", "on_mark_price", "on_index_price",
    "on_funding_rate", "on_instrument_status", "on_instrument_close", "on_option_greeks",
    "on_option_chain", "on_market_exit", "post_market_exit", "on_historical_data",
    "on_historical_quotes", "on_historical_trades", "on_historical_bars", "on_stop", "on_resume",
    "on_reset", "on_dispose", "on_degrade", "on_fault",
)  # fmt: skip
"""Engine handlers an author may override besides ours; all are guarded."""


class Strategy(LedVerbs):
    """Base class of strategies; the same class is meant for backtest, paper and live.

    Parameters
    ----------
    settings : StrategyBase
        The strategy's own configuration struct, of the class's `Settings` type.

    Notes
    -----
    Orders leave through `enter`, `exit` and `move_stop`, or through the engine's own verbs; both
    pass the gate. Prices given as float or Decimal are rounded to the symbol's tick, a limit to
    the side that is no worse for the order.
    """

    Settings: ClassVar[type[StrategyBase]] = StrategyBase

    def __init__(self, settings: Any) -> None:
        super().__init__(_engine_config(type(self).__name__, 1))
        self.settings = settings
        self.symbols: tuple[str, ...] = ()
        self._names: dict[BarType, str] = {}
        self._runtime: Bound

    # -- what authors override -------------------------------------------------------------------

    def on_begin(self) -> None:
        """Prepare: `symbols` is set, no bar has been seen."""

    def on_depth(self, book: DepthView) -> None:
        """Act on a symbol's order book as it is now; overriding it asks for a run over books."""

    def on_session_open(self, session: Session) -> None:
        """Act at a session's open, before its first bar."""

    def on_session_close(self, session: Session) -> None:
        """Act after the last bar of a session was delivered."""

    def on_split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Adjust own state to a split; tracked indicators have been rescaled."""

    def on_filled(self, fill: Fill) -> None:
        """Act on a fill; position and protective stop are up to date. Not called for splits."""

    def on_end(self) -> None:
        """Finish: the last bar has been delivered; orders sent now expire."""

    @classmethod
    def needs_books(cls) -> bool:
        """Tell whether this strategy trades on order books."""
        return cls.on_depth is not Strategy.on_depth

    # -- facts -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name on the records: the configuration's kind, or the class for a custom strategy."""
        tag = getattr(type(self.settings), "__struct_config__", None)
        label = getattr(tag, "tag", None)
        return label if isinstance(label, str) else type(self).__name__

    @property
    def clock(self) -> Any:
        """The engine's clock; callbacks given to its timers are guarded."""
        return self._runtime.clock

    @property
    def now(self) -> int:
        """Data time in UTC nanoseconds."""
        return self._runtime.now()

    @property
    def warming_up(self) -> bool:
        """True while a paper or live session shows bars of the past: no order leaves on them.

        Only what is done once, on a first bar, must wait for its end.
        """
        return self._runtime.warming_up

    @property
    def session(self) -> Session | None:
        """The session in progress, None outside regular hours."""
        return self._runtime.desk.session

    @property
    def minutes_to_close(self) -> float:
        """Minutes until the session closes; 0 outside a session."""
        session = self._runtime.desk.session
        return 0.0 if session is None else (session.close_ns - self.now) / 60e9

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at their last marks, in dollars."""
        return decimal(self._runtime.book.equity)

    def symbol_of(self, bar: Bar) -> str:
        """Return the symbol of a bar."""
        return self._names[bar.bar_type]

    def position(self, symbol: str) -> int:
        """Return the signed shares held."""
        line = self._runtime.book.position(symbol)
        return 0 if line is None else line.quantity

    def entry_price(self, symbol: str) -> float | None:
        """Return the average entry price, None when flat."""
        line = self._runtime.book.position(symbol)
        return None if line is None else line.average_price / SCALE

    def stop_price(self, symbol: str) -> float | None:
        """Return the price of the protective stop, None without one."""
        stop = self._runtime.stops.price(symbol)
        return None if stop is None else stop / SCALE

    def pending(self, symbol: str) -> bool:
        """Tell whether an entry or exit order is being worked, on its way or working."""
        return self._runtime.desk.pending(symbol)

    def advice(self, symbol: str) -> Advice:
        """Return what the served model says of a symbol, by the bars of this moment.

        Without a model, or where it has no opinion, an abstention that says why.
        """
        return self._runtime.advising.advice(symbol)

    # -- verbs -----------------------------------------------------------------------------------

    def enter(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        *,
        reason: str,
        stop: float | Decimal | None = None,
        limit: float | Decimal | None = None,
    ) -> str | None:
        """Open, enlarge or flip a position.

        Parameters
        ----------
        symbol : str
            One of `symbols`.
        side : Side
            BUY or SELL.
        quantity : int
            Shares, positive.
        reason : str
            Why; lands on the order, its fills and the round trip.
        stop : float or Decimal, optional
            Price of the protective stop that guards the whole position from the fill on.
        limit : float or Decimal, optional
            Limit price; None sends a market order, or works the order as `execution.style` says.

        Returns
        -------
        str or None
            The id of the order, of the worked one that its children name as their parent; None
            when the gate denied it (recorded with every limit).
        """
        desk = self._runtime.desk
        return desk.enter(
            symbol,
            side,
            quantity,
            reason=reason,
            stop=desk.rounded(symbol, stop),
            limit=desk.limit_price(symbol, side, limit),
        )

    def exit(
        self,
        symbol: str,
        *,
        reason: str,
        quantity: int | None = None,
        at_market: bool = False,
    ) -> str | None:
        """Close the position, or `quantity` shares of it; never more than is held.

        At the market, or as `execution.style` works exits; `at_market` does not wait for that.
        Before a market order the protective stop is cancelled (resized for a part). Returns None
        when there is nothing left to close or the gate denied it.
        """
        if at_market:
            return self._runtime.native.close(symbol, reason, quantity)
        return self._runtime.desk.exit(symbol, reason=reason, quantity=quantity)

    def move_stop(self, symbol: str, stop: float | Decimal, *, reason: str) -> None:
        """Move the protective stop of a position, or set the first one."""
        self._runtime.native.move_stop(symbol, stop, reason)

    def cancel(self, order_id: str) -> None:
        """Ask for the cancellation of an order that `enter` or `exit` returned."""
        self._runtime.native.cancel(order_id)

    def track(self, symbol: str, *indicators: Any) -> None:
        """Have `rescale(factor)` called on indicators of a symbol when it splits."""
        self._runtime.track(symbol, indicators)

    # -- wiring ----------------------------------------------------------------------------------

    def number(self, position: int) -> None:
        """Take a place among several strategies, before `bind`; the engine asks for one."""
        super().__init__(_engine_config(type(self).__name__, position))

    def bind(self, runtime: Bound) -> None:
        """Connect to a run and put guarded handlers on this instance."""
        books = runtime.books
        refuse_mismatch(self.name, needs_books=self.needs_books(), has_books=books is not None)
        self._runtime = runtime
        self.symbols = tuple(runtime.bar_types if books is None else books.ids.values())
        self._names = {bar_type: symbol for symbol, bar_type in runtime.bar_types.items()}
        for handler in HANDLERS:
            if self._overrides(handler):
                self._put(handler, runtime.guard(getattr(self, handler), handler))
        on_bar, symbol_of = runtime.bar_handlers(self._names, self.on_bar)
        self._put("symbol_of", symbol_of)
        self._put("on_bar", on_bar)
        if books is not None:
            self._put("on_book_depth", books.handler(self.on_depth))
        for handler in ORDER_HANDLERS:
            own = getattr(self, handler) if self._overrides(handler) else None
            self._put(handler, runtime.event_handler(own))
        runtime.faults.on_fault(self._silence)

    def fill_handler(
        self, guard: Callable[[Callable[..., Any], str], Callable[..., None]]
    ) -> Callable[[Fill], None] | None:
        """Return the guarded `on_filled`, None where the author did not write one."""
        if type(self).on_filled is Strategy.on_filled:
            return None
        return guard(self.on_filled, "on_filled")

    def on_start(self) -> None:
        """Subscribe to the bars and begin (called by the engine)."""
        runtime = self._runtime
        runtime.guard(lambda: self._start(runtime), "on_begin")()

    def _start(self, runtime: Bound) -> None:
        verbs = Verbs(
            super(LedVerbs, self).submit_order,
            super(LedVerbs, self).submit_order_list,
            super(LedVerbs, self).modify_order,
            super(LedVerbs, self).cancel_order,
        )
        runtime.connect(verbs, self.order_factory, super().clock)
        for bar_type in runtime.bar_types.values():
            self.subscribe_bars(bar_type)
        for book in () if runtime.books is None else runtime.books.ids:
            self.subscribe_book_depth(book, BookType.L2_MBP)
        self.on_begin()
        runtime.begin()

    def _overrides(self, handler: str) -> bool:
        own = getattr(type(self), handler, None)
        return own is not None and own is not getattr(EngineStrategy, handler, None)

    def _put(self, handler: str, function: Callable[..., Any]) -> None:
        setattr(self, handler, function)

    def _silence(self) -> None:
        """Take no more events: the run has failed."""
        self._put("on_bar", self._runtime.after_fault)
        self._put("on_book_depth", self._runtime.after_fault)


def _engine_config(name: str, position: int) -> StrategyConfig:
    return StrategyConfig(
        strategy_id=StrategyId(f"{name}-{position:03d}"), log_events=False, log_commands=False
    )
