"""journald's native protocol: structured fields, several lines in one entry, never blocking."""

import array
import errno
import fcntl
import logging
import os
import re
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tradingd.telemetry.records import Text

SOCKET: Final = Path("/run/systemd/journal/socket")
PREFIX: Final = "TRADING_"

_LONGEST_NAME: Final = 64
_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4),
                      (logging.INFO, 6))  # fmt: skip
_ALL_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def name_of(field: str) -> str:
    """Return the journal's name of a field: ``order_id`` is ``TRADING_ORDER_ID``."""
    return (PREFIX + re.sub(r"[^A-Z0-9_]", "_", field.upper()))[:_LONGEST_NAME]


def priority_of(level: int) -> int:
    """Return the syslog priority of a logging level."""
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)


def encode(fields: Mapping[str, Any]) -> bytes:
    """Return an entry: ``NAME=value`` lines; a value with a line break is sent by its length."""
    return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: Any) -> bytes:
    content = str(value).encode("utf-8", "replace")
    if b"\n" in content:
        return name.encode() + b"\n" + struct.pack("<Q", len(content)) + content + b"\n"
    return name.encode() + b"=" + content + b"\n"


class JournalHandler(logging.Handler):
    """Sends masked records to journald; drops and counts them when it does not keep up.

    Parameters
    ----------
    identifier : str
        SYSLOG_IDENTIFIER, e.g. ``tradingd``.
    context : mapping
        Fields of every record, e.g. instance and run_id; read anew for each one.
    mask : callable
        Applied to the finished values as well.
    path : Path
        journald's socket.
    """

    def __init__(
        self, identifier: str, context: Mapping[str, str], mask: Text, path: Path = SOCKET
    ) -> None:
        super().__init__()
        self.dropped = 0
        self._identifier = identifier
        self._facts = context
        self._mask = mask
        self._path = str(path)
        self._untold = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, or count it."""
        try:
            fields = self._fields(record)
            if self._untold and self._send(encode(self._note(fields))):
                self._untold = 0
            if not self._send(encode(fields)):
                self.dropped += 1
                self._untold += 1
        except Exception:  # noqa: BLE001 - logging must never raise into trading
            self.dropped += 1
            self._untold += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()

    @property
    def _context(self) -> dict[str, str]:
        return {name_of(name): value for name, value in self._facts.items() if value}

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        message = record.getMessage()
        below = [text for text in (record.exc_text, record.stack_info) if text]
        fields: dict[str, Any] = {
            "MESSAGE": "\n".join([message, *below]),
            "PRIORITY": priority_of(record.levelno),
            "SYSLOG_IDENTIFIER": self._identifier,
            "SYSLOG_PID": os.getpid(),
            "CODE_FILE": record.pathname,
            "CODE_LINE": record.lineno,
            "CODE_FUNC": record.funcName,
            "TID": record.thread and threading.get_native_id(),
            "TRADING_LOGGER": record.name,
            "TRADING_THREAD": record.threadName,
            **self._context,
        }
        own = getattr(record, "fields", {})
        fields |= {name_of(name): value for name, value in own.items() if value is not None}
        return {name: self._mask(str(value)) for name, value in fields.items()}

    def _note(self, like: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "MESSAGE": f"{self._untold} log records were dropped: the journal did not keep up",
            "PRIORITY": 4,
            "SYSLOG_IDENTIFIER": like["SYSLOG_IDENTIFIER"],
            **self._context,
            "TRADING_EVENT": "log_dropped",
            "TRADING_COUNT": self._untold,
        }

    def _send(self, entry: bytes) -> bool:
        try:
            # By path each time: a journald that was restarted is found again.
            self._socket.sendto(entry, self._path)
        except OSError as error:
            if error.errno in (errno.EMSGSIZE, errno.ENOBUFS):
                return self._send_sealed(entry)
            return False
        return True

    def _send_sealed(self, entry: bytes) -> bool:
        """Send what no datagram holds as a sealed file in memory."""
        descriptor = os.memfd_create("journal-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as stream:
                stream.write(entry)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _ALL_SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            self._socket.sendmsg([], [rights], 0, self._path)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
