"""The command `tradingctl top`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.control_params import ControlParams


class TopParams(ControlParams, frozen=True, kw_only=True):
    """Input of `tradingctl top`."""

    once: Annotated[bool, Meta(description="Print one frame and end; for pipes.")] = False
    every: Annotated[float, Meta(ge=0.1, le=60, description="Seconds between two looks.")] = 0.5
    width: Annotated[
        int, Meta(ge=40, le=400, description="Columns of a single frame in a pipe.")
    ] = 120
    height: Annotated[int, Meta(ge=16, le=200, description="Lines of it.")] = 40


class TopEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl top`: the frame where only one was asked for."""

    instance: str
    frames: int
    frame: str = ""


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("top",),
        params=TopParams,
        result=TopEnded,
        function="tradingd.cli.top_run:run",
        render="tradingd.cli.top_run:render",
        summary="Watch state, health, money, positions, orders and events; q leaves.",
        examples=("tradingctl top", "tradingctl top -i live", "tradingctl top --once"),
        environment={"XDG_RUNTIME_DIR": "looked in for tradingd/INSTANCE.sock after /run/tradingd"},
    ),
)
