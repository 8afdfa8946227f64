"""Two markets that differ in one thing, or one market at two costs; the same orders in both.

Every run goes the whole way of `tradingd backtest`: bars in a store, composed configuration, run
folder. Off means `execution=ideal` (fills at the close just seen), no fees, no borrow.
"""

import copy
import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.app.backtest import backtest
from tradingd.config.load import Loaded, decode, load
from tradingd.config.strategy import StrategyBase
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy
from tradingd.history.schema import BARS
from tradingd.history.store import Store

SYMBOL: Final = "ACME"
NEW_YORK: Final = ZoneInfo("America/New_York")
EVERYTHING_OFF: Final = ("execution=ideal", "broker.fees=none", "broker.borrow_rate=0")
NEXT_OPEN: Final = "execution.latency_ms=250"
"""An order decided at a close fills at the next bar's open."""

type Trades = dict[int, int]
"""Bar number, from 0 -> signed shares to trade when it has closed."""


class PlanSettings(StrategyBase, frozen=True, kw_only=True):
    """(bar number, signed shares) in the order of the bars."""

    trades: tuple[tuple[int, int], ...]


class Planned(Strategy):
    """Sends market orders for known quantities after known bars."""

    Settings = PlanSettings

    def on_begin(self) -> None:
        self.seen = 0
        self.trades = dict(self.settings.trades)

    def on_bar(self, bar: Any) -> None:
        shares = self.trades.get(self.seen, 0)
        self.seen += 1
        if shares:
            side = Side.BUY if shares > 0 else Side.SELL
            self.enter(SYMBOL, side, abs(shares), reason=f"planned after bar {self.seen}")


class Bar(msgspec.Struct, frozen=True):
    """One bar; prices as text, high and low follow."""

    ts: int
    open: str
    close: str
    volume: int = 1_000_000_000


class Ended(msgspec.Struct, frozen=True):
    """What a run left in its folder."""

    equity: Decimal
    fills: list[dict[str, Any]]
    cash: list[dict[str, Any]]

    def sum(self, column: str) -> Decimal:
        """Add up a column of the fills."""
        return sum((fill[column] for fill in self.fills), Decimal(0))


def daily(days: Iterable[str], prices: Sequence[tuple[str, str]], **options: Any) -> list[Bar]:
    """Return bars of those days, stamped 16:00 in New York; prices are (open, close)."""
    return [Bar(at(day, "16:00"), *pair, **options) for day, pair in zip(days, prices, strict=True)]


def minutes(day: str, prices: Sequence[tuple[str, str]], volume: int = 1_000_000_000) -> list[Bar]:
    """Return minute bars from the open of a session on."""
    first = at(day, "09:31")
    return [
        Bar(first + number * 60_000_000_000, *pair, volume) for number, pair in enumerate(prices)
    ]


def flat(days: Sequence[str], price: str) -> list[Bar]:
    """Return daily bars that never move."""
    return daily(days, [(price, price)] * len(days))


def at(day: str, time: str) -> int:
    """Return UTC nanoseconds of a New York time."""
    moment = dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * 1_000_000_000


def split(day: str, numerator: int, denominator: int) -> CorporateAction:
    """Return a split on its ex-date."""
    return CorporateAction(
        symbol=SYMBOL,
        ex_date=dt.date.fromisoformat(day),
        kind=ActionKind.SPLIT,
        numerator=numerator,
        denominator=denominator,
    )


def dividend(day: str, amount: str) -> CorporateAction:
    """Return a cash dividend per share on its ex-date."""
    return CorporateAction(
        symbol=SYMBOL,
        ex_date=dt.date.fromisoformat(day),
        kind=ActionKind.DIVIDEND,
        amount=nanos(amount),
    )


class Market:
    """A store of one symbol's hand-made bars, and runs over it."""

    def __init__(
        self,
        home: Path,
        bars: Sequence[Bar],
        *,
        resolution: Resolution = Resolution.DAY,
        actions: Sequence[CorporateAction] = (),
    ) -> None:
        self.home = home
        self.resolution = resolution
        with Store(home / "history").batch("hand-made") as batch:
            batch.bars(resolution, SYMBOL, table_of(bars))
            batch.actions(actions)

    def run(self, trades: Trades, *overrides: str) -> Ended:
        """Run the trades with everything off but what the overrides put on."""
        composed = compose(f"strategy.bars={self.resolution}", *overrides)
        tree = copy.deepcopy(composed.tree)
        tree["store"]["root"] = str(self.home / "history")
        tree["mode"]["results"] = str(self.home / "runs")
        tree["strategy"]["params"]["trades"] = list(trades.items())
        loaded = Loaded(config=decode(tree), hash=composed.hash, tree=tree)
        folder = Path(backtest(loaded, sheet=False).folder)
        return Ended(
            pq.read_table(folder / "equity.parquet").to_pylist()[-1]["equity"],
            pq.read_table(folder / "fills.parquet").to_pylist(),
            pq.read_table(folder / "cash.parquet").to_pylist(),
        )


@functools.cache
def compose(*overrides: str) -> Loaded:
    """Compose a configuration once: half of a small backtest's time goes into it."""
    return load(
        [
            "mode=backtest",
            "mode.cash=10000000",
            "strategy=custom",
            f"strategy.path={__name__}:Planned",
            "risk=open",
            *EVERYTHING_OFF,
            *overrides,
        ],
        overlay=Path(__file__).parent,
    )


def table_of(bars: Sequence[Bar]) -> pa.Table:
    """Return bars in the store's layout."""
    opens, closes = ([Decimal(getattr(bar, name)) for bar in bars] for name in ("open", "close"))
    columns = {
        "ts_event": [bar.ts for bar in bars],
        "ts_init": [bar.ts for bar in bars],
        "open": opens,
        "high": [max(pair) for pair in zip(opens, closes, strict=True)],
        "low": [min(pair) for pair in zip(opens, closes, strict=True)],
        "close": closes,
        "volume": [bar.volume for bar in bars],
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in BARS}, schema=BARS
    )
