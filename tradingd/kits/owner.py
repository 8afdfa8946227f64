"""Which process something belongs to, and whether that process has surely ended.

A process is its number and the tick it began at, within one boot of one machine and one namespace
of process numbers (a container has its own). What cannot be known, such as whether a process of
another machine still runs, is never taken for an end.
"""

import functools
import hashlib
import os
import platform
from pathlib import Path
from typing import Final

import msgspec

_PROC: Final = Path("/proc")
_STATE, _BEGAN = 0, 19
"""Fields of ``/proc/PID/stat`` behind the name: proc(5) numbers them 3 and 22."""
_ENDED: Final = ("Z", "X", "x")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A process.

    Attributes
    ----------
    host : str
        The machine, by its name and a hash of its id.
    boot : str
        The machine's present boot; empty where the system does not tell.
    space : str
        Namespace of process numbers; empty as above.
    pid : int
    began : int
        Clock ticks from the boot to the start of the process; -1 where the system does not tell.
    """

    host: str
    boot: str
    space: str
    pid: int
    began: int


def this_process() -> Owner:
    """Return the process that asks."""
    pid = os.getpid()
    found = _state_and_start(pid)
    return Owner(
        host=this_host(), boot=_boot(), space=_space(), pid=pid, began=found[1] if found else -1
    )


def has_ended(owner: Owner) -> bool:
    """Tell whether a process surely runs no more."""
    if owner.host != this_host() or not owner.boot or owner.began < 0:
        return False
    if owner.boot != _boot():
        return bool(_boot())
    if owner.space != _space():
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    found = _state_and_start(owner.pid)
    # A number may have been given to another process since; what is hidden from us may be alive.
    return found is not None and (found[0] in _ENDED or found[1] != owner.began)


@functools.cache
def this_host() -> str:
    """Return the machine's name, with a hash of its id: many are called localhost."""
    number = hashlib.sha256(_read(Path("/etc/machine-id")).encode()).hexdigest()[:12]
    name = "".join(one for one in platform.node() if one.isalnum() or one in "-._")
    return f"{name}/{number}"


@functools.cache
def _boot() -> str:
    return _read(_PROC / "sys/kernel/random/boot_id")


@functools.cache
def _space() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, int] | None:
    text = _read(_PROC / str(pid) / "stat")
    # The name may hold anything, brackets and blanks too.
    fields = text.rpartition(")")[2].split()
    return (fields[_STATE], int(fields[_BEGAN])) if len(fields) > _BEGAN else None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
