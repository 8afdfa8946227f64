"""Tell systemd how the service is (sd_notify), or nobody when there is no systemd.

Protocol: one datagram of ``NAME=value`` lines to the socket that ``$NOTIFY_SOCKET`` names; an
address that begins with ``@`` is in the abstract namespace. Source: sd_notify(3).
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

_PATIENCE: Final = 0.1
"""Seconds a datagram may wait for room in the receiver's queue; the sender is the event loop."""

_LONGEST: Final = 4_096
"""Bytes of a status that are sent; systemd itself cuts far longer ones."""


class Notifier:
    """The null object: everything is accepted and nobody is told.

    `watchdog_period` is the time within which a beat must come, in seconds, or None when nobody
    watches.
    """

    watchdog_period: float | None = None

    def ready(self, status: str = "") -> bool:
        """Tell that start-up, or a reload, is complete; return whether it was told."""
        return self._send(READY="1", STATUS=status)

    def status(self, text: str) -> bool:
        """Show one line in `systemctl status`."""
        return self._send(STATUS=text)

    def reloading(self, status: str = "") -> bool:
        """Tell that a reload begins, stamped with the monotonic clock; `ready` ends it."""
        return self._send(
            RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1_000), STATUS=status
        )

    def stopping(self, status: str = "") -> bool:
        """Tell that the stop has begun."""
        return self._send(STOPPING="1", STATUS=status)

    def extend(self, seconds: float) -> bool:
        """Ask for this much more time from now for the start or stop in progress."""
        return self._send(EXTEND_TIMEOUT_USEC=str(int(seconds * 1e6)))

    def watchdog(self) -> bool:
        """Prove that the service is alive."""
        return self._send(WATCHDOG="1")

    def trigger(self) -> bool:
        """Declare the service wedged: systemd acts as if the watchdog had run out."""
        return self._send(WATCHDOG="trigger")

    def _send(self, **fields: str) -> bool:
        return False


class SystemdNotifier(Notifier):
    """Speaks to the service manager.

    Parameters
    ----------
    address : str
        ``$NOTIFY_SOCKET``.
    watchdog_period : float, optional
        Seconds within which a beat must come.
    """

    def __init__(self, address: str, *, watchdog_period: float | None = None) -> None:
        self.watchdog_period = watchdog_period
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def _send(self, **fields: str) -> bool:
        lines = (f"{name}={_one_line(text)}" for name, text in fields.items() if text)
        # A socket a message: nothing to keep open or to close, and it costs microseconds.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_PATIENCE)
            try:
                sender.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return False
        return True


def notifier(environ: Mapping[str, str] | None = None) -> Notifier:
    """Return the notifier this process was given; the null object when it was given none.

    ``$WATCHDOG_USEC`` counts only when ``$WATCHDOG_PID`` is this process or absent, so that a
    child does not take the service's beat for its own.
    """
    environ = os.environ if environ is None else environ
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return Notifier()
    return SystemdNotifier(address, watchdog_period=_watchdog_period(environ))


def _watchdog_period(environ: Mapping[str, str]) -> float | None:
    microseconds = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None


def _one_line(text: str) -> str:
    """Return text that cannot end its field early and begin another."""
    flat = " ".join(text.split()) if not text.isprintable() else text
    return flat.encode()[:_LONGEST].decode(errors="ignore")
