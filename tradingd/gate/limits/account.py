"""Limits of the account itself: what can be borrowed, in shares and in money."""

import datetime as dt
from typing import Final

from tradingd.domain.money import SCALE
from tradingd.domain.orders import Denial
from tradingd.gate.limits.base import Limit, Settings, usd
from tradingd.gate.limits.margin_dates import Regime, regime
from tradingd.gate.limits.size import gross_after
from tradingd.gate.situation import Situation

DAY_TRADER_EQUITY: Final = 25_000 * SCALE
"""Minimum equity of a pattern day trader, former FINRA Rule 4210(f)(8)(B)."""

DAY_TRADES_ALLOWED: Final = 3
"""The fourth day trade in five business days made a pattern day trader."""

MARGIN_EQUITY: Final = 2_000 * SCALE
"""Minimum equity to borrow at all, FINRA Rule 4210(b)."""

LONG_MAINTENANCE: Final = 25
"""Percent of a long position's value that equity must cover, FINRA Rule 4210(c)(1)."""

SHORT_MAINTENANCE: Final = 30
"""Percent of a short's value that equity must cover, FINRA Rule 4210(c)(3); 5 USD a share, and for
prices below 5 USD 100 % or 2.50 USD, are not modelled."""

_DAY_SECONDS = 86_400


class ShortAvailability(Limit):
    """The short would be larger than the shares on loan; `assume` lends without end."""

    key = "short_availability"

    def __init__(self, settings: Settings) -> None:
        self._listed = settings.limits.short_availability == "listed"
        self._shortable = settings.reference.shortable

    def check(self, order: Situation) -> Denial | None:
        """Pass when the list of the day covers the whole short; no entry in it means none."""
        if not self._listed or order.buy or not order.extra:
            return None
        line = order.line
        short = max(0, -line.quantity) + line.extra_sells() + order.extra
        available = self._shortable.get(order.intent.symbol, {}).get(order.day, 0)
        if short <= available:
            return None
        return self.deny(
            f"{short} shares short",
            f"{available} shares to borrow",
            f"Only {available} shares of {order.intent.symbol} can be borrowed on {order.day}.",
        )


class MarginRegime(Limit):
    """The account may not borrow that much, or may not day-trade again, on this date.

    cash
        No shorts; buys and working buys may not exceed cash. A cash account is always held to
        this, whatever the configured regime.
    legacy_pdt
        Under 25,000 USD: no entry after three day trades in five sessions (its exit could be the
        fourth), and Regulation T's 50 % initial margin. From 25,000 USD: four times equity
        within the day; positions of daily bars are held overnight, so 50 % for them.
    intraday_4210
        No counting of day trades and no 25,000 USD: equity must cover 25 % of the
        longs and 30 % of the shorts at any time of the day. Positions of daily bars are held
        overnight, so Regulation T's 50 % for them.
    none
        No rule (margin accounts only).
    auto
        By broker and date (`margin_dates`; `intraday_margin_from` overrides the date). Where the
        broker's date is not known an order must satisfy both margin rules.

    Both margin rules ask for 2,000 USD of equity before anything is borrowed.
    """

    key = "margin_regime"

    def __init__(self, settings: Settings) -> None:
        configured = settings.limits.margin_regime
        self._regime = "cash" if settings.account == "cash" else configured
        self._broker = settings.broker
        self._stated = settings.limits.intraday_margin_from
        self._intraday = settings.bar_seconds < _DAY_SECONDS

    def check(self, order: Situation) -> Denial | None:
        """Apply the rule of the account and the day."""
        match self._on(order.day):
            case "cash":
                return self._cash(order)
            case Regime.LEGACY:
                return self._legacy(order)
            case Regime.INTRADAY:
                return self._intraday_standards(order)
            case Regime.EITHER:
                return self._legacy(order) or self._intraday_standards(order)
            case _:
                return None

    def _on(self, day: dt.date) -> str:
        if self._regime != "auto":
            return self._regime
        return regime(self._broker, day, self._stated)

    def _legacy(self, order: Situation) -> Denial | None:
        return self._day_trader(order) or self._borrowing(order, self._legacy_multiple(order))

    def _intraday_standards(self, order: Situation) -> Denial | None:
        if self._intraday and order.equity >= MARGIN_EQUITY:
            return self._maintenance(order)
        return self._borrowing(order, initial_multiple(order))

    def _cash(self, order: Situation) -> Denial | None:
        symbol = order.intent.symbol
        if not order.buy:
            if not order.extra:
                return None
            return self.deny(
                f"{order.extra} shares short", "0", f"A cash account may not sell {symbol} short."
            )
        spent = order.book.pending_long + order.intent.quantity * order.price
        if spent <= order.book.cash:
            return None
        return self.deny(
            usd(spent),
            f"{usd(order.book.cash)} in cash",
            f"This order and the working buys would cost {usd(spent)}.",
        )

    def _day_trader(self, order: Situation) -> Denial | None:
        trades = order.book.day_trades
        if order.equity >= DAY_TRADER_EQUITY or trades < DAY_TRADES_ALLOWED:
            return None
        return self.deny(
            f"{trades} day trades in 5 sessions, equity {usd(order.equity)}",
            f"{DAY_TRADES_ALLOWED} day trades below {usd(DAY_TRADER_EQUITY)}",
            "Closing this entry today would be a fourth day trade (FINRA 4210, amended 2026).",
        )

    def _borrowing(self, order: Situation, multiple: int) -> Denial | None:
        value = gross_after(order)
        allowed = max(0, order.equity) * multiple
        if value <= allowed:
            return None
        return self.deny(
            usd(value),
            f"{usd(allowed)} ({multiple} x equity)",
            f"Margin rules allow positions of {usd(allowed)}; this order would make {usd(value)}.",
        )

    def _maintenance(self, order: Situation) -> Denial | None:
        book, closed = order.book, order.closing * order.line.mark
        longs = book.long_value + book.pending_long + (order.value if order.buy else -closed)
        shorts = book.short_value + book.pending_short + (-closed if order.buy else order.value)
        required = longs * LONG_MAINTENANCE + shorts * SHORT_MAINTENANCE
        if required <= order.equity * 100:
            return None
        return self.deny(
            f"{usd(-(-required // 100))} of margin required",
            f"{usd(order.equity)} of equity",
            f"{LONG_MAINTENANCE} % of longs and {SHORT_MAINTENANCE} % of shorts must be covered.",
        )

    def _legacy_multiple(self, order: Situation) -> int:
        if self._intraday and order.equity >= DAY_TRADER_EQUITY:
            return 4
        return initial_multiple(order)


def initial_multiple(order: Situation) -> int:
    """Return how many times equity may be held: Regulation T's 50 %, or no loan below 2,000 USD."""
    return 2 if order.equity >= MARGIN_EQUITY else 1
