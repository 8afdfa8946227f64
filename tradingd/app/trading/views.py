"""What an operator is shown: pure conversions from the parts' facts to messages."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from tradingd.control.answers import OrderView, PositionView, StateView
from tradingd.domain.journal import OrderRow
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos, decimal, price_text, to_cents
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.gate.arming import Arming
from tradingd.gate.book import Book

_NEW_YORK: Final = ZoneInfo("America/New_York")


def money(amount: Nanos) -> str:
    """Return an amount as text with two decimals, rounded half away from zero."""
    return f"{decimal(to_cents(amount)):.2f}"


def price(value: Nanos | None) -> str | None:
    """Return a price as exact text, without trailing zeros beyond the cents."""
    return None if value is None else price_text(value)


def positions(book: Book, owners: dict[str, str]) -> Sequence[PositionView]:
    """Return the open positions, by symbol."""
    lines = sorted(book.positions().items())
    return [
        PositionView(
            symbol=symbol,
            strategy=owners.get(symbol, ""),
            quantity=line.quantity,
            entry_price=price(line.average_price) or "",
            mark=price(line.mark) or "",
            value=money(line.quantity * line.mark),
            unrealised=money(line.quantity * (line.mark - line.average_price)),
            stop=price(line.stop),
        )
        for symbol, line in lines
    ]


def order(row: OrderRow) -> OrderView:
    """Return one order."""
    return OrderView(
        order_id=row.order_id,
        strategy=row.strategy,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        filled=row.filled,
        type=row.type,
        purpose=row.purpose,
        state=row.state,
        limit=price(row.limit),
        stop=price(row.stop),
        reason=row.reason,
        wall=row.wall,
        note=row.note,
    )


def state(record: StateRecord) -> StateView:
    """Return one trading state."""
    return StateView(
        scope=scope_text(record.scope),
        state=record.state,
        reason=record.reason,
        author=record.author,
        since=record.since,
        expires=record.expires,
    )


def scope_text(scope: Scope) -> str:
    """Return a scope as the control messages write it."""
    return scope.kind if scope.kind == "account" else f"{scope.kind}:{scope.name}"


def scope_of(text: str) -> Scope:
    """Read a scope from a control message (its pattern has been checked)."""
    kind, _, name = text.partition(":")
    match kind:
        case "strategy":
            return Scope("strategy", name)
        case "symbol":
            return Scope("symbol", name)
        case _:
            return Scope()


def arming_words(arming: Arming, now: int, *, shadow: bool) -> str:
    """Return e.g. ``ARMED until 16:00 New York``; empty in paper, where nothing is armed."""
    if shadow:
        return "SHADOW: nothing is sent"
    if not arming.live:
        return ""
    if not arming.armed:
        return "NOT ARMED: nothing is opened"
    return f"ARMED until {exchange_moment(arming.expires, now)}"


def exchange_moment(ts: int, now: int) -> str:
    """Return a wall time as New York has it, with the day where it is another one than now's."""
    then, today = _new_york(ts), _new_york(now)
    day = "" if then.date() == today.date() else f"{then:%Y-%m-%d} "
    return f"{day}{then:%H:%M} New York"


def _new_york(ts: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ts // NANOSECONDS, _NEW_YORK)


def account_state(records: Sequence[StateRecord]) -> TradingState:
    """Return the state of the whole account: RUNNING where nobody said otherwise."""
    found = [one.state for one in records if one.scope.kind == "account"]
    return found[0] if found else TradingState.RUNNING


def drawdown_percent(book: Book) -> float:
    """Return the fall from the day's high in percent of it."""
    peak = book.day_peak
    return 100 * (peak - book.equity) / peak if peak > 0 else 0.0
