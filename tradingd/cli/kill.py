"""The command `tradingd kill`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command


class KillParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd kill`."""

    instance: Annotated[
        str,
        Meta(
            description="Instance to stop.",
            pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
            extra={"short": "i"},
        ),
    ]
    reason: Annotated[
        str, Meta(max_length=500, description="Why; kept beside the latch. Needed to act.")
    ] = ""
    confirm: Annotated[
        str, Meta(description="The instance's name again; asked for on a terminal when left out.")
    ] = ""
    status: Annotated[bool, Meta(description="Show the latch and the last report, do nothing.")] = (
        False
    )
    reset: Annotated[bool, Meta(description="Lift the latch. The daemon stays halted.")] = False
    socket: Annotated[
        str,
        Meta(
            description="Simulated broker's socket, in place of the one the daemon left.",
            extra={"metavar": "PATH"},
        ),
    ] = ""
    deadline: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds to try for.", extra={"unit": "seconds"})
    ] = 120.0
    settle: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Seconds the account must stay flat: fills may come late.",
            extra={"unit": "seconds"},
        ),
    ] = 2.0
    answer: Annotated[
        float,
        Meta(
            gt=0,
            le=60,
            description="Seconds to wait for one answer of the broker; a closing order may work "
            "twice as long before it is sent anew.",
            extra={"unit": "seconds"},
        ),
    ] = 5.0


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("kill",),
        params=KillParams,
        result="tradingd.app.kill:KillReport",
        function="tradingd.cli.kill_run:run",
        render="tradingd.cli.kill_run:render",
        summary="Kill switch: latch, cancel and close everything, prove flat. Needs no daemon.",
        examples=(
            'tradingd kill --instance paper --confirm paper --reason "orders nobody expects"',
            "tradingd kill --instance paper --status",
            'tradingd kill --instance paper --confirm paper --reset --reason "cause found, mended"',
        ),
        environment={
            "STATE_DIRECTORY": "state folder given by systemd",
            "XDG_STATE_HOME": "base of the state folder otherwise",
        },
        own_signals=True,
    ),
)
