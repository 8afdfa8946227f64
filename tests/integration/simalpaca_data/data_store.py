"""A small history store: minutes and days of two symbols, ticks, actions."""

import datetime as dt
from pathlib import Path

from tests.integration.history.history_samples import (
    DAY_BARS,
    MINUTE_BARS,
    bars,
    ns,
    quotes,
    trades,
)
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.history.store import Store

MINUTE = 60_000_000_000
# Tuesday to Thursday; New York is five hours behind UTC.
DAYS = ("2024-01-02", "2024-01-03", "2024-01-04")


def minutes(day: str, count: int, first: float, volume: int = 100) -> tuple[list[int], list[str]]:
    """Closes of `count` minutes after the open, a cent apart."""
    opening = ns(f"{day}T14:30:00")
    stamps = [opening + (step + 1) * MINUTE for step in range(count)]
    return stamps, [f"{first + step / 100:.2f}" for step in range(count)]


def build(root: Path) -> Path:
    """390 minutes of SPY and AAPL on three days, days of SPY, a split and dividends."""
    with Store(root).batch("sample") as batch:
        for symbol, price in (("AAPL", 190.0), ("SPY", 470.0)):
            stamps, closes = list[int](), list[str]()
            for number, day in enumerate(DAYS):
                more, prices = minutes(day, 390, price + 10 * number)
                stamps += more
                closes += prices
            batch.bars(MINUTE_BARS, symbol, bars(stamps, closes))
        days = [ns(f"{day}T21:00:00") for day in DAYS]
        batch.bars(DAY_BARS, "SPY", bars(days, ["473.89", "483.89", "493.89"], 39_000))
        batch.bars(DAY_BARS, "OLD", bars(days, ["1.5", "1.123456789", "0.0001"], 1_000))
        at = ns("2024-01-03T15:00:00")
        batch.quotes("TICK", quotes([at, at, at + 1], ["9.99", "9.98", None], ["10.01"] * 3))
        batch.trades("TICK", trades([at, at, at, at + 5], ["10", "10.01", "10.02", "10.03"]))
        batch.actions(
            [
                action("SPY", "2024-01-04", ActionKind.SPLIT, numerator=2),
                action("OLD", "2024-01-03", ActionKind.SPLIT, denominator=10),
                action("SPY", "2024-01-03", ActionKind.DIVIDEND, amount=1_906_000_000),
                action("META", "2024-01-04", ActionKind.RENAME, old_symbol="FB"),
                action("GONE", "2024-01-02", ActionKind.DELISTING),
            ]
        )
    return root


def action(
    symbol: str,
    day: str,
    kind: ActionKind,
    *,
    numerator: int = 1,
    denominator: int = 1,
    amount: int = 0,
    old_symbol: str = "",
) -> CorporateAction:
    """One corporate action."""
    return CorporateAction(
        symbol=symbol,
        ex_date=dt.date.fromisoformat(day),
        kind=kind,
        numerator=numerator,
        denominator=denominator,
        amount=amount,
        old_symbol=old_symbol,
    )
