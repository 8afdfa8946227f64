"""Account activities: fills, and what changed shares or cash without a trade."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Final, NamedTuple

from tradingd.simalpaca.stamps import new_york_date, stamp
from tradingd.simalpaca.trading import rows
from tradingd.simalpaca.trading.errors import bad_field, invalid
from tradingd.simalpaca.trading.fields import Query, order_id
from tradingd.simalpaca.trading.ledger import Ledger
from tradingd.simalpaca.trading.naming import activity_id
from tradingd.simalpaca.trading.rows import SPACE, Row
from tradingd.simbroker.amounts import ONE, ratio, text
from tradingd.simbroker.store import Store

TYPES: Final = tuple(
    "FILL TRANS MISC ACATC ACATS CFEE CGD CSD CSW DIV DIVCGL DIVCGS DIVFEE DIVFT DIVNRA DIVROC"
    " DIVTW DIVTXEX FEE INT INTNRA INTTW JNL JNLC JNLS MA NC OPASN OPCA OPCSH OPEXC OPEXP OPTRD"
    " PTC PTR REO REORG SPIN SPLIT FOPT OCT".split()
)
_KINDS: Final = {"dividend": "DIV", "split": "SPLIT", "rename": "NC", "fee": "FEE"}
_WHOLE_DAY: Final = 24 * 3600 * ONE


class Activity(NamedTuple):
    """One activity with what lists sort and filter by; `ts` is UTC ns."""

    ts: int
    number: int
    type: str
    order: str
    view: dict[str, object]


class Activities:
    """Answers questions for activities.

    Parameters
    ----------
    store : Store
        The book's store.
    ledger : Ledger
        Knows the orders of fills.
    account_id : str
        UUID of the account.
    """

    def __init__(self, store: Store, ledger: Ledger, account_id: str) -> None:
        self._store = store
        self._ledger = ledger
        self._account_id = account_id

    def many(self, query: Query, only: str = "") -> list[dict[str, object]]:
        """Return a page of activities, newest first unless it is asked otherwise."""
        types = self._types(query, only)
        direction = query.word("direction", ("asc", "desc"), "desc")
        size = query.whole("page_size", 100, 1, 100)
        first, last = _range(query)
        order = query.text("order_id")
        wanted = order_id(order) if order else ""
        found = [one for one in self._between(first, last, types) if wanted in ("", one.order)]
        found.sort(key=lambda one: (one.ts, one.number), reverse=direction == "desc")
        return [one.view for one in _after(found, query.text("page_token"))[:size]]

    def _types(self, query: Query, only: str) -> frozenset[str]:
        given = [only] if only else query.list("activity_types")
        for name in given:
            if name not in TYPES:
                raise invalid(f"invalid activity type: {name}")
        category = query.word("category", ("", "trade_activity", "non_trade_activity"), "")
        if category and given and not only:
            raise bad_field("only one of category and activity_types is accepted")
        types = frozenset(given or TYPES)
        if category == "trade_activity":
            return types & {"FILL"}
        return types - {"FILL"} if category else types

    def _between(self, first: int, last: int, types: frozenset[str]) -> Iterable[Activity]:
        if "FILL" in types:
            yield from self._fills(first, last)
        if types - {"FILL"}:
            adjustments = self._adjustments(first, last)
            yield from (one for one in adjustments if one.type in types)

    def _fills(self, first: int, last: int) -> Iterable[Activity]:
        orders: dict[str, Row | None] = {}
        found = self._store.rows(
            "SELECT fill_id, number, quantity, price, ts FROM fills WHERE ts > ? AND ts < ?",
            (first, last),
        )
        for fill_id, number, quantity, price, ts in found:
            order, _, cumulative = str(fill_id).partition(":")
            if order not in orders:
                orders[order] = self._ledger.row(order)
            row = orders[order]
            assert row is not None
            view = self._fill(str(fill_id), row, int(cumulative), int(str(ts)))
            view |= {"qty": str(quantity), "price": text(int(str(price)))}
            yield Activity(int(str(ts)), int(str(number)), "FILL", order, view)

    def _fill(self, fill_id: str, row: Row, cumulative: int, ts: int) -> dict[str, object]:
        leaves = max(0, row.qty - cumulative)
        return {
            "id": activity_id(ts, fill_id),
            "account_id": self._account_id,
            "activity_type": "FILL",
            "transaction_time": stamp(ts),
            "type": "partial_fill" if leaves else "fill",
            "side": row.side,
            "symbol": row.symbol,
            "leaves_qty": str(leaves),
            "cum_qty": str(cumulative),
            "order_id": row.id,
            "order_status": rows.PARTIALLY_FILLED if leaves else rows.FILLED,
        }

    def _adjustments(self, first: int, last: int) -> Iterable[Activity]:
        found = self._store.rows(
            "SELECT adjustment_id, number, kind, symbol, shares, cash, numerator, denominator, ts"
            " FROM adjustments WHERE ts > ? AND ts < ?",
            (first, last),
        )
        for name, number, kind, symbol, shares, cash, up, down, ts in found:
            shares_, cash_, ts_ = int(str(shares)), int(str(cash)), int(str(ts))
            type_ = _type(str(kind), cash_)
            view: dict[str, object] = {
                "id": str(name),
                "account_id": self._account_id,
                "activity_type": type_,
                "date": new_york_date(ts_).isoformat(),
                "created_at": stamp(ts_),
                "net_amount": text(cash_),
                "description": f"{kind} {up}:{down}" if type_ == "SPLIT" else str(kind),
                "status": "executed",
                "currency": "USD",
                "group_id": str(uuid.uuid5(SPACE, f"activity:{name}")),
            }
            if symbol:
                view["symbol"] = str(symbol)
            if type_ == "DIV":
                view |= self._per_share(str(symbol), cash_, int(str(ts)))
            elif shares_:
                view["qty"] = str(shares_)
            yield Activity(ts_, 10**12 + int(str(number)), type_, "", view)

    def _per_share(self, symbol: str, cash: int, ts: int) -> dict[str, object]:
        """Return how many shares a dividend was paid for, from all that came before it."""
        traded = self._store.rows(
            "SELECT COALESCE(SUM(CASE side WHEN 'BUY' THEN quantity ELSE -quantity END), 0)"
            " FROM fills WHERE symbol = ? AND ts <= ?",
            (symbol, ts),
        )[0][0]
        changed = self._store.rows(
            "SELECT COALESCE(SUM(shares), 0) FROM adjustments WHERE symbol = ? AND ts < ?",
            (symbol, ts),
        )[0][0]
        shares = int(str(traded)) + int(str(changed))
        if not shares:
            return {}
        return {"qty": str(shares), "per_share_amount": text(ratio(abs(cash), 1, abs(shares)))}


def _type(kind: str, cash: int) -> str:
    """Return the type of an adjustment; one by hand may name it, else it is a journal entry."""
    known = _KINDS.get(kind, kind.upper())
    if known in TYPES and known != "FILL":
        return known
    return "JNLC" if cash else "JNLS"


def _range(query: Query) -> tuple[int, int]:
    """Return the times between which activities lie, both excluded."""
    date, after, until = query.time("date"), query.time("after"), query.time("until")
    if date is not None:
        if after is not None or until is not None:
            raise bad_field("date and after or until are exclusive")
        day = dt.datetime.fromtimestamp(date // ONE, tz=dt.UTC).date()
        start = int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) * ONE
        return start - 1, start + _WHOLE_DAY
    return (-1 if after is None else after), (2**62 if until is None else until)


def _after(found: list[Activity], token: str) -> list[Activity]:
    """Return what comes after the activity whose id is the token; all without one."""
    if not token:
        return found
    for index, one in enumerate(found):
        if one.view["id"] == token:
            return found[index + 1 :]
    raise bad_field("invalid page_token")
