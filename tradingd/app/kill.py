"""`tradingd kill`: latch an instance, make its account flat, say whether that is proven."""

import asyncio
import contextlib
import fcntl
import os
import pwd
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tradingd.app.killing.clients import client_of
from tradingd.app.killing.closing import Closed, Closing, Patience
from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits import atomicfile, latch
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.latch import Latch

REPORT: Final = "kill.json"
"""The last attempt's report, in the state folder."""

LOCK: Final = "kill.lock"


class KillReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the kill switch did and found; also its last report, as `--status` shows it.

    `flat` is None where nothing was attempted yet. `latched` tells of the latch on disk.
    """

    instance: str
    action: str
    latched: bool
    reason: str = ""
    author: str = ""
    since: int = 0
    flat: bool | None = None
    account: str = ""
    canceled: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    orders_left: tuple[str, ...] = ()
    positions_left: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    seconds: float = 0.0
    finished: int = 0
    exit_code: int = 0


def kill(
    instance: str, folder: Path, *, reason: str, author: str, socket: str, patience: Patience
) -> KillReport:
    """Latch, cancel, close, verify. Repeating it does no harm.

    The latch comes first and stays; where it cannot be written the account is made flat all the
    same. Two attempts at once would close everything twice, so they go one after the other.

    Raises
    ------
    Failure
        FORBIDDEN when this user may not write the state folder; NOT_FLAT when it is not known
        where the broker is, or it holds another account.
    """
    begun = time.monotonic()
    set_, trouble = _latch(folder, reason, author)
    known = _endpoint(folder, socket)
    closing = Closing(
        client_of(known, patience.answer),
        account=known.account,
        prefix=f"KILL-{instance}-{time.time_ns()}",
        patience=patience,
    )
    with _alone(folder, patience.deadline):
        closed = asyncio.run(closing.run())
    report = _report(instance, set_, closed, trouble, time.monotonic() - begun)
    with contextlib.suppress(OSError):
        atomicfile.write_bytes(folder / REPORT, msgspec.json.encode(report))
    return report


def status(instance: str, folder: Path) -> KillReport:
    """Return the latch, and the last report where there is one; changes nothing."""
    there = latch.read(folder)
    try:
        last = msgspec.json.decode((folder / REPORT).read_bytes(), type=KillReport)
    except (OSError, msgspec.DecodeError):
        last = KillReport(instance=instance, action="status", latched=False)
    return msgspec.structs.replace(
        last,
        action="status",
        latched=there is not None,
        reason=there.reason if there else "",
        author=there.author if there else "",
        since=there.since if there else 0,
        exit_code=ExitCode.OK,
    )


def reset(instance: str, folder: Path, *, reason: str, author: str) -> KillReport:
    """Lift the latch; the daemon stays halted until somebody resumes it.

    Raises
    ------
    Failure
        REFUSED when there is none; FORBIDDEN when this user may not.
    """
    try:
        lifted = latch.reset(folder, reason=reason, author=author, now_ns=time.time_ns())
    except PermissionError as error:
        raise _forbidden(instance, error) from error
    if lifted is None:
        raise Failure(
            f"instance {instance} is not latched",
            code=ExitCode.REFUSED,
            where=str(folder / latch.LATCH),
            next_step="nothing is to be done; a halted daemon is resumed with tradingctl resume",
        )
    return KillReport(
        instance=instance,
        action="reset",
        latched=False,
        reason=lifted.reason,
        author=lifted.author,
        since=lifted.since,
    )


def author_of_process() -> str:
    """Return who runs this: user id, name, and the person behind sudo."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = "?"
    behind = os.environ.get("SUDO_USER", "")
    return f"uid {uid} ({name})" + (f" for {behind}" if behind else "")


def become_owner(folder: Path) -> None:
    """As root, go on as the state folder's owner: its files must stay the daemon's own."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _latch(folder: Path, reason: str, author: str) -> tuple[Latch | None, str]:
    """Set the latch and take the flag file away; return it, or why there is none."""
    try:
        set_ = latch.trip(folder, reason=reason, author=author, now_ns=time.time_ns())
    except PermissionError as error:
        raise _forbidden(folder.name, error) from error
    except OSError as error:
        # A full disk must not keep a position open.
        return latch.read(folder), f"THE LATCH COULD NOT BE WRITTEN: {error}"
    with contextlib.suppress(FileNotFoundError):
        (folder / latch.KILL_FLAG).unlink()
    return set_, ""


def _endpoint(folder: Path, socket: str) -> BrokerEndpoint:
    """Return what the daemon left, or a simulated broker that a person named."""
    if not socket:
        return endpoint.read(folder)
    try:
        account = endpoint.read(folder).account
    except Failure:
        account = ""
    return BrokerEndpoint(kind="simulated", account=account, socket=socket)


@contextlib.contextmanager
def _alone(folder: Path, seconds: float) -> Iterator[None]:
    """Hold the lock of kill attempts; the kernel frees it when its holder dies.

    Where the lock cannot be had because of the file system, the attempt goes on without it.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError:
        yield
        return
    end = time.monotonic() + seconds
    try:
        while not _locked(descriptor):
            if time.monotonic() > end:
                raise Failure(
                    "another kill attempt does not end",
                    code=ExitCode.NOT_FLAT,
                    where=str(folder / LOCK),
                    next_step="see what it says, end it, and run this again",
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _report(
    instance: str, set_: Latch | None, closed: Closed, trouble: str, seconds: float
) -> KillReport:
    code = ExitCode.OK if closed.flat else ExitCode.NOT_FLAT
    if closed.flat and trouble:
        code = ExitCode.STORE_WRITE
    return KillReport(
        instance=instance,
        action="kill",
        latched=set_ is not None,
        reason=set_.reason if set_ else "",
        author=set_.author if set_ else "",
        since=set_.since if set_ else 0,
        flat=closed.flat,
        account=closed.account,
        canceled=closed.canceled,
        closed=closed.closed,
        orders_left=closed.orders_left,
        positions_left=closed.positions_left,
        troubles=(*((trouble,) if trouble else ()), *closed.troubles),
        seconds=round(seconds, 3),
        finished=time.time_ns(),
        exit_code=code,
    )


def _forbidden(instance: str, error: OSError) -> Failure:
    return Failure(
        "this user may not use the kill switch of the instance",
        code=ExitCode.FORBIDDEN,
        where=str(error.filename or ""),
        found=error.strerror or str(error),
        next_step=f"sudo systemctl start tradingd-kill@{instance}",
    )
