"""What the exchange's day tells strategies: opens, closes and splits."""

from collections.abc import Callable, Iterable, Mapping

from tradingd.domain.feed import Batch
from tradingd.domain.market import ActionKind, CorporateAction, Session
from tradingd.engine.advising import LiveAdvising
from tradingd.engine.live.restating import Restating
from tradingd.engine.live.runtime import LiveRuntime
from tradingd.engine.strategy import Strategy


class DayTeller:
    """Calls the strategies' handlers of the day, each guarded.

    Parameters
    ----------
    strategies : Mapping[str, Strategy]
        By name.
    runtimes : Mapping[str, LiveRuntime]
        What each is bound to.
    actions : Iterable[CorporateAction]
        Their splits are told at the open of their ex-date.
    advising : LiveAdvising
        Told of splits as well, each once (see `Restating`).
    """

    def __init__(
        self,
        strategies: Mapping[str, Strategy],
        runtimes: Mapping[str, LiveRuntime],
        actions: Iterable[CorporateAction],
        advising: LiveAdvising,
    ) -> None:
        self._restating = Restating(advising)
        self._strategies = strategies
        self._runtimes = runtimes
        self._splits: list[CorporateAction] = []
        self.know(actions)

    def know(self, actions: Iterable[CorporateAction]) -> None:
        """Take the actions that are known now: a live feed hears of new ones every day."""
        self._splits = [one for one in actions if one.kind is ActionKind.SPLIT]
        self._restating.know(self._splits)

    def before_bars(self, batch: Batch) -> None:
        """Tell the model of splits before it is shown these bars."""
        self._restating.before_bars(batch)

    def split(self, session: Session) -> bool:
        """Tell the splits of a session's day; return whether there are any."""
        self._restating.before(session.open_ns)
        due = [one for one in self._splits if one.ex_date == session.day]
        for one in due:
            for name, strategy in self._strategies.items():
                runtime = self._runtimes[name]
                if one.symbol in runtime.bar_types:
                    _tell_split(runtime, strategy, one)
        return bool(due)

    def opened(self, session: Session) -> None:
        """Call `on_session_open`."""
        self._call("on_session_open", lambda strategy: strategy.on_session_open(session))

    def closed(self, session: Session) -> None:
        """Call `on_session_close`."""
        self._call("on_session_close", lambda strategy: strategy.on_session_close(session))

    def ended(self) -> None:
        """Call `on_end`."""
        self._call("on_end", lambda strategy: strategy.on_end())

    def _call(self, handler: str, call: Callable[[Strategy], None]) -> None:
        for name, strategy in self._strategies.items():
            self._runtimes[name].guard(call, handler)(strategy)


def _tell_split(runtime: LiveRuntime, strategy: Strategy, one: CorporateAction) -> None:
    def tell() -> None:
        if runtime.floor is not None:
            runtime.floor.split(one.symbol, one.numerator, one.denominator)
        runtime.rescale_tracked(one.symbol, one.numerator, one.denominator)
        strategy.on_split(one.symbol, one.numerator, one.denominator)

    runtime.guard(tell, "on_split")()
