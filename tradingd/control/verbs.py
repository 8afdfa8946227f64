"""The table of verbs: path, what goes in, what comes out, who is called, when it is dangerous.

The server dispatches by it, `GET /` lists it and the published contract is made from it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypedDict

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import (
    ConfigView,
    Done,
    HealthView,
    Index,
    Jobs,
    Limits,
    ModelView,
    Orders,
    Positions,
    Recording,
    Status,
    Trades,
    VerbView,
)
from tradingd.control.danger import (
    Rule,
    always,
    arming,
    cancelling,
    check_cancel,
    check_drill,
    never,
    nothing_to_check,
    overriding,
    resuming,
    the_account,
    the_instance,
)
from tradingd.control.operator import Operator

PREFIX: Final = f"/v{m.VERSION}"


class Looking(msgspec.Struct, frozen=True, kw_only=True):
    """A verb that changes nothing."""

    name: str
    summary: str
    answer: type[m.Message]
    look: Callable[[Operator, Any], Awaitable[m.Message]]
    query: type[m.Request] = m.NoQuery

    @property
    def path(self) -> str:
        """Where it is asked with GET."""
        return f"{PREFIX}/{self.name}"


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """A verb that changes something: operators only, audited before and after.

    `calming` marks verbs that only take risk away: they go on when the audit cannot be written.
    `danger` says in words when `confirm` is needed; `rule` decides, and `typed` what it must be.
    `check` refuses what makes no sense, before anybody is asked to confirm it.
    """

    name: str
    summary: str
    request: type[m.Request]
    act: Callable[[Operator, Any, m.Peer], Awaitable[Done]]
    calming: bool = False
    danger: str = ""
    rule: Rule = never
    typed: Callable[[Operator], str] = the_instance
    check: Callable[[Operator, Any], None] = nothing_to_check

    @property
    def path(self) -> str:
        """Where it is asked with POST."""
        return f"{PREFIX}/{self.name}"


class _Labels(TypedDict):
    instance: str
    mode: str
    synthetic: bool


def _labels(operator: Operator) -> _Labels:
    status = operator.status()
    return {"instance": status.instance, "mode": status.mode, "synthetic": status.synthetic}


async def _status(operator: Operator, query: m.NoQuery) -> Status:
    return operator.status()


async def _health(operator: Operator, query: m.NoQuery) -> HealthView:
    return operator.health()


async def _positions(operator: Operator, query: m.NoQuery) -> Positions:
    return Positions(positions=tuple(operator.positions()), **_labels(operator))


async def _orders(operator: Operator, query: m.OrdersQuery) -> Orders:
    return Orders(orders=tuple(operator.orders(all_today=query.all)), **_labels(operator))


async def _trades(operator: Operator, query: m.TradesQuery) -> Trades:
    return Trades(trades=tuple(await operator.trades(last=query.last)), **_labels(operator))


async def _limits(operator: Operator, query: m.NoQuery) -> Limits:
    return Limits(limits=tuple(operator.limits()), **_labels(operator))


async def _jobs(operator: Operator, query: m.NoQuery) -> Jobs:
    return Jobs(jobs=tuple(operator.jobs()), **_labels(operator))


async def _recording(operator: Operator, query: m.NoQuery) -> Recording:
    return operator.recording()


async def _model(operator: Operator, query: m.NoQuery) -> ModelView:
    return operator.model()


async def _config(operator: Operator, query: m.NoQuery) -> ConfigView:
    return operator.config()


LOOKING: Final[Sequence[Looking]] = (
    Looking(name="status", summary="The whole picture in one answer.", answer=Status, look=_status),
    Looking(
        name="health", summary="Every health check, explained.", answer=HealthView, look=_health
    ),
    Looking(name="positions", summary="Open positions.", answer=Positions, look=_positions),
    Looking(
        name="orders",
        summary="Open orders; all=true: every one of today.",
        answer=Orders,
        look=_orders,
        query=m.OrdersQuery,
    ),
    Looking(
        name="trades",
        summary="The last round trips; last=N: how many.",
        answer=Trades,
        look=_trades,
        query=m.TradesQuery,
    ),
    Looking(name="limits", summary="Limits with their overrides.", answer=Limits, look=_limits),
    Looking(name="jobs", summary="Jobs and when they are due.", answer=Jobs, look=_jobs),
    Looking(
        name="record",
        summary="The recorder of order books: what it follows, and who waits in line.",
        answer=Recording,
        look=_recording,
    ),
    Looking(
        name="model",
        summary="Who advises the strategies: expiry, drift, answers, challenger.",
        answer=ModelView,
        look=_model,
    ),
    Looking(name="config", summary="The configuration in force.", answer=ConfigView, look=_config),
)

EVENTS: Final = f"{PREFIX}/events"
EVENTS_SUMMARY: Final = (
    "Stream of events, a JSON object a line; after=SEQ resumes, follow=false ends."
)

ACTING: Final[Sequence[Acting]] = (
    Acting(
        name="pause",
        summary="No increases in scope; exits and stops go on.",
        request=m.PauseRequest,
        act=lambda operator, request, peer: operator.pause(request, peer),
        calming=True,
    ),
    Acting(
        name="resume",
        summary="Back to RUNNING.",
        request=m.ResumeRequest,
        act=lambda operator, request, peer: operator.resume(request, peer),
        danger="from HALTED, FLATTENING or FLAT",
        rule=resuming,
    ),
    Acting(
        name="halt",
        summary="Cancel what is open in scope, send nothing more.",
        request=m.HaltRequest,
        act=lambda operator, request, peer: operator.halt(request, peer),
        calming=True,
    ),
    Acting(
        name="flatten",
        summary="Cancel, close at market, verify with the broker, stay flat.",
        request=m.FlattenRequest,
        act=lambda operator, request, peer: operator.flatten(request, peer),
        calming=True,
        danger="always",
        rule=always("every position in scope is closed at market"),
    ),
    Acting(
        name="cancel",
        summary="Cancel one order, or every order in scope.",
        request=m.CancelRequest,
        act=lambda operator, request, peer: operator.cancel(request, peer),
        calming=True,
        danger="with a scope, or for a protective order",
        rule=cancelling,
        check=check_cancel,
    ),
    Acting(
        name="arm",
        summary="Allow a live instance to open positions, for a while; confirm is the account.",
        request=m.ArmRequest,
        act=lambda operator, request, peer: operator.arm(request, peer),
        danger="always",
        rule=arming,
        typed=the_account,
    ),
    Acting(
        name="disarm",
        summary="Take that back.",
        request=m.DisarmRequest,
        act=lambda operator, request, peer: operator.disarm(request, peer),
        calming=True,
    ),
    Acting(
        name="limits",
        summary="Override one limit for a while.",
        request=m.LimitRequest,
        act=lambda operator, request, peer: operator.set_limit(request, peer),
        danger="unless surely tighter than the value in force",
        rule=overriding,
    ),
    Acting(
        name="jobs",
        summary="Run a job now.",
        request=m.JobRequest,
        act=lambda operator, request, peer: operator.run_job(request, peer),
    ),
    Acting(
        name="job-report",
        summary="Journal the run of a job that has a unit of its own.",
        request=m.JobReportRequest,
        act=lambda operator, request, peer: operator.report_job(request, peer),
    ),
    Acting(
        name="record",
        summary="Record a symbol's order book from now on, or stop recording it.",
        request=m.RecordRequest,
        act=lambda operator, request, peer: operator.record(request, peer),
    ),
    Acting(
        name="reload",
        summary="Read the configuration again; its safe subset changes, or nothing does.",
        request=m.ReloadRequest,
        act=lambda operator, request, peer: operator.reload(request, peer),
    ),
    Acting(
        name="log-level",
        summary="Change what is logged, for a while.",
        request=m.LogLevelRequest,
        act=lambda operator, request, peer: operator.log_level(request, peer),
    ),
    Acting(
        name="approve",
        summary="Let an entry go that waits for a person.",
        request=m.DecideRequest,
        act=lambda operator, request, peer: operator.approve(request, peer),
    ),
    Acting(
        name="reject",
        summary="Turn down an entry that waits for a person.",
        request=m.DecideRequest,
        act=lambda operator, request, peer: operator.reject(request, peer),
        calming=True,
    ),
    Acting(
        name="acknowledge",
        summary="Stop an alert from escalating.",
        request=m.AcknowledgeRequest,
        act=lambda operator, request, peer: operator.acknowledge(request, peer),
    ),
    Acting(
        name="adopt",
        summary="Book what others traded in the account, by hand or by the kill switch.",
        request=m.AdoptRequest,
        act=lambda operator, request, peer: operator.adopt(request, peer),
        danger="always",
        rule=always("trades of others become the daemon's own"),
    ),
    Acting(
        name="reconcile",
        summary="Compare with the broker now: book what was missed, settle orders, place stops.",
        request=m.ReconcileRequest,
        act=lambda operator, request, peer: operator.reconcile(request, peer),
    ),
    Acting(
        name="cancel-foreign",
        summary="Cancel a working order of the account that is not in the journal.",
        request=m.CancelForeignRequest,
        act=lambda operator, request, peer: operator.cancel_foreign(request, peer),
        danger="always",
        rule=always("an order that is not the daemon's is cancelled"),
    ),
    Acting(
        name="drill",
        summary="Paper only: freeze one part on purpose and watch what happens.",
        request=m.DrillRequest,
        act=lambda operator, request, peer: operator.drill(request, peer),
        danger="always",
        rule=always("a part of the daemon is frozen on purpose"),
        check=check_drill,
    ),
)


def index(instance: str) -> Index:
    """Return the list of everything this socket understands."""
    looking = tuple(
        VerbView(method="GET", path=verb.path, summary=verb.summary, acts=False) for verb in LOOKING
    )
    events = VerbView(method="GET", path=EVENTS, summary=EVENTS_SUMMARY, acts=False)
    acting = tuple(
        VerbView(
            method="POST", path=verb.path, summary=verb.summary, acts=True, confirm=verb.danger
        )
        for verb in ACTING
    )
    return Index(
        program="tradingd", instance=instance, version=m.VERSION, verbs=(*looking, events, *acting)
    )
