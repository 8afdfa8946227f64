"""Jobs that systemd's timers run outside the process: what they report is journaled and told."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tradingd.control.answers import JobView
from tradingd.control.messages import JobReportRequest
from tradingd.domain.alerts import Alert, Emit, Severity
from tradingd.domain.journal import JobRow, Journal, MarkRow

MARK: Final = "timer_job:"
"""Beginning of the journal marks that keep the last report of each job over a restart."""


class TimerJobs:
    """Takes the reports of jobs that run in units of their own.

    Parameters
    ----------
    journal : Journal
        Keeps every run.
    emit : Callable
        Hears of a failed run, and of the first good one after it.
    marks : mapping
        The journal's marks at the start.
    """

    def __init__(self, journal: Journal, emit: Emit, marks: Mapping[str, str]) -> None:
        self._journal = journal
        self._emit = emit
        self._last = {
            key.removeprefix(MARK): msgspec.json.decode(value, type=JobRow)
            for key, value in marks.items()
            if key.startswith(MARK)
        }

    async def report(self, request: JobReportRequest) -> str:
        """Journal one run; return what was noted."""
        row = JobRow(
            job_id=f"{request.name}@{request.started}",
            name=request.name,
            due=request.started,
            started=request.started,
            ended=request.ended,
            status=request.status,
            detail=request.detail,
        )
        kept = msgspec.json.encode(row).decode()
        await self._journal.write(row, MarkRow(key=MARK + request.name, value=kept))
        before = self._last.get(request.name)
        self._last[request.name] = row
        failed = request.status == "failed"
        if failed or (before is not None and before.status == "failed"):
            self._emit(self._alert(row, resolved=not failed))
        return f"{request.name} {request.status}"

    def views(self, known: Sequence[str] = ()) -> Sequence[JobView]:
        """Return the last run of each job; when they are due is the timers' business."""
        return [
            JobView(
                name=name,
                where="timer",
                next_due=None,
                last_due=row.started,
                last_status=row.status,
                detail=row.detail,
            )
            for name, row in sorted(self._last.items())
            if name not in known
        ]

    @staticmethod
    def _alert(row: JobRow, *, resolved: bool) -> Alert:
        return Alert(
            key=f"job:{row.name}",
            severity=Severity.WARN,
            title=f"job {row.name} {'works again' if resolved else 'failed'}",
            body=row.detail,
            next_step=f"journalctl -u 'tradingd-job@{row.name}-*'",
            resolved=resolved,
        )
