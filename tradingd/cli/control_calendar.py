"""Commands `tradingctl calendar` and `tradingctl completion`, which need no daemon."""

from typing import Any

import msgspec

from tradingd.cli.command import Command
from tradingd.cli.control_params import CompletionParams, IsSessionParams
from tradingd.cli.doctor import CompletionScript


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl calendar`.

    `exit_code` is what systemd's ExecCondition= reads: 0 a session, 54 none, 255 a question that
    cannot be answered. `open` and `close` are the exchange's local time.
    """

    exit_code: int
    calendar: str
    day: str
    session: bool
    open: str = ""
    close: str = ""
    error: str = ""


COMMANDS: tuple[Command[Any, Any], ...] = (
    Command(
        path=("calendar", "is-session"),
        params=IsSessionParams,
        result=CalendarDay,
        function="tradingd.cli.control_calendar_run:is_session",
        render="tradingd.cli.control_calendar_run:render",
        summary="End with 0 when the exchange opens that day, 54 when not, 255 on an error.",
        examples=(
            "tradingctl calendar is-session",
            "tradingctl calendar is-session --calendar XNYS --day 2026-12-25",
        ),
    ),
    Command(
        path=("calendar", "next"),
        params=IsSessionParams,
        result=CalendarDay,
        function="tradingd.cli.control_calendar_run:following",
        render="tradingd.cli.control_calendar_run:render",
        summary="Show the next session after that day.",
        examples=("tradingctl calendar next", "tradingctl calendar next --day 2026-12-24 --json"),
    ),
    Command(
        path=("completion",),
        params=CompletionParams,
        result=CompletionScript,
        function="tradingd.cli.control_completion:run",
        render="tradingd.cli.control_completion:render",
        summary="Print a shell completion script for tradingctl.",
        examples=("tradingctl completion bash",),
    ),
)
