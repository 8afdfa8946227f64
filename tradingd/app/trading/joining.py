"""Joins the parts that decide and trade: book, gate, shim, engine, and what tells of them."""

import logging
from typing import TYPE_CHECKING

from tradingd import __version__
from tradingd.app.trading import brokers, parts
from tradingd.app.trading.arming import ArmingDesk
from tradingd.app.trading.commands import Flattener, StateKeeper
from tradingd.app.trading.days import Days
from tradingd.app.trading.limits import LimitOverrides
from tradingd.app.trading.pump import Pump
from tradingd.app.trading.status import StatusBoard
from tradingd.app.trading.telling import Teller
from tradingd.app.trading.timer_jobs import TimerJobs
from tradingd.app.trading.work import session_work
from tradingd.config.mode import LiveMode
from tradingd.daemon.jobs import session_jobs
from tradingd.daemon.scheduler import Scheduler
from tradingd.daemon.stopfiles import latch_reason
from tradingd.domain.feed import Quote, Renewing
from tradingd.domain.journal import MarkRow
from tradingd.engine.live.node import LiveEngine
from tradingd.gate.arming import ARMING, Arming
from tradingd.gate.states import TradingStates
from tradingd.kits.failure import Failure
from tradingd.orders.shim import Shim
from tradingd.telemetry.metrics import Metrics
from tradingd.telemetry.orders import OrderMetrics

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession

log = logging.getLogger(__name__)

OVERRIDES = "limit_overrides"
"""Journal mark: limits an operator has overridden, as JSON."""


async def join(session: "TradingSession") -> None:
    """Make and join them in the order they depend on each other; journal that the run begins.

    Feed, clock, broker, account and alerts are there already.
    """
    _account(session)
    _arming(session)
    _shim(session)
    _days(session)
    _telling(session)
    _levers(session)
    _engine(session)
    _jobs(session)
    _pump(session)
    session.watch.monitor()
    session.board = StatusBoard(session)
    await session.journal.write(
        parts.run_row(session.identity, session.loaded, session.feed.label),
        session.audit_row(
            "start", f"{__version__} {session.loaded.hash[:12]} {session.feed.label}"
        ),
    )


def _account(session: "TradingSession") -> None:
    """Make the book, the gate that reads it, the states in force, and the strategies."""
    session.book = parts.opening_book(session.config)
    session.gate = parts.session_gate(
        session.config, session.book, session.feed, session.symbols, session.watched
    )
    session.states = TradingStates()
    session.states.restore(session.recalled.states)
    session.strategies = parts.session_strategies(session.config)


def _arming(session: "TradingSession") -> None:
    """Make what lets a live instance open positions; what it was armed for goes on.

    In shadow mode nothing is armed: nothing is sent, and all of it is to be seen.
    """
    mode = session.mode
    session.arming = Arming(
        live=isinstance(mode, LiveMode) and not mode.shadow,
        account=session.account.account_id,
        config_hash=session.loaded.hash,
        longest_minutes=mode.arm_minutes if isinstance(mode, LiveMode) else 0,
        wall=session.wall,
        save=lambda text: session.journal.write(MarkRow(key=ARMING, value=text)),
    )
    session.arming.restore(session.recalled.marks.get(ARMING, ""))


def _shim(session: "TradingSession") -> None:
    """Make the way of every order, and lead quotes to it."""
    session.shim = Shim(
        instance=session.instance,
        run_id=session.identity.run_id,
        broker=session.broker,
        journal=session.journal,
        gate=session.gate,
        book=session.book,
        states=session.states,
        clock=session.clock,
        session=session.days_at,
        settings=session.config.supervision,
        first_seq=session.recalled.next_seq,
        armed=session.arming.refusal,
        unwell=session.watch.unwell,
        closed=session.market.refusal,
        shadow=session.mode.shadow,
        strategies=[one.name for one in session.strategies],
        barred=lambda: latch_reason(session.state),
        halted=lambda record, before: session.teller.state(record, before),
        approval=session.config.execution.approval,
        approval_minutes=session.config.execution.approval_minutes,
    )
    session.market.heard = lambda quote: session.shim.on_quote(quote.symbol, quote.bid, quote.ask)


def _days(session: "TradingSession") -> None:
    """Make the session days, with their corporate actions."""
    session.days = Days(
        session.book,
        session.clock,
        session.calendar,
        session.feed.actions(),
        None if session.simulated is None else session.simulated.corporate_action,
        begun=lambda _: _renew(session),
    )


def _renew(session: "TradingSession") -> None:
    """Ask a live feed for corporate actions as a day begins: some are told the day before."""
    feed = session.feed
    if not isinstance(feed, Renewing):
        return
    if feed.replayed:
        # A test server's market does not wait for an answer; the feed asks as its days go by.
        session.days.know(feed.actions())
        session.engine.know_actions(feed.actions())
        return

    async def renew() -> None:
        try:
            await feed.refresh()
        except Failure as failure:
            log.warning("corporate actions are those of yesterday: %s", failure.line())
        session.days.know(feed.actions())
        session.engine.know_actions(feed.actions())

    session.tasks.spawn("corporate actions", renew(), eternal=False)


def _telling(session: "TradingSession") -> None:
    """Make what counts and tells, and let it hear of orders."""
    session.metrics = Metrics(
        version=__version__,
        mode=session.identity.mode,
        folder=session.state,
        strategies=[one.name for one in session.strategies],
    )
    session.logs.count_in(session.metrics)
    session.metrics.started(session.identity.started)
    session.metrics.before_scrape(lambda: session.board.measure())
    if session.serving is not None:
        session.serving.count_in(session.metrics)
    session.teller = Teller(
        session.events,
        session.alerts.emit,
        session.clock.now,
        session.wall,
        session.metrics.denial,
    )
    session.shim.listen(session.teller.order)
    session.shim.listen(OrderMetrics(session.metrics))


def _levers(session: "TradingSession") -> None:
    """Make what the operator can move: limits, states, flattening, arming."""
    session.limits = LimitOverrides(
        session.gate,
        session.config.risk,
        session.wall,
        lambda saved: session.mark(OVERRIDES, saved.decode()),
    )
    session.limits.restore(session.recalled.marks.get(OVERRIDES, "").encode())
    session.keeper = StateKeeper(
        session.states, session.journal, session.wall, session.teller.state
    )
    session.flattener = Flattener(session.keeper, session.shim)
    session.arming_desk = ArmingDesk(
        session.arming,
        session.shim,
        session.teller.note,
        lambda text: session.journal.write(session.audit_row("arming", text)),
    )


def _engine(session: "TradingSession") -> None:
    """Make the engine with the strategies."""
    session.engine = LiveEngine(
        strategies=session.strategies,
        instruments=session.instruments,
        watched=[one for one in session.feed.instruments() if one.symbol in session.watched],
        resolution=session.feed.resolution,
        shim=session.shim,
        book=session.book,
        clock=session.clock,
        calendar=session.calendar,
        journal=session.journal,
        run_id=session.identity.run_id,
        on_fault=session.watch.strategy_fault,
        actions=session.feed.actions(),
        equity_every=session.mode.equity_every,
        style=session.config.execution.style,
        touch=session.market,
        half_spread_bps=brokers.half_spread_bps(session.config),
        exits_share=session.broker.capabilities.exits_share,
        advisor=None if session.serving is None else session.serving.advisor,
        on_advisor_failure=_unserved if session.serving is None else session.serving.failed,
    )
    session.market.heard = lambda quote: _quoted(session, quote)


def _jobs(session: "TradingSession") -> None:
    """Make the jobs of this process, and the record of those of others."""
    session.scheduler = Scheduler(
        session_jobs(session.config.schedule, session_work(session)),
        session.clock,
        session.calendar,
        session.journal,
        session.alerts.emit,
        grace_minutes=session.config.schedule.grace_minutes,
        absence_counts=not session.feed.replayed,
        counted=session.metrics.job_run,
    )
    session.timer_jobs = TimerJobs(session.journal, session.alerts.emit, session.recalled.marks)


def _pump(session: "TradingSession") -> None:
    """Make what takes one batch after another."""
    session.pump = Pump(
        feed=session.feed,
        clock=session.clock,
        days=session.days,
        shim=session.shim,
        engine=session.engine,
        journal=session.journal,
        sink=session.simulated,
        settle=session.watch.settle,
        taken=_nothing_to_take if session.simulated is None else session.simulated.drained,
        judge=session.watch.judge,
        after=session.watch.after_batch,
    )


def _quoted(session: "TradingSession", quote: Quote) -> None:
    session.shim.on_quote(quote.symbol, quote.bid, quote.ask)
    session.engine.heard(quote)


def _unserved(_error: BaseException) -> None:
    """Do nothing: there is no model."""


async def _nothing_to_take() -> None:
    """Return at once: a real broker's events come when they come."""
