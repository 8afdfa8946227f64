"""A folder of DBN files as a provider: batch downloads, or what somebody else fetched.

A file is found by what its metadata say - symbol, schema, time - never by its name. The window
must lie within one file: books of two files are not joined.
"""

import datetime as dt
import logging
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradingd.backfill.provider import Window
from tradingd.config.backfill import BackfillConfig, FolderBooks
from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.databento.dbn import DbnFile

log = logging.getLogger(__name__)

_PATTERNS: Final = ("*.dbn", "*.dbn.zst")
_SCHEMAS: Final = ("mbp-10", "mbp-1")
"""Whole books, the deepest first; others miss changes."""
_FOREVER: Final = 2**63 - 1


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file of books, by its metadata; UTC ns, `end_ns` exclusive."""

    path: Path
    schema: str
    symbols: frozenset[str]
    start_ns: int
    end_ns: int

    def covers(self, window: Window) -> bool:
        """Tell whether the whole window lies within the file's time."""
        return self.start_ns <= window.start_ns and window.end_ns <= self.end_ns

    def overlap(self, window: Window) -> int:
        """Return how many nanoseconds of the window the file covers."""
        return min(self.end_ns, window.end_ns) - max(self.start_ns, window.start_ns)


class FolderBookProvider:
    """Implements `BookProvider`; reads the files' metadata with the first task.

    Parameters
    ----------
    config : FolderBooks
        The folder; folders below it count too.
    """

    name = "folder"

    def __init__(self, config: FolderBooks) -> None:
        self._folder = Path(config.path).expanduser()
        self._lock = threading.Lock()
        self._index: list[Found] | None = None

    def is_available(self) -> str:
        """Return "" when the folder is there."""
        return "" if self._folder.is_dir() else f"there is no folder {self._folder}"

    def estimate(self, tasks: Sequence[tuple[dt.date, str, Window]]) -> Decimal | None:
        """Return None: what is here already costs nothing."""
        return None

    def fetch_l2(self, day: dt.date, symbol: str, window: Window, to: Path) -> Path:
        """Return the file that holds the window; nothing is copied."""
        held = [one for one in self._files() if symbol in one.symbols and one.overlap(window) > 0]
        covering = [one for one in held if one.covers(window)]
        if covering:
            return min(covering, key=_preference).path
        if not held:
            raise Failure(
                f"no DBN file has books of {symbol} on {day}",
                code=ExitCode.NO_DATA,
                where=str(self._folder),
                expected=f"a file of {' or '.join(_SCHEMAS)} with {symbol} in its metadata",
                next_step="put the file there, or ask another backfill.provider",
            )
        nearest = max(held, key=lambda one: one.overlap(window))
        raise Failure(
            f"no DBN file has the whole window of {symbol} on {day}",
            code=ExitCode.NO_DATA,
            where=str(nearest.path),
            expected=f"{_time(window.start_ns)} to {_time(window.end_ns)} UTC",
            found=f"{_time(nearest.start_ns)} to {_time(nearest.end_ns)} UTC",
            next_step="ask for a window within the file, or download the window as one file",
        )

    def _files(self) -> list[Found]:
        with self._lock:
            if self._index is None:
                paths = {path for pattern in _PATTERNS for path in self._folder.rglob(pattern)}
                found = [_described(path) for path in sorted(paths)]
                self._index = [one for one in found if one is not None]
                log.info(
                    "%s: %d of %d files hold books", self._folder, len(self._index), len(paths)
                )
            return self._index


def _described(path: Path) -> Found | None:
    """Return what a file holds; None where it holds no book: other data are no news, damage is."""
    try:
        file = DbnFile(path).open()
    except Failure as failure:
        level = logging.WARNING if failure.code is ExitCode.DAMAGED_ARCHIVE else logging.DEBUG
        log.log(level, "left out: %s", failure.line())
        return None
    if file.schema not in _SCHEMAS:
        return None
    return Found(
        path=path,
        schema=file.schema,
        symbols=frozenset(file.symbols) | frozenset(file.symbol_of().values()),
        start_ns=file.start_ns,
        end_ns=file.end_ns or _FOREVER,
    )


def _preference(found: Found) -> tuple[int, int, str]:
    """Prefer the deepest book, then the smallest file: less to read past."""
    return _SCHEMAS.index(found.schema), found.path.stat().st_size, str(found.path)


def _time(ts: int) -> str:
    if ts == _FOREVER:
        return "an unknown end"
    return f"{dt.datetime.fromtimestamp(ts // 10**9, tz=dt.UTC):%Y-%m-%d %H:%M:%S}"


def make(config: FolderBooks, _backfill: BackfillConfig) -> FolderBookProvider:
    """Return the provider; it touches nothing until asked."""
    return FolderBookProvider(config)
