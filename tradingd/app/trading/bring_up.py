"""The start of a session, step by step; a step that fails takes back those before it."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from tradingd.app.doctor import environment, freshness, storage
from tradingd.app.doctor.check import diagnosis
from tradingd.app.trading import brokers, parts
from tradingd.app.trading.joining import join
from tradingd.app.trading.live_market import LiveMarket
from tradingd.app.trading.market import session_feed
from tradingd.app.trading.pump import FEED_POSITION
from tradingd.app.trading.ready import supervise
from tradingd.app.trading.recording import session_recording
from tradingd.app.trading.serving import session_model
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.config.secrets import Secret, resolve
from tradingd.daemon.lock import INSTANCE, AccountLock, accounts_folder
from tradingd.daemon.startup import Startup, Step
from tradingd.domain import endpoint
from tradingd.domain.broker import BrokerUnavailable
from tradingd.domain.feed import Batch, Feed
from tradingd.journal.recall import recall
from tradingd.kits.failure import ExitCode, Failure
from tradingd.notify.router import AlertRouter

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

log = logging.getLogger(__name__)

_GRACE = 5.0
_PATIENCE = 10.0
"""Seconds between two words about what a start waits for."""

_NO_BARS = (
    "no %s bars of %s yet: its market is over, has not begun, or has bars of another length. If it "
    "is over, end the server and start it with a new folder (--state) or later days; this start "
    "waits until there are bars"
)


class BringUp:
    """Takes the steps, in the order they depend on each other.

    Parameters
    ----------
    session : TradingSession
        Whose parts these are.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._one = session

    async def start(self) -> None:
        """Bring everything up, or take it all back.

        Raises
        ------
        Failure
            Naming the step.
        """
        steps = (
            Step(name="check the machine", run=self._check_machine),
            Step(name="take the instance", run=self._take_instance, undo=self._one.down.release),
            Step(
                name="open the journal", run=self._open_journal, undo=self._one.down.close_journal
            ),
            Step(name="start the alerts", run=self._start_alerts, undo=self._one.down.stop_alerts),
            Step(name="open the feed", run=self._open_feed, undo=self._one.down.close_feed),
            Step(name="connect to the broker", run=self._connect, undo=self._one.down.disconnect),
            Step(name="build the strategies and the gate", run=self._build),
            Step(
                name="serve the operator",
                run=self._one.front.serve,
                undo=self._one.front.stop_serving,
            ),
            Step(name="reconcile with the broker", run=self._reconcile, undo=self._call_off),
            Step(name="start the engine", run=self._start_engine, undo=self._one.down.stop_engine),
            Step(name="warm up", run=self._warm_up),
            Step(name="supervise", run=self._supervise, undo=self._one.down.stop_tasks),
        )
        startup = Startup(
            steps, progress=self._starting, seconds=time.monotonic, undo_seconds=_GRACE
        )
        await startup.run()
        # What is there now stays: to look through all of it takes the collector 0.1 s,
        # for which an order may have to wait.
        gc.collect()
        gc.freeze()
        self._one.phase = "TRADING"
        self._one.notifier.ready(self._one.board.line())
        self._one.heartbeat.watch()
        self._one.teller.note(
            "ready", f"trading {self._one.identity.strategy} on {self._one.feed.label}"
        )

    def _starting(self, text: str) -> None:
        log.info("start %s", text)
        self._one.notifier.status(f"starting: {text}")

    async def _check_machine(self) -> None:
        self._one.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = diagnosis(
            [
                environment.python(),
                environment.modules(),
                freshness.clock(),
                storage.disk(self._one.state),
            ]
        )
        bad = [one for one in found.checks if one.critical and one.status == "fail"]
        if bad:
            raise Failure(
                "this machine is not fit to trade",
                code=ExitCode.DOCTOR,
                where=bad[0].name,
                found=bad[0].detail,
                next_step=bad[0].next_step or "tradingd doctor",
            )

    async def _take_instance(self) -> None:
        self._one.instance_lock = AccountLock(
            self._one.state,
            broker=INSTANCE,
            account=self._one.instance,
            instance=self._one.instance,
        )
        self._one.instance_lock.acquire()

    async def _open_journal(self) -> None:
        await asyncio.to_thread(self._one.journal.start)
        self._one.recalled = await asyncio.to_thread(recall, self._one.journal.path)
        self._one.identity = parts.identify(
            self._one.loaded, self._one.instance, self._one.recalled, self._one.wall
        )
        self._one.logs.context["run_id"] = self._one.identity.run_id

    async def _start_alerts(self) -> None:
        self._one.alerts = AlertRouter(
            self._one.config.alerts,
            instance=self._one.instance,
            mode=self._one.identity.mode,
            outbox=self._one.state / "outbox",
            resolve=self._one.logs.mask.resolving(resolve),
            clock=self._one.wall,
            mask=self._one.logs.mask.text,
        )
        self._one.alerts.start()

    async def _open_feed(self) -> None:
        feed, watched = session_feed(self._one.config, self._one.calendar, self._secret)
        self._one.feed, self._one.watched = feed, watched
        self._one.market = LiveMarket(feed, lambda: self._one.clock.now())
        resume = int(self._one.recalled.marks.get(FEED_POSITION, "0"))
        if not feed.replayed:
            # What happened while nobody traded is history: nothing acts on it.
            resume = self._one.wall()
        await feed.open(resume)
        _require_traded(self._one.symbols, feed, watched)
        self._one.batches = feed.batches()
        if feed.replayed:
            self._one.first_batch = await self._first(self._one.batches)
        began = resume
        if not resume and self._one.first_batch is not None:
            began = parts.moment_before(
                self._one.first_batch, self._one.feed.resolution, self._one.calendar
            )
        self._one.clock = parts.session_clock(self._one.feed, began)
        self._one.resume_after = resume or began

    async def _first(self, batches: AsyncIterator[Batch]) -> Batch | None:
        """Wait for the first bars: the market of a test server may not have begun."""
        coming = asyncio.ensure_future(anext(batches, None))
        feed, told = self._one.feed, False
        try:
            while not (await asyncio.wait({coming}, timeout=_PATIENCE))[0]:
                self._starting(f"waiting for the first {feed.resolution} bars of {feed.label}")
                if not told:
                    # On a terminal warnings are all that is shown of the log.
                    log.warning(_NO_BARS, feed.resolution, feed.label)
                    told = True
                self._one.notifier.extend(2 * _PATIENCE)
            return coming.result()
        finally:
            coming.cancel()

    def _secret(self, reference: str) -> Secret:
        """Resolve a reference; from now on no log shows what it stands for."""
        return self._one.logs.mask.resolving(resolve)(reference)

    async def _connect(self) -> None:
        self._one.broker = broker = await brokers.connected_broker(
            self._one.config, self._one.state, self._one.instance, self._secret
        )
        self._one.simulated = broker if isinstance(broker, SimulatedBroker) else None
        self._one.account = await broker.connect()
        brokers.check_account(self._one.config, self._one.account)
        try:
            # Of watched ones too: what denies an order in them is then that they are watched.
            named = [one.symbol for one in self._one.feed.instruments()]
            unknown = set(await self._one.market.ask(broker, named)) - self._one.watched
        except BrokerUnavailable as error:
            raise Failure(
                "the broker does not say what may be traded",
                code=ExitCode.BROKER,
                where="broker",
                found=str(error),
                next_step="start again; the unit does so by itself",
            ) from error
        if unknown:
            log.warning(
                "the broker does not know %s: nothing is opened there", ", ".join(sorted(unknown))
            )
        self._one.account_lock = AccountLock(
            accounts_folder(self._one.instance),
            broker=self._one.broker.name,
            account=self._one.account.account_id,
            instance=self._one.instance,
        )
        self._one.account_lock.acquire()
        endpoint.write(
            self._one.state,
            brokers.endpoint_of(self._one.config, self._one.state, self._one.account.account_id),
        )

    async def _build(self) -> None:
        self._one.recording = session_recording(
            self._one.config, secret=self._secret, wall=self._one.wall, emit=self._one.alerts.emit
        )
        self._one.serving = await session_model(
            self._one.config,
            self._one.feed,
            self._one.calendar,
            watched=self._one.watched,
            folder=self._one.state,
            now=self._one.clock.now,
            wall=self._one.wall,
            emit=self._one.alerts.emit,
        )
        await join(self._one)

    async def _reconcile(self) -> None:
        self._one.phase = "RECONCILING"
        self._one.notifier.extend(self._one.config.supervision.start_seconds + 2 * _GRACE)
        await self._one.shim.start(self._one.recalled)
        self._one.days.start(self._one.clock.now())
        self._one.opening_equity = self._one.book.equity

    async def _call_off(self) -> None:
        """End the shim; when somebody asked for the stop, entries of before do not stay either."""
        if self._one.stopping.is_set() and self._one.shim.ready:
            await self._one.down.cancel_orders()
        await self._one.shim.stop()

    async def _start_engine(self) -> None:
        self._one.phase = "WARMING_UP"
        await self._one.engine.start()

    async def _warm_up(self) -> None:
        bars = self._one.mode.warm_up_bars
        if self._one.serving is not None:
            bars = max(bars, self._one.serving.warm_up_bars)
        history = await self._one.feed.history(self._one.resume_after, bars)
        await self._one.engine.warm_up(history)
        self._one.scheduler.start(self._one.recalled.marks)

    async def _supervise(self) -> None:
        await supervise(self._one)
        # Nothing waits for it: a vendor of books that is away keeps nobody from trading.
        self._one.tasks.spawn("order books", self._one.recording.run(), eternal=False)
        if self._one.serving is not None:
            self._one.serving.begin()
            self._one.tasks.spawn("model", self._one.serving.run())


def _require_traded(symbols: Sequence[str], feed: Feed, watched: frozenset[str]) -> None:
    """Refuse days that hold bars of what is watched and of nothing that may be traded."""
    if symbols or not watched:
        return
    raise Failure(
        "the feed has no bars of the universe",
        code=ExitCode.EMPTY_RANGE,
        where=feed.label,
        expected="bars of at least one symbol that may be traded",
        found=f"bars of {', '.join(sorted(watched))} alone, which the model's features refer to",
        next_step="feed.start and feed.end of days with bars, or another universe",
    )
