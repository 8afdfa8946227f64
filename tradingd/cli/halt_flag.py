"""Leave a flag for a daemon that is down: its next start is halted."""

import os

import msgspec

from tradingd.config.paths import state_root
from tradingd.control.answers import Done
from tradingd.control.peers import user_name
from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.clock import WallClock

FILE = "HALT"
"""In the state folder; whatever it holds, the daemon halts while it is there."""


def leave(instance: str, reason: str, cause: Failure) -> Done:
    """Write the flag, and say what it does and does not do.

    Raises
    ------
    Failure
        `cause` when the state folder is not this user's to write or the instance is unknown.
    """
    folder = state_root(instance)
    if not folder.is_dir():
        raise cause
    path = folder / FILE
    flag = {"reason": reason, "author": user_name(os.getuid()), "since": WallClock().now()}
    try:
        write_bytes(path, msgspec.json.encode(flag) + b"\n")
    except PermissionError as error:
        raise Failure(
            f"{cause.what}, and this user cannot leave it a flag",
            code=ExitCode.FORBIDDEN,
            where=str(path),
            next_step=f"sudo tradingctl -i {instance} halt, or: "
            f"sudo systemctl start tradingd-kill@{instance}",
        ) from error
    return Done(
        done=f"no daemon of instance {instance} listens; the flag {path} makes its next start "
        "HALTED. Orders that work at the broker are NOT cancelled: "
        f"tradingd kill --instance {instance} --reason WHY does that",
        changes=(("next start", "RUNNING", "HALTED"),),
    )
