"""One daemon a broker account: a file lock that dies with its process.

The lock is on the account, not on the instance: two instances with different names must not trade
one account. It is an advisory lock of the kernel (flock), so nothing is left behind by SIGKILL.
"""

import fcntl
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from tradingd.config.paths import state_root
from tradingd.kits.failure import ExitCode, Failure

_SHARED: Final = Path("/var/lib/tradingd/accounts")
_LONGEST: Final = 4_096


INSTANCE: Final = "instance"
"""In place of a kind of broker: the lock of an instance, whatever account it trades."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock; written into the file, for people."""

    pid: int
    instance: str


def accounts_folder(instance: str, *, shared: Path = _SHARED) -> Path:
    """Return the folder of the account locks: the machine's, else the one beside the state."""
    if shared.is_dir() and os.access(shared, os.W_OK | os.X_OK):
        return shared
    return state_root(instance).parent / "accounts"


class AccountLock:
    """The right to trade one account.

    Parameters
    ----------
    folder : Path
        Shared by all instances; made when it is not there.
    broker, account : str
        Kind of broker and the account's id: the key; `INSTANCE` and its name for the instance.
    instance : str
        Who asks.
    """

    def __init__(self, folder: Path, *, broker: str, account: str, instance: str) -> None:
        safe = re.sub(r"[^\w.\-]", lambda odd: f"%{ord(odd[0]):02x}", f"{broker}-{account}")
        self.path = folder / f"{safe}.lock"
        self._own = broker == INSTANCE
        self._account = f"instance {account}" if self._own else f"{broker} account {account}"
        self._instance = instance
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises
        ------
        Failure
            SECOND_INSTANCE when another process holds it, with its pid and instance; INSTALL when
            the file cannot be opened.
        """
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise self._held_by(holder) from None
        facts = msgspec.json.encode(Holder(pid=os.getpid(), instance=self._instance))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, facts, 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            # The file stays: removing it would let two processes lock two files of one name.
            os.ftruncate(self._descriptor, 0)
            # Said, not left to the close: a child between fork and exec has a copy for a moment.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Python's descriptors are not inherited: a child cannot keep the lock alive.
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o660)
        except OSError as error:
            raise Failure(
                f"the lock of {self._account} cannot be opened",
                code=ExitCode.INSTALL,
                where=str(self.path),
                expected="a file this user may write",
                found=error.strerror or str(error),
                next_step="run every instance as the same user, or give the folder to its group",
            ) from error

    def _held_by(self, holder: Holder | None) -> Failure:
        found = f"process {holder.pid}, instance {holder.instance}" if holder else "a held lock"
        stop = f"stop it: systemctl stop tradingd@{holder.instance}" if holder else "stop it"
        return Failure(
            f"another daemon {'runs' if self._own else 'trades'} the {self._account}",
            code=ExitCode.SECOND_INSTANCE,
            where=str(self.path),
            expected=f"one daemon {'an instance' if self._own else 'an account'}",
            found=found,
            next_step=stop,
        )


def _holder(descriptor: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, _LONGEST, 0), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
