"""Limits on what the account has lost, and on what it can lose: no entries into a bad day."""

from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial
from tradingd.gate.limits.base import (
    MILLION,
    Limit,
    Settings,
    StopMove,
    parts_per_million,
    percent_of,
    portion,
    usd,
)
from tradingd.gate.situation import Situation


class Drawdown(Limit):
    """Equity has fallen from the day's high by the limit or more."""

    key = "drawdown_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.drawdown_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Deny at the limit and beyond."""
        peak = order.book.day_peak
        fall = peak - order.equity
        if fall * MILLION < peak * self._ppm:
            return None
        return self.deny(
            percent_of(fall, peak),
            f"below {self._percent:g} %",
            f"Equity is {usd(order.equity)}, down {usd(fall)} from the day's high of {usd(peak)}.",
        )


class DailyLoss(Limit):
    """Equity has fallen from the session's start by the limit or more."""

    key = "daily_loss_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.daily_loss_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Deny at the limit and beyond."""
        start = order.book.session_start_equity
        loss = start - order.equity
        if start > 0 and loss * MILLION < start * self._ppm:
            return None
        return self.deny(
            percent_of(loss, start),
            f"below {self._percent:g} %",
            f"The session began with {usd(start)} and has lost {usd(loss)}.",
        )


class RiskPerTrade(Limit):
    """The order would lose more than the limit between its price and its protective stop.

    Without a stop its whole value counts as at risk.
    """

    key = "risk_per_trade_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.risk_per_trade_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        return self._judge(added_risk(order), order.equity, order.extra)

    def check_stop(self, move: StopMove) -> Denial | None:
        """Hold the position to what an entry may lose."""
        return self._judge(move.risk, move.equity, move.shares)

    def _judge(self, risk: Nanos, equity: Nanos, shares: int) -> Denial | None:
        allowed = portion(equity, self._ppm)
        if risk <= allowed:
            return None
        return self.deny(
            usd(risk),
            f"{usd(allowed)} ({self._percent:g} % of equity)",
            f"{shares} shares would lose {usd(risk)} down to the protective stop.",
        )


class OpenRisk(Limit):
    """All positions and working entries together would lose more than the limit to their stops."""

    key = "open_risk_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.open_risk_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        return self._judge(order.book.open_risk + added_risk(order), order.equity)

    def check_stop(self, move: StopMove) -> Denial | None:
        """Hold all stops together to the limit, the moved one at its new price."""
        return self._judge(move.open_risk, move.equity)

    def _judge(self, risk: Nanos, equity: Nanos) -> Denial | None:
        allowed = portion(equity, self._ppm)
        if risk <= allowed:
            return None
        return self.deny(
            usd(risk),
            f"{usd(allowed)} ({self._percent:g} % of equity)",
            f"Open positions and orders would lose {usd(risk)} if every stop were hit.",
        )


class LossStreak(Limit):
    """Too many losing round trips in a row: entries pause.

    The streak carries over sessions until a trip does not lose; the pause lasts until the next
    session or, with `loss_streak_pause_minutes`, that long after the last loss. After a pause the
    next loss pauses again. A streak of 0 switches the limit off.
    """

    key = "loss_streak"

    def __init__(self, settings: Settings) -> None:
        self._streak = settings.limits.loss_streak
        self._minutes = settings.limits.loss_streak_pause_minutes

    def check(self, order: Situation) -> Denial | None:
        """Deny from the streak on, until the pause is over."""
        streak = order.book.loss_streak
        if not self._streak or streak < self._streak or not self._paused(order):
            return None
        trips = "round trip" if streak == 1 else f"{streak} round trips"
        until = f"for {self._minutes} minutes" if self._minutes else "until the next session"
        return self.deny(
            "1 loss" if streak == 1 else f"{streak} losses in a row",
            f"below {self._streak}",
            f"The last {trips} lost money; entries pause {until}.",
        )

    def _paused(self, order: Situation) -> bool:
        last = order.book.last_loss_ts
        if self._minutes:
            return order.now < last + self._minutes * 60 * NANOSECONDS
        begun = order.book.session
        return begun is None or last >= begun.open_ns


def added_risk(order: Situation) -> int:
    """Return what the order adds to the open risk, in Nanos."""
    stop = order.intent.protective_stop
    return order.value if stop is None else abs(order.price - stop) * order.extra
