"""Limits on the prices an order states and on the mark it is judged by."""

from tradingd.domain.market import NANOSECONDS
from tradingd.domain.orders import Denial, OrderType
from tradingd.gate.limits.base import (
    MILLION,
    Limit,
    Settings,
    parts_per_million,
    percent_of,
    seconds,
    usd,
)
from tradingd.gate.situation import Situation

_RESTING_STOPS = (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)


class Collar(Limit):
    """The stated price is too far from the last mark, or is no price at all.

    Entries are held to the collar on both sides. Exits: a market order always passes, a stop may
    stand any distance away, and a limit may not be worse than the mark by more than the collar
    (a sale far below it, a cover far above it gives money away).
    """

    key = "collar_percent"
    reductions = True

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.collar_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond; without a mark only entries' mark age can deny."""
        if not order.priced:
            return None
        price, mark = order.intent.price, order.line.mark
        if price <= 0:
            return self.deny(usd(price), "above 0.00 USD", "The order states no possible price.")
        distance = abs(price - mark) if order.increase else _given_away(order)
        if mark <= 0 or distance * MILLION <= mark * self._ppm:
            return None
        return self.deny(
            percent_of(distance, mark),
            f"{self._percent:g} %",
            f"The order's price {usd(price)} is far from the last price {usd(mark)}.",
        )


class MarkAge(Limit):
    """The last mark is too old to judge an entry by; 0 means 2.5 bars."""

    key = "max_mark_age_seconds"

    def __init__(self, settings: Settings) -> None:
        configured = settings.limits.max_mark_age_seconds
        two_and_a_half_bars = 5 * settings.bar_seconds * NANOSECONDS // 2
        self._allowed = configured * NANOSECONDS or two_and_a_half_bars

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond and where there is no mark at all."""
        known_at = order.line.mark_ts
        age = order.now - known_at
        if known_at >= 0 and age <= self._allowed:
            return None
        allowed = seconds(self._allowed)
        if known_at < 0:
            return self.deny("no price", allowed, f"{order.intent.symbol} has no price yet.")
        text = f"The last price of {order.intent.symbol} is {seconds(age)} old."
        return self.deny(seconds(age), allowed, text)


class RequireStop(Limit):
    """An entry carries no protective stop, or one on the wrong side of its price."""

    key = "require_stop"

    def __init__(self, settings: Settings) -> None:
        self._required = settings.limits.require_stop

    def check(self, order: Situation) -> Denial | None:
        """Deny where the stop would not limit the loss; a stop at the price itself does not."""
        if not self._required:
            return None
        stop = order.intent.protective_stop
        if stop is None:
            return self.deny("no stop", "a protective stop", "The entry carries no stop.")
        reference = order.intent.price if order.priced else order.price
        if 0 < stop < reference if order.buy else stop > reference:
            return None
        side = "below" if order.buy else "above"
        return self.deny(
            f"stop at {usd(stop)}",
            f"{side} {usd(reference)}",
            f"The stop of this {order.intent.side} must be {side} its price.",
        )


def _given_away(order: Situation) -> int:
    """Return how much worse than the mark a limit exit is, in Nanos a share."""
    if order.intent.type in _RESTING_STOPS:
        return 0
    price, mark = order.intent.price, order.line.mark
    return max(0, price - mark if order.buy else mark - price)
