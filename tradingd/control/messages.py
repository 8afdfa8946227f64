"""What the control socket is asked, version 1: one struct a request; and who asks.

Published as `contracts/control.v1.schema.json`. Money is text with a decimal point, times are UTC
nanoseconds, quantities whole shares. A field may be added; removing or changing one is version 2.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

VERSION: Final = 1

Reason = Annotated[str, Meta(min_length=3, max_length=500, description="Why; kept in the audit.")]
CalmReason = Annotated[
    str,
    Meta(min_length=1, max_length=500, description="Why; kept in the audit. Any word will do."),
]
"""Of the verbs that take risk away: nobody in a hurry is sent back for two letters."""
Confirm = Annotated[
    str, Meta(description="The instance's name, typed again: dangerous verbs need it.")
]
ScopeText = Annotated[
    str,
    Meta(
        pattern=r"^(account|strategy:[\w.\-]{1,64}|symbol:[A-Z][A-Z0-9.\-]{0,14})$",
        description="account, strategy:NAME or symbol:TICKER.",
    ),
]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every message."""


class Request(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every request; unknown fields are refused."""


class Peer(Message, frozen=True, kw_only=True):
    """Who is at the other end of the socket; from the kernel, not from the message."""

    uid: int
    pid: int
    name: str


class ErrorBody(Message, frozen=True, kw_only=True):
    """Body of every refusal; `code` is the exit code that `tradingctl` ends with."""

    what: str
    code: int
    where: str = ""
    expected: str = ""
    found: str = ""
    next_step: str = ""


# -- looking ---------------------------------------------------------------------------------------


class NoQuery(Request, frozen=True, kw_only=True):
    """Query of the verbs that take none."""


class OrdersQuery(Request, frozen=True, kw_only=True):
    """Query of GET /v1/orders."""

    all: bool = False


class TradesQuery(Request, frozen=True, kw_only=True):
    """Query of GET /v1/trades."""

    last: Annotated[int, Meta(ge=1, le=10_000)] = 50


class EventsQuery(Request, frozen=True, kw_only=True):
    """Query of GET /v1/events.

    `after` is the last number seen, 0 for all that is kept, negative for that many of the latest.
    Without `follow` the stream ends once it has caught up.
    """

    after: int = -20
    follow: bool = True


# -- acting ----------------------------------------------------------------------------------------


class PauseRequest(Request, frozen=True, kw_only=True):
    """POST /v1/pause: no increases in scope."""

    reason: CalmReason
    scope: ScopeText = "account"
    minutes: Annotated[int | None, Meta(description="Ends by itself after this long.")] = None


class ResumeRequest(Request, frozen=True, kw_only=True):
    """POST /v1/resume: back to RUNNING, from HALTED and FLAT only with `confirm`."""

    reason: Reason
    scope: ScopeText = "account"
    confirm: Confirm = ""


class HaltRequest(Request, frozen=True, kw_only=True):
    """POST /v1/halt: cancel what is open in scope, send nothing more."""

    reason: CalmReason
    scope: ScopeText = "account"


class FlattenRequest(Request, frozen=True, kw_only=True):
    """POST /v1/flatten: cancel, close at market, verify with the broker, stay flat."""

    reason: CalmReason
    confirm: Confirm
    scope: ScopeText = "account"


class CancelRequest(Request, frozen=True, kw_only=True):
    """POST /v1/cancel: one order, or every order in scope."""

    reason: CalmReason
    order_id: str = ""
    scope: ScopeText | None = None
    confirm: Confirm = ""


class ArmRequest(Request, frozen=True, kw_only=True):
    """POST /v1/arm: allow a live instance to open positions, for a while.

    `account` is the broker account that is meant, `confirm` the same number typed again. `token` is
    not looked at any more.
    """

    reason: Reason
    confirm: Annotated[str, Meta(description="The broker account's number, typed again.")] = ""
    token: str = ""
    minutes: Annotated[int, Meta(ge=1, le=10_080)] = 480
    account: str = ""


class DisarmRequest(Request, frozen=True, kw_only=True):
    """POST /v1/disarm."""

    reason: CalmReason


class LimitRequest(Request, frozen=True, kw_only=True):
    """POST /v1/limits: override one limit for a while; looser needs `confirm`."""

    key: str
    value: str
    minutes: Annotated[int, Meta(ge=1, le=1_440)]
    reason: Reason
    confirm: Confirm = ""


class JobRequest(Request, frozen=True, kw_only=True):
    """POST /v1/jobs: run a job now."""

    name: str
    reason: Reason


class JobReportRequest(Request, frozen=True, kw_only=True):
    """POST /v1/job-report: a job that ran in a unit of its own says how it ended (wall, UTC ns)."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    status: Literal["done", "failed"]
    started: Annotated[int, Meta(ge=0)]
    ended: Annotated[int, Meta(ge=0)]
    detail: Annotated[str, Meta(max_length=2_000)] = ""
    reason: Reason = "job report"


class RecordRequest(Request, frozen=True, kw_only=True):
    """POST /v1/record: record a symbol's order book from now on, or stop recording it."""

    symbol: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9.\-]{0,14}$")]
    stop: bool = False
    reason: Reason = "by hand"


class ReloadRequest(Request, frozen=True, kw_only=True):
    """POST /v1/reload: read the configuration again; the safe subset changes, or nothing does."""

    reason: Reason = "reload"


class LogLevelRequest(Request, frozen=True, kw_only=True):
    """POST /v1/log-level."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    minutes: int | None = None
    reason: Reason = "log level"


class DecideRequest(Request, frozen=True, kw_only=True):
    """POST /v1/approve and /v1/reject: an entry that waits for a person."""

    order_id: str
    reason: Reason


class AcknowledgeRequest(Request, frozen=True, kw_only=True):
    """POST /v1/acknowledge: stop an alert from escalating."""

    key: str
    reason: Reason = "seen"


class AdoptRequest(Request, frozen=True, kw_only=True):
    """POST /v1/adopt: book what others traded in the account, then compare with the broker."""

    reason: Reason
    confirm: Confirm = ""


class ReconcileRequest(Request, frozen=True, kw_only=True):
    """POST /v1/reconcile: compare with the broker now; book what was missed, settle, protect."""

    reason: Reason


class CancelForeignRequest(Request, frozen=True, kw_only=True):
    """POST /v1/cancel-foreign: cancel one working order that is not in the journal."""

    broker_order_id: Annotated[str, Meta(min_length=1, max_length=100)]
    reason: Reason
    confirm: Confirm = ""


class DrillRequest(Request, frozen=True, kw_only=True):
    """POST /v1/drill, paper only: freeze one part on purpose and watch what happens."""

    part: Literal["feed", "strategy", "journal", "broker", "loop"]
    seconds: Annotated[float, Meta(gt=0, le=600)]
    reason: Reason
    confirm: Confirm
