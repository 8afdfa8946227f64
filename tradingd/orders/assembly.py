"""Puts the parts of the shim together."""

from collections.abc import Callable, Sequence
from typing import Literal

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import Broker
from tradingd.domain.journal import Journal
from tradingd.domain.market import Session
from tradingd.domain.orders import Side
from tradingd.domain.states import StateRecord
from tradingd.gate.book import Book
from tradingd.gate.gate import Gate
from tradingd.gate.states import TradingStates
from tradingd.orders.adjustments import Adjustments
from tradingd.orders.admission import Admission
from tradingd.orders.adopting import Adoption
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.fills import Fills
from tradingd.orders.flattening import Flattening
from tradingd.orders.following import Following
from tradingd.orders.guards import Guards
from tradingd.orders.halting import Halt
from tradingd.orders.intake import Intake
from tradingd.orders.opposing import Opposing
from tradingd.orders.protection import Protection
from tradingd.orders.reconcile import Reconciler
from tradingd.orders.restarting import Restart
from tradingd.orders.sending import Sender
from tradingd.orders.shadow import Shadow
from tradingd.orders.ticket import Ticket
from tradingd.orders.truth import Truth
from tradingd.orders.waiting import Approval, Expiry
from tradingd.orders.watching import Watching
from tradingd.session.clock import SessionClock


class Parts:
    """Every part of one shim, each with the others it needs; parameters as of `Shim`."""

    def __init__(
        self,
        *,
        instance: str,
        run_id: str,
        broker: Broker,
        journal: Journal,
        gate: Gate,
        book: Book,
        states: TradingStates,
        clock: SessionClock,
        session: Callable[[int], Session | None],
        settings: SupervisionConfig,
        first_seq: int,
        armed: Callable[[], str | None],
        unwell: Callable[[], str | None],
        closed: Callable[[str, Side, int], str | None],
        barred: Callable[[], str | None],
        halted: Callable[[StateRecord, str], None],
        approval: Literal["auto", "manual"],
        approval_minutes: int,
        shadow: bool,
        strategies: Sequence[str],
        wall: Callable[[], int],
    ) -> None:
        apart = not broker.capabilities.exits_share
        self._barred = barred
        self.errors = BrokerErrors(wall)
        self.desk = Desk(
            instance=instance,
            run_id=run_id,
            journal=journal,
            book=book,
            clock=clock,
            wall=wall,
            first_seq=first_seq,
        )
        self.shadow = Shadow(self.desk) if shadow else None
        self.doubt = Doubt(self.desk)
        self.fills = Fills(self.desk)
        self.truth = Truth(self.desk, broker, self.fills, self.errors)
        self.changes = Changes(self.desk, broker, self.truth, self.errors, self.shadow)
        self.halt = Halt(self.desk, self.changes, states, halted)
        self.sender = Sender(self.desk, broker, self.truth, self.errors, settings, shadow=shadow)
        self.opposing = Opposing(
            self.desk,
            refused=not broker.capabilities.opposite_orders,
            stopped=lambda symbol: self.protection.stopped(symbol),
        )
        self.admission = Admission(
            self.desk,
            broker,
            gate=gate,
            states=states,
            session=session,
            armed=armed,
            ready=lambda: self.following.ready,
            opposing=self.opposing,
            bare=lambda symbol: self.protection.bare(symbol),
            unwell=unwell,
            closed=closed,
            barred=barred,
        )
        self.protection = Protection(
            self.desk,
            self.sender,
            self.changes,
            self.doubt,
            self.admission.check,
            opposing=self.opposing,
            apart=apart,
            shadow=self.shadow,
        )
        self.watching = Watching(
            self.desk, self.sender, self.protection, self.admission, session=session, apart=apart
        )
        self.guards = Guards(self.desk, self.protection, gate, self.admission)
        self.reconciler = Reconciler(
            self.desk,
            broker,
            fills=self.fills,
            truth=self.truth,
            sender=self.sender,
            changes=self.changes,
            protection=self.protection,
            doubt=self.doubt,
            errors=self.errors,
            settings=settings,
            halt=self.halt.halt,
        )
        self.adjustments = Adjustments(
            self.desk, self.fills, self.protection, self.truth, self.reconciler.flag
        )
        self.following = Following(
            self.desk,
            broker,
            fills=self.fills,
            truth=self.truth,
            doubt=self.doubt,
            adjustments=self.adjustments,
            protection=self.protection,
            reconciler=self.reconciler,
        )
        self.flattening = Flattening(
            self.desk,
            broker,
            changes=self.changes,
            sender=self.sender,
            protection=self.protection,
            doubt=self.doubt,
            ready=self._may_act,
            reconcile=self.reconciler.run,
            settings=settings,
            shadow=shadow,
        )
        self.approval = Approval(
            self.desk,
            self.sender,
            self.admission,
            manual=approval == "manual",
            minutes=approval_minutes,
        )
        self.expiry = Expiry(self.desk, self.changes)
        self.intake = Intake(
            self.desk,
            admission=self.admission,
            approval=self.approval,
            expiry=self.expiry,
            protection=self.protection,
            sender=self.sender,
            watching=self.watching,
        )
        self.restart = Restart(
            self.desk,
            book,
            fills=self.fills,
            adjustments=self.adjustments,
            protection=self.protection,
            reconciler=self.reconciler,
            approval=self.approval,
            expiry=self.expiry,
            flag=self.reconciler.flag,
        )
        self.adoption = Adoption(
            self.desk,
            broker,
            self.fills,
            self.protection,
            self.truth,
            strategies=lambda: (*strategies, *self.restart.owners.values()),
        )
        self._join()

    def _join(self) -> None:
        """Tie the knots that constructors cannot: parts that call each other."""
        self.desk.changed = self._changed
        self.desk.fault = self.halt.fault
        self.desk.revived = self.changes.again
        self.fills.protection = self.protection
        self.truth.mismatch = self.reconciler.flag
        self.truth.cancel = self.changes.cancel
        self.sender.refusal = self.admission.refusal
        self.sender.room = self.protection.room
        self.sender.fits = self.protection.fits
        self.sender.alone = self.protection.alone
        self.sender.backed = self.doubt.backed
        self.protection.ready = self._may_act
        self.reconciler.adjustments = self.adjustments

    def _may_act(self) -> bool:
        return self.following.ready and self._barred() is None

    def _changed(self, ticket: Ticket) -> None:
        self.expiry.changed(ticket)
        self.protection.changed(ticket)
