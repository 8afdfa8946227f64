"""The dated rate tables that ship in `schedules/`, decoded into exact integers of need.

A row is in force from its `start` until the next row. The last row stays in force: how long ago
the tables were compared with their sources is what `age.schedule_age` is for.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

from tradingd.kits.failure import ExitCode, Failure


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row states: its first day, where it comes from, whether that was confirmed."""

    start: dt.date
    source: str
    verified: bool = True


class SectionRow(Row, frozen=True, kw_only=True):
    """Section 31 fee."""

    per_million: Decimal


class TafRow(Row, frozen=True, kw_only=True):
    """FINRA Trading Activity Fee."""

    per_share: Decimal
    cap: Decimal


class CatRow(Row, frozen=True, kw_only=True):
    """Consolidated Audit Trail fee."""

    per_share: Decimal


class FixedRow(Row, frozen=True, kw_only=True):
    """A commission per share with a minimum and a maximum per order."""

    per_share: Decimal
    minimum: Decimal
    maximum_percent: Decimal


class TieredRow(Row, frozen=True, kw_only=True):
    """A commission by monthly volume with exchange, clearing and pass-through fees."""

    tiers: tuple[tuple[int, Decimal], ...]
    minimum: Decimal
    maximum_percent: Decimal
    clearing_per_share: Decimal
    exchange_per_share: Decimal
    exchange_percent: Decimal
    nyse_of_commission: Decimal
    finra_of_commission: Decimal


class RegulatoryTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`schedules/regulatory.yaml`."""

    checked: dt.date
    section_31: tuple[SectionRow, ...]
    taf: tuple[TafRow, ...]
    cat: tuple[CatRow, ...]


class BrokerTable[R: Row](msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`schedules/<broker schedule>.yaml`."""

    checked: dt.date
    rows: tuple[R, ...]


@cache
def regulatory() -> RegulatoryTable:
    """Return the regulatory fees."""
    return _read("regulatory", RegulatoryTable)


@cache
def ibkr_fixed() -> BrokerTable[FixedRow]:
    """Return the Interactive Brokers fixed schedule."""
    return _read("ibkr_fixed", BrokerTable[FixedRow])


@cache
def ibkr_tiered() -> BrokerTable[TieredRow]:
    """Return the Interactive Brokers tiered schedule."""
    return _read("ibkr_tiered", BrokerTable[TieredRow])


def row_on[R: Row](rows: Sequence[R], day: dt.date) -> R:
    """Return the row in force on a day.

    Raises
    ------
    Failure
        CONFIG, when the day is before the first row.
    """
    index = bisect_right(rows, day, key=lambda row: row.start) - 1
    if index < 0:
        raise Failure(
            "no fee schedule covers this day",
            code=ExitCode.CONFIG,
            where=str(day),
            expected=f"a day from {rows[0].start} on",
            found=str(day),
            next_step="start the run later, or use broker.fees=none",
        )
    return rows[index]


def _read[T](name: str, kind: type[T]) -> T:
    text = resources.files("tradingd.costs").joinpath("schedules", f"{name}.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=kind)
