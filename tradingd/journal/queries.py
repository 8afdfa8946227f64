"""Read rows of a journal with filters, oldest first; works while the daemon writes."""

from pathlib import Path
from typing import Any, Final

import msgspec

from tradingd.domain.journal import (
    DecisionRow,
    FillRow,
    OrderRow,
    OrderState,
    RunRow,
    SignalRow,
    TripRow,
)
from tradingd.journal.layout import BY_RECORD, OPEN, reader, select_sql
from tradingd.journal.opening import reading
from tradingd.kits.failure import ExitCode, Failure

type Listable = RunRow | SignalRow | OrderRow | FillRow | TripRow | DecisionRow

_TIME: Final[dict[type, str]] = {RunRow: "started", TripRow: "ts_closed"}
_STATUS: Final[dict[type, str]] = {OrderRow: "state", RunRow: "outcome"}
_STATES: Final = ("OPEN", *OrderState)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What rows somebody wants.

    `since` is included, `until` is not; UTC ns of data time (of `started` for runs). `status` of
    orders is an `OrderState` or ``OPEN`` for those that are not over. `last` 0 means all.
    """

    symbol: str | None = None
    strategy: str | None = None
    status: str | None = None
    since: int | None = None
    until: int | None = None
    last: int = 0


class Page[R](msgspec.Struct, frozen=True, kw_only=True):
    """The rows that were asked for, and how many there are in all."""

    rows: tuple[R, ...]
    total: int


def read[R: Listable](path: Path, record: type[R], asked: Asked) -> Page[R]:
    """Return the last rows that fit, in journal order.

    Raises
    ------
    Failure
        USAGE for a status that no order has; JOURNAL when the file cannot be read.
    """
    where, values = _where(record, asked)
    table = BY_RECORD[record]
    limit = f" LIMIT {asked.last}" if asked.last else ""
    with reading(path) as connection:
        count = connection.execute(f"SELECT count(*) FROM {table.name}{where}", values)
        total = int(count.fetchone()[0])
        found = connection.execute(
            f"{select_sql(table)}{where} ORDER BY id DESC{limit}", values
        ).fetchall()
    return Page(rows=tuple(map(reader(record), reversed(found))), total=total)


def _where(record: type, asked: Asked) -> tuple[str, dict[str, Any]]:
    time = _TIME.get(record, "ts")
    terms = {
        "symbol": "symbol = :symbol",
        "strategy": "strategy = :strategy",
        "since": f"{time} >= :since",
        "until": f"{time} < :until",
        "status": _status_term(record, asked),
    }
    values = {key: getattr(asked, key) for key in terms if getattr(asked, key) is not None}
    if "status" in values and record is OrderRow:
        values["status"] = values["status"].upper()
    used = [terms[key] for key in values]
    return (" WHERE " + " AND ".join(used)) if used else "", values


def _status_term(record: type, asked: Asked) -> str:
    if record is OrderRow and asked.status is not None:
        if asked.status.upper() not in _STATES:
            raise Failure(
                "no order has this status",
                code=ExitCode.USAGE,
                where="--status",
                expected=", ".join(_STATES),
                found=asked.status,
            )
        if asked.status.upper() == "OPEN":
            return OPEN
    return f"{_STATUS.get(record, 'status')} = :status"
