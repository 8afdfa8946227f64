"""What every limit has in common, and the exact arithmetic they share."""

from typing import ClassVar, Final, NamedTuple

import msgspec

from tradingd.config.risk import RiskConfig
from tradingd.domain.market import ReferenceData
from tradingd.domain.money import Nanos, decimal, dollars
from tradingd.domain.orders import Denial
from tradingd.gate.situation import Situation

MILLION: Final = 1_000_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a limit may be built from."""

    limits: RiskConfig
    reference: ReferenceData
    account: str
    bar_seconds: int
    broker: str = ""


class StopMove(NamedTuple):
    """A protective stop about to move away from the price.

    `risk` is the position's loss to the new stop, `open_risk` that of the whole account with it.
    """

    shares: int
    risk: Nanos
    open_risk: Nanos
    equity: Nanos


class Limit:
    """One rule: look at a situation, return a denial or None.

    `key` is the field of `RiskConfig` that sets it. Limits concern increases; `reductions` marks
    the few that also look at orders that only reduce a position.
    """

    key: ClassVar[str]
    reductions: ClassVar[bool] = False

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError

    def check(self, order: Situation) -> Denial | None:
        """Return why the order breaks this limit, or None."""
        raise NotImplementedError

    def check_stop(self, move: StopMove) -> Denial | None:
        """Return why a wider stop breaks this limit; only limits on risk have an opinion."""
        return None

    def deny(self, observed: str, allowed: str, explanation: str) -> Denial:
        """Build the denial."""
        return Denial(limit=self.key, observed=observed, allowed=allowed, explanation=explanation)


def parts_per_million(percent: float) -> int:
    """Convert a configured percentage to an integer, once; 0.0001 % is the finest step."""
    return round(percent * 10_000)


def portion(amount: Nanos, ppm: int) -> Nanos:
    """Return that share of an amount, rounded down, never negative: the largest value allowed."""
    return max(0, amount * ppm // MILLION)


def percent_of(amount: Nanos, base: Nanos) -> str:
    """Format a share for a person."""
    return f"{100 * amount / base:.6g} %" if base > 0 else "all of it"


def usd(amount: Nanos) -> str:
    """Format an amount exactly: two decimals, or as many as tell it from the limit beside it."""
    exact = decimal(amount)
    return f"{dollars(amount) if exact == round(exact, 2) else f'{exact.normalize():,f}'} USD"


def seconds(nanoseconds: int) -> str:
    """Format a duration exactly."""
    return f"{decimal(nanoseconds).normalize():f} s"
