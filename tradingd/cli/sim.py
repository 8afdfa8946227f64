"""The commands `tradingd sim ...`: a broker to practise with, and a drill of the whole daemon."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", extra={"metavar": "YYYY-MM-DD"})]


FASTEST = 1_000_000
"""Data seconds per wall second: a session in a fortieth of a second."""


class SimAlpacaParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd sim alpaca`."""

    overrides: Overrides = ()
    overlay: Overlay = None
    state: Annotated[
        str,
        Meta(
            description="Folder of its book; default: simalpaca (simalpaca-live) beside the store.",
            extra={"metavar": "FOLDER"},
        ),
    ] = ""
    port: Annotated[
        int, Meta(ge=0, le=65_535, description="TCP port; 0: a free one; default: 8765.")
    ] = 8765
    bars: Annotated[
        Literal["1m", "1d"],
        Meta(description="Stored bars that its market is made of: 1m or 1d; default: 1m."),
    ] = "1m"
    symbols: Annotated[
        str,
        Meta(
            description="Symbols of its market; default: all that are stored.",
            extra={"metavar": "A,B"},
        ),
    ] = ""
    start: Annotated[Day | None, Meta(description="First day of its market.")] = None
    end: Annotated[Day | None, Meta(description="Last day of its market, inclusive.")] = None
    speed: Annotated[
        float, Meta(ge=0, le=FASTEST, description="Data seconds per wall second; 0: all at once.")
    ] = 60.0
    cash: Annotated[float, Meta(gt=0, description="Cash of a new book.", extra={"unit": "USD"})] = (
        100_000
    )
    live: Annotated[
        bool,
        Meta(
            description="Present the account as a live one: to practise arming. It has a book of "
            "its own."
        ),
    ] = False
    now: Annotated[
        bool, Meta(description="Begin the market now, not when somebody subscribes to its bars.")
    ] = False


class SimServer(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd sim alpaca`: it ends when it is stopped."""

    exit_code: int


class DrillParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd sim drill`."""

    overrides: Overrides = ()
    folder: Annotated[
        str,
        Meta(
            description="Keep everything in this new folder; default: a temporary one.",
            extra={"metavar": "FOLDER"},
        ),
    ] = ""
    symbols: Annotated[int, Meta(ge=1, le=100, description="Invented symbols.")] = 8
    days: Annotated[int, Meta(ge=1, le=20, description="Sessions that are traded.")] = 2
    seed: Annotated[int, Meta(ge=0, description="Seed of the invented prices.")] = 7
    speed: Annotated[float, Meta(gt=0, le=FASTEST, description="Data seconds per wall second.")] = (
        600.0
    )


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd sim drill`; counts are the journal's, `findings` those of `verify`."""

    exit_code: int
    folder: str
    stages: int
    kills: int
    orders: int
    fills: int
    unknown: int
    recovered: int
    lost: int
    left: int
    daemon_code: int
    findings: tuple[str, ...]
    seconds: float


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("sim", "alpaca"),
        params=SimAlpacaParams,
        result=SimServer,
        function="tradingd.cli.sim_run:alpaca",
        render="tradingd.cli.sim_run:render_server",
        summary="Serve an Alpaca-compatible broker on this machine, its market from the store.",
        examples=(
            "tradingd sim alpaca --bars 1d --speed 20000",
            "tradingd sim alpaca --symbols SPY,AAPL --start 2013-10-07 --end 2013-10-07",
            "tradingd sim alpaca --bars 1d --speed 20000 --live",
        ),
        environment={
            "SIMALPACA_KEY_ID": "let in only this key id ...",
            "SIMALPACA_SECRET_KEY": "... with this secret; unset: any pair is let in",
        },
        own_signals=True,
    ),
    Command(
        path=("sim", "drill"),
        params=DrillParams,
        result=DrillReport,
        function="tradingd.cli.sim_run:drill",
        render="tradingd.cli.sim_run:render_drill",
        summary="Drill the whole daemon against that broker: faults, a kill, then both books.",
        examples=("tradingd sim drill", "tradingd sim drill --folder drill --days 1"),
    ),
)
