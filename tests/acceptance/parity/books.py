"""What a backtest and a paper session did, in one form that can be compared.

Times are told as the bar they belong to: a backtest fills at the open of a bar, the simulated
broker tells its fills when the bar has ended.
"""

import datetime as dt
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow.parquet as pq

from tradingd.domain.market import Resolution
from tradingd.session.calendar import NEW_YORK, local_date

type Row = dict[str, Any]

SCALE: Final = 1_000_000_000
_GUARDS: Final = re.compile(r"(protective stop of|protects the position of) \S+")


class Order(NamedTuple):
    """An order: what was wanted when, and why."""

    bar: str
    symbol: str
    side: str
    quantity: int
    type: str
    purpose: str
    filled: int
    reason: str


class Trade(NamedTuple):
    """A fill."""

    bar: str
    symbol: str
    side: str
    quantity: int
    price: Decimal
    purpose: str
    reason: str


class Trip(NamedTuple):
    """A round trip."""

    symbol: str
    side: str
    quantity: int
    entry_price: Decimal
    exit_price: Decimal
    opened: str
    closed: str
    entry_reason: str
    exit_reason: str


class Change(NamedTuple):
    """A split or dividend."""

    day: str
    kind: str
    symbol: str
    amount: Decimal


class Books(NamedTuple):
    """All of it, oldest first."""

    orders: list[Order]
    trades: list[Trade]
    trips: list[Trip]
    changes: list[Change]
    denials: Counter[str]
    equity: Decimal


class Bars:
    """Names bars: the day of a daily one, the minute at which another ends."""

    def __init__(self, resolution: Resolution) -> None:
        self._length = resolution.nanoseconds
        self._daily = resolution is Resolution.DAY

    def seen(self, ts: int) -> str:
        """Return the bar whose end somebody had just seen."""
        return self._name(ts // self._length * self._length, ts)

    def during(self, ts: int) -> str:
        """Return the bar in which something happened."""
        return self._name(-(-ts // self._length) * self._length, ts)

    def _name(self, end: int, ts: int) -> str:
        if self._daily:
            return local_date(ts).isoformat()
        return dt.datetime.fromtimestamp(end // SCALE, NEW_YORK).strftime("%Y-%m-%d %H:%M")


def of_backtest(folder: Path, resolution: Resolution) -> Books:
    """Read a run folder."""
    bars = Bars(resolution)
    orders = [row for row in _table(folder, "orders") if row["status"] != "DENIED"]
    return Books(
        orders=[
            _order(row, _ns(row["ts_submitted"]), row["filled_quantity"], bars)
            for row in orders
            if _own(row)
        ],
        trades=[
            _trade(row, row["price"], _ns(row["ts"]), bars)
            for row in _table(folder, "fills")
            if _own(row)
        ],
        trips=[
            _trip(
                row,
                row["entry_price"],
                row["exit_price"],
                _ns(row["ts_opened"]),
                _ns(row["ts_closed"]),
                bars,
            )
            for row in _table(folder, "positions")
        ],
        changes=sorted(
            [
                Change(_day(row), "split", row["symbol"], Decimal(_signed(row)))
                for row in _table(folder, "fills")
                if not _own(row)
            ]
            + [
                Change(
                    _day(row), row["kind"], row["symbol"], row["amount"].quantize(Decimal("0.01"))
                )
                for row in _table(folder, "cash")
                if row["kind"] == "dividend"
            ]
        ),
        denials=Counter(row["limit"] for row in _table(folder, "denials")),
        equity=_table(folder, "equity")[-1]["equity"].quantize(Decimal("0.01")),
    )


def of_session(journal: Path, resolution: Resolution) -> Books:
    """Read a session's journal."""
    bars = Bars(resolution)
    ours = _Journal(journal)
    return Books(
        orders=[
            _order(row, row["ts"], row["filled"], bars)
            for row in ours("orders")
            if row["state"] != "DENIED"
        ],
        trades=[_trade(row, _money(row["price"]), row["ts"], bars) for row in ours("fills")],
        trips=[
            _trip(
                row,
                _money(row["entry_price"]),
                _money(row["exit_price"]),
                row["ts_opened"],
                row["ts_closed"],
                bars,
            )
            for row in ours("trips")
        ],
        changes=sorted(
            Change(
                local_date(row["ts"]).isoformat(),
                row["kind"],
                row["symbol"],
                Decimal(row["shares"]) if row["kind"] == "split" else _cents(row["cash"]),
            )
            for row in ours("adjustments")
            if row["shares"] or row["cash"]
        ),
        denials=Counter(row["limit"] for row in ours("decisions")),
        equity=_cents(ours("equity")[-1]["equity"]),
    )


def differences(backtest: Books, session: Books) -> Iterator[tuple[str, str, object]]:
    """Yield (list, who has it alone, item)."""
    for name in ("orders", "trades", "trips", "changes"):
        ours, theirs = Counter(getattr(backtest, name)), Counter(getattr(session, name))
        for item in (ours - theirs).elements():
            yield name, "backtest", item
        for item in (theirs - ours).elements():
            yield name, "session", item


def _order(row: Row, ts: int, filled: int, bars: Bars) -> Order:
    guards = row["purpose"] == "PROTECT"
    return Order(
        bars.during(ts) if guards else bars.seen(ts),
        row["symbol"],
        row["side"],
        row["quantity"],
        row["type"],
        row["purpose"],
        filled,
        _reason(row["reason"]),
    )


def _trade(row: Row, price: Decimal, ts: int, bars: Bars) -> Trade:
    return Trade(
        bars.during(ts),
        row["symbol"],
        row["side"],
        row["quantity"],
        _plain(price),
        row["purpose"],
        _reason(row["reason"]),
    )


def _trip(row: Row, entry: Decimal, leave: Decimal, opened: int, closed: int, bars: Bars) -> Trip:
    return Trip(
        row["symbol"],
        row["side"],
        row["quantity"],
        _plain(entry),
        _plain(leave),
        bars.during(opened),
        bars.during(closed),
        _reason(row["entry_reason"]),
        _reason(row["exit_reason"]),
    )


class _Journal:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, table: str) -> list[Row]:
        link = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)
        link.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in link.execute(f"SELECT * FROM {table} ORDER BY id")]
        finally:
            link.close()


def _table(folder: Path, name: str) -> list[Row]:
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def _own(row: Row) -> bool:
    return row["purpose"] != "CORPORATE"


def _day(row: Row) -> str:
    return local_date(_ns(row["ts"])).isoformat()


def _signed(row: Row) -> int:
    return int(row["quantity"]) if row["side"] == "BUY" else -int(row["quantity"])


def _ns(moment: Any) -> int:
    return int(moment.value)


def _money(nanos: int) -> Decimal:
    return Decimal(nanos) / SCALE


def _cents(nanos: int) -> Decimal:
    return _money(nanos).quantize(Decimal("0.01"))


def _plain(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.0001"))


def _reason(text: str) -> str:
    return _GUARDS.sub("its protective stop", text)
