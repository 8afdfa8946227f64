"""One synthetic trade per split: the last close, restated in the new shares.

The matching engine compares orders with the last price it saw. After a split that is a price in old
shares until the first bar, and any order that arrives before (a short's stop at the open, say)
would be set off by it. A print of the restated close at the start of the ex-date moves it over; it
holds no news, is matched while no order works, and no strategy sees it.
"""

from collections.abc import Sequence

from nautilus_trader.model import AggressorSide, TradeId, TradeTick

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import Nanos
from tradingd.engine.actions import PRINT_NS, scaled
from tradingd.engine.tape import Tape
from tradingd.engine.units import price, shares
from tradingd.engine.venue import instrument_id
from tradingd.session.calendar import SessionCalendar, local_midnight_ns


class SplitPrints:
    """The prints of a run's splits, chunk by chunk."""

    def __init__(
        self,
        actions: Sequence[CorporateAction],
        calendar: SessionCalendar,
        tape: Tape,
        ticks: dict[str, Nanos],
    ) -> None:
        self._calendar = calendar
        self._tape = tape
        self._ticks = ticks
        self._coming = [action for action in actions if action.kind is ActionKind.SPLIT]

    def until(self, end_ns: int) -> list[TradeTick]:
        """Return the prints up to the end of the chunk that the tape holds, in time order."""
        timed = [(self._time(action), action) for action in self._coming]
        self._coming = [action for ts, action in timed if ts > end_ns]
        due = sorted((ts, action.symbol, action) for ts, action in timed if ts <= end_ns)
        return [tick for ts, _, action in due if (tick := self._print(ts, action)) is not None]

    def _time(self, action: CorporateAction) -> int:
        """Return the print's time: the start of the first session's day on or after the ex-date."""
        session = self._calendar.next_open(local_midnight_ns(action.ex_date))
        day = action.ex_date if session is None else session.day
        return local_midnight_ns(day) + PRINT_NS

    def _print(self, ts: int, action: CorporateAction) -> TradeTick | None:
        last = self._tape.last_close(action.symbol, ts)
        restated = scaled(
            last[0] if last else None,
            action.numerator,
            action.denominator,
            self._ticks[action.symbol],
        )
        if restated is None:
            return None
        return TradeTick(
            instrument_id(action.symbol),
            price(restated),
            shares(1),
            AggressorSide.NO_AGGRESSOR,
            TradeId(f"split-{action.ex_date}"),
            ts,
            ts,
        )
