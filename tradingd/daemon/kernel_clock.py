"""Ask the kernel whether the clock is disciplined and how far it is off.

`ntp_adjtime` with no mode set only reads. A unit with ``ProtectClock=yes`` refuses even that; then
the mark that systemd-timesyncd leaves says whether the clock is synchronised, not how well.
Layout and constants: <linux/timex.h>, 64-bit.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

_TIME_ERROR: Final = 5
_STA_UNSYNC: Final = 0x0040
_STA_NANO: Final = 0x2000
_TIMESYNCD_MARK: Final = Path("/run/systemd/timesync/synchronized")


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the clock; `why` says where from, or why nothing is known.

    `offset_ms` is what the kernel still has to correct, None when it is not told.
    """

    synchronised: bool
    offset_ms: float | None
    why: str


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        # The rest is not read; the kernel writes 208 bytes in all.
        ("rest", ctypes.c_char * 208),
    )


def clock_state(mark: Path = _TIMESYNCD_MARK) -> ClockState:
    """Return what the kernel, or systemd-timesyncd's mark, says of the clock."""
    facts = _Timex(modes=0)
    answer = _libc().ntp_adjtime(ctypes.byref(facts))
    if answer >= 0:
        return judge(answer, facts.status, facts.offset)
    reason = os.strerror(ctypes.get_errno())
    if mark.exists():
        return ClockState(synchronised=True, offset_ms=None, why="systemd-timesyncd says so")
    return ClockState(synchronised=False, offset_ms=None, why=f"the kernel does not tell: {reason}")


def judge(answer: int, status: int, offset: int) -> ClockState:
    """Return the state that an answer of `ntp_adjtime` stands for."""
    if answer == _TIME_ERROR or status & _STA_UNSYNC:
        return ClockState(synchronised=False, offset_ms=None, why="no time service is at work")
    per_ms = 1_000_000 if status & _STA_NANO else 1_000
    return ClockState(synchronised=True, offset_ms=offset / per_ms, why="kernel")


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)
