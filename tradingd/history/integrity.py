"""Compare every file with the hash that the manifest recorded for it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from tradingd.history.manifest import FileRecord
from tradingd.history.recovery import located
from tradingd.kits.hashing import file_hash


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not what was written."""

    path: str
    problem: str


def verify(
    root: Path,
    records: Iterable[FileRecord],
    progress: Callable[[FileRecord], None] = lambda _record: None,
) -> list[Damage]:
    """Hash every file; return those that are missing or differ."""
    found = []
    for record in records:
        problem = _problem(located(root, record.path), record)
        if problem:
            found.append(Damage(path=record.path, problem=problem))
        progress(record)
    return found


def _problem(path: Path, record: FileRecord) -> str:
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != record.bytes:
        return f"{size} bytes, {record.bytes} were written"
    return "" if file_hash(path) == record.sha256 else "its content changed since it was written"
