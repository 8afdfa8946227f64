"""Run the `tradingctl audit` commands; imported when one of them runs."""

from pathlib import Path

import msgspec

from tradingd.cli import screen
from tradingd.cli.audit import ExportParams, TailParams, VerifyParams
from tradingd.cli.journal_place import journal_file, shown_time
from tradingd.journal import audit
from tradingd.journal.audit import AuditLine, AuditReport
from tradingd.kits.failure import ExitCode

_HASH_SHOWN = 12


class AuditTail(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl audit tail`: the last rows, oldest first; `wall` is UTC ns."""

    file: str
    rows: tuple[AuditLine, ...]


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl audit verify`."""

    report: AuditReport
    known_gaps: int
    exit_code: int = 0


class AuditExport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingctl audit export`."""

    file: str
    to: str
    rows: int


def tail(params: TailParams) -> AuditTail:
    """Read the last rows."""
    path = journal_file(params.instance, params.file)
    return AuditTail(file=str(path), rows=audit.tail(path, params.last))


def verify(params: VerifyParams) -> AuditCheck:
    """Check the chain."""
    report = audit.verify(journal_file(params.instance, params.file))
    sound = report.broken is None and len(report.gaps) <= params.known_gaps
    return AuditCheck(
        report=report,
        known_gaps=params.known_gaps,
        exit_code=ExitCode.OK if sound else ExitCode.AUDIT,
    )


def export(params: ExportParams) -> AuditExport:
    """Copy the audit to a file."""
    path = journal_file(params.instance, params.file)
    target = Path(params.to).expanduser()
    return AuditExport(file=str(path), to=str(target), rows=audit.export(path, target))


def render_tail(result: AuditTail) -> None:
    """Print one line a row."""
    columns = ("number", "time (New York)", "actor", "uid", "action", "subject", "detail", "hash")
    screen.table("", columns, [_cells(row) for row in result.rows])
    screen.summary({"rows": len(result.rows), "file": result.file})


def render_verify(result: AuditCheck) -> None:
    """Print what does not hold, if anything."""
    report = result.report
    say = screen.console().print
    if report.broken is not None:
        broken = report.broken
        say(f"BROKEN at row {broken.number}: {broken.what}", markup=False, soft_wrap=True)
        say(f"  expected: {broken.expected}", markup=False, soft_wrap=True)
        say(f"  found:    {broken.found}", markup=False, soft_wrap=True)
        say(f"  {report.rows} rows before it hold; keep the file as it is", markup=False)
    for gap in report.gaps:
        line = f"GAP noted by row {gap.number} ({shown_time(gap.wall)}): {gap.detail}"
        say(line, markup=False, soft_wrap=True)
    if len(report.gaps) > result.known_gaps:
        known = len(report.gaps)
        say(f"  a gap you know the cause of is passed over with --known-gaps {known}", markup=False)
    screen.summary(
        {
            "audit": "broken" if result.exit_code else "ok",
            "rows": report.rows,
            "missing": report.missing_rows,
            "gaps": len(report.gaps),
            "file": report.file,
        }
    )


def render_export(result: AuditExport) -> None:
    """Print the one line."""
    screen.summary({"rows": result.rows, "to": result.to, "file": result.file})


def _cells(row: AuditLine) -> tuple[object, ...]:
    return (
        row.number,
        shown_time(row.wall),
        row.actor,
        "" if row.uid < 0 else row.uid,
        row.action,
        row.subject,
        row.detail,
        row.hash[:_HASH_SHOWN],
    )
