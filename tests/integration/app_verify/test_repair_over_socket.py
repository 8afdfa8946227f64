"""A repair over a real control socket: everything is checked first, and it stops where it fails."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fakes.control_operator import FakeOperator, reading
from tradingd.app.verify.applying import Repair
from tradingd.app.verify.report import Finding, Tolerances, VerifyReport
from tradingd.control import messages as m
from tradingd.control.answers import Done, HealthView, Status
from tradingd.control.client import ControlClient
from tradingd.control.server import ControlServer
from tradingd.domain.health import Grade
from tradingd.kits import latch
from tradingd.kits.failure import ExitCode, Failure

FOREIGN = Finding(check="foreign_order", subject="B-7", text="a bid", broker="BUY 1 AAA (B-7)")
MANUAL = Finding(
    check="fill_not_in_journal", subject="f1", symbol="AAA", text="a trade", owner="manual",
    broker="BUY 7 AAA 10.00",
)  # fmt: skip
CASH = Finding(check="cash", subject="cash", text="cash differs", broker="5.00", ours="4.00")
BARE = Finding(check="unprotected", subject="AAA", symbol="AAA", text="no stop", broker="0")
EVERYTHING = (FOREIGN, MANUAL, CASH)


class Daemon(FakeOperator):
    """A daemon that trades, with one thing that may go wrong."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        self.changes = changes
        self.broken_checks: tuple[str, ...] = ()
        self.refuses_to_cancel = False
        self.differs_after_adopting = False

    def status(self) -> Status:
        return msgspec.structs.replace(super().status(), **{"phase": "TRADING", **self.changes})

    def health(self) -> HealthView:
        bad = tuple(reading(name, Grade.FAILED, "9 s", "5 s") for name in self.broken_checks)
        return msgspec.structs.replace(super().health(), checks=bad)

    async def cancel_foreign(self, request: m.CancelForeignRequest, peer: m.Peer) -> Done:
        if self.refuses_to_cancel:
            raise Failure("the order is not cancelled", code=ExitCode.BROKER)
        return await super().cancel_foreign(request, peer)

    async def adopt(self, request: m.AdoptRequest, peer: m.Peer) -> Done:
        if self.differs_after_adopting:
            raise Failure("journal and broker differ still", code=ExitCode.RECONCILE)
        return await super().adopt(request, peer)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="rep"))
    yield folder
    shutil.rmtree(folder)


def report(*findings: Finding) -> VerifyReport:
    return VerifyReport(
        instance="paper", broker="simulated", account="SIM-1", agree=not findings, positions=(),
        findings=findings, broker_cash="5.00", our_cash="5.00", open_orders=0, foreign_orders=0,
        fills=0, tolerances=Tolerances(), looks=1, passing=0, since=0, wall=0, seconds=0.0,
        exit_code=0,
    )  # fmt: skip


def looks(*reports: VerifyReport) -> Callable[[], VerifyReport]:
    """Return what the looks see one after the other; the last one for ever."""
    left = list(reports)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def repaired[T](
    short: Path, daemon: Daemon, look: Callable[[], VerifyReport], work: Callable[[Repair], T]
) -> T:
    """Serve the daemon and repair from another thread, as another process would."""

    async def main() -> T:
        server = ControlServer(daemon, socket=short / "s")
        await server.start()
        client = ControlClient("paper", paths=[short / "s"], wait=0.0)
        try:
            repair = Repair("paper", look=look, client=client, state=short)
            return await asyncio.to_thread(work, repair)
        finally:
            await server.stop()

    return asyncio.run(main())


def whole(repair: Repair):  # type: ignore[no-untyped-def]
    return repair.apply(repair.prepare(""), "sold by hand")


def actions(daemon: Daemon) -> list[str]:
    return [one.action for one in daemon.audits]


def test_every_step_is_done_in_order_and_audited_and_then_looked_at_again(short: Path) -> None:
    daemon = Daemon()
    seen = report(*EVERYTHING)
    done = repaired(short, daemon, looks(seen, seen, report()), whole)
    assert [(step.verb, step.state) for step in done.steps] == [
        ("cancel-foreign", "done"),
        ("adopt", "done"),
        ("reconcile", "done"),
    ]
    assert (done.left, done.exit_code) == ((), 0)
    assert actions(daemon) == [
        "cancel-foreign asked", "cancel-foreign done", "adopt asked", "adopt done",
        "reconcile asked", "reconcile done",
    ]  # fmt: skip
    assert all("repair: sold by hand" in one.detail for one in daemon.audits[::2])


def test_a_step_that_fails_ends_it_and_says_what_was_not_done(short: Path) -> None:
    daemon = Daemon()
    daemon.refuses_to_cancel = True
    done = repaired(short, daemon, looks(report(*EVERYTHING)), whole)
    assert [step.state for step in done.steps] == ["failed", "not done", "not done"]
    assert "not cancelled" in done.steps[0].answer
    assert done.exit_code == ExitCode.BROKER
    assert daemon.acts == 0


def test_adopting_that_leaves_something_for_the_next_step_goes_on(short: Path) -> None:
    daemon = Daemon()
    daemon.differs_after_adopting = True
    seen = report(MANUAL, CASH)
    done = repaired(short, daemon, looks(seen, seen, report()), whole)
    assert [step.state for step in done.steps] == ["done", "done"]
    assert "differ still" in done.steps[0].answer
    assert done.exit_code == 0


def test_what_is_left_afterwards_is_told_with_62(short: Path) -> None:
    seen = report(CASH)
    done = repaired(short, Daemon(), looks(seen, seen, report(CASH)), whole)
    assert [step.state for step in done.steps] == ["done"]
    assert (done.left, done.exit_code) == ((CASH,), ExitCode.RECONCILE)


@pytest.mark.parametrize(
    ("changes", "broken", "word"),
    [
        ({"account": "SIM-2"}, (), "SIM-2"),
        ({"phase": "STOPPING"}, (), "STOPPING"),
        ({}, ("journal",), "9 s"),
        ({}, ("broker",), "9 s"),
    ],
    ids=["account", "phase", "journal", "broker"],
)
def test_a_precondition_that_does_not_hold_stops_it_before_anything_is_done(
    changes: dict[str, object], broken: tuple[str, ...], word: str, short: Path
) -> None:
    daemon = Daemon(**changes)
    daemon.broken_checks = broken
    with pytest.raises(Failure, match="nothing was done") as caught:
        repaired(short, daemon, looks(report(*EVERYTHING)), whole)
    assert caught.value.code is ExitCode.REFUSED
    assert word in caught.value.line()
    assert daemon.audits == []


def test_a_latch_forbids_a_repair_that_places_a_stop_and_no_other(short: Path) -> None:
    latch.trip(short, reason="odd orders", author="anna", now_ns=1)
    daemon = Daemon()
    with pytest.raises(Failure, match="nothing was done"):
        repaired(short, daemon, looks(report(BARE)), whole)
    assert daemon.audits == []
    seen = report(FOREIGN)
    done = repaired(short, daemon, looks(seen, seen, report()), whole)
    assert [step.state for step in done.steps] == ["done"]


def test_a_plan_that_changed_meanwhile_is_not_applied(short: Path) -> None:
    daemon = Daemon()
    with pytest.raises(Failure, match="has changed since") as caught:
        repaired(short, daemon, looks(report(FOREIGN), report(*EVERYTHING)), whole)
    assert caught.value.code is ExitCode.REFUSED
    assert daemon.audits == []


def test_a_broker_that_went_away_afterwards_is_told_and_not_taken_for_agreement(
    short: Path,
) -> None:
    seen = [report(CASH), report(CASH)]

    def look() -> VerifyReport:
        if seen:
            return seen.pop()
        raise Failure("the broker does not answer", code=ExitCode.BROKER)

    done = repaired(short, Daemon(), look, whole)
    assert [one.check for one in done.left] == ["not_verified"]
    assert done.exit_code == ExitCode.RECONCILE
