"""Small real parts for engine tests: bars from rows, a feed, cost models with plain numbers."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import msgspec
import pyarrow as pa

from tradingd.config.execution import MarketStyle, StyleConfig
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import StrategyBase
from tradingd.domain.advice import Advisor
from tradingd.domain.market import CorporateAction, Instrument, ReferenceData, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.ports import BarChunk, Fees
from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from tradingd.engine.backtest import BacktestPlan, Outcome, run_backtest
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")
CASH = nanos(1_000_000)
PRICE = pa.decimal128(18, 9)

OPEN = RiskConfig(
    profile="open",
    drawdown_percent=100_000,
    daily_loss_percent=100_000,
    risk_per_trade_percent=100_000,
    open_risk_percent=100_000,
    position_percent=100_000,
    gross_percent=100_000,
    short_of_gross_percent=100_000,
    max_positions=1_000_000,
    max_trades_per_day=1_000_000,
    loss_streak=1_000_000,
    collar_percent=100_000,
    max_mark_age_seconds=1_000_000_000,
    orders_per_minute=1_000_000,
    no_trade_open_minutes=0,
    no_trade_close_minutes=0,
    earnings_blackout_days=0,
    require_stop=False,
    margin_regime="none",
)
"""Every limit out of reach."""


class Row(msgspec.Struct, frozen=True):
    """One bar, prices as decimal text or numbers."""

    symbol: str
    ts: int
    open: object
    high: object
    low: object
    close: object
    volume: int = 1_000_000


def daily(
    symbol: str, days: Sequence[str], bars: Sequence[Sequence[object]], volume: int = 1_000_000
) -> list[Row]:
    """Return daily bars (open, high, low, close[, volume]) stamped at the session's close."""
    return [
        Row(symbol, session_close(day), *bar[:4], int(bar[4]) if len(bar) > 4 else volume)  # type: ignore[arg-type]
        for day, bar in zip(days, bars, strict=True)
    ]


def minutes(
    symbol: str, day: str, bars: Sequence[Sequence[object]], volume: int = 1_000_000
) -> list[Row]:
    """Return minute bars from the session's open on."""
    first = session_open(day) + 60_000_000_000
    return [
        Row(
            symbol,
            first + index * 60_000_000_000,
            *bar[:4],
            int(bar[4]) if len(bar) > 4 else volume,  # type: ignore[call-overload]
        )
        for index, bar in enumerate(bars)
    ]


def session_open(day: str) -> int:
    session = CALENDAR.on(dt.date.fromisoformat(day))
    assert session is not None
    return session.open_ns


def session_close(day: str) -> int:
    session = CALENDAR.on(dt.date.fromisoformat(day))
    assert session is not None
    return session.close_ns


class MemoryFeed:
    """A feed of rows in memory, in chunks of so many time stamps."""

    def __init__(
        self,
        rows: Sequence[Row],
        resolution: Resolution,
        *,
        actions: Sequence[CorporateAction] = (),
        stamps_per_chunk: int = 1_000_000,
        tick: str = "0.01",
    ) -> None:
        self._rows = sorted(rows, key=lambda row: (row.symbol, row.ts))
        self._resolution = resolution
        self._actions = list(actions)
        self._step = stamps_per_chunk
        self._tick = nanos(tick)

    @property
    def resolution(self) -> Resolution:
        return self._resolution

    def symbols(self) -> Sequence[str]:
        return sorted({row.symbol for row in self._rows})

    def rows(self) -> int:
        return len(self._rows)

    def chunks(self) -> Iterator[BarChunk]:
        stamps = sorted({row.ts for row in self._rows})
        for index in range(0, len(stamps), self._step):
            span = set(stamps[index : index + self._step])
            rows = [row for row in self._rows if row.ts in span]
            yield BarChunk(table_of(rows), min(span), max(span))

    def actions(self) -> Sequence[CorporateAction]:
        return self._actions

    def instruments(self) -> Sequence[Instrument]:
        return [Instrument(symbol=symbol, tick=self._tick) for symbol in self.symbols()]

    def fingerprint(self) -> str:
        return "memory"


def table_of(rows: Sequence[Row]) -> pa.Table:
    def prices(name: str) -> pa.Array:
        return pa.array([Decimal(str(getattr(row, name))) for row in rows], PRICE)

    return pa.table(
        {
            "symbol": pa.array([row.symbol for row in rows], pa.string()),
            "ts_event": pa.array([row.ts for row in rows], pa.timestamp("ns")),
            "open": prices("open"),
            "high": prices("high"),
            "low": prices("low"),
            "close": prices("close"),
            "volume": pa.array([row.volume for row in rows], pa.int64()),
        }
    )


class Tables:
    """A recorder that keeps rows in lists."""

    def __init__(self) -> None:
        self.orders: list[OrderRecord] = []
        self.fills: list[FillRecord] = []
        self.positions: list[PositionRecord] = []
        self.equities: list[EquityRecord] = []
        self.denials: list[DenialRecord] = []
        self.cashes: list[CashRecord] = []
        self.flushes = 0

    def order(self, row: OrderRecord) -> None:
        self.orders.append(row)

    def fill(self, row: FillRecord) -> None:
        self.fills.append(row)

    def position(self, row: PositionRecord) -> None:
        self.positions.append(row)

    def equity(self, row: EquityRecord) -> None:
        self.equities.append(row)

    def denial(self, row: DenialRecord) -> None:
        self.denials.append(row)

    def cash(self, row: CashRecord) -> None:
        self.cashes.append(row)

    def flush(self) -> None:
        self.flushes += 1


class PerShare:
    """Commission of so much per share, at least `minimum` per order."""

    def __init__(self, per_share: str = "0", minimum: str = "0") -> None:
        self._per_share = nanos(per_share)
        self._minimum = nanos(minimum)
        self._charged: dict[str, int] = {}
        self.forgotten: list[str] = []
        self._bought: dict[str, int] = {}

    def charge(self, order_id, side, quantity, price, day):  # type: ignore[no-untyped-def]
        shares = self._bought.get(order_id, 0) + quantity
        self._bought[order_id] = shares
        due = max(self._minimum, shares * self._per_share) - self._charged.get(order_id, 0)
        self._charged[order_id] = self._charged.get(order_id, 0) + due
        return Fees(broker=due)

    def forget(self, order_id: str) -> None:
        self.forgotten.append(order_id)

    notes: Sequence[str] = ()


class Slip:
    """Slippage of a fixed amount per share."""

    def __init__(self, per_share: str = "0") -> None:
        self.memory = 5
        self.splits: list[tuple[str, int, int]] = []
        self._per_share = nanos(per_share)
        self.seen: list[tuple[str, int]] = []

    def observe(self, symbol: str, close: int) -> None:
        self.seen.append((symbol, close))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        self.splits.append((symbol, numerator, denominator))

    def per_share(self, symbol: str, price: int, tick: int) -> int:
        return self._per_share


class Borrow:
    """Borrow fee of so much per share and night."""

    def __init__(self, per_share: str = "0") -> None:
        self._per_share = nanos(per_share)

    def accrue(self, quantity: int, close: int, nights: int, day: dt.date) -> int:
        return quantity * nights * self._per_share


class Script(Strategy):
    """Runs a function per bar number (counted over all symbols), and keeps what it saw."""

    def __init__(self, steps: dict[int, Callable[["Script"], object]] | None = None) -> None:
        super().__init__(StrategyBase())
        self.steps = steps or {}
        self.bars: list[tuple[str, int]] = []
        self.said: list[object] = []

    def on_bar(self, bar) -> None:  # type: ignore[no-untyped-def]
        number = len(self.bars)
        self.bars.append((self.symbol_of(bar), bar.ts_event))
        step = self.steps.get(number)
        if step is not None:
            self.said.append(step(self))


class Ran(msgspec.Struct):
    """A finished run."""

    outcome: Outcome
    tables: Tables
    book: Book


def simulate(
    strategy: Strategy,
    rows: Sequence[Row],
    resolution: Resolution = Resolution.DAY,
    *,
    limits: RiskConfig = OPEN,
    latency_ms: int = 250,
    participation: float = 0.0,
    actions: Sequence[CorporateAction] = (),
    stamps_per_chunk: int = 1_000_000,
    fees: PerShare | None = None,
    slip: Slip | None = None,
    borrow: Borrow | None = None,
    tables: Tables | None = None,
    tick: str = "0.01",
    equity_every: int = 3_600,
    style: StyleConfig = MarketStyle(),  # noqa: B008 - frozen
    half_spread_bps: float = 0.0,
    advisor: Advisor | None = None,
) -> Ran:
    feed = MemoryFeed(
        rows, resolution, actions=actions, stamps_per_chunk=stamps_per_chunk, tick=tick
    )
    book = Book(CASH)
    gate = Gate(
        limits,
        book,
        reference=ReferenceData(),
        account="margin",
        bar_seconds=resolution.nanoseconds // 1_000_000_000,
    )
    tables = tables or Tables()
    outcome = run_backtest(
        plan=BacktestPlan(
            cash=CASH,
            latency_ms=latency_ms,
            participation_percent=participation,
            account="margin",
            equity_every=equity_every,
            seed=1,
            style=style,
            half_spread_bps=half_spread_bps,
        ),
        feed=feed,
        strategy=strategy,
        gate=gate,
        book=book,
        commissions=fees or PerShare(),
        slippage=slip or Slip(),
        borrow=borrow or Borrow(),
        calendar=CALENDAR,
        recorder=tables,
        advisor=advisor,
    )
    return Ran(outcome, tables, book)
