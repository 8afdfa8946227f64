"""Run `tradingd kill` and show a person how the account was left."""

import datetime as dt
import sys
from pathlib import Path

from tradingd.app import kill
from tradingd.app.kill import KillReport
from tradingd.app.killing.closing import patience
from tradingd.cli.kill import KillParams
from tradingd.cli.prompts import ask, at_terminal, demand_name
from tradingd.config.paths import state_root
from tradingd.kits.failure import ExitCode, Failure

_SHORTEST_REASON = 3


def run(params: KillParams) -> KillReport:
    """Kill, show or reset.

    Raises
    ------
    Failure
        ``USAGE`` for an instance that never ran or a missing reason; ``REFUSED`` without the
        confirmation; else what the kill switch raises.
    """
    folder = _folder(params.instance)
    author = kill.author_of_process()
    if params.status:
        return kill.status(params.instance, folder)
    _need_reason(params)
    _need_confirmation(params)
    kill.become_owner(folder)
    if params.reset:
        return kill.reset(params.instance, folder, reason=params.reason, author=author)
    return kill.kill(
        params.instance,
        folder,
        reason=params.reason,
        author=author,
        socket=params.socket,
        patience=patience(deadline=params.deadline, settle=params.settle, answer=params.answer),
    )


def _folder(instance: str) -> Path:
    folder = state_root(instance)
    if not folder.is_dir():
        raise Failure(
            f"there is no instance {instance}",
            code=ExitCode.USAGE,
            where=str(folder),
            expected="the state folder of an instance that ran here",
            next_step="check the name; another user's instance needs that user or root",
        )
    return folder


def _need_reason(params: KillParams) -> None:
    if len(params.reason.strip()) < _SHORTEST_REASON:
        raise Failure(
            "a reason is needed",
            code=ExitCode.USAGE,
            where="--reason",
            expected=f"at least {_SHORTEST_REASON} characters",
        )


def _need_confirmation(params: KillParams) -> None:
    """Take the instance's name from the command line, else from the person at the terminal."""
    typed = params.confirm
    if not typed and at_terminal():
        verb = "lift the latch of" if params.reset else "cancel and close EVERYTHING of"
        typed = ask(f"This will {verb} {params.instance}. Type its name to go on: ")
    demand_name(typed, params.instance)


def render(report: KillReport) -> None:
    """Print what was done and left, one fact a line, the verdict last; no library but our own."""
    lines = [
        *_lines("cancelled", report.canceled),
        *_lines("closing order", report.closed),
        *_lines("trouble", report.troubles),
        *_lines("STILL WORKING", report.orders_left),
        *_lines("STILL HELD", report.positions_left),
        _latch_line(report),
        _verdict(report),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _lines(label: str, values: tuple[str, ...]) -> list[str]:
    return [f"{label}: {value}" for value in values]


def _latch_line(report: KillReport) -> str:
    if report.action == "reset":
        return f"latch lifted; it was: {report.reason} | by: {report.author}"
    if not report.latched:
        return "not latched"
    since = dt.datetime.fromtimestamp(report.since / 1e9, dt.UTC).isoformat(timespec="seconds")
    return f"latched: {report.reason} | by: {report.author} | since: {since}"


def _verdict(report: KillReport) -> str:
    if report.action == "reset":
        return f"next: tradingctl -i {report.instance} adopt, then resume, once the daemon runs"
    if report.flat is None:
        return "the kill switch has not been used here"
    state = "FLAT, proven over a fresh connection" if report.flat else "NOT PROVEN FLAT"
    return (
        f"{'last attempt: ' if report.action == 'status' else ''}{state}"
        f" | account: {report.account or 'unknown'} | cancelled: {len(report.canceled)}"
        f" | closing orders: {len(report.closed)} | seconds: {report.seconds:.1f}"
    )
