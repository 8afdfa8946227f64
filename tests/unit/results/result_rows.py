"""Rows with sensible defaults, so that a test states only what it is about."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from tradingd.domain.money import nanos
from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from tradingd.results.folder import RunFolder
from tradingd.results.manifest import Manifest
from tradingd.results.recorder import RunRecorder

CONFIG_HASH, DATA_HASH = "ab" * 32, "cd" * 32
RUN_ID = "ema_cross-abababab-cdcdcdcd"


def at(day: str, time: str = "21:00") -> int:
    """UTC nanoseconds of a day's time."""
    moment = dt.datetime.fromisoformat(f"{day}T{time}+00:00")
    return int(moment.timestamp()) * 1_000_000_000


def order(**changes: Any) -> OrderRecord:
    row = {
        "seq": 1, "order_id": "O-1", "strategy": "ema_cross", "symbol": "SPY", "side": "BUY",
        "quantity": 100, "type": "MARKET", "limit_price": None, "stop_price": None,
        "purpose": "ENTRY", "reason": "fast above slow", "status": "FILLED",
        "filled_quantity": 100, "average_price": nanos("200.01"), "ts_submitted": at("2014-01-02"),
        "ts_closed": at("2014-01-02"), "denied_by": "", "parent_id": "",
    }  # fmt: skip
    return OrderRecord(**(row | changes))


def fill(**changes: Any) -> FillRecord:
    row = {
        "seq": 1, "order_id": "O-1", "strategy": "ema_cross", "symbol": "SPY", "side": "BUY",
        "quantity": 100, "price": nanos("200.01"), "touch_price": nanos("200"),
        "slippage": nanos("1"), "commission": nanos("1.30"), "fee_broker": nanos("1"),
        "fee_exchange": nanos("0.20"), "fee_regulatory": nanos("0.10"), "purpose": "ENTRY",
        "reason": "fast above slow", "position_after": 100, "ts": at("2014-01-02"),
    }  # fmt: skip
    return FillRecord(**(row | changes))


def position(**changes: Any) -> PositionRecord:
    row = {
        "seq": 1, "strategy": "ema_cross", "symbol": "SPY", "side": "LONG", "quantity": 100,
        "entry_price": nanos("200.01"), "exit_price": nanos("201.01"), "realised": nanos("97.40"),
        "commission": nanos("2.60"), "slippage": nanos("2"), "dividends": 0, "borrow": 0,
        "entry_reason": "fast above slow", "exit_reason": "fast below slow", "bars_held": 3,
        "ts_opened": at("2014-01-02"), "ts_closed": at("2014-01-03"),
    }  # fmt: skip
    return PositionRecord(**(row | changes))


def equity(day: str, value: str, time: str = "21:00", **changes: Any) -> EquityRecord:
    row = {
        "ts": at(day, time), "equity": nanos(value), "cash": nanos(value), "long_value": 0,
        "short_value": 0, "positions": 0, "day_peak": nanos(value),
    }  # fmt: skip
    return EquityRecord(**(row | changes))


def denial(**changes: Any) -> DenialRecord:
    row = {
        "seq": 1, "order_id": "O-9", "strategy": "ema_cross", "symbol": "SPY", "side": "BUY",
        "quantity": 100, "reason": "fast above slow", "limit": "position_percent",
        "observed": "5.1 %", "allowed": "5.0 %", "explanation": "too much SPY",
        "ts": at("2014-01-02"),
    }  # fmt: skip
    return DenialRecord(**(row | changes))


def cash(kind: str, amount: str, **changes: Any) -> CashRecord:
    row = {
        "seq": 1, "kind": kind, "symbol": "SPY", "amount": nanos(amount), "quantity": 100,
        "note": "", "ts": at("2014-01-02"),
    }  # fmt: skip
    return CashRecord(**(row | changes))


def manifest(**changes: Any) -> Manifest:
    row = {
        "run_id": RUN_ID, "tradingd": "0.1.0", "python": "3.13.1", "packages": {"numpy": "2.0"},
        "git_commit": "c0ffee", "git_dirty": False, "strategy": "ema_cross",
        "config_hash": CONFIG_HASH, "config": {"strategy": {"kind": "ema_cross", "fast": 5}},
        "data_hash": DATA_HASH, "seed": 7, "risk_profile": "default", "fees": "ibkr_fixed",
        "symbols": ("SPY",), "resolution": "1d", "start": None, "end": None,
        "first_ts": at("2014-01-02"), "last_ts": at("2014-01-03"), "rows": 2,
        "cash": Decimal(100_000), "final_equity": Decimal(100_000),
        "final_cash": Decimal(100_000), "open_positions": 0,
        "gate_counts": {"position_percent": (10, 1)},
    }  # fmt: skip
    return Manifest(**(row | changes))


def record(root: Path, *rows: Any, batch_rows: int = 4_096) -> RunFolder:
    """Record rows into a new run folder and close its tables."""
    folder = RunFolder.create(root, "ema_cross", CONFIG_HASH, DATA_HASH)
    recorder = RunRecorder(folder, batch_rows=batch_rows)
    takes = {
        OrderRecord: recorder.order, FillRecord: recorder.fill, PositionRecord: recorder.position,
        EquityRecord: recorder.equity, DenialRecord: recorder.denial, CashRecord: recorder.cash,
    }  # fmt: skip
    for row in rows:
        takes[type(row)](row)
    recorder.close()
    return folder


def bars(symbol: str, count: int = 2) -> pa.Table:
    """Daily bars around 200 dollars from 2014-01-02 on."""
    del symbol
    price = pa.array([Decimal(200)] * count, pa.decimal128(18, 9))
    times = [at("2014-01-02") + day * 86_400_000_000_000 for day in range(count)]
    return pa.table(
        {"ts_event": pa.array(times, pa.timestamp("ns"))}
        | dict.fromkeys(("open", "high", "low", "close"), price)
    )
