"""Where an instance's control socket is, for the daemon that makes it and for who looks for it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYSTEM_FOLDER: Final = Path("/run/tradingd")
"""Made by tmpfiles.d or the socket unit; writable by the service's user only."""


def own_socket(instance: str, environment: Mapping[str, str]) -> Path:
    """Return where a daemon makes its socket when systemd passed none.

    The system's folder where it can be written (root may make it), else the user's runtime folder,
    else a folder of the user's under /tmp.
    """
    folder = SYSTEM_FOLDER if _ours(SYSTEM_FOLDER) else _user_folder(environment)
    return folder / f"{instance}.sock"


def socket_paths(instance: str, environment: Mapping[str, str]) -> list[Path]:
    """Return where a daemon's socket may be: the system's place, then the user's."""
    return [folder / f"{instance}.sock" for folder in (SYSTEM_FOLDER, _user_folder(environment))]


def _ours(folder: Path) -> bool:
    if folder.is_dir():
        return os.access(folder, os.W_OK | os.X_OK)
    return os.geteuid() == 0


def _user_folder(environment: Mapping[str, str]) -> Path:
    runtime = environment.get("XDG_RUNTIME_DIR")
    # Mode and owner of the folder are checked where the socket is made.
    return Path(runtime) / "tradingd" if runtime else Path(f"/tmp/tradingd-{os.getuid()}")  # noqa: S108
