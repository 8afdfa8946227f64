"""At what price an order is worked; exact integers of 1e-9 dollars."""

from typing import Final

from tradingd.config.execution import LimitStyle
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Side

_BILLION: Final = 1_000_000_000
_PER_BASIS_POINT: Final = _BILLION // 10_000


def limit_price(
    style: LimitStyle,
    side: Side,
    *,
    bid: Nanos,
    ask: Nanos,
    sigma: float,
    mark: Nanos,
    tick: Nanos,
) -> Nanos:
    """Return the limit of an order that wants to trade at the touch or a little beyond it.

    Parameters
    ----------
    style : LimitStyle
        How far beyond.
    side : Side
        A buy takes the ask, a sale the bid.
    bid, ask : Nanos
        The touch now; need not lie on ticks.
    sigma : float
        Standard deviation of bar returns, a fraction of the price.
    mark : Nanos
        Last price when the order was decided: the cap is measured from it.
    tick : Nanos
        Price increment.

    Notes
    -----
    Rounded to the tick away from our side, so that the order still takes the touch; then brought
    back to the last tick inside the cap. Never below one tick. The only float is `sigma`; it is
    turned into billionths of the price before money is touched.
    """
    touch = ask if side is Side.BUY else bid
    beyond = touch * _offset(style, sigma) + (ask - bid) * _billionths(style.spread_share)
    room = mark * round(style.cap_bps * _PER_BASIS_POINT)
    if side is Side.BUY:
        wanted = -(-(touch * _BILLION + beyond) // (_BILLION * tick)) * tick
        farthest = (mark * _BILLION + room) // (_BILLION * tick) * tick
        return max(tick, min(wanted, farthest))
    wanted = (touch * _BILLION - beyond) // (_BILLION * tick) * tick
    farthest = -(-(mark * _BILLION - room) // (_BILLION * tick)) * tick
    return max(tick, wanted, farthest)


def _offset(style: LimitStyle, sigma: float) -> int:
    """Return the part of the touch that the limit lies beyond it, in billionths."""
    fixed = round(style.offset_bps * _PER_BASIS_POINT)
    return fixed + round(style.volatility_share * sigma * _BILLION)


def _billionths(share: float) -> int:
    return round(share * _BILLION)
