"""The latch: a small file that says "somebody stopped this", from before they acted until reset.

It is written by whoever trips it, read by everybody, and lifted by a person only. Reading fails
closed: a latch that is there and cannot be understood is a latch. Every trip and every reset is
also kept, one JSON line each, in the history beside it.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from tradingd.kits import atomicfile

LATCH: Final = "latch.json"
HISTORY: Final = "latch-history.jsonl"
FLAG: Final = "HALT"
"""Flag file in the state folder: while it is there the daemon is HALTED; nothing is closed."""

KILL_FLAG: Final = "KILL"
"""Flag file in the state folder that trips the kill switch: everything is cancelled and closed."""


class Latch(msgspec.Struct, frozen=True, kw_only=True):
    """Why, by whom, since when (wall time, UTC ns); `since` is 0 where the file is unreadable."""

    reason: str
    author: str
    since: int


class LatchEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history; `action` is ``trip`` or ``reset``."""

    action: str
    reason: str
    author: str
    ts: int


def read(folder: Path) -> Latch | None:
    """Return the latch of a state folder, or None where there is none; never raises.

    A file that cannot be read or decoded counts as a latch whose reason says so.
    """
    path = folder / LATCH
    try:
        return msgspec.json.decode(path.read_bytes(), type=Latch)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        return Latch(reason=f"{LATCH} cannot be read: {error}", author="unknown", since=0)


def trip(folder: Path, *, reason: str, author: str, now_ns: int) -> Latch:
    """Set the latch durably and return the one in force: the first reason stays.

    Cost: two fsyncs. After this returns, a crash or a power loss does not undo it.
    """
    there = read(folder)
    latch = there or Latch(reason=reason, author=author, since=now_ns)
    if there is None:
        atomicfile.write_bytes(folder / LATCH, msgspec.json.encode(latch))
    _remember(folder, LatchEvent(action="trip", reason=reason, author=author, ts=now_ns))
    return latch


def reset(folder: Path, *, reason: str, author: str, now_ns: int) -> Latch | None:
    """Lift the latch and return the one that was there; only for a person's command.

    The history gets its line first: a reset that left no trace must not be possible.
    """
    there = read(folder)
    if there is None:
        return None
    _remember(folder, LatchEvent(action="reset", reason=reason, author=author, ts=now_ns))
    (folder / LATCH).unlink(missing_ok=True)
    atomicfile.fsync_folder(folder)
    return there


def history(folder: Path) -> tuple[LatchEvent, ...]:
    """Return every trip and reset, oldest first; a line torn by a power loss is passed over."""
    try:
        lines = (folder / HISTORY).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    return tuple(event for line in lines if (event := _event(line)) is not None)


def _event(line: bytes) -> LatchEvent | None:
    try:
        return msgspec.json.decode(line, type=LatchEvent)
    except msgspec.DecodeError:
        return None


def _remember(folder: Path, event: LatchEvent) -> None:
    """Append a line in one write, so that two writers cannot mix theirs, and flush it."""
    descriptor = os.open(folder / HISTORY, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + msgspec.json.encode(event) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
