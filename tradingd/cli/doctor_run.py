"""Run `tradingd doctor` for a person."""

import datetime as dt
from pathlib import Path

from tradingd.app.doctor.check import Diagnosis
from tradingd.app.doctor.diagnose import diagnose
from tradingd.cli import screen
from tradingd.cli.doctor import DoctorParams

STATUSES = ("ok", "warn", "fail", "unknown")


def run(params: DoctorParams) -> Diagnosis:
    """Check the installation as of today."""
    overlay = Path(params.overlay) if params.overlay else None
    today = dt.datetime.now(dt.UTC).date()
    return diagnose(params.overrides, overlay=overlay, today=today)


def render(found: Diagnosis) -> None:
    """Print one line per check and the SUMMARY line."""
    rows = [
        (check.name, check.status.upper(), check.detail, check.next_step) for check in found.checks
    ]
    screen.table("", ("check", "status", "found", "next step"), rows)
    counts = {status: sum(check.status == status for check in found.checks) for status in STATUSES}
    screen.summary({"checks": len(found.checks), **counts})
