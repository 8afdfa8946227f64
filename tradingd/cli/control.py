"""Commands of `tradingctl`, which talks to a running daemon."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command


class StatusParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingctl status`."""

    instance: Annotated[
        str,
        Meta(description="Name of the daemon's instance.", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"),
    ] = "paper"


class DaemonStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl status`."""

    instance: str
    socket: str
    exit_code: int = 0


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("status",),
        params=StatusParams,
        result=DaemonStatus,
        function="tradingd.cli.control_run:status",
        render="tradingd.cli.control_run:render",
        summary="Say whether a daemon of this instance listens.",
        examples=("tradingctl status", "tradingctl status --instance live"),
        environment={"XDG_RUNTIME_DIR": "looked in for tradingd/INSTANCE.sock after /run/tradingd"},
    ),
)
