"""Rows to write into journals of tests."""

from typing import Any

from tradingd.domain.journal import AuditRow, FillRow, OrderRow, TripRow

DAY = 86_400 * 1_000_000_000
OPENING = 1_704_205_800_000_000_000
"""2024-01-02 09:30 in New York, UTC ns."""
DOLLAR = 1_000_000_000


def order(order_id: str, **changes: Any) -> OrderRow:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "strategy": "swing",
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": 100,
        "type": "MARKET",
        "purpose": "ENTRY",
        "reason": "breakout",
        "state": "INTENT",
        "ts": OPENING,
        "wall": OPENING + 5,
    }
    return OrderRow(order_id=order_id, **(values | changes))


def fill(fill_id: str, **changes: Any) -> FillRow:
    values: dict[str, Any] = {
        "order_id": "O-1",
        "run_id": "run-1",
        "strategy": "swing",
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": 100,
        "price": 190 * DOLLAR,
        "commission": DOLLAR,
        "slippage": DOLLAR // 2,
        "purpose": "ENTRY",
        "reason": "breakout",
        "position_after": 100,
        "ts": OPENING,
        "wall": OPENING + 5,
    }
    return FillRow(fill_id=fill_id, **(values | changes))


def trip(realised: int, **changes: Any) -> TripRow:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "strategy": "swing",
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": 100,
        "entry_price": 190 * DOLLAR,
        "exit_price": 191 * DOLLAR,
        "realised": realised,
        "commission": DOLLAR,
        "slippage": DOLLAR // 2,
        "entry_reason": "breakout",
        "exit_reason": "target",
        "ts_opened": OPENING,
        "ts_closed": OPENING + DAY,
    }
    return TripRow(**(values | changes))


def audit(number: int) -> AuditRow:
    return AuditRow(
        actor=f"anna{number}",
        action="halt",
        subject="account",
        detail=f"news {number}",
        wall=OPENING + number,
        uid=1000,
        pid=77,
    )
