"""Take the sockets that systemd opened for this process (`sd_listen_fds(3)`)."""

import os
import socket
from collections.abc import MutableMapping
from typing import Final

_FIRST: Final = 3
"""SD_LISTEN_FDS_START: descriptors after standard input, output and error."""

_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")


def listen_fds(
    environment: MutableMapping[str, str] | None = None, *, first: int = _FIRST
) -> dict[str, list[socket.socket]]:
    """Return the passed sockets by their ``FileDescriptorName=``; empty when started by hand.

    Each socket is returned once: the variables are removed from `environment`, and children do not
    inherit the descriptors. A count or name that makes no sense counts as nothing passed.

    Parameters
    ----------
    environment : mutable mapping, optional
        Where LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are; ``os.environ`` by default.
    first : int
        Number of the first descriptor; 3 by systemd's protocol.
    """
    names = os.environ if environment is None else environment
    given = {name: names.pop(name, "") for name in _VARIABLES}
    if given["LISTEN_PID"] != str(os.getpid()) or not given["LISTEN_FDS"].isdecimal():
        return {}
    labels = given["LISTEN_FDNAMES"].split(":")
    passed: dict[str, list[socket.socket]] = {}
    for index in range(int(given["LISTEN_FDS"])):
        os.set_inheritable(first + index, False)
        label = labels[index] if index < len(labels) and labels[index] else "unknown"
        passed.setdefault(label, []).append(socket.socket(fileno=first + index))
    return passed
