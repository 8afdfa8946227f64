"""Commands of `tradingd doctor` and `tradingd completion`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tradingd.cli.command import Command
from tradingd.cli.composing import Overlay, Overrides


class DoctorParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd doctor`."""

    overrides: Overrides = ()
    overlay: Overlay = None


class CompletionParams(msgspec.Struct, frozen=True, kw_only=True):
    """Input of `tradingd completion`."""

    shell: Annotated[
        Literal["bash", "zsh", "tcsh"],
        Meta(description="Shell to complete for.", extra={"positional": True}),
    ]


class CompletionScript(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd completion`: a script to source."""

    shell: str
    script: str


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("doctor",),
        params=DoctorParams,
        result="tradingd.app.doctor.check:Diagnosis",
        function="tradingd.cli.doctor_run:run",
        render="tradingd.cli.doctor_run:render",
        summary="Check this installation: packages, folders, clock, credentials, dated tables.",
        examples=("tradingd doctor", "tradingd doctor mode=backtest broker=alpaca --json"),
        environment={
            "TRADINGD_CONF": "site overlay folder, in place of /etc/tradingd",
            "XDG_DATA_HOME": "base of the default store and results folders",
            "CREDENTIALS_DIRECTORY": "where systemd put the credentials of a service",
        },
    ),
    Command(
        path=("completion",),
        params=CompletionParams,
        result=CompletionScript,
        function="tradingd.cli.completion_run:run",
        render="tradingd.cli.completion_run:render",
        summary="Print a shell completion script for tradingd.",
        examples=(
            "tradingd completion bash",
            "tradingd completion zsh",
        ),
    ),
)
