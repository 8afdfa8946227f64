"""How many shares: by what is risked, capped by what is held."""

from decimal import Decimal


def shares_by_risk(
    *,
    equity: Decimal,
    price: float,
    stop: float,
    risk_percent: float,
    max_position_percent: float,
) -> int:
    """Return the whole shares of an entry; 0 means that no order should be sent.

    The loss between `price` and `stop` stays within `risk_percent` of the equity, and the value of
    the position within `max_position_percent`; both are rounded down.

    Parameters
    ----------
    equity : Decimal
        The account, in dollars.
    price, stop : float
        Expected entry and protective stop, in dollars a share, on either side of each other.
    """
    entry = Decimal(repr(price))
    distance = abs(entry - Decimal(repr(stop)))
    if equity <= 0 or entry <= 0 or not distance:
        return 0
    by_risk = percent(equity, risk_percent) / distance
    by_value = percent(equity, max_position_percent) / entry
    return int(min(by_risk, by_value))


def equal_share(*, equity: Decimal, price: float, parts: int) -> int:
    """Return the whole shares that one of `parts` equal parts of the equity buys at `price`."""
    entry = Decimal(repr(price))
    return int(equity / parts / entry) if equity > 0 and entry > 0 else 0


def percent(amount: Decimal, value: float) -> Decimal:
    """Return `value` percent of an amount."""
    return amount * Decimal(repr(value)) / 100
