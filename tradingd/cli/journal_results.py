"""Results of `tradingd journal`: the journal's records with money as decimal numbers.

The types are derived from the records, so a column that is added there is here too. Times are
UTC ns, money is Decimal (text in JSON), `total` counts the rows that fit before `--last`.
"""

import types
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tradingd.domain.journal import DecisionRow, FillRow, OrderRow, RunRow, SignalRow, TripRow
from tradingd.domain.money import Nanos, decimal
from tradingd.journal.export import Exported
from tradingd.journal.holdings import Holding
from tradingd.journal.statistics import Statistics

_CENT = Decimal("0.01")


def amount(nanos: Nanos) -> Decimal:
    """Return an amount with two decimals, or as many more as it needs."""
    exact = decimal(nanos).normalize()
    return exact.quantize(_CENT) if int(exact.as_tuple().exponent) > -2 else exact


def view_of(record: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the record's type with Decimal in the place of Nanos."""
    name = record.__name__.removesuffix("Row") + "View"
    hints = get_type_hints(record)
    fields = [(one, _decimal(hints[one])) for one in record.__struct_fields__]
    made = msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)
    made.__doc__ = record.__doc__
    return made


def viewed(row: msgspec.Struct) -> Any:
    """Return a record with its money as Decimal."""
    record = type(row)
    if record not in _VIEWS:
        raise TypeError(f"{record.__name__} is not listed")
    view, money = _VIEWS[record]
    values = msgspec.structs.asdict(row)
    for name in money:
        if values[name] is not None:
            values[name] = amount(values[name])
    return view(**values)


def _decimal(hint: Any) -> Any:
    if hint is Nanos:
        return Decimal
    if get_origin(hint) in (Union, types.UnionType) and Nanos in get_args(hint):
        return Decimal | None
    return hint


def _money(record: type) -> tuple[str, ...]:
    hints = get_type_hints(record)
    return tuple(name for name, hint in hints.items() if _decimal(hint) is not hint)


_RECORDS = (RunRow, SignalRow, OrderRow, FillRow, TripRow, DecisionRow, Holding, Statistics)
_VIEWS: dict[type[msgspec.Struct], tuple[type[msgspec.Struct], tuple[str, ...]]] = {
    record: (view_of(record), _money(record)) for record in _RECORDS
}


def _listing(name: str, record: type[msgspec.Struct], what: str) -> Any:
    fields = [("file", str), ("total", int), ("rows", tuple[_VIEWS[record][0], ...])]  # type: ignore[misc]
    made = msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)
    made.__doc__ = f"Output of `tradingd journal {name.lower()}`: {what}."
    return made


Runs = _listing("Runs", RunRow, "processes of the daemon, oldest first")
Signals = _listing("Signals", SignalRow, "what strategies asked for, oldest first")
Orders = _listing("Orders", OrderRow, "orders in the order they were made")
Fills = _listing("Fills", FillRow, "executions in the order they were booked")
Trades = _listing("Trades", TripRow, "round trips in the order they closed")
Decisions = _listing("Decisions", DecisionRow, "denials, oldest first")
Positions = _listing("Positions", Holding, "positions that are not flat")
Stats = _listing("Stats", Statistics, "each strategy, then all together")


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd journal export`."""

    file: str
    folder: str
    tables: tuple[Exported, ...]
