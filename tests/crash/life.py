"""One life of a trading process: real shim, journal and broker client, no engine.

`live` trades at random (seeded) while the broker misbehaves, until it is killed or done.
`come_to_rest` recovers with a broker that behaves, and goes on until nothing is left to settle.
"""

import asyncio
import contextlib
import datetime as dt
import random
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tests.crash.hooks import CountedBroker, CountedJournal, Steps
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.config.risk import RiskConfig
from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.broker_requests import TimeInForce
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.journal import OrderState, RunRow
from tradingd.domain.market import (
    NANOSECONDS,
    ActionKind,
    CorporateAction,
    ReferenceData,
    Session,
)
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.states import Scope, TradingState
from tradingd.domain.trading import Wish
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.kits.failure import Failure
from tradingd.orders.shim import Shim
from tradingd.orders.ticket import WAITING_PRICE
from tradingd.session.clock import ReplayClock

DAY = dt.date(2024, 1, 3)
OPEN = int(dt.datetime(2024, 1, 3, 14, 30, tzinfo=dt.UTC).timestamp()) * NANOSECONDS
MINUTE = 60 * NANOSECONDS
NIGHT = 24 * 60 * MINUTE
SYMBOLS = ("AAA", "BBB", "CCC")
CENT = NANOSECONDS // 100
SETTINGS = SupervisionConfig(
    settle_seconds=0.25, command_seconds=0.1, stop_grace_seconds=1.0, start_seconds=0.5
)
HASTY = msgspec.structs.replace(SETTINGS, settle_seconds=0.15, command_seconds=0.03)
LATEST = 0.4
"""Seconds that a slow broker may take to get a message; then orders appear that were lost."""
SLOW_DISK = 0.15
"""Share of the acts after which the journal commits nothing for a moment."""

LIMITS = RiskConfig(
    profile="crash",
    drawdown_percent=100_000,
    daily_loss_percent=100_000,
    risk_per_trade_percent=100_000,
    open_risk_percent=100_000,
    position_percent=100_000,
    gross_percent=100_000,
    short_of_gross_percent=100_000,
    max_positions=1_000,
    max_trades_per_day=100_000,
    loss_streak=0,
    collar_percent=100,
    orders_per_minute=100_000,
    no_trade_open_minutes=0,
    no_trade_close_minutes=0,
    earnings_blackout_days=0,
    require_stop=False,
    margin_regime="none",
)


class Process:
    """The parts of one process, put together as the daemon does."""

    def __init__(self, folder: Path, steps: Steps | None = None, **options: Any) -> None:
        steps = steps or Steps()
        self.folder = folder
        self.options = {"armed": lambda: None, "settings": SETTINGS, **options}
        self.steps = steps
        timeout = self.options["settings"].command_seconds
        self.client = SimulatedBroker(folder / "b.sock", timeout=timeout)
        exits_apart = self.options.pop("exits_apart", False)
        client = self.options.pop("client", CountedBroker)
        self.broker = client(self.client, steps, exits_apart=exits_apart)
        page_limit = self.options.pop("page_limit", None)
        self.writer = SqliteJournal(folder / "journal.sqlite", page_limit=page_limit)
        self.journal = CountedJournal(self.writer, steps)
        self.states = TradingStates()
        self.book = Book(0)
        self.clock = ReplayClock()
        self.notes: list[str] = []
        self.prices = dict.fromkeys(SYMBOLS, 100 * NANOSECONDS)
        self.limits = LIMITS
        self.shim: Any = None

    async def start(self) -> None:
        self.writer.start()
        self.recalled = recalled = recall(self.writer.path)
        await self.connect()
        self.states.restore(recalled.states)
        self.clock.advance(max(OPEN, self.client.market_ts))
        gate = Gate(LIMITS, self.book, reference=ReferenceData(), account="margin", bar_seconds=60)
        run_id = f"run-{recalled.runs + 1}"
        self.shim = Shim(
            instance="crash",
            run_id=run_id,
            broker=self.broker,
            journal=self.journal,
            gate=gate,
            book=self.book,
            states=self.states,
            clock=self.clock,
            session=session_of,
            first_seq=recalled.next_seq,
            **self.options,
        )
        await self.journal.write(_run_row(run_id))
        await self.shim.start(recalled)
        if recalled.book is not None or recalled.fill_ids:
            self.notes += self.shim.reconciliation.notes
        for symbol, line in self.book.positions().items():
            # A mark may be the price of a fill; the market trades in whole cents.
            self.prices[symbol] = line.mark // CENT * CENT or self.prices[symbol]

    async def connect(self) -> None:
        await self.client.connect()

    async def batch(self, moves: dict[str, tuple[int, int, int]], *, night: bool = False) -> None:
        """Tell the market one bar of every symbol: low, high and close as moves in cents.

        After a `night` it is the first one of the next day.
        """
        ts = self.clock.now() + MINUTE
        if night:
            ts = session_of(ts).open_ns + NIGHT + MINUTE
        bars = []
        for symbol in SYMBOLS:
            opened = self.prices[symbol]
            low, high, close = moves.get(symbol, (0, 0, 0))
            self.prices[symbol] = last = max(CENT, opened + close * CENT)
            bars.append(
                MarketBar(
                    symbol=symbol,
                    open=opened,
                    high=max(opened, last, opened + high * CENT),
                    low=max(CENT, min(opened, last, opened + low * CENT)),
                    close=last,
                    volume=1_000_000,
                )
            )
        batch = Batch(ts, tuple(bars))
        self.clock.advance(ts)
        try:
            await self.client.market(batch)
        except BrokerUnavailable:
            return
        self.shim.on_batch(batch)

    async def reconcile(self) -> None:
        try:
            self.notes += (await self.shim.reconcile()).notes
        except BrokerUnavailable:
            return

    async def end(self) -> None:
        if self.shim is not None:
            await self.shim.stop()
        await self.client.close()
        self.writer.close()


class Venue(Protocol):
    """Where a run trades: whose broker process, whose client, and what goes wrong there."""

    @property
    def settings(self) -> SupervisionConfig:
        """Time limits of a process that is to be killed: short ones, so that they pass."""

    @property
    def exits_apart(self) -> bool:
        """Whether two exits may not rest over the same shares."""

    @property
    def heals(self) -> float:
        """Share of the last processes that live through misbehaviour and are not killed."""

    @property
    def acts(self) -> tuple[int, int]:
        """The fewest and most acts before and after the misbehaviour changes."""

    @property
    def pauses(self) -> tuple[float, float]:
        """How often an act is followed by a pause, and its most seconds."""

    @property
    def patience(self) -> float:
        """Seconds in which a run must come to rest."""

    def process(self, folder: Path, steps: Steps, **options: Any) -> Process:
        """Put a process together; nothing is connected."""

    def faults(self, rng: random.Random, slow: bool) -> dict[str, object]:
        """Draw a plan of misbehaviour; mild, so that a life gets somewhere."""


def session_of(ts: int) -> Session:
    """Return the session of the day of a data time; every day has one."""
    day = (ts - OPEN) // NIGHT
    opened = OPEN + day * NIGHT
    return Session(DAY + dt.timedelta(days=day), opened, opened + 390 * MINUTE)


async def live(folder: Path, seed: int, steps: Steps, slow: bool, venue: Venue) -> int:
    """Trade at random; return how many steps it took when nothing killed it."""
    rng = random.Random(seed)
    await told(folder, venue.faults(rng, slow))
    approval = "manual" if rng.random() < 0.2 else "auto"
    process = await started(folder, steps, venue, settings=venue.settings, approval=approval)
    await process.batch({})
    fewest, most = venue.acts
    await acts(process, rng, rng.randint(fewest, most), venue)
    await told(folder, venue.faults(rng, slow))
    await acts(process, rng, rng.randint(fewest, most), venue)
    await asyncio.sleep(rng.choice((0, 0.1, 0.3)))
    if rng.random() < 0.3:
        await told(folder, {})
        await cancels_end(process)
    return steps.count


async def acts(process: Process, rng: random.Random, times: int, venue: Venue) -> None:
    """Do so many things, one after the other."""
    for _ in range(times):
        await act(process, rng)
        if venue.exits_apart and rng.random() < 0.5:
            quote(process, rng)
        if rng.random() < SLOW_DISK:
            process.writer.hold(rng.uniform(0.005, 0.05))
        share, longest = venue.pauses
        if rng.random() < share:
            await asyncio.sleep(rng.uniform(0, longest))


def quote(process: Process, rng: random.Random) -> None:
    """Show a price between the bars, often beyond what is watched here."""
    symbol = rng.choice(sorted(process.book.positions()) or SYMBOLS)
    price = process.prices[symbol] + rng.randint(-150, 150) * CENT
    process.shim.on_quote(symbol, price - CENT, price + CENT)


async def cancels_end(process: Process) -> None:
    """Wait for the cancels that were asked; they are asked again without any comparison."""
    async with asyncio.timeout(30):
        while any(row.cancel_asked for row in process.shim.open_orders()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def started(folder: Path, steps: Steps, venue: Venue, **options: Any) -> Process:
    """Start a hasty process; a busy machine may make it fail, as a daemon may, and start again.

    What misbehaves for good while a process starts ends after the first attempt.
    """
    while True:
        process = venue.process(folder, steps, **options)
        try:
            await process.start()
        except Failure:
            await process.end()
            await told(folder, {})
        else:
            return process


async def told(folder: Path, plan: dict[str, object]) -> None:
    """Let the broker misbehave, or behave (an empty plan)."""
    while True:
        client = SimulatedBroker(folder / "b.sock", timeout=5)
        try:
            await client.connect()
            await client.misbehave(plan)
        except (Failure, BrokerUnavailable):
            # It may still be away from an earlier life.
            await asyncio.sleep(0.01)
        else:
            return
        finally:
            await client.close()


async def act(process: Process, rng: random.Random) -> None:
    """Do one thing that a strategy, an operator or the market does."""
    shim, draw = process.shim, rng.random()
    # Mostly with what is held: that is where exits, stops and targets meet.
    holding = sorted(process.book.positions()) if rng.random() < 0.6 else []
    symbol = rng.choice(holding or SYMBOLS)
    held = process.book.position(symbol)
    if draw < 0.20:
        moves = {one: _move(rng) for one in SYMBOLS}
        night = rng.random() < 0.1
        if night:
            # A daemon compares every minute, so often before the next day.
            await process.reconcile()
        await process.batch(moves, night=night)
    elif draw < 0.26:
        await wild(process, rng, symbol)
    elif draw < 0.30:
        decide(shim, rng)
    elif draw < 0.40:
        if held is not None:
            shim.submit(leave(process, rng, symbol, held.quantity))
            await wild(process, rng, symbol)
    elif draw < 0.65:
        shim.submit(entry(process, rng, symbol))
    elif draw < 0.75:
        if held is not None:
            shim.submit(leave(process, rng, symbol, held.quantity))
    elif draw < 0.81:
        orders = [row for row in shim.open_orders() if row.purpose == "ENTRY"]
        if orders:
            shim.cancel(rng.choice(orders).order_id, reason="changed my mind")
    elif draw < 0.87:
        orders = [row for row in shim.open_orders() if row.limit and row.purpose == "ENTRY"]
        if orders:
            order = rng.choice(orders)
            shim.replace(
                order.order_id,
                quantity=order.quantity + rng.randint(-20, 20) or 1,
                limit=order.limit + rng.randint(-50, 50) * CENT,
                reason="follows",
            )
    elif draw < 0.93:
        if held is not None and shim.stop_price(symbol) is not None:
            sign = 1 if held.quantity > 0 else -1
            stop = process.prices[symbol] - sign * rng.randint(20, 150) * CENT
            shim.guard(symbol, stop=stop, reason="trails")
    elif draw < 0.95:
        await process.reconcile()
    elif draw < 0.96:
        await (split if rng.random() < 0.5 else dividend)(process, symbol, rng)
    elif draw < 0.98:
        await shim.cancel_all(Scope("symbol", symbol), reason="drill", author="operator")
    else:
        waiting = asyncio.ensure_future(
            shim.flatten(Scope("symbol", symbol), reason="drill", author="operator")
        )
        while not waiting.done():
            await process.batch({one: _move(rng) for one in SYMBOLS})
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)


async def wild(process: Process, rng: random.Random, symbol: str) -> None:
    """Two bars that reach every stop and every target, one right after the other."""
    for _ in range(2):
        await process.batch({symbol: (-200, 200, rng.randint(-50, 50))})


def decide(shim: Any, rng: random.Random) -> None:
    for row in shim.waiting_for_approval():
        (shim.approve if rng.random() < 0.8 else shim.reject)(row.order_id)


def entry(process: Process, rng: random.Random, symbol: str) -> Wish:
    side = rng.choice((Side.BUY, Side.SELL))
    price = process.prices[symbol]
    kind = rng.choice((OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT))
    limit = price + rng.randint(-60, 30) * side.sign * CENT if kind is OrderType.LIMIT else None
    reference = limit or price
    stop = reference - side.sign * rng.randint(30, 150) * CENT
    target = reference + side.sign * rng.randint(30, 150) * CENT
    return Wish(
        strategy=f"strategy-{symbol}",
        symbol=symbol,
        side=side,
        quantity=rng.randint(1, 100),
        type=kind,
        purpose=Purpose.ENTRY,
        reason="a random entry",
        ts=process.clock.now(),
        limit=limit,
        time_in_force=rng.choice((TimeInForce.DAY, TimeInForce.GTC)),
        protective_stop=stop if rng.random() < 0.9 else None,
        take_profit=target if rng.random() < 0.5 else None,
        expires=process.clock.now() + rng.randint(1, 6) * MINUTE if rng.random() < 0.3 else None,
    )


def leave(process: Process, rng: random.Random, symbol: str, held: int) -> Wish:
    side = Side.SELL if held > 0 else Side.BUY
    whole = rng.random() < 0.6
    resting = rng.random() < 0.2
    price = process.prices[symbol] - side.sign * rng.randint(10, 80) * CENT
    return Wish(
        strategy=f"strategy-{symbol}",
        symbol=symbol,
        side=side,
        quantity=abs(held) if whole else rng.randint(1, abs(held)),
        type=OrderType.LIMIT if resting else OrderType.MARKET,
        purpose=Purpose.EXIT,
        reason="a random exit",
        ts=process.clock.now(),
        limit=price if resting else None,
    )


async def split(process: Process, symbol: str, rng: random.Random) -> None:
    up, down = rng.choice(((2, 1), (3, 1), (1, 2)))
    action = CorporateAction(
        symbol=symbol,
        ex_date=DAY + dt.timedelta(days=process.steps.count),
        kind=ActionKind.SPLIT,
        numerator=up,
        denominator=down,
    )
    process.prices[symbol] = max(CENT, process.prices[symbol] * down // up // CENT * CENT)
    try:
        await process.client.corporate_action(action, process.clock.now())
    except BrokerUnavailable:
        return


async def dividend(process: Process, symbol: str, rng: random.Random) -> None:
    action = CorporateAction(
        symbol=symbol,
        ex_date=DAY + dt.timedelta(days=process.steps.count),
        kind=ActionKind.DIVIDEND,
        amount=rng.randint(1, 50) * CENT,
    )
    with contextlib.suppress(BrokerUnavailable):
        await process.client.corporate_action(action, process.clock.now())


async def come_to_rest(folder: Path, seed: int, slow: bool, venue: Venue) -> list[str]:
    """Recover with a broker that behaves; return what is wrong in the end.

    In some runs the broker only begins to behave when this process has traded for a while: then it
    recovers as one that nobody restarts.
    """
    rng = random.Random(seed)
    hardened = rng.random() < venue.heals
    patient = msgspec.structs.replace(SETTINGS, command_seconds=2.0)
    await told(folder, {})
    settings = venue.settings if hardened else patient
    process = await started(folder, Steps(), venue, settings=settings)
    if hardened:
        await told(folder, venue.faults(rng, slow))
        await acts(process, rng, rng.randint(10, 25), venue)
        await told(folder, {})
    loop = asyncio.get_running_loop()
    deadline = loop.time() + venue.patience
    # Messages of the dead may still be on their way.
    earliest = loop.time() + (LATEST + 0.1 if slow else 0)
    calm = 0
    while (calm < 3 or loop.time() < earliest) and loop.time() < deadline:
        await process.batch({})
        await process.reconcile()
        await asyncio.sleep(0.005)
        calm = calm + 1 if at_rest(process) else 0
    troubles = [] if calm >= 3 else [f"never at rest: {unrest(process)}"]
    troubles += [f"note: {note}" for note in process.notes if "cash" in note]
    last = process.shim.reconciliation
    if not last.clean:
        troubles.append(f"reconciliation: {last}")
    troubles += [
        f"state {record.state} by {record.author}: {record.reason}"
        for record in process.states.snapshot()
        if record.state is TradingState.HALTED
    ]
    await process.end()
    return troubles


def at_rest(process: Process) -> bool:
    return not unrest(process)


def unrest(process: Process) -> list[str]:
    """Return what is still going on."""
    shim = process.shim
    found = [f"{symbol} unprotected" for symbol in shim.unprotected()]
    found += [f"{symbol} has shares that nobody meant to hold" for symbol in shim.strays()]
    found += [
        f"{row.order_id} {row.purpose} {row.state} cancel_asked={row.cancel_asked} {row.note}"
        for row in shim.open_orders()
        if (row.state != OrderState.WORKING and row.note != WAITING_PRICE)
        or row.cancel_asked
        or (row.type == "MARKET" and row.purpose != "ENTRY")
    ]
    found += [f"{one.order_id} is being changed" for one in shim._desk.open() if one.busy]
    if not shim.ready:
        found.append("not ready")
    return found


def _move(rng: random.Random) -> tuple[int, int, int]:
    wide = rng.choice((20, 60, 200))
    return rng.randint(-wide, 0), rng.randint(0, wide), rng.randint(-wide // 2, wide // 2)


def _run_row(run_id: str) -> RunRow:
    return RunRow(
        run_id=run_id,
        instance="crash",
        mode="paper",
        strategy="random",
        config_hash="",
        git_commit="",
        data="SYNTHETIC",
        started=0,
    )
