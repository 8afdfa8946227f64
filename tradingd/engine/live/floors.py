"""Who works the orders of each strategy, and what those floors are told."""

from collections.abc import Callable, Sequence

from tradingd.config.execution import LimitStyle, StyleConfig
from tradingd.domain.trading import OrderEvent
from tradingd.engine.live.children import LiveVenue, Orphans, tell
from tradingd.engine.live.desk import LiveDesk
from tradingd.engine.live.shared import Shared
from tradingd.engine.live.working import OwnedBook
from tradingd.execution.floor import Floor
from tradingd.execution.touch import Touch


class Floors:
    """Makes a floor a strategy where orders are worked, and keeps all of them in step.

    Parameters
    ----------
    shared : Shared
        The parts of the session.
    style, touch, half_spread_bps : StyleConfig, Touch, float
        How orders are worked, and at which prices.
    orphans : Orphans
        Children of an earlier process; they hear the same steps.
    timed : bool
        Whether the clock moves between two batches, as it does not in a replay.
    on_fault : Callable
        Told (exception, ``engine``) of a bug in code of ours.
    """

    def __init__(
        self,
        shared: Shared,
        style: StyleConfig,
        *,
        touch: Touch | None,
        half_spread_bps: float,
        orphans: Orphans,
        timed: bool,
        on_fault: Callable[[BaseException, str], None],
    ) -> None:
        self._style = style
        self._touch = touch
        self._half_spread_bps = half_spread_bps
        self._shared = shared
        self._orphans = orphans
        self._timed = timed
        self._on_fault = on_fault
        self._floors: list[Floor] = []

    def add(self, desk: LiveDesk, book: OwnedBook) -> Floor | None:
        """Return what works a strategy's orders, None where they go as they are."""
        if not isinstance(self._style, LimitStyle):
            return None
        shared = self._shared
        venue = LiveVenue(
            desk=desk,
            shim=shared.shim,
            book=book,
            working=shared.working,
            present=shared.present,
            diary=shared.diary,
            calendar=shared.calendar,
            guarded=self._guarded,
        )
        floor = Floor(
            self._style,
            venue,
            touch=self._touch,
            half_spread_bps=self._half_spread_bps,
            timed=self._timed,
        )
        self._floors.append(floor)
        return floor

    def follower(self, floor: Floor | None) -> Callable[[OrderEvent], None]:
        """Return what is to hear every step of a strategy's orders."""

        def follow(event: OrderEvent) -> None:
            self._orphans.hear(event)
            self._orphans.finish()
            if floor is not None:
                tell(floor, event)

        return lambda event: self._guarded(lambda: follow(event))

    def after_bars(self, ts: int, symbols: Sequence[str]) -> None:
        """Tell every floor that the bars of a time were delivered."""
        for floor in self._floors:
            floor.after_bars(ts, symbols)

    def closed(self, ts: int) -> None:
        """Tell every floor that the session is over."""
        for floor in self._floors:
            floor.closed(ts)

    def stop(self) -> None:
        """Send no further child; what is out stays out."""
        for floor in self._floors:
            floor.stop()

    def _guarded(self, action: Callable[[], None]) -> None:
        """Run code of ours on the loop; a bug in it is told like one of a strategy."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the loop would only log it
            self._on_fault(error, "engine")


def give_up_entries(floor: Floor) -> None:
    """Enter nothing more for a strategy that has failed; its exits go on."""
    for symbol in floor.symbols():
        floor.let_go(symbol, "the strategy failed", entries=True)
