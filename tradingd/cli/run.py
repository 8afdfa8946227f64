"""The command `tradingd run`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides


class RunParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd run`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    instance: Annotated[
        str,
        Meta(
            description="Name of this daemon: its state, socket and configuration file.",
            pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
            extra={"short": "i", "fits": "a name such as paper: a-z 0-9 - _, at most 32"},
        ),
    ] = "paper"
    fresh: Annotated[
        bool,
        Meta(
            description="Put the state of earlier sessions aside and begin anew "
            "(simulated broker only)."
        ),
    ] = False


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd run`: how the session ended."""

    exit_code: int
    instance: str
    run_id: str
    why: str
    feed: str
    synthetic: bool
    batches: int
    fills: int
    denied: int
    pnl: str
    equity: str
    positions: int
    open_orders: int
    state: str
    journal: str
    seconds: float


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("run",),
        params=RunParams,
        result=RunReport,
        function="tradingd.cli.run_run:run",
        render="tradingd.cli.run_run:render",
        summary="Trade: the daemon in the foreground, as its systemd unit runs it.",
        examples=(
            "tradingd run feed=sample",
            "tradingd run --instance demo --fresh feed=synthetic strategy=intraday_mean_reversion",
            "tradingd run mode=paper feed=replay universe=spy feed.start=2013-10-07 feed.speed=60",
        ),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "STATE_DIRECTORY": "state folder given by systemd",
            "XDG_STATE_HOME": "base of the state folder otherwise",
            "XDG_RUNTIME_DIR": "base of the control socket otherwise",
            "NOTIFY_SOCKET": "where systemd is told of readiness and progress",
        },
        own_signals=True,
    ),
)
