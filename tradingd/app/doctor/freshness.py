"""Clocks and dated tables: what goes wrong by itself as time passes."""

import ctypes
import datetime as dt
from collections.abc import Mapping
from typing import Final

from tradingd.app.doctor.check import Check

LEAST_DAYS_AHEAD: Final = 365
MOST_FEE_DAYS: Final = 365

_STA_UNSYNC: Final = 0x0040
_STA_NANO: Final = 0x2000
_MAX_ERROR_SECONDS: Final = 0.5


class _Timex(ctypes.Structure):
    """Head of the kernel's `struct timex` (man 2 adjtimex); the rest is room for its tail."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_char * 256),
    ]


def clock() -> Check:
    """Ask the kernel whether a time service disciplines its clock; no server is asked."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError) as error:
        return Check(name="clock", status="unknown", detail=f"no adjtimex here: {error}")
    if state < 0:
        return Check(name="clock", status="unknown", detail="the kernel does not tell")
    return judge_clock(timex.status, timex.offset, timex.maxerror)


def judge_clock(status: int, offset: int, maxerror_us: int) -> Check:
    """Judge the kernel's own words; `offset` is in ns or us, as the status says."""
    if status & _STA_UNSYNC:
        return Check(
            name="clock",
            status="warn",
            detail="no time service disciplines it, so its drift is unknown",
            next_step="systemctl enable --now systemd-timesyncd (or chrony)",
        )
    seconds = offset / (1e9 if status & _STA_NANO else 1e6)
    bound = maxerror_us / 1e6
    fine = bound <= _MAX_ERROR_SECONDS
    return Check(
        name="clock",
        status="ok" if fine else "warn",
        detail=f"synchronised, offset {seconds * 1e3:+.3f} ms, error at most {bound * 1e3:.0f} ms",
        next_step="" if fine else "chronyc tracking, or timedatectl timesync-status",
    )


def calendar(name: str, version: str, last_day: dt.date, today: dt.date) -> Check:
    """Say how far ahead the exchange calendar reaches."""
    ahead = (last_day - today).days
    detail = f"{name} reaches {last_day} ({ahead} days ahead), exchange_calendars {version}"
    if ahead >= LEAST_DAYS_AHEAD:
        return Check(name="calendar", status="ok", detail=detail)
    return Check(
        name="calendar",
        status="warn" if ahead > 0 else "fail",
        detail=detail,
        next_step="update exchange_calendars",
        critical=ahead <= 0,
    )


def fees(schedule: str, ages: Mapping[str, int], unverified: int) -> Check:
    """Say how long ago the rates a broker's schedule uses were compared with their sources.

    Parameters
    ----------
    schedule : str
        Name of the broker's schedule; every schedule but ``none`` pays the regulatory fees.
    ages : mapping
        Table -> days since its last comparison.
    unverified : int
        Rows of all tables that no source confirms.
    """
    used = {name: days for name, days in ages.items() if name in (schedule, "regulatory")}
    if schedule == "none" or not used:
        return Check(name="fee schedule", status="ok", detail="this broker charges nothing")
    words = ", ".join(f"{name} compared {days} days ago" for name, days in used.items())
    detail = f"{words}; {unverified} rows of all tables unconfirmed"
    if max(used.values()) <= MOST_FEE_DAYS:
        return Check(name="fee schedule", status="ok", detail=detail)
    return Check(
        name="fee schedule",
        status="warn",
        detail=detail,
        next_step="compare tradingd/costs/schedules with the price lists they name",
    )
