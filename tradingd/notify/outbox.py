"""Messages that must arrive, on disk: one file each, removed when every route has it.

A message whose file could not be removed before a SIGKILL is sent again: at least once, rarely
twice, never not at all.
"""

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.alerts import Severity
from tradingd.notify.ledger import Trouble
from tradingd.notify.message import Message

_log = logging.getLogger(__name__)

MOST_FILES: Final = 500
"""Beyond this only pages are kept: a full disk would be the next trouble."""

_TROUBLES: Final = "open.json"


class Outbox:
    """A folder of messages (mode 0700); every write is complete or absent.

    Parameters
    ----------
    folder : Path
        Made by `open` when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._files: dict[str, Message] = {}

    def open(self) -> Sequence[Message]:
        """Return the messages that an earlier process left, oldest first.

        A file that cannot be read is set aside with the ending ``.bad`` and logged.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock:
            for path in sorted(self.folder.glob("m*.json")):
                try:
                    message = msgspec.json.decode(path.read_bytes(), type=Message)
                except (OSError, msgspec.MsgspecError) as error:
                    self._set_aside(path, error)
                else:
                    self._files[message.id] = message
            return tuple(self._files.values())

    def put(self, message: Message) -> bool:
        """Write a message down; False when it could not be or the folder is full."""
        with self._lock:
            if len(self._files) >= MOST_FILES and message.severity is not Severity.PAGE:
                return False
            self._files[message.id] = message
            return self._write(self._path(message), msgspec.json.encode(message))

    def arrived(self, identifier: str, route: str) -> None:
        """Cross one route off; the file goes with the last one."""
        with self._lock:
            message = self._files.get(identifier)
            if message is None:
                return
            left = tuple(one for one in message.routes if one != route)
            if not left:
                self._remove(identifier)
                return
            message = msgspec.structs.replace(message, routes=left)
            self._files[identifier] = message
            self._write(self._path(message), msgspec.json.encode(message))

    def drop(self, identifier: str) -> None:
        """Give a message up."""
        with self._lock:
            self._remove(identifier)

    def __len__(self) -> int:
        """Return how many messages have not arrived everywhere."""
        return len(self._files)

    def save_troubles(self, troubles: Sequence[Trouble]) -> None:
        """Remember the open troubles, so that a restart neither repeats nor forgets them."""
        with self._lock:
            self._write(self.folder / _TROUBLES, msgspec.json.encode(troubles))

    def load_troubles(self) -> tuple[Trouble, ...]:
        """Return the troubles that were open when an earlier process ended."""
        path = self.folder / _TROUBLES
        try:
            return msgspec.json.decode(path.read_bytes(), type=tuple[Trouble, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.MsgspecError) as error:
            self._set_aside(path, error)
            return ()

    def _path(self, message: Message) -> Path:
        return self.folder / f"m{message.id}.json"

    def _remove(self, identifier: str) -> None:
        message = self._files.pop(identifier, None)
        if message is not None:
            try:
                self._path(message).unlink(missing_ok=True)
            except OSError as error:
                _log.warning("a sent alert stays in the outbox: %s", error)

    def _write(self, path: Path, content: bytes) -> bool:
        temporary = path.with_suffix(".new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except OSError as error:
            # The alert itself still goes out; only a crash in between would lose it.
            _log.warning("the alert outbox cannot be written: %s", error)
            return False
        return True

    def _set_aside(self, path: Path, error: Exception) -> None:
        _log.warning("a file of the alert outbox cannot be read: %s: %s", path.name, error)
        try:
            path.replace(path.with_suffix(".bad"))
        except OSError:
            _log.warning("nor can it be set aside: %s", path.name)
