"""The daemon as its operator sees it: every verb of the control socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from tradingd.app.trading import views
from tradingd.app.trading.arming import ArmingDesk
from tradingd.app.trading.commands import Flattener, StateKeeper, known_scope, timed
from tradingd.app.trading.facts import Facts
from tradingd.app.trading.limits import LimitOverrides
from tradingd.app.trading.state_verbs import StateVerbs
from tradingd.control import messages as m
from tradingd.control.answers import (
    ConfigView,
    Done,
    Event,
    HealthView,
    JobView,
    LimitView,
    ModelView,
    OrderView,
    PositionView,
    Recording,
    Status,
    TradeView,
)
from tradingd.control.events import EventHub
from tradingd.domain.journal import AuditRow, Journal
from tradingd.domain.states import MEND_STEP, Scope
from tradingd.domain.trading import OrderShim
from tradingd.gate.arming import nothing_to_arm
from tradingd.kits.failure import ExitCode, Failure


class SessionOperator:
    """Implements `tradingd.control.operator.Operator` over a session's parts.

    What must be confirmed, and what makes no sense, has been refused before a verb comes here
    (`tradingd.control.danger`).

    Parameters
    ----------
    facts : Facts
        What can be looked at.
    keeper : StateKeeper
        Sets trading states.
    flattener : Flattener
        Closes what is open.
    shim : OrderShim
        Where orders are cancelled.
    limits : LimitOverrides
        Temporary limits.
    arming : ArmingDesk
        Arms and disarms.
    journal : Journal
        Takes the audit.
    events : EventHub
        The event stream.
    wall : Callable
        Wall time, UTC ns.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        keeper: StateKeeper,
        flattener: Flattener,
        shim: OrderShim,
        limits: LimitOverrides,
        arming: ArmingDesk,
        journal: Journal,
        events: EventHub,
        wall: Callable[[], int],
    ) -> None:
        self._facts = facts
        self._shim = shim
        self._limits = limits
        self._arming = arming
        self._journal = journal
        self._events = events
        self._wall = wall
        self._states = StateVerbs(facts, keeper=keeper, flattener=flattener, shim=shim)

    # -- looking ---------------------------------------------------------------------------------

    @property
    def instance(self) -> str:
        """Name of the instance."""
        return self._facts.instance

    def status(self) -> Status:
        """Return the whole picture."""
        return self._facts.status()

    def health(self) -> HealthView:
        """Return every check."""
        return self._facts.health()

    def positions(self) -> Sequence[PositionView]:
        """Return the open positions."""
        return self._facts.positions()

    def orders(self, *, all_today: bool = False) -> Sequence[OrderView]:
        """Return the orders that are not over, or all of this process."""
        if all_today:
            return self._facts.orders_today()
        return [views.order(row) for row in self._shim.open_orders()]

    async def trades(self, *, last: int = 50) -> Sequence[TradeView]:
        """Return the latest round trips."""
        return await self._facts.trades(last)

    def limits(self) -> Sequence[LimitView]:
        """Return the limits in force."""
        return self._limits.views()

    def jobs(self) -> Sequence[JobView]:
        """Return the jobs."""
        return self._facts.jobs()

    def recording(self) -> Recording:
        """Return what the recorder of order books is doing."""
        return self._facts.recording()

    def model(self) -> ModelView:
        """Return who advises the strategies."""
        return self._facts.model()

    def config(self) -> ConfigView:
        """Return the configuration in force."""
        return self._facts.config()

    def events(self, after: int) -> AsyncIterator[Event]:
        """Follow what happens."""
        return self._events.subscribe(after)

    # -- acting ----------------------------------------------------------------------------------

    async def pause(self, request: m.PauseRequest, peer: m.Peer) -> Done:
        """Allow no increases in scope."""
        return await self._states.pause(request, peer)

    async def resume(self, request: m.ResumeRequest, peer: m.Peer) -> Done:
        """Go back to RUNNING."""
        return await self._states.resume(request, peer)

    async def halt(self, request: m.HaltRequest, peer: m.Peer) -> Done:
        """Send nothing more in scope and cancel what is open."""
        return await self._states.halt(request, peer)

    async def flatten(self, request: m.FlattenRequest, peer: m.Peer) -> Done:
        """Close everything in scope and verify it with the broker."""
        return await self._states.flatten(request, peer)

    async def cancel(self, request: m.CancelRequest, peer: m.Peer) -> Done:
        """Cancel one order, or all in scope."""
        if request.scope:
            scope = self._scope(request.scope)
            ids, seconds = await timed(
                self._shim.cancel_all(scope, reason=request.reason, author=peer.name)
            )
            return Done(done=f"{len(ids)} orders cancelled", orders=tuple(ids), seconds=seconds)
        row = self._shim.order(request.order_id)
        if row is None:
            raise _no_order(request.order_id)
        asked = self._shim.cancel(request.order_id, reason=f"{peer.name}: {request.reason}")
        text = "asked to cancel" if asked else f"is {row.state} already"
        return Done(done=f"{request.order_id} {text}", orders=(request.order_id,))

    async def arm(self, request: m.ArmRequest, peer: m.Peer) -> Done:
        """Allow a live instance to open positions, for a while."""
        token, seconds = await timed(
            self._arming.arm(
                account=request.account,
                minutes=request.minutes,
                author=peer.name,
                reason=request.reason,
            )
        )
        until = views.exchange_moment(token.expires, token.since)
        return Done(
            done=f"{self.instance} is ARMED until {until}: account {token.account}",
            changes=(("arming", "NOT ARMED", f"ARMED until {until}"),),
            seconds=seconds,
        )

    async def disarm(self, request: m.DisarmRequest, peer: m.Peer) -> Done:
        """Take that back at once; entries that work are cancelled."""
        if not self._facts.live:
            raise nothing_to_arm()
        was, seconds = await timed(self._arming.disarm(author=peer.name, reason=request.reason))
        before = "ARMED" if was else "NOT ARMED"
        return Done(
            done=f"{self.instance} is NOT ARMED: nothing is opened",
            changes=(("arming", before, "NOT ARMED"),),
            seconds=seconds,
        )

    async def set_limit(self, request: m.LimitRequest, peer: m.Peer) -> Done:
        """Override a limit for a while."""
        old, new = self._limits.set(request.key, request.value, request.minutes)
        self._tell("limit", f"{request.key}: {old} -> {new} for {request.minutes} minutes")
        return Done(
            done=f"{request.key} is {new} for {request.minutes} minutes",
            changes=((f"risk.{request.key}", old, new),),
        )

    async def run_job(self, request: m.JobRequest, peer: m.Peer) -> Done:
        """Run a job now."""
        detail, seconds = await timed(self._facts.run_job(request.name))
        return Done(done=f"{request.name}: {detail}", seconds=seconds)

    async def report_job(self, request: m.JobReportRequest, peer: m.Peer) -> Done:
        """Journal the run of a job that has a unit of its own."""
        noted = await self._facts.report_job(request)
        self._tell("job", f"{noted} {request.detail}".strip())
        return Done(done=noted)

    async def record(self, request: m.RecordRequest, peer: m.Peer) -> Done:
        """Record a symbol's order book, or stop recording it."""
        done = await self._facts.record(request.symbol, not request.stop)
        self._tell("record", done)
        return Done(done=done)

    async def reload(self, request: m.ReloadRequest, peer: m.Peer) -> Done:
        """Read the configuration again."""
        armed = self._arming.armed
        changes, seconds = await timed(self._facts.reload())
        for key, old, new in changes:
            self._tell("config", f"{key}: {old} -> {new}")
        done = f"{len(changes)} key{'' if len(changes) == 1 else 's'} changed"
        if armed and not self._arming.armed:
            done += "; this ended the arming: nothing is opened until tradingctl arm"
            changes = (*changes, ("arming", "ARMED", "DISARMED"))
        return Done(
            done=done,
            changes=changes,
            seconds=seconds,
        )

    async def log_level(self, request: m.LogLevelRequest, peer: m.Peer) -> Done:
        """Change the level of the log."""
        old = self._facts.set_log_level(request.level, request.minutes)
        return Done(
            done=f"log level {request.level}",
            changes=(("telemetry.log_level", old, request.level),),
        )

    async def approve(self, request: m.DecideRequest, peer: m.Peer) -> Done:
        """Let a waiting entry go."""
        return await self._decide(self._facts.approve, "approved", request, peer)

    async def reject(self, request: m.DecideRequest, peer: m.Peer) -> Done:
        """Drop a waiting entry."""
        return await self._decide(self._facts.reject, "rejected", request, peer)

    async def acknowledge(self, request: m.AcknowledgeRequest, peer: m.Peer) -> Done:
        """Stop an alert from escalating."""
        if self._facts.acknowledge(request.key):
            return Done(done=f"{request.key} acknowledged")
        raise Failure(
            "no open alert has this key",
            code=ExitCode.REFUSED,
            where="alerts",
            found=request.key,
            next_step="tradingctl events shows the alerts with their keys",
        )

    async def adopt(self, request: m.AdoptRequest, peer: m.Peer) -> Done:
        """Book what others traded in this account, then compare with the broker."""
        adopted, differs = await self._facts.adopt(request.reason, peer.name)
        for text in adopted:
            self._tell("adopted", text)
        if differs:
            raise Failure(
                "journal and broker differ still",
                code=ExitCode.RECONCILE,
                where="reconciliation",
                found="; ".join(differs),
                next_step="tradingd repair --dry-run shows what is left; what no execution "
                "explains: compare with the broker's own statement",
            )
        return Done(
            done=f"{len(adopted)} trades adopted; journal and broker agree",
            changes=tuple(("adopted", "", text) for text in adopted),
            verified=True,
        )

    async def reconcile(self, request: m.ReconcileRequest, peer: m.Peer) -> Done:
        """Compare with the broker now; what was missed is booked, what differs still is told."""
        notes, differs = await self._facts.reconcile()
        for text in notes:
            self._tell("reconciled", text)
        if differs:
            raise Failure(
                "journal and broker differ",
                code=ExitCode.RECONCILE,
                where="reconciliation",
                found="; ".join(differs),
                next_step=f"tradingd verify shows both sides; {MEND_STEP}",
            )
        return Done(
            done="journal and broker agree",
            changes=tuple(("reconciled", "", text) for text in notes),
            verified=True,
        )

    async def cancel_foreign(self, request: m.CancelForeignRequest, peer: m.Peer) -> Done:
        """Cancel one order of the account that nobody here sent."""
        text, seconds = await timed(self._facts.cancel_foreign(request.broker_order_id))
        self._tell("foreign", f"{text} cancelled by {peer.name}: {request.reason}")
        return Done(done=f"cancelled {text}", orders=(request.broker_order_id,), seconds=seconds)

    async def drill(self, request: m.DrillRequest, peer: m.Peer) -> Done:
        """Freeze one part on purpose; never with real money."""
        self._tell("drill", f"{request.part} frozen for {request.seconds:g} s: {request.reason}")
        await self._facts.drills[request.part](request.seconds)
        return Done(done=f"{request.part} is frozen for {request.seconds:g} s")

    def audit(self, *, actor: m.Peer, action: str, subject: str, detail: str) -> None:
        """Write one audit record; the journal's own failure is what health reports."""
        self._journal.write(
            AuditRow(
                actor=actor.name,
                action=action,
                subject=subject,
                detail=detail,
                wall=self._wall(),
                uid=actor.uid,
                pid=actor.pid,
            )
        )

    # -- private ---------------------------------------------------------------------------------

    def _scope(self, text: str) -> Scope:
        return known_scope(text, self._facts.strategies, self._facts.symbols)

    def _tell(self, kind: str, text: str) -> None:
        self._events.publish(kind, text, wall=self._wall())

    async def _decide(
        self,
        act: Callable[[str, str], Awaitable[bool]],
        word: str,
        request: m.DecideRequest,
        peer: m.Peer,
    ) -> Done:
        if await act(request.order_id, f"{peer.name}: {request.reason}"):
            return Done(done=f"{request.order_id} {word}", orders=(request.order_id,))
        raise Failure(
            "no entry of this id waits for a decision",
            code=ExitCode.REFUSED,
            where="approval",
            found=request.order_id,
            next_step="tradingctl orders shows what waits",
        )


def _no_order(order_id: str) -> Failure:
    return Failure(
        "there is no such order in this session",
        code=ExitCode.REFUSED,
        where="orders",
        found=order_id,
        next_step="tradingctl orders lists the open ones, tradingd journal orders all",
    )
