"""Binds each strategy to the session: a desk, a book and a runtime of its own."""

from collections.abc import Callable, Mapping, Sequence

from nautilus_trader.model import BarType

from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.floors import Floors, give_up_entries
from tradingd.engine.live.native import LiveNative
from tradingd.engine.live.runtime import LiveRuntime, take_subscriptions
from tradingd.engine.live.shared import Shared
from tradingd.engine.live.working import OwnedBook, OwnedStops
from tradingd.engine.strategy import Strategy
from tradingd.kits.failure import ExitCode, Failure


class Bindings:
    """What every strategy is bound to, by its name.

    Parameters
    ----------
    shared : Shared
        The parts of the session.
    floors : Floors
        Makes what works a strategy's orders.
    ticks : Mapping[str, int]
        Price increments by symbol.
    watched : Mapping[str, int]
        Those of symbols that a strategy may name and not trade: the shim denies it.
    exits_rest : bool
        Whether exits may be worked as limits.
    on_fault, on_timer : Callable
        Told of a strategy's first exception and of its one second timer.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        floors: Floors,
        ticks: Mapping[str, int],
        watched: Mapping[str, int],
        exits_rest: bool,
        on_fault: Callable[[BaseException, str], None],
        on_timer: Callable[[str], None],
    ) -> None:
        self.runtimes: dict[str, LiveRuntime] = {}
        self.natives: dict[str, LiveNative] = {}
        self._shared = shared
        self._floors = floors
        self._ticks = ticks
        self._watched = watched
        self._exits_rest = exits_rest
        self._on_fault = on_fault
        self._on_timer = on_timer

    def bind(self, strategy: Strategy, bar_types: Mapping[str, BarType]) -> None:
        """Connect one strategy with the bars it trades on."""
        name, shared = strategy.name, self._shared
        book = OwnedBook(shared.book, shared.working, name, shared.present)
        desk = LiveDesk(
            strategy=name,
            ticks={**self._watched, **{symbol: self._ticks[symbol] for symbol in bar_types}},
            shim=shared.shim,
            book=book,
            working=shared.working,
            present=shared.present,
            diary=shared.diary,
        )
        native = LiveNative(desk, shared.mirror)
        floor = self._floors.add(desk, book)
        runtime = LiveRuntime(
            name=name,
            bar_types=bar_types,
            desk=desk,
            native=native,
            stops=OwnedStops(shared.shim, book),
            book=book,
            mirror=shared.mirror,
            delivery=shared.delivery,
            present=shared.present,
            on_fault=self._on_fault,
            on_timer=self._on_timer,
            advising=shared.advising,
            floor=floor,
            exits_rest=self._exits_rest,
        )
        strategy.bind(runtime)
        take_subscriptions(strategy, runtime)
        runtime.default_timer = lambda event: strategy.on_time_event(event)
        shared.hearing.tell(name, strategy.fill_handler(runtime.guard))
        if floor is not None:
            shared.hearing.follow(name, self._floors.follower(floor))
            runtime.faults.on_fault(lambda: give_up_entries(floor))
        self.runtimes[name] = runtime
        self.natives[name] = native


def refuse_doubles(strategies: Sequence[Strategy]) -> None:
    """Refuse strategies of the same name.

    Raises
    ------
    Failure
        CONFIG, naming them.
    """
    names = [strategy.name for strategy in strategies]
    doubles = sorted({one for one in names if names.count(one) > 1})
    if doubles:
        raise Failure(
            "two strategies have the same name",
            code=ExitCode.CONFIG,
            where="strategy",
            expected="a name of its own for every strategy",
            found=", ".join(doubles),
            next_step="run them in two instances, each with its own account",
        )
