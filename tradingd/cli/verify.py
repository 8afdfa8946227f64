"""The commands `tradingd verify` and `tradingd repair`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

Instance = Annotated[
    str,
    Meta(
        description="Instance whose journal is compared with its broker.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        extra={"short": "i", "fits": "a name such as paper: a-z 0-9 - _, at most 32"},
    ),
]


class LookParams(msgspec.Struct, frozen=True, kw_only=True):
    """What verify and repair have in common."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Instance = "paper"
    again: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            description="Seconds until the second look, where the first found something: what was "
            "in flight has this long to arrive.",
            extra={"unit": "seconds"},
        ),
    ] = 2.0
    cash_tolerance: Annotated[
        str,
        Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$", description="Dollars that cash may differ."),
    ] = "0.01"
    price_bps: Annotated[
        float,
        Meta(ge=0, le=1_000, description="Basis points that an average price may differ; or 0.01."),
    ] = 1.0
    unrealised_bps: Annotated[
        float,
        Meta(
            ge=0,
            le=1_000,
            description="Basis points of a position's value that its unrealised profit may differ.",
        ),
    ] = 2.0


class VerifyParams(LookParams, frozen=True, kw_only=True):
    """Input of `tradingd verify`."""

    report: Annotated[
        str,
        Meta(description="Also write the report (JSON) to this file.", extra={"metavar": "FILE"}),
    ] = ""
    job: Annotated[
        bool,
        Meta(
            description="As the daily job: keep position_reconciliation.json in the state folder "
            "and let the daemon journal the run."
        ),
    ] = False


class RepairParams(LookParams, frozen=True, kw_only=True):
    """Input of `tradingd repair`."""

    dry_run: Annotated[bool, Meta(description="Show what would be done, do nothing.")] = False
    apply: Annotated[bool, Meta(description="Do it, through the running daemon.")] = False
    plan: Annotated[
        str,
        Meta(
            description="With --apply: only if the plan is still the one that --dry-run showed.",
            extra={"metavar": "HASH"},
        ),
    ] = ""
    reason: Annotated[str, Meta(max_length=500, description="Why; kept in the audit.")] = ""
    confirm: Annotated[
        str,
        Meta(
            description="The instance's name; asked for on a terminal when left out.",
            extra={"metavar": "INSTANCE"},
        ),
    ] = ""


_ENVIRONMENT = {
    "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
    "STATE_DIRECTORY": "state folder given by systemd",
    "XDG_STATE_HOME": "base of the state folder otherwise",
    "XDG_RUNTIME_DIR": "base of the control socket otherwise",
}

COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("verify",),
        params=VerifyParams,
        result="tradingd.app.verify.report:VerifyReport",
        function="tradingd.cli.verify_run:verify",
        render="tradingd.cli.verify_run:render_verify",
        summary="Compare journal and broker from outside the daemon; changes nothing.",
        examples=(
            "tradingd verify",
            "tradingd verify --instance live --json",
            "tradingd verify --instance paper --report position_reconciliation.json",
        ),
        environment=_ENVIRONMENT,
    ),
    Command(
        path=("repair",),
        params=RepairParams,
        result="tradingd.app.verify.steps:RepairReport",
        function="tradingd.cli.verify_run:repair",
        render="tradingd.cli.verify_run:render_repair",
        summary="Mend what verify finds: book, adopt, cancel, protect; by the daemon, audited.",
        examples=(
            "tradingd repair --instance paper --dry-run",
            "tradingd repair --instance paper --apply --plan 3fa2c19b --reason 'sold by hand'",
        ),
        environment=_ENVIRONMENT,
    ),
)
