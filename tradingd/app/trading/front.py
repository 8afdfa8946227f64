"""What a session shows to the outside: the control socket and the metrics."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tradingd.app.trading.drills import session_drills
from tradingd.app.trading.facts import Facts
from tradingd.app.trading.operator import SessionOperator
from tradingd.app.trading.reloading import Reloader
from tradingd.app.trading.work import recent_trades
from tradingd.control.location import own_socket
from tradingd.control.peers import group_id
from tradingd.control.server import ControlServer
from tradingd.domain.broker import BrokerUnavailable, Rejected
from tradingd.domain.broker_reports import BrokerOrder
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.systemd_socket import listen_fds
from tradingd.telemetry.server import MetricsServer

if TYPE_CHECKING:
    from tradingd.app.trading.session import TradingSession


_CANCEL_SECONDS = 15.0
_LOOK_SECONDS = 0.1

VIEWERS, OPERATORS = "tradingd-view", "tradingd-op"


class Front:
    """Serves the operator and Prometheus.

    Parameters
    ----------
    session : TradingSession
        Whose parts these are.
    """

    def __init__(self, session: "TradingSession") -> None:
        self._one = session
        self._control: ControlServer | None = None
        self._metrics: MetricsServer | None = None

    async def serve(self) -> None:
        """Make the operator and listen; a port or socket that is taken is refused."""
        self._one.reloader = Reloader(self._one, self._one.load_again)
        facts = Facts(
            instance=self._one.instance,
            live=self._one.identity.mode == "live",
            strategies=[one.name for one in self._one.strategies],
            symbols=self._one.symbols,
            status=self._one.board.status,
            health=self._one.board.health,
            jobs=self._one.board.jobs,
            config=self._one.board.config,
            positions=self._one.board.positions,
            recording=self._one.board.recording,
            model=self._one.board.model,
            record=self._one.recording.ask,
            reload=self._one.reloader.reload,
            run_job=self._run_job,
            report_job=self._one.timer_jobs.report,
            set_log_level=self._set_log_level,
            acknowledge=self._one.alerts.acknowledge,
            approve=lambda order_id, why: self._decide(self._one.shim.approve, order_id, why),
            reject=lambda order_id, why: self._decide(self._one.shim.reject, order_id, why),
            adopt=self._adopt,
            reconcile=self._reconcile,
            cancel_foreign=self._cancel_foreign,
            latched=self._one.kill_switch.stands,
            resumed=self._one.kill_switch.reset,
            drills=session_drills(self._one),
            trades=lambda last: recent_trades(self._one.journal.path, last),
            orders_today=self._one.board.orders_today,
        )
        self._one.operator = SessionOperator(
            facts,
            keeper=self._one.keeper,
            flattener=self._one.flattener,
            shim=self._one.shim,
            limits=self._one.limits,
            arming=self._one.arming_desk,
            journal=self._one.journal,
            events=self._one.events,
            wall=self._one.wall,
        )
        passed = listen_fds().get("control", [])
        self._control = ControlServer(
            self._one.operator,
            socket=passed[0] if passed else own_socket(self._one.instance, os.environ),
            viewers_gid=_group(VIEWERS),
            operators_gid=_group(OPERATORS),
        )
        await self._control.start()
        telemetry = self._one.config.telemetry
        if telemetry.metrics_port:
            self._metrics = MetricsServer(
                self._one.metrics,
                telemetry.metrics_host,
                telemetry.metrics_port,
                ready=lambda: self._one.phase == "TRADING" and self._one.health.ready,
                readings=self._one.health.readings,
            )
            await self._metrics.start()

    async def stop_serving(self) -> None:
        """Stop listening; verbs under way may end."""
        if self._control is not None:
            await self._control.stop(grace=1.0)
        if self._metrics is not None:
            await self._metrics.stop()

    async def _run_job(self, name: str) -> str:
        row = await self._one.scheduler.run_now(name, by="operator")
        return f"{row.status} {row.detail}".strip()

    async def _adopt(self, reason: str, author: str) -> tuple[Sequence[str], Sequence[str]]:
        """Book what others traded; return that, and what still differs."""
        try:
            adopted = await self._one.shim.adopt(reason=reason, author=author)
        except BrokerUnavailable as error:
            raise _no_answer(error) from error
        finally:
            # Also when the comparison after it failed: what is booked is booked.
            self._one.engine.show_positions()
        # Who resumes next must not find entries denied until the next look.
        self._one.health.evaluate()
        found = self._one.shim.reconciliation
        return adopted, (*found.mismatches, *found.foreign)

    async def _reconcile(self) -> tuple[Sequence[str], Sequence[str]]:
        """Compare now; return what was corrected, and what differs."""
        try:
            found = await self._one.shim.reconcile()
        except BrokerUnavailable as error:
            raise _no_answer(error) from error
        finally:
            self._one.engine.show_positions()
        self._one.health.evaluate()
        missed = (f"{found.recovered_fills} fills booked",) if found.recovered_fills else ()
        return (*missed, *found.notes), (*found.mismatches, *found.foreign)

    async def _cancel_foreign(self, broker_order_id: str) -> str:
        """Cancel a working order that is not ours; wait until the broker does not list it."""
        broker = self._one.broker
        try:
            order = await self._working(broker_order_id)
            if order is None:
                raise _no_such_order(broker_order_id)
            if self._one.shim.order(order.client_order_id) is not None:
                raise _own_order(order.client_order_id)
            outcome = await broker.cancel_at_broker(broker_order_id)
            if isinstance(outcome, Rejected):
                raise _not_cancelled(broker_order_id, outcome.reason)
            end = asyncio.get_running_loop().time() + _CANCEL_SECONDS
            while await self._working(broker_order_id) is not None:
                if asyncio.get_running_loop().time() > end:
                    raise _not_cancelled(broker_order_id, "it works still")
                await asyncio.sleep(_LOOK_SECONDS)
        except BrokerUnavailable as error:
            raise _no_answer(error) from error
        return f"{order.side} {order.quantity} {order.symbol} {order.type} ({broker_order_id})"

    async def _working(self, broker_order_id: str) -> BrokerOrder | None:
        orders = await self._one.broker.open_orders()
        found = [one for one in orders if one.broker_order_id == broker_order_id]
        return found[0] if found else None

    async def _decide(self, act: Callable[[str], bool], order_id: str, why: str) -> bool:
        decided = act(order_id)
        if decided:
            self._one.teller.note("approval", f"{order_id}: {why}")
        return decided

    def _set_log_level(self, level: str, minutes: int | None) -> str:
        before = self._one.logs.set_level(level)
        if minutes is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(60 * minutes, self._one.logs.set_level, before)
        return before


def _no_answer(error: BrokerUnavailable) -> Failure:
    return Failure(
        "the broker does not answer",
        code=ExitCode.BROKER,
        where="broker",
        found=str(error),
        next_step="tradingctl health; then again",
    )


def _no_such_order(broker_order_id: str) -> Failure:
    return Failure(
        "no such order works at the broker",
        code=ExitCode.REFUSED,
        where="orders",
        found=broker_order_id,
        next_step="tradingd verify lists the foreign orders",
    )


def _own_order(order_id: str) -> Failure:
    return Failure(
        "this order is the daemon's own",
        code=ExitCode.REFUSED,
        where="orders",
        found=order_id,
        next_step=f"tradingctl cancel {order_id}",
    )


def _not_cancelled(broker_order_id: str, why: str) -> Failure:
    return Failure(
        "the order is not cancelled",
        code=ExitCode.BROKER,
        where=broker_order_id,
        found=why,
        next_step="tradingd verify; cancel it with the broker's own tools",
    )


def _group(name: str) -> int | None:
    """Return a group's id; None on a machine without it: then the owner and root only."""
    try:
        return group_id(name)
    except Failure:
        return None
