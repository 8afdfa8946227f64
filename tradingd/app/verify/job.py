"""The daily independent check: a process of its own, whose result the daemon journals and tells."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.verify.report import VerifyReport
from tradingd.control.client import ControlClient
from tradingd.control.messages import JobReportRequest
from tradingd.kits import atomicfile
from tradingd.kits.failure import Failure

NAME: Final = "verify"
"""How `tradingctl jobs list` calls it."""

REPORT: Final = "position_reconciliation.json"
"""The last check's report, in the state folder."""


def keep(report: VerifyReport, path: Path) -> None:
    """Write a report, atomically."""
    atomicfile.write_bytes(path, msgspec.json.format(msgspec.json.encode(report), indent=1))


def daily(instance: str, state: Path, check: Callable[[], VerifyReport]) -> VerifyReport:
    """Check, keep the report in the state folder, and let the daemon journal how it went.

    A daemon that is down does not matter: the exit code says it, too.

    Raises
    ------
    Failure
        As `check`, reported like everything else.
    """
    begun = time.time_ns()
    try:
        report = check()
    except Failure as failure:
        _tell(instance, begun, "failed", failure.line())
        raise
    keep(report, state / REPORT)
    found = "; ".join(finding.text for finding in report.findings)
    _tell(
        instance, begun, "done" if report.agree else "failed", found or "journal and broker agree"
    )
    return report


def _tell(instance: str, begun: int, status: str, detail: str) -> None:
    request = msgspec.convert(
        {
            "name": NAME,
            "status": status,
            "started": begun,
            "ended": time.time_ns(),
            "detail": detail[:2_000],
        },
        JobReportRequest,
    )
    try:
        ControlClient(instance, wait=0.0).post("job-report", request)
    except Failure:
        return
