"""The store's table of contents: an append-only file of commits, one JSON line each.

A commit adds and removes files in one line, so a reader sees all of it or none. A crash can tear
only the last line; a torn line was never acknowledged and counts as absent.
"""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.layout import Series
from tradingd.kits.atomicfile import fsync_folder
from tradingd.kits.failure import ExitCode, Failure

FILE_NAME: Final = "manifest.jsonl"


class FileRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Parquet file of the store.

    `table` is ``bars``, ``quotes``, ``trades`` or a reference table. `first_ts` and `last_ts` are
    UTC nanoseconds. `digest` identifies the rows of bars whatever file they are in (see
    `tradingd.history.digest`). `adjusted` rows were split-adjusted by their source.
    """

    path: str
    table: str
    rows: int
    bytes: int
    sha256: str
    source: str
    symbol: str = ""
    resolution: Resolution | None = None
    first_ts: int = 0
    last_ts: int = 0
    digest: str = ""
    adjusted: bool = False

    @property
    def folder(self) -> str:
        """The partition the file belongs to."""
        return self.path.rpartition("/")[0]


class Fill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of one series that one source brought: who vouches for which times.

    `first_ts` and `last_ts` are the first and last ts_event, UTC nanoseconds; `rows` how many of
    them were new or other than before. `verdict` is that of the quality check before the write
    (``clean``, ``confirmed``, ``flagged``), empty where none was made; `note` says why. `source`
    and `at` are the commit's own where empty.
    """

    table: str
    symbol: str
    first_ts: int
    last_ts: int
    resolution: Resolution | None = None
    rows: int = 0
    verdict: str = ""
    note: str = ""
    source: str = ""
    at: str = ""


class Commit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the manifest: files that appear and disappear together.

    `at` is the wall-clock time of the write, UTC ISO 8601; it is provenance and decides nothing.
    `fills` say which times its rows came for, finer than its files do.
    """

    at: str
    source: str
    add: tuple[FileRecord, ...] = ()
    remove: tuple[str, ...] = ()
    note: str = ""
    fills: tuple[Fill, ...] = ()


class Manifest:
    """The files of a store at one moment; `load` reads it, `apply` moves it forward.

    `commits` counts the lines read: a store that was ever written to has one at least.
    """

    def __init__(self) -> None:
        self.commits = 0
        self._files: dict[str, FileRecord] = {}
        self._folders: dict[str, dict[str, FileRecord]] = {}
        self._series: dict[Series, dict[str, FileRecord]] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def files(self) -> list[FileRecord]:
        """Return every file, by path."""
        return [self._files[path] for path in sorted(self._files)]

    def in_folder(self, folder: str) -> list[FileRecord]:
        """Return the files of one partition, in time order."""
        return _in_time(self._folders.get(folder, {}).values())

    def of_table(self, table: str) -> list[FileRecord]:
        """Return the files of one table, by path."""
        return [one for one in self.files() if one.table == table]

    def of_series(self, series: Series) -> list[FileRecord]:
        """Return the files of one series, in time order."""
        return _in_time(self._series.get(series, {}).values())

    def series(self, kind: DataKind, resolution: Resolution | None = None) -> list[Series]:
        """Return the series of a kind, sorted by symbol, then resolution."""
        found = (
            one
            for one, files in self._series.items()
            if files and one.kind == kind and (resolution is None or one.resolution == resolution)
        )
        return sorted(found, key=lambda one: (one.symbol, one.resolution or ""))

    def apply(self, commit: Commit) -> None:
        """Remove, then add, the files of a commit."""
        self.commits += 1
        for path in commit.remove:
            gone = self._files.pop(path, None)
            if gone:
                del self._folders[gone.folder][path]
                self._of(gone).pop(path, None)
        for one in commit.add:
            self._files[one.path] = one
            self._folders.setdefault(one.folder, {})[one.path] = one
            self._of(one)[one.path] = one

    def _of(self, record: FileRecord) -> dict[str, FileRecord]:
        """Files of the record's series; reference tables have none."""
        if not record.symbol:
            return {}
        series = Series(DataKind(record.table), record.symbol, record.resolution)
        return self._series.setdefault(series, {})


def _in_time(files: Iterable[FileRecord]) -> list[FileRecord]:
    return sorted(files, key=lambda one: (one.first_ts, one.path))


def load(root: Path) -> Manifest:
    """Read the manifest of a store; an absent one is empty.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when a line other than a torn last one cannot be understood.
    """
    manifest = Manifest()
    for commit in commits(root):
        manifest.apply(commit)
    return manifest


def united_sources(records: Sequence[FileRecord]) -> str:
    """Return the sources of several files as one provenance text."""
    return "+".join(sorted({name for one in records for name in one.source.split("+")}))


def commits(root: Path) -> Iterator[Commit]:
    """Yield the commits of a store, oldest first."""
    path = root / FILE_NAME
    content = path.read_bytes() if path.exists() else b""
    lines = content.split(b"\n")
    decoder = msgspec.json.Decoder(Commit)
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            if number == len(lines):
                return
            raise _unreadable(path, number, str(error)) from error


def _unreadable(path: Path, number: int, found: str) -> Failure:
    return Failure(
        "the store's manifest cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=f"{path}:{number}",
        expected="one JSON commit per line",
        found=found,
        next_step="restore the file from a snapshot: tradingd data restore NAME",
    )


def begin(root: Path) -> None:
    """Write the first line of a new store, before its first file: see `recovery.check_named`."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    append(root, [Commit(at=now, source="tradingd", note="a new store")])
    fsync_folder(root)


def append(root: Path, entries: Sequence[Commit]) -> None:
    """Add commits durably; first cuts off what a crash left of an unfinished line."""
    path = root / FILE_NAME
    text = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = _sound_length(path)
        os.ftruncate(descriptor, end)
        try:
            _write_all(descriptor, text, end)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, text: bytes, offset: int) -> None:
    while text:
        written = os.pwrite(descriptor, text, offset)
        text, offset = text[written:], offset + written


def _sound_length(path: Path) -> int:
    """Length up to the last complete line."""
    content = path.read_bytes()
    return content.rfind(b"\n") + 1
