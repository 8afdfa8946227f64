"""Look for a daemon's control socket. This version ships no daemon, so nothing is sent to it."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from tradingd.cli import screen
from tradingd.cli.control import DaemonStatus, StatusParams
from tradingd.kits.failure import ExitCode, Failure


def status(params: StatusParams) -> DaemonStatus:
    """Say that something accepts connections on the instance's socket.

    Raises
    ------
    Failure
        ``NO_DAEMON`` when nothing does.
    """
    candidates = socket_paths(params.instance, os.environ)
    for path in candidates:
        if listens(path):
            return DaemonStatus(instance=params.instance, socket=str(path))
    raise Failure(
        f"no daemon of instance {params.instance} listens",
        code=ExitCode.NO_DAEMON,
        where=" or ".join(map(str, candidates)),
        next_step="this version has no daemon yet; tradingd backtest runs without one",
    )


def socket_paths(instance: str, environment: Mapping[str, str]) -> list[Path]:
    """Return where a daemon's socket may be: the system's place, then the user's."""
    folders = [Path("/run/tradingd")]
    if environment.get("XDG_RUNTIME_DIR"):
        folders.append(Path(environment["XDG_RUNTIME_DIR"]) / "tradingd")
    return [folder / f"{instance}.sock" for folder in folders]


def listens(path: Path) -> bool:
    """Whether a Unix socket is there and accepts a connection within a second."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def render(found: DaemonStatus) -> None:
    """Print the one line."""
    screen.summary({"instance": found.instance, "socket": found.socket, "listening": "yes"})
