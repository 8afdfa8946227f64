"""Run `tradingd backfill l2` for a person."""

import datetime as dt
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.backfill_parts import (
    discovered,
    executed,
    limit_of,
    planned,
    require_enabled,
)
from tradingd.backfill.discovery import Discovery
from tradingd.backfill.planning import Plan
from tradingd.backfill.records import Line, Status, Summary, dollars, usd
from tradingd.backfill.run import Options, Ran
from tradingd.backfill.tasks import Filters
from tradingd.backfill.tradelog.reading import Rejected
from tradingd.cli import backfill as parameters
from tradingd.cli import screen
from tradingd.cli.symbol_words import require_symbols
from tradingd.config.load import load
from tradingd.config.system import SystemConfig
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import NEW_YORK, local_date

_SHOWN: Final = 10
"""Tasks that a dry run shows."""

_MOST: Final = 50
"""Lines of a table at most."""

FETCH: Final = "fetch"
"""What a dry run says of a task that would be asked for."""


class PlannedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a dry run: `will` is ``fetch``, or the status it would end with."""

    symbol: str
    day: dt.date
    will: str
    vendor_symbol: str = ""
    window_et: str = ""
    reason: str = ""


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a backfill would do; `tasks` are the first ten of `count`.

    `estimate_usd` is null where nothing has a price, or nobody could be asked (`not_asked`).
    """

    count: int
    fetch: int
    tasks: tuple[PlannedTask, ...]
    estimate_usd: str | None = None
    not_asked: str = ""


class Backfilled(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd backfill l2`: one of `summary` and `dry_run`.

    `rows_read` and `rows_rejected` count rows of the trade log, `found` different tasks in it
    before the filters; `rejected` and `problems` list at most 50.
    """

    exit_code: int
    rows_read: int
    rows_rejected: int
    found: int
    summary: Summary | None = None
    dry_run: DryRun | None = None
    spending_limit_usd: str | None = None
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Line, ...] = ()


def run_l2(params: parameters.L2Params) -> Backfilled:
    """Find the tasks, then fetch them or show what would be fetched."""
    overlay = Path(params.overlay) if params.overlay else None
    config = load(params.overrides, overlay=overlay, instance=params.instance).config
    if not params.dry_run:
        require_enabled(config.backfill)
    found = discovered(config.backfill, _filters(params), log_path=params.log)
    told = Backfilled(
        exit_code=ExitCode.OK,
        rows_read=found.entries,
        rows_rejected=len(found.rejected),
        found=found.found,
        spending_limit_usd=dollars(limit_of(config.backfill)),
        rejected=found.rejected[:_MOST],
        notes=found.notes,
    )
    if params.dry_run:
        shown = _dry_run(config, found, force=params.force)
        return msgspec.structs.replace(told, dry_run=shown)
    with screen.progress("backfill, tasks", len(found.tasks)) as meter:
        ran = executed(
            config,
            found.tasks,
            Options(force=params.force, strict=params.strict),
            progress=lambda done, total, _label: meter.reached(done, total),
        )
    return _told(told, ran, strict=params.strict)


def _told(told: Backfilled, ran: Ran, *, strict: bool) -> Backfilled:
    code = ExitCode.SOURCE if strict and ran.summary.failed else ExitCode.OK
    if ran.fatal:
        code = ran.fatal.code
        sys.stderr.write(f"tradingd: {ran.fatal.line()}\n")
    if ran.interrupted:
        code = ExitCode.INTERRUPTED
        sys.stderr.write("tradingd: interrupted\n")
    problems = [one for one in ran.lines if one.status not in (Status.WRITE, Status.SKIP)]
    problems += [one for one in ran.lines if one.status is Status.WRITE and one.reason]
    return msgspec.structs.replace(
        told, exit_code=code, summary=ran.summary, problems=tuple(problems[:_MOST])
    )


def _filters(params: parameters.L2Params) -> Filters:
    require_symbols(params.symbols)
    return Filters(
        symbols=tuple(one.upper() for one in params.symbols),
        first=_since(params.since),
        last_day=_date(params.until, "--until") if params.until else None,
        last=params.last,
        max_tasks=params.max_tasks,
    )


def _since(text: str | None) -> dt.date | None:
    if text is None:
        return None
    if text.isdecimal():
        return local_date(time.time_ns()) - dt.timedelta(days=int(text))
    return _date(text, "--since")


def _date(text: str, flag: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Failure(
            "no day of the calendar",
            code=ExitCode.USAGE,
            where=flag,
            expected="YYYY-MM-DD",
            found=text,
        ) from None


def _dry_run(config: SystemConfig, found: Discovery, *, force: bool) -> DryRun:
    enabled = config.backfill.enabled
    what, price = planned(config, found.tasks, force=force, ask=enabled)
    first = tuple(_planned(what, index) for index in range(min(_SHOWN, len(what.tasks))))
    return DryRun(
        count=len(what.tasks),
        fetch=len(what.fetch),
        tasks=first,
        estimate_usd=dollars(price),
        not_asked="" if enabled else "backfill.enabled is false: the vendor was not asked",
    )


def _planned(what: Plan, index: int) -> PlannedTask:
    task, job = what.tasks[index], what.jobs.get(index)
    settled = what.settled.get(index)
    return PlannedTask(
        symbol=task.symbol,
        day=task.day,
        will=str(settled.status) if settled else FETCH,
        vendor_symbol=job.vendor_symbol if job else "",
        window_et=f"{_clock(job.window.start_ns)}-{_clock(job.window.end_ns)}" if job else "",
        reason=settled.reason if settled else "",
    )


def _clock(ts: int) -> str:
    return f"{dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=NEW_YORK):%H:%M}"


def render_l2(result: Backfilled) -> None:
    """Print what needs a person's eye, then the SUMMARY line."""
    for note in result.notes:
        screen.console().print(f"trade log: {note}", markup=False)
    if result.rejected:
        title = f"Rows of the trade log that were left out ({result.rows_rejected})"
        rows = [(one.place, one.reason) for one in result.rejected]
        screen.table(title, ("where", "why"), rows)
    if result.dry_run:
        _render_dry_run(result, result.dry_run)
    elif result.summary:
        _render_problems(result.problems)
        _render_price(result.summary)
        screen.summary(result.summary.line())


def _render_problems(problems: Sequence[Line]) -> None:
    if problems:
        rows = [(one.symbol, one.day, one.status, one.tries or 0, one.reason) for one in problems]
        screen.table("Not simply written", ("symbol", "day", "status", "tries", "why"), rows)


def _render_price(summary: Summary) -> None:
    """Say what was paid at most, where anything was."""
    if summary.estimate_usd and summary.spending_limit_usd:
        price, limit = Decimal(summary.estimate_usd), Decimal(summary.spending_limit_usd)
        text = f"{usd(price)} by the vendor's estimate; the limit is {usd(limit)}"
        screen.console().print(text, markup=False)


def _render_dry_run(result: Backfilled, shown: DryRun) -> None:
    columns = ("symbol", "day", "asked for as", "ET", "will", "why")
    rows = [
        (one.symbol, one.day, one.vendor_symbol, one.window_et, one.will, one.reason)
        for one in shown.tasks
    ]
    screen.table(f"The first {len(rows)} of {shown.count} tasks", columns, rows)
    if shown.not_asked:
        screen.console().print(shown.not_asked, markup=False)
    screen.summary(
        {
            "dry_run": "true",
            "tasks": shown.count,
            "fetch": shown.fetch,
            "estimate_usd": _amount(shown.estimate_usd),
            "spending_limit_usd": _amount(result.spending_limit_usd),
        }
    )


def _amount(text: str | None) -> str:
    return usd(Decimal(text)).removesuffix(" USD") if text else "-"
