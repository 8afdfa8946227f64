"""What a health check says."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tradingd.kits.failure import ExitCode, Failure

type Status = Literal["ok", "warn", "fail", "unknown"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about this installation.

    Parameters
    ----------
    name : str
        What was looked at.
    status : str
        ``unknown`` when it cannot be found out here; the detail says why.
    detail : str
        What was found.
    next_step : str
        The command or edit that improves it; empty when all is well.
    critical : bool
        Whether failing it makes the installation unfit; only then the exit code says so.
    """

    name: str
    status: Status
    detail: str
    next_step: str = ""
    critical: bool = False


def said(failure: Failure) -> str:
    """Return the failure without its next step, which a check has a place of its own for."""
    return failure.line().removesuffix(f" | next: {failure.next_step}")


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All checks; `exit_code` is ``DOCTOR`` when a critical one failed."""

    checks: tuple[Check, ...]
    exit_code: int


def diagnosis(checks: Sequence[Check]) -> Diagnosis:
    """Sum up the checks."""
    unfit = any(check.critical and check.status == "fail" for check in checks)
    return Diagnosis(checks=tuple(checks), exit_code=ExitCode.DOCTOR if unfit else ExitCode.OK)
