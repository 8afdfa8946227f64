"""Counts and amounts that start anew with a session, and the streaks that do not."""

import msgspec

from tradingd.domain.money import Nanos
from tradingd.gate.trip import ClosedTrip

DAY_TRADE_SESSIONS = 5
"""Business days over which FINRA Rule 4210(f)(8)(B) counted day trades."""


class Day(msgspec.Struct, kw_only=True):
    """The session's tally. Mutable on purpose: fills add to it.

    `earlier_day_trades` holds the counts of the sessions before this one, oldest first.
    """

    start_equity: Nanos
    realised: Nanos = 0
    trades: int = 0
    day_trades: int = 0
    earlier_day_trades: tuple[int, ...] = ()
    loss_streak: int = 0
    last_loss_ts: int = -1

    @property
    def day_trades_in_window(self) -> int:
        """Day trades of this session and the four before it."""
        return self.day_trades + sum(self.earlier_day_trades)

    def begin(self, equity: Nanos) -> None:
        """Start the next session at this equity."""
        kept = (*self.earlier_day_trades, self.day_trades)
        self.earlier_day_trades = kept[-(DAY_TRADE_SESSIONS - 1) :]
        self.start_equity = equity
        self.realised = 0
        self.trades = 0
        self.day_trades = 0

    def trip_closed(self, trip: ClosedTrip) -> None:
        """Lengthen the loss streak, or end it: a trip that breaks even is no loss."""
        if trip.net < 0:
            self.loss_streak += 1
            self.last_loss_ts = trip.ts_closed
        else:
            self.loss_streak = 0
