"""What a strategy asks of its run; the backtest and the live engine both offer it."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from nautilus_trader.model import Bar, BarType, InstrumentId

from tradingd.domain.advice import Advice
from tradingd.domain.market import Session
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side
from tradingd.engine.books.view import DepthView
from tradingd.engine.venue import Verbs


class Held(Protocol):
    """A position."""

    @property
    def quantity(self) -> int:
        """Signed shares."""
        ...

    @property
    def average_price(self) -> Nanos:
        """Average entry price."""
        ...


class BoundBook(Protocol):
    """The account as the strategy may see it."""

    @property
    def equity(self) -> Nanos:
        """Cash plus positions at their last marks."""
        ...

    def position(self, symbol: str) -> Held | None:
        """Return the open position of a symbol, None when flat."""
        ...


class BoundDesk(Protocol):
    """Takes the strategy's own verbs."""

    @property
    def session(self) -> Session | None:
        """The session in progress."""
        ...

    def pending(self, symbol: str) -> bool:
        """Tell whether an entry or an exit is on its way or working."""
        ...

    def limit_price(self, symbol: str, side: Side, value: Any) -> Nanos | None:
        """Return a limit a strategy gave, on the symbol's tick and never worse for the order."""
        ...

    def rounded(self, symbol: str, value: Any) -> Nanos | None:
        """Return a price on the symbol's tick."""
        ...

    def enter(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        *,
        reason: str,
        stop: Nanos | None,
        limit: Nanos | None,
    ) -> str | None:
        """Send an entry; return its id, None when it was denied."""
        ...

    def exit(self, symbol: str, *, reason: str, quantity: int | None) -> str | None:
        """Close a position or a part of it."""
        ...


class BoundStops(Protocol):
    """Knows the protective stops."""

    def price(self, symbol: str) -> Nanos | None:
        """Return the price of the stop that guards a symbol."""
        ...


class BoundNative(Protocol):
    """Takes the engine's own verbs, and those that name an order."""

    def submit(self, order: Any, **options: Any) -> None:
        """Send an engine order."""
        ...

    def submit_list(self, order_list: Any, **options: Any) -> None:
        """Send a list of engine orders."""
        ...

    def modify(self, order_id: str, quantity: Any, price: Any, trigger: Any) -> None:
        """Change an order."""
        ...

    def cancel(self, order_id: str) -> None:
        """Cancel an order."""
        ...

    def cancel_all(self, symbol: str, side: Any) -> None:
        """Cancel the open orders of a symbol."""
        ...

    def close(self, symbol: str, reason: str, quantity: int | None) -> str | None:
        """Close a position at the market, or a part of it."""
        ...

    def market_exit(self) -> None:
        """Cancel entries, close positions."""
        ...

    def move_stop(self, symbol: str, stop: float | Decimal, reason: str) -> None:
        """Set or move a protective stop."""
        ...

    def on_side(self, held: int, side: Any) -> bool:
        """Tell whether a position is on an engine position side."""
        ...


class BoundFaults(Protocol):
    """Keeps the first exception."""

    def on_fault(self, action: Callable[[], None]) -> None:
        """Call `action` once, when the first exception arrives."""
        ...


class BoundAdvising(Protocol):
    """Asks the served model."""

    def advice(self, symbol: str) -> Advice:
        """Return its opinion by the bars of this moment, or why there is none."""
        ...


class Books(Protocol):
    """The order books of a run."""

    @property
    def ids(self) -> Mapping[InstrumentId, str]:
        """Symbols by the engine's ids."""
        ...

    def handler(self, on_depth: Callable[[DepthView], None]) -> Callable[[Any], None]:
        """Return what the engine calls for every book."""
        ...


class Bound(Protocol):
    """One run, as a strategy instance is bound to it."""

    @property
    def bar_types(self) -> Mapping[str, BarType]:
        """The engine's bar type of every symbol the strategy trades."""
        ...

    @property
    def books(self) -> Books | None:
        """The order books the strategy hears of; None where there are none."""
        ...

    @property
    def clock(self) -> Any:
        """The clock the strategy sees; its callbacks are guarded."""
        ...

    @property
    def now(self) -> Callable[[], int]:
        """Returns data time, UTC ns."""
        ...

    @property
    def warming_up(self) -> bool:
        """Whether bars of the past are shown, on which no order leaves."""
        ...

    @property
    def book(self) -> BoundBook:
        """Positions and equity."""
        ...

    @property
    def desk(self) -> BoundDesk:
        """Entries and exits."""
        ...

    @property
    def stops(self) -> BoundStops:
        """Protective stops."""
        ...

    @property
    def native(self) -> BoundNative:
        """The engine's own verbs."""
        ...

    @property
    def advising(self) -> BoundAdvising:
        """The served model."""
        ...

    @property
    def faults(self) -> BoundFaults:
        """The first exception."""
        ...

    @property
    def after_fault(self) -> Callable[[Any], None]:
        """What hears bars once the strategy has failed."""
        ...

    def connect(self, verbs: Verbs, factory: Any, clock: Any) -> None:
        """Take the engine's side once the strategy is registered."""
        ...

    def begin(self) -> None:
        """Start the clockwork: the strategy is ready."""
        ...

    def guard(self, function: Callable[..., Any], handler: str) -> Callable[..., None]:
        """Wrap the strategy's code so that its exceptions are captured."""
        ...

    def bar_handlers(
        self, names: dict[BarType, str], on_bar: Callable[[Bar], None]
    ) -> tuple[Callable[[Bar], None], Callable[[Bar], str]]:
        """Return what the engine calls for every bar, and the strategy's `symbol_of`."""
        ...

    def event_handler(self, user: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """Return what the engine calls for an order event."""
        ...

    def track(self, symbol: str, indicators: Iterable[Any]) -> None:
        """Rescale these indicators when the symbol splits."""
        ...
