"""Limits on when entries may be made: session edges, earnings, days in the universe.

Decisions of daily bars (a bar of a day or longer) fall on the close but execute in the next
session, so the session windows do not apply to them.
"""

import datetime as dt
from bisect import bisect_left, bisect_right

from tradingd.domain.market import NANOSECONDS
from tradingd.domain.orders import Denial
from tradingd.gate.limits.base import Limit, Settings
from tradingd.gate.situation import Situation

_DAY_SECONDS = 86_400
_MINUTE = 60 * NANOSECONDS


class NoTradeOpen(Limit):
    """The session is younger than the limit, or there is no session; 0 is no window."""

    key = "no_trade_open_minutes"

    def __init__(self, settings: Settings) -> None:
        self._minutes = _minutes(settings.limits.no_trade_open_minutes, settings)

    def check(self, order: Situation) -> Denial | None:
        """Deny in [open, open + minutes); pass at exactly open + minutes."""
        if not self._minutes:
            return None
        if order.session is None:
            return _closed(self)
        age = order.now - order.session.open_ns
        if age >= self._minutes * _MINUTE:
            return None
        return self.deny(
            f"{age / _MINUTE:g} min after the open",
            f"{self._minutes} min",
            f"No entries in the first {self._minutes} minutes of a session.",
        )


class NoTradeClose(Limit):
    """The session ends within the limit, or there is none; half days end early; 0 is no window."""

    key = "no_trade_close_minutes"

    def __init__(self, settings: Settings) -> None:
        self._minutes = _minutes(settings.limits.no_trade_close_minutes, settings)

    def check(self, order: Situation) -> Denial | None:
        """Deny from exactly close - minutes on: the order would execute after that instant."""
        if not self._minutes:
            return None
        if order.session is None:
            return _closed(self)
        left = order.session.close_ns - order.now
        if left > self._minutes * _MINUTE:
            return None
        return self.deny(
            f"{left / _MINUTE:g} min before the close",
            f"more than {self._minutes} min",
            f"No entries in the last {self._minutes} minutes of a session.",
        )


class EarningsBlackout(Limit):
    """An announcement is too near, in calendar days before or after; 0 is no blackout."""

    key = "earnings_blackout_days"

    def __init__(self, settings: Settings) -> None:
        self._days = settings.limits.earnings_blackout_days
        self._announcements = settings.reference.earnings

    def check(self, order: Situation) -> Denial | None:
        """Deny at exactly the limit's distance too ("within this many days")."""
        days = self._announcements.get(order.intent.symbol) if self._days else None
        if not days:
            return None
        nearest = min(
            days[max(0, (at := bisect_left(days, order.day)) - 1) : at + 1],
            key=lambda day: _distance(day, order.day),
        )
        distance = _distance(nearest, order.day)
        if distance > self._days:
            return None
        return self.deny(
            f"{distance} days from earnings",
            f"more than {self._days} days",
            f"{order.intent.symbol} announces on {nearest}.",
        )


class OutsideUniverse(Limit):
    """The symbol is not in the universe that day, or only watched for a model.

    What is watched is denied whatever is configured; else a universe that does not change denies
    nothing.

    Without it a run over all symbols that were ever members would trade them before they had
    become large enough to be one, which is known only afterwards.
    """

    key = "outside_universe"

    def __init__(self, settings: Settings) -> None:
        denies = settings.limits.outside_universe == "deny"
        self._members = settings.reference.members if denies else None
        self._watched = settings.reference.watched

    def check(self, order: Situation) -> Denial | None:
        """Deny on days outside every span of the symbol; a span's last date is outside."""
        if order.intent.symbol in self._watched:
            return self.deny(
                "watched for the model",
                "a member of the universe",
                f"{order.intent.symbol} is outside the universe: its bars are watched for the "
                "model's features, it is not traded.",
            )
        if self._members is None:
            return None
        spans = self._members.get(order.intent.symbol, ())
        after = bisect_right(spans, order.day, key=_first)
        if after and order.day < spans[after - 1][1]:
            return None
        return self.deny(
            f"not a member on {order.day}",
            "a member of the universe",
            f"{order.intent.symbol} is not in the universe that day.",
        )


def _first(span: tuple[dt.date, dt.date]) -> dt.date:
    return span[0]


def _distance(one: dt.date, other: dt.date) -> int:
    return abs((one - other).days)


def _minutes(configured: int, settings: Settings) -> int:
    return 0 if settings.bar_seconds >= _DAY_SECONDS else configured


def _closed(limit: Limit) -> Denial:
    return limit.deny("no session", "an open session", "The exchange is closed.")
