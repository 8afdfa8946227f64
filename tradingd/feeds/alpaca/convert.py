"""Messages of the stream to the domain's bars, quotes and halts."""

from decimal import Decimal
from typing import Final

from tradingd.domain.feed import MarketBar, Quote, TradingHalt
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import SCALE, Nanos, rounded
from tradingd.feeds.alpaca.messages import (
    BarMessage,
    LuldMessage,
    QuoteMessage,
    StatusMessage,
    Time,
)
from tradingd.vendors.alpaca.values import Unreadable, instant

_EXACT: Final = 1_000_000.0
"""Dollars below which a double times 1e9 rounds to the decimal that it stands for."""

_TIMESTAMP: Final = -1
"""MessagePack's extension type of times."""

# Source: docs.alpaca.markets, "Real-time Stock Data", status codes of tapes A and B (CTA plan)
# and of tapes C and O (UTP plan). Q resumes quoting, not trading.
_HALTS: Final = frozenset({"2", "4", "H", "P"})
_RESUMES: Final = frozenset({"3", "T"})

# UTP plan, "LULD price band indicator".
_SUSPENDED: Final = "D"
_REOPENED: Final = "E"


def nanos(value: float) -> Nanos:
    """Return the decimal price that a double stands for, in Nanos.

    Raises
    ------
    Unreadable
        For NaN and infinities.
    """
    if -_EXACT < value < _EXACT:
        return round(value * SCALE)
    exact = Decimal(repr(value))
    if not exact.is_finite() or abs(exact) > SCALE:
        raise Unreadable(f"{value!r} is no price")
    return rounded(exact)


def whole(value: float) -> int:
    """Return a number of shares; a fraction is cut off."""
    if not -1e15 < value < 1e15:
        raise Unreadable(f"{value!r} is no number of shares")
    return int(value)


def nanoseconds(time: Time) -> int:
    """Return UTC nanoseconds."""
    if isinstance(time, str):
        return instant(time)
    data = bytes(time.data)
    if time.code != _TIMESTAMP:
        raise Unreadable("no time")
    match len(data):
        case 4:
            return int.from_bytes(data) * NANOSECONDS
        case 8:
            both = int.from_bytes(data)
            return (both & 0x3_FFFF_FFFF) * NANOSECONDS + (both >> 34)
        case 12:
            seconds = int.from_bytes(data[4:], signed=True)
            return seconds * NANOSECONDS + int.from_bytes(data[:4])
    raise Unreadable("no time")


def bar(message: BarMessage) -> tuple[int, MarketBar]:
    """Return the start (UTC ns) and the bar."""
    o, h, low, c = message.o, message.h, message.l, message.c
    if 0 < low <= o <= h < _EXACT and low <= c <= h:
        # The usual bar, without four calls; NaN fails every comparison.
        prices = round(o * SCALE), round(h * SCALE), round(low * SCALE), round(c * SCALE)
    else:
        prices = nanos(o), nanos(h), nanos(low), nanos(c)
    return nanoseconds(message.t), MarketBar(message.S, *prices, whole(message.v))


def quote(message: QuoteMessage) -> Quote:
    """Return the quote."""
    bid, ask = message.bp, message.ap
    usual = 0 < bid <= ask < _EXACT
    return Quote(
        message.S,
        round(bid * SCALE) if usual else nanos(bid),
        round(ask * SCALE) if usual else nanos(ask),
        whole(message.bs),
        whole(message.ask_size),
        nanoseconds(message.t),
    )


def halt_of_status(message: StatusMessage, now: int) -> TradingHalt | None:
    """Return what a status says of trading; None when it says nothing (imbalances, indications).

    Codes that are not listed are judged by their text: what the plans add later should not pass
    as tradable when it says halt.
    """
    text = message.sm.lower()
    halted = message.sc in _HALTS
    if not halted and message.sc not in _RESUMES:
        listed = len(message.sc) == 1 and message.sc in "156789ABCDEFQ"
        if listed or not ("halt" in text or "pause" in text or "suspend" in text):
            return None
        halted = "resum" not in text
    return TradingHalt(
        symbol=message.S,
        halted=halted,
        reason=_words(message.sm, message.rc, message.rm),
        ts=now if message.t is None else nanoseconds(message.t),
    )


def halt_of_band(message: LuldMessage, now: int) -> TradingHalt | None:
    """Return what a price band says of trading; None for mere updates of the band."""
    if message.i not in (_SUSPENDED, _REOPENED):
        return None
    halted = message.i == _SUSPENDED
    return TradingHalt(
        symbol=message.S,
        halted=halted,
        reason="limit up-limit down: " + ("suspended" if halted else "re-opening"),
        ts=now if message.t is None else nanoseconds(message.t),
    )


def _words(status: str, code: str, reason: str) -> str:
    because = " ".join(part for part in (code, reason) if part)
    return f"{status or 'trading status'} ({because})" if because else status or "trading status"
