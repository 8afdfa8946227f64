"""Commands of `tradingctl audit`; they read the journal's file, so they work without a daemon."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command

Instance = Annotated[
    str,
    Meta(
        description="Name of the daemon's instance.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        extra={"short": "i"},
    ),
]
File = Annotated[
    str | None,
    Meta(description="Journal file; default: the instance's.", extra={"metavar": "PATH"}),
]

ENVIRONMENT = {
    "STATE_DIRECTORY": "state folder of the instance under systemd",
    "XDG_STATE_HOME": "base of the state folder where /var/lib/tradingd/INSTANCE is absent",
}


class TailParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl audit tail`."""

    instance: Instance = "paper"
    file: File = None
    last: Annotated[int, Meta(description="Rows to show.", ge=1, extra={"metavar": "N"})] = 20


class VerifyParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl audit verify`."""

    instance: Instance = "paper"
    file: File = None
    known_gaps: Annotated[
        int,
        Meta(
            description="Gap rows that were looked into (a power cut leaves one); more is broken.",
            ge=0,
            extra={"metavar": "N"},
        ),
    ] = 0


class ExportParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl audit export`."""

    to: Annotated[
        str, Meta(description="File to write, a line of JSON a row.", extra={"metavar": "FILE"})
    ]
    instance: Instance = "paper"
    file: File = None


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("audit", "tail"),
        params=TailParams,
        result="tradingd.cli.audit_run:AuditTail",
        function="tradingd.cli.audit_run:tail",
        render="tradingd.cli.audit_run:render_tail",
        summary="Show the last audited events: who did what, when and why.",
        examples=("tradingctl audit tail", "tradingctl audit tail --last 100 --instance live"),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("audit", "verify"),
        params=VerifyParams,
        result="tradingd.cli.audit_run:AuditCheck",
        function="tradingd.cli.audit_run:verify",
        render="tradingd.cli.audit_run:render_verify",
        summary="Walk the audit's hash chain; exit 53 and name the first row that does not hold.",
        examples=("tradingctl audit verify", "tradingctl audit verify --file journal.sqlite"),
        environment=ENVIRONMENT,
    ),
    Command(
        path=("audit", "export"),
        params=ExportParams,
        result="tradingd.cli.audit_run:AuditExport",
        function="tradingd.cli.audit_run:export",
        render="tradingd.cli.audit_run:render_export",
        summary="Write the audit to a file of JSON lines, hashes included.",
        examples=("tradingctl audit export --to audit.jsonl",),
        environment=ENVIRONMENT,
    ),
)
