"""Conversions between our integers and the engine's value types.

The engine is a 16-decimal build: a raw price is an integer of 1e-16. Nanos are integers of 1e-9,
so the conversion is a multiplication and never rounds. Every instrument and the currency use nine
decimals, whatever their tick: sub-penny prices of adjusted data and sub-cent fees stay exact.
"""

from decimal import Decimal
from typing import Final

from nautilus_trader.model import Currency, CurrencyType, Money, OrderSide, Price, Quantity

from tradingd.domain.money import SCALE, Nanos
from tradingd.domain.orders import Side

PRECISION: Final = 9
RAW_PER_NANO: Final = 10_000_000
"""Raw units (1e-16) in one nano (1e-9)."""

USD: Final = Currency("USD", PRECISION, 840, "United States dollar", CurrencyType.FIAT)
"""US dollars with nine decimals; the engine's own USD rounds every fee to the cent."""

SIDES: Final = {Side.BUY: OrderSide.BUY, Side.SELL: OrderSide.SELL}


def price(amount: Nanos) -> Price:
    """Return an engine price."""
    return Price.from_raw(amount * RAW_PER_NANO, PRECISION)


def money(amount: Nanos) -> Money:
    """Return engine money in US dollars."""
    return Money.from_raw(amount * RAW_PER_NANO, USD)


def shares(quantity: int) -> Quantity:
    """Return an engine quantity of whole shares."""
    return Quantity.from_int(quantity)


def nanos_of(value: Price | Money) -> Nanos:
    """Return the exact Nanos of an engine price or amount."""
    return int(value.raw) // RAW_PER_NANO


def on_tick(value: float | Decimal, tick: Nanos) -> Nanos:
    """Round a price that a strategy computed to the nearest multiple of the tick."""
    scaled = round(value * SCALE)
    return (2 * scaled + tick) // (2 * tick) * tick


def limit_on_tick(value: float | Decimal, tick: Nanos, side: Side) -> Nanos:
    """Round a limit to a multiple of the tick that is no worse for the order than what was asked.

    A buy goes down, a sale up: rounded to the nearest, a limit of 100.005 would pay 100.01.
    """
    scaled = round(value * SCALE)
    return scaled // tick * tick if side is Side.BUY else -(-scaled // tick) * tick


def opposite(side: Side) -> Side:
    """Return the other side."""
    return Side.SELL if side is Side.BUY else Side.BUY
