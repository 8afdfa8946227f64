"""Parameters of the commands that talk to a running daemon."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Reason = Annotated[
    str,
    Meta(
        description="Why; kept in the audit. Asked for on a terminal where it is needed.",
        min_length=3,
        max_length=500,
    ),
]
CalmReason = Annotated[
    str,
    Meta(
        description="Why; kept in the audit, any word will do. Asked for on a terminal where it is "
        "needed.",
        min_length=1,
        max_length=500,
    ),
]
Confirm = Annotated[
    str,
    Meta(
        description="The instance's name, as confirmation of a dangerous verb; asked for on a "
        "terminal.",
        extra={"metavar": "INSTANCE"},
    ),
]
ScopeText = Annotated[
    str,
    Meta(
        description="account, strategy:NAME or symbol:TICKER.",
        pattern=r"^(account|strategy:[\w.\-]{1,64}|symbol:[A-Z][A-Z0-9.\-]{0,14})$",
        extra={"fits": "account, strategy:NAME or symbol:TICKER"},
    ),
]
Minutes = Annotated[int, Meta(ge=1, le=1_440, description="Ends by itself after this long.")]
OrderId = Annotated[
    str, Meta(description="Number of an order.", extra={"positional": True, "metavar": "ORDER"})
]


class ControlParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of every command that talks to a daemon."""

    instance: Annotated[
        str,
        Meta(
            description="Name of the daemon's instance.",
            pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
            extra={
                "short": "i",
                "fits": "a name such as paper: a-z 0-9 - _, letter or digit first",
            },
        ),
    ] = "paper"
    socket: Annotated[
        Path | None, Meta(description="Its control socket, where it is not in the usual place.")
    ] = None
    wait: Annotated[
        Annotated[float, Meta(ge=0, le=3_600)] | None,
        Meta(
            description="Seconds to wait for a daemon that does not listen; default: 10 while it "
            "restarts, 0 when it is down."
        ),
    ] = None
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait for its answer.")
    ] = 10.0


class OrdersParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl orders`."""

    all: Annotated[bool, Meta(description="Every order of the day, not only the open ones.")] = (
        False
    )


class TradesParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl trades`."""

    last: Annotated[int, Meta(ge=1, le=10_000, description="How many round trips.")] = 20


class EventsParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl events`."""

    follow: Annotated[
        bool, Meta(description="Go on with new events, also when the daemon restarts.")
    ] = False
    last: Annotated[int, Meta(ge=1, le=10_000, description="How many of the latest.")] = 20
    after: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Instead: those after this number; 0: all that are kept."),
    ] = None


class PauseParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl pause`."""

    scope: ScopeText = "account"
    minutes: Minutes | None = None
    reason: CalmReason = "by hand"


class HaltParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl halt`."""

    scope: ScopeText = "account"
    reason: CalmReason = "by hand"


class ResumeParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl resume`."""

    scope: ScopeText = "account"
    reason: Reason = ""
    confirm: Confirm = ""


class FlattenParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl flatten`."""

    scope: ScopeText = "account"
    reason: CalmReason = ""
    confirm: Confirm = ""
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait until it is verified flat.")
    ] = 120.0


class CancelParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl cancel`."""

    order_id: Annotated[
        str,
        Meta(
            description="Number of the order; or give --scope.",
            extra={"positional": True, "metavar": "ORDER"},
        ),
    ] = ""
    scope: ScopeText | None = None
    reason: CalmReason = "by hand"
    confirm: Confirm = ""
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait for the confirmations.")
    ] = 60.0


class ArmParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl arm`."""

    account: Annotated[
        str,
        Meta(min_length=1, description="Number of the broker account that may be traded."),
    ]
    minutes: Annotated[
        int, Meta(ge=1, le=10_080, description="How long; mode.arm_minutes at most.")
    ] = 480
    reason: Reason = ""
    confirm: Annotated[
        str,
        Meta(
            description="The account's number again; asked for on a terminal when left out.",
            extra={"metavar": "ACCOUNT"},
        ),
    ] = ""


class DisarmParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl disarm`."""

    reason: CalmReason = "by hand"


class LimitsSetParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl limits set`."""

    key: Annotated[
        str, Meta(description="Limit as `limits list` names it.", extra={"positional": True})
    ]
    value: Annotated[str, Meta(description="Its value meanwhile.", extra={"positional": True})]
    minutes: Annotated[int, Meta(ge=1, le=1_440, description="How long.")] = 60
    reason: Reason = ""
    confirm: Confirm = ""


class JobsRunParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl jobs run`."""

    name: Annotated[
        str, Meta(description="Job as `jobs list` names it.", extra={"positional": True})
    ]
    reason: Reason = "by hand"
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait until it has run.")
    ] = 120.0


class JobsReportParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl jobs report`."""

    name: Annotated[str, Meta(description="Name of the job.", extra={"positional": True})]
    status: Annotated[Literal["done", "failed"], Meta(description="How it ended.")]
    seconds: Annotated[float, Meta(ge=0, description="How long it ran, up to now.")] = 0.0
    detail: Annotated[str, Meta(description="What a person should know.")] = ""


class RecordParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl record start` and `record stop`."""

    symbol: Annotated[
        str, Meta(description="Symbol, e.g. FROG.", extra={"positional": True, "metavar": "SYMBOL"})
    ]
    reason: Reason = "by hand"


class ReloadParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl reload`."""

    reason: Reason = "reload"
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait until it is in force.")
    ] = 60.0


class LogLevelParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl log-level`."""

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Meta(description="Least level logged.", extra={"positional": True}),
    ]
    minutes: Minutes | None = None
    reason: Reason = "log level"


class DecideParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl approve` and `reject`."""

    order_id: OrderId
    reason: Reason = "by hand"


class AcknowledgeParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl acknowledge`."""

    key: Annotated[str, Meta(description="Key of the alert.", extra={"positional": True})]
    reason: Reason = "seen"


class AdoptParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl adopt`."""

    reason: Reason = ""
    confirm: Confirm = ""
    timeout: Annotated[
        float,
        Meta(
            gt=0,
            le=3_600,
            description="Seconds to wait until the broker has told what was traded; it may want "
            "to be asked less often.",
        ),
    ] = 120.0


class DrillParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl drill`."""

    part: Annotated[
        Literal["feed", "strategy", "journal", "broker", "loop"],
        Meta(description="What is frozen.", extra={"positional": True}),
    ]
    seconds: Annotated[
        float, Meta(gt=0, le=600, description="For how long.", extra={"positional": True})
    ]
    reason: Reason = ""
    confirm: Confirm = ""
    timeout: Annotated[
        float, Meta(gt=0, le=3_600, description="Seconds to wait for its answer.")
    ] = 620.0


class IsSessionParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl calendar`."""

    calendar: Annotated[str, Meta(description="Exchange, as an ISO market identifier.")] = "XNYS"
    day: Annotated[
        str, Meta(description="Day there, YYYY-MM-DD; default: today.", extra={"metavar": "DAY"})
    ] = ""


class CompletionParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl completion`."""

    shell: Annotated[
        Literal["bash", "zsh", "tcsh"],
        Meta(description="Shell to complete for.", extra={"positional": True}),
    ]
