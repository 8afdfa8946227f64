"""What the operating system refuses and a person can mend, as the one line they read."""

import errno
from typing import Final

from tradingd.kits.failure import ExitCode, Failure

_MENDABLE: Final = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG,
        errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EIO,
        errno.EMFILE,
    }
)  # fmt: skip
"""Permissions, space, a path that is no folder, a folder that went away."""


def refused(error: OSError) -> Failure | None:
    """Return the refusal of a file or folder; None where the error is not one of those."""
    if error.errno not in _MENDABLE:
        return None
    return Failure(
        "the system refuses a file or folder",
        code=ExitCode.STORE_WRITE,
        where=str(error.filename or ""),
        found=error.strerror or str(error),
        next_step="free space or fix the path or its permissions, then run the command again",
    )
