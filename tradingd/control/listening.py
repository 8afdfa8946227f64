"""Make the daemon's own control socket: mode 0660, never in the place of one that answers."""

import os
import socket
import stat
from pathlib import Path
from typing import Final

from tradingd.kits.failure import ExitCode, Failure

MODE: Final = 0o660
_LONGEST: Final = 107
"""Bytes of a Unix socket's path, the closing zero apart (unix(7))."""


def open_own(path: Path, gid: int | None) -> socket.socket:
    """Return a bound (not yet listening) socket at `path`, owned by group `gid` where given.

    A socket that a dead daemon left behind is replaced; one that answers is not.

    Raises
    ------
    Failure
        ``SECOND_INSTANCE`` when a daemon answers at `path`; ``CONFIG`` when the path cannot be a
        socket or be given to the group.
    """
    _check_length(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    _check_folder(path.parent)
    _clear(path)
    own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        own.bind(str(path))
        # Nobody can connect before listen(), so the mode is set in time.
        path.chmod(MODE)
        if gid is not None:
            _give(path, gid)
    except BaseException:
        own.close()
        raise
    return own


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a socket file, None when there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def answers(path: Path, timeout: float = 1.0) -> bool:
    """Whether something accepts connections there (a full queue counts: somebody listens)."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(timeout)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (TimeoutError, BlockingIOError, PermissionError):
            return True
    return True


def _clear(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise Failure(
            "the control socket's place is taken by something else",
            code=ExitCode.CONFIG,
            where=str(path),
            expected="nothing, or a socket",
            next_step=f"move {path} away",
        )
    if answers(path):
        raise Failure(
            "a daemon of this instance listens already",
            code=ExitCode.SECOND_INSTANCE,
            where=str(path),
            next_step="stop it first, or give this one another instance name",
        )
    path.unlink(missing_ok=True)


def _check_length(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST:
        raise Failure(
            "the control socket's path is too long for the system",
            code=ExitCode.CONFIG,
            where=str(path),
            expected=f"at most {_LONGEST} bytes",
            found=str(len(os.fsencode(path))),
            next_step="set XDG_RUNTIME_DIR to a shorter folder",
        )


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which another user could put a socket of their own."""
    found = folder.stat()
    sticky = found.st_mode & stat.S_ISVTX
    if found.st_uid not in (0, os.geteuid()) or (found.st_mode & stat.S_IWOTH and not sticky):
        raise Failure(
            "the control socket's folder can be changed by others",
            code=ExitCode.CONFIG,
            where=str(folder),
            next_step=f"chown and chmod {folder}, or set XDG_RUNTIME_DIR",
        )


def _give(path: Path, gid: int) -> None:
    try:
        os.chown(path, -1, gid)
    except PermissionError as error:
        raise Failure(
            "the control socket cannot be given to its group",
            code=ExitCode.CONFIG,
            where=str(path),
            expected=f"this user to be a member of group {gid}",
            next_step="add the user to the group (SupplementaryGroups= in the unit)",
        ) from error
