"""The session as it is shown: status, health, jobs, configuration, metrics."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tradingd import __version__
from tradingd.app.trading import views
from tradingd.app.trading.model_view import model_view, model_words
from tradingd.app.trading.recording import answer
from tradingd.control.answers import (
    ConfigView,
    HealthView,
    JobView,
    ModelView,
    OrderView,
    PositionView,
    Recording,
    Status,
)
from tradingd.daemon.silence import silence_limits
from tradingd.daemon.summary import Standing, status_line
from tradingd.domain.feed import Counting

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


class StatusBoard:
    """Reads the session's parts; changes nothing.

    Parameters
    ----------
    session : TradingSession
        What is shown.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._session = session

    def recording(self) -> Recording:
        """Return what the recorder of order books is doing."""
        one = self._session
        return answer(
            one.recording,
            instance=one.instance,
            mode=one.identity.mode,
            synthetic=one.feed.synthetic,
        )

    def model(self) -> ModelView:
        """Return who advises the strategies, and how well it still may."""
        one = self._session
        return model_view(
            one.serving,
            instance=one.instance,
            mode=one.identity.mode,
            synthetic=one.feed.synthetic,
        )

    def line(self) -> str:
        """Return the STATUS line for systemd."""
        one = self._session
        book = one.book
        blocking = one.health.blocking
        return status_line(
            Standing(
                state=views.account_state(one.states.snapshot()),
                positions=len(book.positions()),
                open_orders=len(one.shim.open_orders()),
                day_pnl=book.equity - book.session_start_equity,
                feed_lag=one.kill_switch.seconds_silent,
                model="" if one.serving is None else one.serving.line,
                label="SYNTHETIC" if one.feed.synthetic else one.feed.label,
                arming=views.arming_words(one.arming, one.wall(), shadow=one.mode.shadow),
                note=f"{blocking[0].name}: {blocking[0].value}" if blocking else "",
            )
        )

    def status(self) -> Status:
        """Return the whole picture."""
        one, book = self._session, self._session.book
        now = one.clock.now()
        session = one.days_at(now)
        states = one.states.snapshot()
        return Status(
            instance=one.instance,
            mode=one.identity.mode,
            version=__version__,
            run_id=one.identity.run_id,
            phase=one.phase,
            ready=one.phase == "TRADING" and one.health.ready,
            state=views.account_state(states),
            states=tuple(views.state(record) for record in states),
            strategy=one.identity.strategy,
            broker=one.broker.name,
            account=one.account.account_id,
            armed=one.arming.armed,
            arming=views.arming_words(one.arming, one.wall(), shadow=one.mode.shadow),
            armed_until=one.arming.expires or None,
            feed=one.feed.label,
            synthetic=one.feed.synthetic,
            data_time=one.pump.last_ts or now,
            wall_time=one.wall(),
            session_open=session is not None and session.open_ns <= now < session.close_ns,
            feed_lag_seconds=one.kill_switch.seconds_silent or 0.0,
            equity=views.money(book.equity),
            cash=views.money(book.cash),
            day_pnl=views.money(book.equity - book.session_start_equity),
            realised_today=views.money(book.realised_today),
            drawdown_percent=round(views.drawdown_percent(book), 4),
            drawdown_limit_percent=one.gate.limits.drawdown_percent,
            day_peak=views.money(book.day_peak),
            positions=len(book.positions()),
            open_orders=len(one.shim.open_orders()),
            unknown_orders=len(one.shim.unknown_orders()),
            trades_today=book.trades_today,
            loss_streak=book.loss_streak,
            fills=one.teller.fills,
            health=one.health.grade,
            started=one.identity.started,
            config_hash=one.loaded.hash,
            status_line=self.line(),
            model="" if one.serving is None else model_words(one.serving),
        )

    def health(self) -> HealthView:
        """Return every check."""
        health = self._session.health
        return HealthView(
            live=health.live,
            ready=self._session.phase == "TRADING" and health.ready,
            grade=health.grade,
            checks=tuple(health.readings()),
        )

    def positions(self) -> Sequence[PositionView]:
        """Return the open positions."""
        return views.positions(self._session.book, dict(self._session.shim.owners()))

    def orders_today(self) -> Sequence[OrderView]:
        """Return the orders that this process knows, over or not."""
        return [views.order(row) for row in self._session.shim.known_orders()]

    def jobs(self) -> Sequence[JobView]:
        """Return the in-process jobs, then what timers have reported."""
        own = [
            JobView(
                name=state.name,
                where="daemon",
                next_due=state.next_due,
                last_due=state.last_due,
                last_status=state.last_status,
                detail=state.detail or state.description,
            )
            for state in self._session.scheduler.states()
        ]
        return [*own, *self._session.timer_jobs.views()]

    def config(self) -> ConfigView:
        """Return the configuration in force; secrets are references."""
        loaded = self._session.loaded
        return ConfigView(hash=loaded.hash, tree=loaded.tree)

    def measure(self) -> None:
        """Put the present numbers into the metrics; called before every scrape."""
        one, book, metrics = self._session, self._session.book, self._session.metrics
        found = one.shim.reconciliation
        now = one.clock.now()
        session = one.days_at(now)
        metrics.account(
            equity=book.equity,
            cash=book.cash,
            day_pnl=book.equity - book.session_start_equity,
            positions=len(book.positions()),
            realised_today=book.realised_today,
            gross=book.gross,
        )
        metrics.drawdown(views.drawdown_percent(book) / 100, one.gate.limits.drawdown_percent / 100)
        metrics.orders(
            open_orders=len(one.shim.open_orders()), unknown=len(one.shim.unknown_orders())
        )
        metrics.armed(one.arming.armed)
        metrics.state(views.account_state(one.states.snapshot()))
        metrics.market_open(session is not None and session.open_ns <= now < session.close_ns)
        metrics.broker_connected(one.broker.connected)
        metrics.broker_errors(one.shim.broker_errors_total)
        metrics.broker_ping(one.pinger.last.round_trip)
        metrics.reconciled(len(found.mismatches) + len(found.foreign), found.wall)
        metrics.loop_lag(one.lag.window().max_ms / 1_000)
        metrics.journal(
            pending_seconds=one.journal.oldest_pending, failed=one.journal.failure is not None
        )
        metrics.ready(one.phase == "TRADING" and one.health.ready)
        metrics.health(one.health.readings())
        metrics.alerts(one.alerts.stats(), waiting=one.alerts.waiting)
        limits = silence_limits(one.loaded.config.supervision, one.feed.seconds_between)
        metrics.feed_limit(limits.block)
        if isinstance(one.feed, Counting):
            metrics.feed_counts(one.feed.counts)
        if (books := one.recording.view()) is not None:
            totals = one.recording.totals()
            metrics.recorder(
                books=len(books.recording),
                waiting=len(books.queue),
                events=totals.events,
                rows=totals.rows,
                lost=totals.lost,
                buffered=books.buffered,
                flushed_seconds=books.flushed_ago,
            )
        if one.serving is not None:
            one.serving.measure(metrics)
        for job in one.scheduler.states():
            done = job.last_due if job.last_status == "done" else None
            metrics.job(job.name, due_ns=job.next_due, success_ns=done)
