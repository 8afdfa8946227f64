"""Carry a repair out: everything checked before the first step, each step through the daemon."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.verify.report import Finding, VerifyReport
from tradingd.app.verify.steps import (
    RepairReport,
    Step,
    by_hand,
    places_stops,
    plan_hash,
    steps_for,
)
from tradingd.control import messages as m
from tradingd.control.answers import HealthView, Status
from tradingd.control.client import ControlClient
from tradingd.domain.health import Grade
from tradingd.kits import latch
from tradingd.kits.failure import ExitCode, Failure

_NEEDED: Final = ("journal", "broker")
"""Health checks that must not fail: what is booked must be kept, what is asked must be answered."""


class Repair:
    """One repair of an instance.

    Parameters
    ----------
    look : Callable
        Verifies once, from outside the daemon.
    client : ControlClient
        The daemon's control socket.
    state : Path
        The instance's state folder, for the latch.
    """

    def __init__(
        self,
        instance: str,
        *,
        look: Callable[[], VerifyReport],
        client: ControlClient,
        state: Path,
    ) -> None:
        self._instance = instance
        self._look = look
        self._client = client
        self._state = state

    def plan(self) -> RepairReport:
        """Return what would be done; ask nobody to do anything."""
        return self._planned(self._look().findings)

    def prepare(self, wanted: str) -> RepairReport:
        """Return the plan once everything it needs has been checked; nothing has been done then.

        Raises
        ------
        Failure
            REFUSED where the plan is not `wanted` (empty: any) or a precondition does not hold,
            NO_DAEMON where nobody could do it.
        """
        seen = self._look()
        planned = self._planned(seen.findings)
        if wanted and wanted != planned.plan:
            raise _other_plan(wanted, planned.plan)
        if planned.steps:
            self._demand_daemon(seen)
        return planned

    def apply(self, prepared: RepairReport, reason: str) -> RepairReport:
        """Do the steps of a prepared plan, one after the other; stop at the first that fails.

        Raises
        ------
        Failure
            REFUSED where the plan has changed since it was prepared: nothing has been done then.
        """
        again = self.prepare(prepared.plan)
        done: list[Step] = []
        code = ExitCode.OK
        for position, step in enumerate(again.steps):
            ended, code = self._one(step, reason)
            done.append(ended)
            if code is not ExitCode.OK:
                rest = again.steps[position + 1 :]
                done += [msgspec.structs.replace(one, state="not done") for one in rest]
                break
        left = self._after(code)
        return RepairReport(
            instance=self._instance,
            plan=again.plan,
            applied=True,
            steps=tuple(done),
            by_hand=by_hand(left),
            left=tuple(left),
            exit_code=code or (ExitCode.RECONCILE if left else ExitCode.OK),
        )

    # -- private ---------------------------------------------------------------------------------

    def _planned(self, findings: Sequence[Finding]) -> RepairReport:
        steps = steps_for(findings)
        return RepairReport(
            instance=self._instance,
            plan=plan_hash(steps),
            applied=False,
            steps=steps,
            by_hand=by_hand(findings),
            left=tuple(findings),
            exit_code=ExitCode.RECONCILE if findings else ExitCode.OK,
        )

    def _one(self, step: Step, reason: str) -> tuple[Step, ExitCode]:
        """Ask the daemon for one step; return how it ended."""
        try:
            done = self._client.post(step.verb, self._request(step, f"repair: {reason}"[:500]))
        except Failure as failure:
            if step.verb != "cancel-foreign" and failure.code is ExitCode.RECONCILE:
                # It was done; what differs still is for the next step, or for a person.
                return _ended(step, "done", failure.line()), ExitCode.OK
            return _ended(step, "failed", failure.line()), failure.code
        return _ended(step, "done", done.done), ExitCode.OK

    def _request(self, step: Step, reason: str) -> m.Request:
        match step.verb:
            case "cancel-foreign":
                return m.CancelForeignRequest(
                    broker_order_id=step.subject, reason=reason, confirm=self._instance
                )
            case "adopt":
                return m.AdoptRequest(reason=reason, confirm=self._instance)
            case _:
                return m.ReconcileRequest(reason=reason)

    def _after(self, code: ExitCode) -> Sequence[Finding]:
        """Verify once more; a broker that went away meanwhile must not hide what was done."""
        try:
            return self._look().findings
        except Failure as failure:
            if code is ExitCode.OK:
                return [Finding(check="not_verified", subject=self._instance, text=failure.line())]
            return []

    def _demand_daemon(self, seen: VerifyReport) -> None:
        """Refuse unless the daemon can do every step; nothing is changed by asking."""
        status, health = self._asked()
        if status.account != seen.account:
            raise self._not_now("account", seen.account, status.account)
        if status.phase != "TRADING":
            raise self._not_now("daemon", "phase TRADING", status.phase)
        for reading in health.checks:
            if reading.name in _NEEDED and reading.grade is Grade.FAILED:
                raise self._not_now(reading.name, reading.limit, reading.value)
        latched = latch.read(self._state)
        if latched is not None and places_stops(seen.findings):
            raise self._not_now("latch", "no latch: a stop is to be placed", latched.reason)

    def _asked(self) -> tuple[Status, HealthView]:
        try:
            return (
                self._client.get("status", Status),
                self._client.get("health", HealthView),
            )
        except Failure as failure:
            if failure.code is not ExitCode.NO_DAEMON:
                raise
            raise Failure(
                "repairs are made by the daemon, which does not answer; nothing was done",
                code=ExitCode.NO_DAEMON,
                where=failure.where,
                found=failure.found,
                next_step=f"systemctl start tradingd@{self._instance}: it reconciles at its start, "
                "stays HALTED where something differs, and can be repaired then",
            ) from failure

    def _not_now(self, where: str, expected: str, found: str) -> Failure:
        return Failure(
            "a repair is not possible now; nothing was done",
            code=ExitCode.REFUSED,
            where=where,
            expected=expected,
            found=found,
            next_step=f"tradingctl -i {self._instance} health",
        )


def _ended(step: Step, state: str, answer: str) -> Step:
    return msgspec.structs.replace(step, state=state, answer=answer)


def _other_plan(wanted: str, found: str) -> Failure:
    return Failure(
        "what is to be repaired has changed since the plan was made; nothing was done",
        code=ExitCode.REFUSED,
        where="--plan",
        expected=wanted,
        found=found or "nothing to repair",
        next_step="look at --dry-run again",
    )
