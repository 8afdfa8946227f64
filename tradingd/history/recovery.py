"""Bring the folder back in line with the manifest after a crash; the next writer does it first.

A file is renamed into place before the manifest names it. So whatever the manifest does not name
was never acknowledged and is removed; the import that wrote it is repeated and writes it again.
Superseded files move to ``.retired/`` and stay there for a while, for readers that have begun.

The first line of a manifest is written before the first file. Files of ours without any line are
therefore no leftovers but history whose manifest was lost: it is never removed.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tradingd.domain.market import DataKind
from tradingd.history.manifest import FILE_NAME, Manifest, load
from tradingd.kits.atomicfile import TEMPORARY_SUFFIX
from tradingd.kits.failure import ExitCode, Failure

RETIRED: Final = ".retired"
RETIREMENT_SECONDS: Final = 3_600.0
FOLDERS: Final = (*(str(kind) for kind in DataKind), "reference")
_OURS: Final = re.compile(r"\d{8}T\d{6}-[0-9a-f]{16}\.parquet")


def file_name(first_ts: int, sha256: str) -> str:
    """Name a file by its first row's UTC second and its content."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(first_ts // 1_000_000_000))
    return f"{stamp}-{sha256[:16]}.parquet"


def check_named(root: Path) -> None:
    """Refuse a store that holds history while its manifest is absent or empty.

    Raises
    ------
    Failure
        MANIFEST; nothing was changed.
    """
    found = [path for path in _leftovers(root, Manifest()) if path.suffix != TEMPORARY_SUFFIX]
    # Read after the files were listed: a first writer may have begun in between.
    if not found or load(root).commits:
        return
    raise Failure(
        "the history store has lost its manifest; nothing was changed",
        code=ExitCode.MANIFEST,
        where=str(root / FILE_NAME),
        expected="the commits that name the store's files",
        found=f"{len(found)} Parquet files that no commit names",
        next_step="put the file back, or: tradingd data restore NAME, or import again with another "
        "store.root=FOLDER",
    )


def tidy(root: Path, manifest: Manifest) -> int:
    """Remove unacknowledged files and old retired ones; return how many."""
    leftovers = list(_leftovers(root, manifest))
    for path in leftovers:
        path.unlink(missing_ok=True)
    for path in expired(root):
        path.unlink(missing_ok=True)
    return len(leftovers)


def _leftovers(root: Path, manifest: Manifest) -> Iterator[Path]:
    for table in FOLDERS:
        for folder, _, names in os.walk(root / table):
            for name in names:
                path = Path(folder, name)
                if name.endswith(TEMPORARY_SUFFIX):
                    yield path
                # A file that somebody put there by hand is not ours to delete.
                elif _OURS.fullmatch(name) and path.relative_to(root).as_posix() not in manifest:
                    yield path


def retire(root: Path, paths: Iterable[str]) -> None:
    """Move superseded files out of the partitions; their bytes stay for running readers."""
    for path in paths:
        target = retired(root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = root / path
        if source.exists():
            os.utime(source)
            source.replace(target)


def retired(root: Path, path: str) -> Path:
    """Where a superseded file waits for its end."""
    return root / RETIRED / path


def expired(root: Path) -> list[Path]:
    """Retired files that no reader can still need."""
    now = time.time()
    found = (Path(folder, name) for folder, _, names in os.walk(root / RETIRED) for name in names)
    return [path for path in found if now - path.stat().st_mtime > RETIREMENT_SECONDS]


def located(root: Path, path: str) -> Path:
    """Return where a file is now: in place, or retired since the manifest was read."""
    place = root / path
    if place.exists():
        return place
    waiting = retired(root, path)
    return waiting if waiting.exists() else place
