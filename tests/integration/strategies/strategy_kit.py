"""Run a configured strategy over bars made of plain numbers, and keep its records."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.config.execution import NoSlippage
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import StrategyConfig
from tradingd.costs.make import borrow_model, commission_model, slippage_model
from tradingd.domain.advice import Advisor
from tradingd.domain.market import CorporateAction, Instrument, ReferenceData, Resolution, Session
from tradingd.domain.money import nanos
from tradingd.domain.ports import BarChunk, BarFeed
from tradingd.engine.backtest import BacktestPlan, Outcome, run_backtest
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.session.calendar import SessionCalendar
from tradingd.strategies.make import make_strategy

CALENDAR = SessionCalendar("XNYS")
MINUTE = 60_000_000_000
_PRICE = pa.decimal128(18, 9)


def bars_table(symbol: str, stamps: Sequence[int], closes: Sequence[float], **columns: Any):
    """Return bars; open is the close before, high and low the larger and smaller of the two."""
    close = np.round(np.asarray(closes, float), 2)
    opened = np.round(columns.get("opens", np.concatenate([close[:1], close[:-1]])), 2)
    high = np.round(columns.get("high", np.maximum(opened, close)), 2)
    low = np.round(columns.get("low", np.minimum(opened, close)), 2)
    volume = columns.get("volume", np.full(len(close), 1_000_000))
    prices = {"open": opened, "high": high, "low": low, "close": close}
    return pa.table(
        {
            "symbol": pa.array([symbol] * len(close), pa.string()),
            "ts_event": pa.array(np.asarray(stamps, np.int64)).cast(pa.timestamp("ns")),
            **{
                name: pa.array(one).cast(pa.decimal128(38, 9)).cast(_PRICE)
                for name, one in prices.items()
            },
            "volume": pa.array(np.asarray(volume, np.int64)),
        }
    )


class MemoryFeed:
    """All bars in one chunk."""

    def __init__(
        self,
        tables: Sequence[pa.Table],
        resolution: Resolution,
        actions: Sequence[CorporateAction] = (),
    ) -> None:
        self._table = pa.concat_tables(tables)
        self.resolution = resolution
        self._actions = list(actions)

    def symbols(self) -> Sequence[str]:
        return sorted(set(self._table["symbol"].to_pylist()))

    def rows(self) -> int:
        return self._table.num_rows

    def chunks(self) -> Iterator[BarChunk]:
        times = self._table["ts_event"].cast(pa.int64()).to_numpy()
        yield BarChunk(self._table, int(times.min()), int(times.max()))

    def actions(self) -> Sequence[CorporateAction]:
        return self._actions

    def instruments(self) -> Sequence[Instrument]:
        return [Instrument(symbol=symbol) for symbol in self.symbols()]

    def fingerprint(self) -> str:
        return "memory"


class Tables:
    """A recorder that keeps rows in lists."""

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.fills: list[Any] = []
        self.positions: list[Any] = []
        self.denials: list[Any] = []
        self.order = self.orders.append
        self.fill = self.fills.append
        self.position = self.positions.append
        self.denial = self.denials.append

    def equity(self, row: object) -> None:
        pass

    def cash(self, row: object) -> None:
        pass

    def flush(self) -> None:
        pass


class Run(msgspec.Struct):
    outcome: Outcome
    tables: Tables
    strategy: Any

    def entries(self) -> list[Any]:
        return [one for one in self.tables.orders if one.purpose == "ENTRY"]

    def exits(self) -> list[Any]:
        return [one for one in self.tables.orders if one.purpose == "EXIT"]


def run(
    config: StrategyConfig,
    feed: BarFeed,
    *,
    risk: RiskConfig,
    cash: int = 100_000,
    advisor: Advisor | None = None,
) -> Run:
    """Run without costs unless they are given."""
    book = Book(nanos(cash))
    strategy = make_strategy(config)
    tables = Tables()
    outcome = run_backtest(
        plan=BacktestPlan(
            cash=nanos(cash),
            latency_ms=250,
            participation_percent=0.0,
            account="margin",
            equity_every=3_600,
            seed=7,
        ),
        feed=feed,
        strategy=strategy,
        gate=Gate(
            risk,
            book,
            reference=ReferenceData(),
            account="margin",
            bar_seconds=feed.resolution.nanoseconds // 1_000_000_000,
        ),
        book=book,
        commissions=commission_model("none"),
        slippage=slippage_model(NoSlippage()),
        borrow=borrow_model(0.0),
        calendar=CALENDAR,
        recorder=tables,
        advisor=advisor,
    )
    return Run(outcome, tables, strategy)


def minutes_of(session: Session) -> list[int]:
    """Return the close of every minute bar of a session."""
    return list(range(session.open_ns + MINUTE, session.close_ns + 1, MINUTE))
