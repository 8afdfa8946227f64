"""A live session of real parts: engine, shim, gate, journal file, broker in its own process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from tests.integration.engine.engine_kit import OPEN
from tests.integration.engine_live.live_kit import CALENDAR, settle
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.feed import Batch
from tradingd.domain.journal import RunRow
from tradingd.domain.market import Instrument, ReferenceData, Resolution
from tradingd.engine.live.node import LiveEngine
from tradingd.engine.strategy import Strategy
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.journal.recall import recall
from tradingd.journal.writer import SqliteJournal
from tradingd.orders.shim import Shim
from tradingd.session.clock import ReplayClock

CASH = Decimal(1_000_000)


@contextlib.contextmanager
def free_broker(folder: Path, *more: object) -> Iterator[None]:
    """Run a simulated broker without spread and commission."""
    command = [sys.executable, "-m", "tradingd.simbroker", "--state", folder]
    command += ["--socket", folder / "b.sock", "--cash", CASH, "--half-spread-bps", 0]
    command += ["--commission-per-share", 0, "--commission-min", 0, "--detach", *more]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    try:
        yield
    finally:
        log = (folder / "simbroker.log").read_text()
        os.kill(int(log.split("pid ")[1].split()[0]), signal.SIGTERM)


class Real:
    """The parts of one process."""

    def __init__(
        self,
        folder: Path,
        strategies: Sequence[Strategy],
        symbols: Sequence[str],
        approval: Literal["auto", "manual"] = "auto",
        **options: Any,
    ) -> None:
        settings = SupervisionConfig(settle_seconds=0.25)
        self.faults: list[tuple[BaseException, str]] = []
        self.clock = ReplayClock()
        self.book = Book(0)
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.broker = SimulatedBroker(folder / "b.sock", timeout=30.0)
        self.journal.start()
        self.recalled = recall(self.journal.path)
        run_id = f"run-{self.recalled.runs + 1}"
        self.run = RunRow(
            run_id=run_id,
            instance="test",
            mode="paper",
            strategy="test",
            config_hash="",
            git_commit="",
            data="",
            started=0,
        )
        gate = Gate(OPEN, self.book, reference=ReferenceData(), account="margin", bar_seconds=60)
        self.shim = Shim(
            instance="test",
            run_id=run_id,
            broker=self.broker,
            journal=self.journal,
            gate=gate,
            book=self.book,
            states=TradingStates(),
            clock=self.clock,
            session=CALENDAR.at,
            settings=settings,
            first_seq=self.recalled.next_seq,
            armed=lambda: None,
            approval=approval,
        )
        self.engine = LiveEngine(
            strategies=strategies,
            instruments=[Instrument(symbol=one) for one in symbols],
            resolution=Resolution.MINUTE,
            shim=self.shim,
            book=self.book,
            clock=self.clock,
            calendar=CALENDAR,
            journal=self.journal,
            run_id=run_id,
            on_fault=lambda error, name: self.faults.append((error, name)),
            **options,
        )

    async def start(self) -> None:
        await self.broker.connect()
        self.clock.advance(self.broker.market_ts)
        await self.journal.write(self.run)
        await self.shim.start(self.recalled)
        await self.engine.start()

    async def stop(self) -> None:
        await self.engine.stop()
        await self.shim.stop()
        await self.broker.close()
        self.journal.close()
        for error, _ in self.faults:
            error.__traceback__ = None

    async def play(self, *batches: Batch) -> None:
        """Do what the daemon does with each batch."""
        for batch in batches:
            self.clock.advance(batch.ts)
            await self.broker.market(batch)
            await self.broker.drained()
            self.shim.on_batch(batch)
            await self.engine.deliver(batch)
            await self.rest()

    async def rest(self) -> None:
        """Wait until nothing that was sent leads to anything more."""
        before = -1
        while True:
            await settle()
            assert await self.shim.settled(30.0)
            last = await self.broker.caught_up()
            if last == before:
                return
            before = last


@contextlib.asynccontextmanager
async def real(
    folder: Path, strategies: Sequence[Strategy], symbols: Sequence[str] = ("AAA",), **options: Any
) -> AsyncIterator[Real]:
    made = Real(folder, strategies, symbols, **options)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def until(condition, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the engine offers nothing to wait on
            await asyncio.sleep(0.002)
