"""A small market, a strategy that follows a script, and whole backtests over them.

One day of minute bars, every volume large, every bar's open the close before it. An order decided
at a bar's close reaches the venue a quarter of a second later and fills at the next bar's open.
"""

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

import tradingd.app.backtest as app
from tradingd.config.load import Loaded, load
from tradingd.config.paths import store_root
from tradingd.config.strategy import StrategyBase
from tradingd.config.universe import TieredUniverse
from tradingd.domain.market import ReferenceData, Resolution
from tradingd.domain.records import OrderRecord
from tradingd.engine.strategy import Strategy
from tradingd.gate.gate import Gate
from tradingd.gate.limits.table import LIMITS
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar
from tradingd.universe.facts import Row
from tradingd.universe.files import folder_of, write_day

DAY: Final = dt.date(2024, 1, 3)
EVE: Final = dt.date(2024, 1, 2)
"""The session before; no bar is stored of it, and FLAT left the universe after it."""
MINUTE: Final = 60_000_000_000
SESSION: Final = SessionCalendar("XNYS").on(DAY)
CLOCKWORK: Final = "TICK"
"""Its bars count the minutes; the last in the alphabet, so every other bar of a minute is known."""

# Symbol -> close after minute 1, 2, ...; the last one holds to the end of the session.
CLOSES: Final[Mapping[str, Sequence[str]]] = {
    "CALM": ["100"],
    "FLAT": ["100"],
    "SINK": ["100", "99", "98", "97", "96", "95"],
    # up by ten after the sixth minute, then below where it began
    "SWAY": ["100"] * 5 + ["110", "89.80"],
    CLOCKWORK: ["100"],
}
_SCRIPT: Final = re.compile(r"<script\b.*?</script>", re.DOTALL)

SPARSE: Final = "RARE"
"""Trades in the first minute and then every tenth."""

EARNINGS: Final = DAY + dt.timedelta(days=2)
BORROWABLE: Final = 100

type Step = Callable[["Scripted"], object]
type Script = Mapping[int, Step]

SCRIPTS: dict[str, Script] = {}
"""What a scripted strategy does after which minute of the session; filled by the test modules."""


class ScriptSettings(StrategyBase, frozen=True, kw_only=True):
    """Names the script."""

    script: str


class Scripted(Strategy):
    """Does what its script says, and keeps what the verbs returned."""

    Settings = ScriptSettings

    def on_begin(self) -> None:
        self.minute = 0
        self.kept: dict[str, Any] = {}
        self.script = SCRIPTS[self.settings.script]

    def on_bar(self, bar: Any) -> None:
        if self.symbol_of(bar) == CLOCKWORK:
            self.minute += 1
            if step := self.script.get(self.minute):
                step(self)


class Result(msgspec.Struct):
    """A finished run, read back from its folder."""

    orders: list[dict[str, Any]]
    denials: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    metrics: dict[str, Any]
    manifest: dict[str, Any]
    sheet: str

    def order(self, reason: str) -> dict[str, Any]:
        """Return the one order sent for that reason."""
        (found,) = [order for order in self.orders if order["reason"] == reason]
        return found


def make_store(root: Path) -> Store:
    """Write the market."""
    assert SESSION is not None
    store = Store(root)
    length = (SESSION.close_ns - SESSION.open_ns) // MINUTE
    with store.batch("hand-made") as batch:
        for symbol, path in CLOSES.items():
            closes = [*path, *[path[-1]] * (length - len(path))]
            batch.bars(Resolution.MINUTE, symbol, bars(range(1, length + 1), closes))
        rare = [1, *range(10, length + 1, 10)]
        batch.bars(Resolution.MINUTE, SPARSE, bars(rare, ["100"] * len(rare)))
        batch.reference(
            ReferenceData(earnings={"FLAT": (EARNINGS,)}, shortable={"FLAT": {DAY: BORROWABLE}})
        )
    choose(store, EVE, list(CLOSES))
    choose(store, DAY, [one for one in CLOSES if one != "FLAT"])
    return store


def choose(store: Store, day: dt.date, symbols: Sequence[str]) -> None:
    """Make these the day's core universe."""
    rows = [
        Row(symbol=symbol, day=day, tier="core", rank=rank)
        for rank, symbol in enumerate(symbols, 1)
    ]
    write_day(folder_of(store.root, TieredUniverse()), day, rows)


def bars(minutes: Sequence[int], closes: Sequence[str]) -> pa.Table:
    """Return minute bars that end so many minutes after the open."""
    assert SESSION is not None
    stamps = [SESSION.open_ns + minute * MINUTE for minute in minutes]
    close = [Decimal(price) for price in closes]
    opened = [close[0], *close[:-1]]
    columns = {
        "ts_event": stamps,
        "ts_init": stamps,
        "open": opened,
        "high": [max(pair) for pair in zip(opened, close, strict=True)],
        "low": [min(pair) for pair in zip(opened, close, strict=True)],
        "close": close,
        "volume": [10_000_000] * len(close),
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in BARS}, schema=BARS
    )


def run(home: Path, script: str, *overrides: str) -> Result:
    """Run a script under risk=open and the given overrides, as `tradingd backtest` does."""
    folder = Path(app.backtest(configured(home, script, *overrides)).folder)
    ran = read(folder)
    (folder / "tearsheet.html").unlink()  # megabytes of plotting code each
    return ran


def simulated(loaded: Loaded) -> list[OrderRecord]:
    """Run the same composition without a run folder; return the orders."""
    mode = app.backtest_mode(loaded.config)
    store = Store(store_root(loaded.config), loaded.config.store)
    feed = app.open_feed(store, loaded.config, mode)
    kept = Orders()
    parts = app.make_parts(loaded.config, store, feed)
    app.simulate(loaded.config, mode, parts, feed, kept, lambda _done, _all: None)
    return kept.rows


class Orders:
    """A recorder that keeps orders and drops the rest."""

    def __init__(self) -> None:
        self.rows: list[OrderRecord] = []
        self.order = self.rows.append
        self.fill = self.position = self.equity = self.denial = self.cash = self.drop

    def drop(self, row: object) -> None:
        pass

    def flush(self) -> None:
        pass


def configured(home: Path, script: str, *overrides: str) -> Loaded:
    """Return the configuration of such a run; fees and slippage are off, latency is not."""
    return load(
        [
            "mode=backtest",
            f"mode.results={home / 'runs'}",
            f"store.root={home / 'history'}",
            "strategy=custom",
            f"strategy.path={__name__}:Scripted",
            f"strategy.params.script={script}",
            "strategy.bars=1m",
            "risk=open",
            "broker.fees=none",
            "execution.slippage.kind=none",
            *overrides,
        ],
        overlay=home,
    )


def read(folder: Path) -> Result:
    """Read a run folder with nothing of ours."""
    return Result(
        orders=pq.read_table(folder / "orders.parquet").to_pylist(),
        denials=pq.read_table(folder / "denials.parquet").to_pylist(),
        fills=pq.read_table(folder / "fills.parquet").to_pylist(),
        metrics=json.loads((folder / "metrics.json").read_text()),
        manifest=json.loads((folder / "manifest.json").read_text()),
        sheet=_SCRIPT.sub("", (folder / "tearsheet.html").read_text()),
    )


def gate_without(key: str) -> Callable[..., Gate]:
    """Return a gate maker whose table lacks one limit."""
    rest = tuple(limit for limit in LIMITS if limit.key != key)
    assert len(rest) == len(LIMITS) - 1
    return functools.partial(Gate, table=rest)
