"""A small bench for gate tests: one account, one session, prices in dollars.

Everything not under test is out of reach: the limits start from the shipped profile `open`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from tradingd.config.risk import RiskConfig
from tradingd.domain.market import NANOSECONDS, ReferenceData, Session
from tradingd.domain.money import nanos
from tradingd.domain.orders import (
    Fill,
    OrderIntent,
    OrderType,
    Purpose,
    Side,
    Verdict,
)
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.limits.table import LIMITS

REPOSITORY = Path(__file__).resolve().parents[3]
OPEN = msgspec.yaml.decode((REPOSITORY / "conf/risk/open.yaml").read_bytes(), type=RiskConfig)
MINUTE = 60 * NANOSECONDS
DAY = dt.date(2024, 1, 3)


def session_on(day: dt.date, hours: float = 6.5) -> Session:
    """The regular session of a winter day: 09:30 New York is 14:30 UTC."""
    opened = int(dt.datetime(day.year, day.month, day.day, 14, 30, tzinfo=dt.UTC).timestamp())
    return Session(
        day, opened * NANOSECONDS, opened * NANOSECONDS + int(hours * 3_600) * NANOSECONDS
    )


SESSION = session_on(DAY)
NOW = SESSION.open_ns + 60 * MINUTE


def usd(amount: str | int) -> int:
    return nanos(Decimal(amount))


def buy(quantity: int, price: str | int = 100, **fields: Any) -> OrderIntent:
    return order(Side.BUY, quantity, price, **fields)


def sell(quantity: int, price: str | int = 100, **fields: Any) -> OrderIntent:
    return order(Side.SELL, quantity, price, **fields)


def order(side: Side, quantity: int, price: str | int = 100, **fields: Any) -> OrderIntent:
    """An entry at the market in AAA unless said otherwise; `stop` is in dollars."""
    stop = fields.pop("stop", None)
    stated = {
        "order_id": "O-1",
        "strategy": "test",
        "symbol": "AAA",
        "type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "reason": "test",
        "ts": NOW,
        "protective_stop": None if stop is None else usd(stop),
    }
    return OrderIntent(side=side, quantity=quantity, price=usd(price), **{**stated, **fields})


def filled(
    book: Book,
    side: Side,
    quantity: int,
    price: str | int = 100,
    *,
    symbol: str = "BBB",
    order_id: str = "F-1",
    ts: int = NOW,
    purpose: Purpose = Purpose.ENTRY,
    commission: str | int = 0,
) -> None:
    book.fill(
        Fill(
            order_id=order_id,
            strategy="test",
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=usd(price),
            commission=usd(commission),
            slippage=0,
            purpose=purpose,
            ts=ts,
        )
    )


def nothing(book: Book) -> None:
    """Leave the account flat."""


@dataclass(frozen=True)
class Case:
    """One order in one situation."""

    intent: OrderIntent
    limits: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Book], None] = nothing
    cash: int = 100_000
    now: int = NOW
    session: Session | None = SESSION
    account: Literal["margin", "cash"] = "margin"
    bar_seconds: int = 60
    reference: ReferenceData = field(default_factory=ReferenceData)
    sent_before: int = 0
    marked: bool = True

    def gate(self, table: Any = LIMITS) -> Gate:
        book = Book(usd(self.cash))
        book.start_session(self.session or SESSION)
        if self.marked:
            book.mark("AAA", usd(100), NOW)
        self.prepare(book)
        gate = Gate(
            msgspec.structs.replace(OPEN, **self.limits),
            book,
            reference=self.reference,
            account=self.account,
            bar_seconds=self.bar_seconds,
            table=table,
        )
        for _ in range(self.sent_before):
            assert gate.check(buy(1), self.now, self.session).allowed
        return gate

    def verdict(self, table: Any = LIMITS) -> Verdict:
        return self.gate(table).check(self.intent, self.now, self.session)

    def denied_by(self, table: Any = LIMITS) -> set[str]:
        return {denial.limit for denial in self.verdict(table).denials}
