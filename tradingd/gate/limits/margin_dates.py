"""Since when each broker applies the intraday margin standards: dated data, with its sources.

FINRA's amended Rule 4210 (SR-FINRA-2025-017, Release 34-105226, Regulatory Notice 26-10) is
effective 2026-06-04; a member that needs more time may phase it in until 2027-10-20. So for more
than a year the same account may be under either rule, depending on its broker.
"""

import datetime as dt
from enum import StrEnum
from typing import Final, NamedTuple

EFFECTIVE: Final = dt.date(2026, 6, 4)
"""First day of the amended rule."""

PHASED_IN: Final = dt.date(2027, 10, 20)
"""Last day of the phase-in; from the next day on every member must apply it."""


class Regime(StrEnum):
    """Which margin rule an account is under."""

    LEGACY = "legacy_pdt"
    INTRADAY = "intraday_4210"
    EITHER = "either"
    """The broker may apply either: an order must satisfy both."""


class Adoption(NamedTuple):
    """The first day on which a broker applies the amended rule.

    `day` is None where it is not known. Only a `verified` day, stated by the broker itself, is
    relied on; `source` says where it is from.
    """

    day: dt.date | None
    verified: bool
    source: str


ADOPTED: Final[dict[str, Adoption]] = {
    "alpaca": Adoption(
        EFFECTIVE,
        True,
        "docs.alpaca.markets, changelog 2026-06-03 and 2026-06-04: accounts are no longer flagged "
        "for pattern day trading, its fields go on 2026-07-06",
    ),
    "ibkr": Adoption(None, False, "not stated by the broker in what was at hand"),
    "simulated": Adoption(EFFECTIVE, True, "ours: as the rule itself"),
}
"""Broker kind -> what is known; a broker that is not named here counts as the rule itself says."""


def regime(broker: str, day: dt.date, stated: dt.date | None = None) -> Regime:
    """Return the rule of a margin account on a day.

    Parameters
    ----------
    broker : str
        Kind of broker, as in the configuration's group.
    day : date
        Session day.
    stated : date, optional
        The first day of the amended rule at this broker, where the user knows it better.
    """
    if stated is not None:
        return Regime.INTRADAY if day >= stated else Regime.LEGACY
    if day < EFFECTIVE:
        return Regime.LEGACY
    known = ADOPTED.get(broker, Adoption(EFFECTIVE, True, "the rule itself"))
    if day > PHASED_IN:
        return Regime.INTRADAY
    if known.day is None or not known.verified:
        return Regime.EITHER
    return Regime.INTRADAY if day >= known.day else Regime.LEGACY
