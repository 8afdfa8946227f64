"""What one live strategy is bound to."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nautilus_trader.model import Bar, BarType

from tradingd.engine.advising import Advising
from tradingd.engine.faults import Faults
from tradingd.engine.live.bars import Delivery
from tradingd.engine.live.clock import LiveClock
from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.mirror import LEVELLING, Mirror
from tradingd.engine.live.native import LiveNative
from tradingd.engine.live.present import Present
from tradingd.engine.live.working import OwnedBook, OwnedStops
from tradingd.engine.strategy import Strategy
from tradingd.engine.units import RAW_PER_NANO
from tradingd.engine.venue import Verbs
from tradingd.engine.worked import WorkedDesk, WorkedNative
from tradingd.execution.floor import Floor

_PICTURES = ("on_order_", "on_position_")


class LiveRuntime:
    """One strategy's parts; an exception in its code silences it and nobody else.

    Parameters
    ----------
    name : str
        The strategy's name.
    bar_types : Mapping[str, BarType]
        Symbols it trades.
    desk, native, stops, book, mirror, delivery, present : parts of the session
        `desk` and `book` are its own, the rest is shared.
    on_fault : Callable
        Told of the first exception, with the strategy's name.
    on_timer : Callable
        Called by the engine's one second timer, on the strategy's turn.
    advising : Advising
        Asks the session's model.
    floor : Floor, optional
        Works its orders; None where they go as they are.
    exits_rest : bool
        Whether exits may be worked as limits.
    """

    books = None

    def __init__(
        self,
        *,
        name: str,
        bar_types: Mapping[str, BarType],
        desk: LiveDesk,
        native: LiveNative,
        stops: OwnedStops,
        book: OwnedBook,
        mirror: Mirror,
        delivery: Delivery,
        present: Present,
        on_fault: Callable[[BaseException, str], None],
        on_timer: Callable[[str], None],
        advising: Advising,
        floor: Floor | None = None,
        exits_rest: bool = True,
    ) -> None:
        self.name = name
        self.advising = advising
        self.bar_types = bar_types

        def acting() -> bool:
            return present.acting

        self.floor = floor
        self.desk = (
            desk if floor is None else WorkedDesk(desk, floor, acting, exits_rest=exits_rest)
        )
        self.native = native if floor is None else WorkedNative(native, floor, desk)
        self.stops = stops
        self.book = book
        self.faults = Faults()
        self.now = present.now
        self.after_fault: Callable[[Any], None] = delivery.arrive
        self.clock: LiveClock
        self.begun = False
        self.default_timer: Callable[[Any], object] = lambda _event: None
        self._delivery = delivery
        self._mirror = mirror
        self._present = present
        self._on_timer = on_timer
        self._tracked: dict[str, list[Any]] = {}
        self._unwanted: set[BarType] = set()
        self.faults.on_fault(lambda: self._tell(on_fault))

    def connect(self, verbs: Verbs, factory: Any, clock: Any) -> None:
        """Take the engine's side once the strategy is registered."""
        self._mirror.add(self.name, verbs, factory)
        self.clock = LiveClock(self._present, self.guard, lambda event: self.default_timer(event))
        second = 1_000_000_000
        clock.set_timer_ns("progress", second, None, None, lambda _event: self._on_timer(self.name))

    @property
    def warming_up(self) -> bool:
        """Whether bars of the past are shown, on which no order leaves."""
        return not self._present.acting

    def begin(self) -> None:
        """Note that the strategy has subscribed and prepared itself."""
        self.begun = True

    def guard(self, function: Callable[..., Any], handler: str) -> Callable[..., None]:
        """Wrap the strategy's code: the first exception is kept, nothing of it runs after.

        The engine's order and position events are not shown before the session begins: they only
        draw the picture of what was recovered.
        """
        guarded = self.faults.guard(function, handler, self.now)
        if not handler.startswith(_PICTURES):
            return guarded

        def shown(event: Any) -> None:
            if self._present.acting and not _levels(event):
                guarded(event)

        return shown

    def bar_handlers(
        self, names: dict[BarType, str], on_bar: Callable[[Bar], None]
    ) -> tuple[Callable[[Bar], None], Callable[[Bar], str]]:
        """Return what the engine calls for every bar, and the strategy's `symbol_of`."""
        faults, now = self.faults, self.now
        unwanted, floor = self._unwanted, self.floor
        in_hand: Bar | None = None
        symbol = ""

        def symbol_of(bar: Bar) -> str:
            """Return the symbol of a bar."""
            return symbol if bar is in_hand else names[bar.bar_type]

        def read(bar: Bar, of: str) -> None:
            nonlocal in_hand, symbol
            if faults.first is not None or (unwanted and bar.bar_type in unwanted):
                return
            try:
                symbol, in_hand = of, bar
                if floor is not None:
                    floor.observe(of, bar.close.raw // RAW_PER_NANO)
                on_bar(bar)
            except BaseException as error:  # noqa: BLE001 - the engine would swallow it
                faults.record("on_bar", now(), error)

        self._delivery.reads(names.values(), read)
        return self._delivery.arrive, symbol_of

    def want_bars(self, bar_type: BarType, *, wanted: bool) -> None:
        """Show bars of a type, or hide them.

        The engine goes on delivering: `Delivery` counts on every handler that subscribed.
        """
        (self._unwanted.discard if wanted else self._unwanted.add)(bar_type)

    def event_handler(self, user: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """Return what the engine calls for an order event: `user`, which is guarded already."""
        return _ignore if user is None else user

    def track(self, symbol: str, indicators: Iterable[Any]) -> None:
        """Rescale these indicators when the symbol splits."""
        self._tracked.setdefault(symbol, []).extend(indicators)

    def rescale_tracked(self, symbol: str, numerator: int, denominator: int) -> None:
        """Rescale a symbol's indicators: prices become denominator/numerator of what they were."""
        for indicator in self._tracked.get(symbol, ()):
            indicator.rescale(denominator / numerator)

    def _tell(self, on_fault: Callable[[BaseException, str], None]) -> None:
        fault = self.faults.first
        if fault is not None:
            on_fault(fault.error, self.name)


def take_subscriptions(strategy: Strategy, runtime: LiveRuntime) -> None:
    """Lead the strategy's later wishes for bars to its runtime; its first go to the engine."""
    to_engine = strategy.subscribe_bars

    def subscribe(bar_type: BarType, *args: Any, **kwargs: Any) -> None:
        runtime.want_bars(bar_type, wanted=True)
        if not runtime.begun:
            to_engine(bar_type, *args, **kwargs)

    def unsubscribe(bar_type: BarType, *_args: Any, **_kwargs: Any) -> None:
        runtime.want_bars(bar_type, wanted=False)

    vars(strategy).update(subscribe_bars=subscribe, unsubscribe_bars=unsubscribe)


def _levels(event: Any) -> bool:
    """Tell whether an engine event belongs to a picture that only levels a position."""
    for field in ("client_order_id", "opening_order_id"):
        found = getattr(event, field, None)
        if found is not None and found.value.startswith(LEVELLING):
            return True
    return False


def _ignore(_event: Any) -> None:
    """Do nothing: the strategy does not listen."""
