"""Limits on how large things may get; working entries count as if they had filled."""

from tradingd.domain.money import SCALE
from tradingd.domain.orders import Denial
from tradingd.gate.limits.base import Limit, Settings, parts_per_million, portion, usd
from tradingd.gate.situation import Situation


class PositionSize(Limit):
    """One symbol's position, working entries and this order exceed a share of equity."""

    key = "position_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.position_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        line = order.line
        if order.buy:
            value = max(0, line.value) + line.pending_long + order.value
        else:
            value = max(0, -line.value) + line.pending_short + order.value
        allowed = portion(order.equity, self._ppm)
        if value <= allowed:
            return None
        return self.deny(
            usd(value),
            f"{usd(allowed)} ({self._percent:g} % of equity)",
            f"{order.intent.symbol} would grow to {usd(value)}.",
        )


class Gross(Limit):
    """All positions, working entries and this order exceed a share of equity."""

    key = "gross_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.gross_percent
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond."""
        value = gross_after(order)
        allowed = portion(order.equity, self._ppm)
        if value <= allowed:
            return None
        return self.deny(
            usd(value),
            f"{usd(allowed)} ({self._percent:g} % of equity)",
            f"Positions and orders together would reach {usd(value)}.",
        )


class ShortOfGross(Limit):
    """All shorts, working short entries and this order exceed a share of the gross limit."""

    key = "short_of_gross_percent"

    def __init__(self, settings: Settings) -> None:
        self._percent = settings.limits.short_of_gross_percent
        self._gross_ppm = parts_per_million(settings.limits.gross_percent)
        self._ppm = parts_per_million(self._percent)

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond; buys always pass."""
        if order.buy or not order.extra:
            return None
        value = order.book.short_value + order.book.pending_short + order.value
        allowed = portion(portion(order.equity, self._gross_ppm), self._ppm)
        if value <= allowed:
            return None
        return self.deny(
            usd(value),
            f"{usd(allowed)} ({self._percent:g} % of the gross limit)",
            f"Shorts and orders to sell short would reach {usd(value)}.",
        )


class MaxPositions(Limit):
    """Too many symbols with a position or a working entry."""

    key = "max_positions"

    def __init__(self, settings: Settings) -> None:
        self._allowed = settings.limits.max_positions

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond; a symbol that is held already always passes."""
        if order.line.occupied:
            return None
        count = order.book.occupied + 1
        if count <= self._allowed:
            return None
        return self.deny(
            str(count),
            str(self._allowed),
            f"{order.intent.symbol} would be position number {count}.",
        )


class MaxOrderValue(Limit):
    """The order itself is worth more than the limit; 0 is no limit."""

    key = "max_order_value"

    def __init__(self, settings: Settings) -> None:
        self._allowed = settings.limits.max_order_value * SCALE

    def check(self, order: Situation) -> Denial | None:
        """Pass at the limit, deny beyond; the whole quantity counts, flips included."""
        value = order.intent.quantity * order.price
        if not self._allowed or value <= self._allowed:
            return None
        return self.deny(
            usd(value),
            usd(self._allowed),
            f"{order.intent.quantity} shares of {order.intent.symbol} are worth {usd(value)}.",
        )


def gross_after(order: Situation) -> int:
    """Return positions + working entries + this order, less what it closes, in Nanos."""
    book = order.book
    pending = book.pending_long + book.pending_short
    return book.gross + pending + order.value - order.closing * order.line.mark
